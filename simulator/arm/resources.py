"""Subscriptions, their resource providers, resource groups, and the GET of whatever else is stored."""

from __future__ import annotations

from simulator import ids, moves, resource_groups
from simulator.arm.envelope import document, need_operation, operation_result, page, respelt
from simulator.refusals import By, NotSimulatedError, Refusal
from simulator.roles import rights_of
from simulator.wire import Reply, Request, Router
from simulator.world import Operation, Subscription

_SUBSCRIPTION = "/subscriptions/{subscription}"
_GROUP = f"{_SUBSCRIPTION}/resourceGroups/{{group}}"
_PROVIDERS = {name.lower(): name for name in ("Microsoft.EventGrid", "Microsoft.Network")}


def add_routes(router: Router) -> None:
    """Makes the resources provider answer."""
    router.add("GET", "/subscriptions", _list_subscriptions)
    router.add("GET", _SUBSCRIPTION, _get_subscription)
    router.add("GET", f"{_SUBSCRIPTION}/providers/{{namespace}}", _get_provider)
    router.add("GET", f"{_SUBSCRIPTION}/resourceGroups", _list_groups)
    router.add("GET", _GROUP, lambda request: document(_need_group(request)))
    router.add("PUT", _GROUP, _put_group)
    router.add("DELETE", _GROUP, _delete_group)
    router.add("POST", f"{_GROUP}/moveResources", _move_resources)
    router.add("GET", f"{_SUBSCRIPTION}/operationresults/{{operation}}", _operation_result)


def get_stored(request: Request) -> Reply | None:
    """The document with the request's path for an id; None if nothing is known of such a path.

    A type of child that nobody has ever stored is not missing, it is not simulated.
    """
    try:
        parsed = ids.parse(request.path)
    except ValueError:
        return None
    if not parsed.subscription:
        return None
    if parsed.type.count("/") > 1 and not request.world.store.of_type(parsed.type):
        return None
    found = request.world.need(request.path)
    return document(respelt(found, request) if parsed.type.lower().startswith("microsoft.network/") else found)


def subscription_document(subscription: Subscription) -> dict[str, object]:
    """A subscription as ARM shows it."""
    return {
        "id": f"/subscriptions/{subscription.id}",
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": subscription.id,
        "tenantId": subscription.tenant,
        "displayName": subscription.id,
        "state": "Enabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Internal_2014-09-01",
            "quotaId": "Internal_2014-09-01",
            "spendingLimit": "Off",
        },
    }


def _list_subscriptions(request: Request) -> Reply:
    rights = rights_of(request.world, request.caller.principal)
    readable = [
        each
        for each in request.world.subscriptions.values()
        if each.readable and rights.allow(f"{ids.SUBSCRIPTION}/read", f"/subscriptions/{each.id}")
    ]
    return page(request, [subscription_document(each) for each in sorted(readable, key=lambda each: each.id)])


def _get_subscription(request: Request) -> Reply:
    return Reply(200, subscription_document(request.world.need_subscription(request.values["subscription"])))


def _get_provider(request: Request) -> Reply:
    """Whether a subscription has it registered; its types are not shown (REST reference, Providers - Get)."""
    asked = request.values["namespace"].lower()
    if asked not in _PROVIDERS:
        raise NotSimulatedError("that resource provider")
    subscription, name = request.world.need_subscription(request.values["subscription"]), _PROVIDERS[asked]
    registered = asked not in (each.lower() for each in subscription.unregistered)
    body = {
        "id": f"/subscriptions/{subscription.id}/providers/{name}",
        "namespace": name,
        "registrationState": "Registered" if registered else "NotRegistered",
        "registrationPolicy": "RegistrationRequired",
    }
    return Reply(200, body)


def _need_group(request: Request) -> dict[str, object]:
    return request.world.need_group(request.values["subscription"], request.values["group"])


def _list_groups(request: Request) -> Reply:
    found = request.world.documents(ids.RESOURCE_GROUP, subscription=request.values["subscription"])
    return page(request, found)


def _put_group(request: Request) -> Reply:
    body = request.body
    if not isinstance(body, dict) or not isinstance(body.get("location"), str):
        message = "The location property is required for this definition."
        raise Refusal("LocationRequired", message, by=By.GATEWAY)
    written, new = resource_groups.write_group(request.world, request.caller, request.path, body)
    return document(written, 201 if new else 200)


def _delete_group(request: Request) -> Reply:
    _need_group(request)
    return _accepted(request, resource_groups.remove_group(request.world, request.caller, request.path))


def _move_resources(request: Request) -> Reply:
    body, group = request.body if isinstance(request.body, dict) else {}, str(_need_group(request)["id"])
    resources, target = body.get("resources"), str(body.get("targetResourceGroup"))
    if not resources or not isinstance(resources, list) or not all(map(_is_id, [*resources, target])):
        message = "The request content was invalid: a move needs resources and a targetResourceGroup, which are ids."
        raise Refusal("InvalidRequestContent", message, by=By.GATEWAY)
    return _accepted(request, moves.move(request.world, request.caller, group, resources, target))


def _is_id(text: object) -> bool:
    try:
        return isinstance(text, str) and bool(ids.parse(text))
    except ValueError:
        return False


def _accepted(request: Request, operation: Operation) -> Reply:
    """ARM's own long operations are followed by Location alone (behaviour reference section 6.4; path unverified)."""
    subscription = ids.parse(operation.resource_id).subscription
    place = f"{request.base_url}/subscriptions/{subscription}/operationresults/{operation.id}"
    return Reply(202, None, {"Location": f"{place}?api-version={request.api_version}"})


def _operation_result(request: Request) -> Reply:
    operation = need_operation(request, request.values["operation"])
    return Reply(204) if operation.status == "Succeeded" else operation_result(request, operation)
