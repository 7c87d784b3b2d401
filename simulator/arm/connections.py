"""The target's side on the wire, whatever the target is (behaviour reference section 4)."""

from __future__ import annotations

from simulator import connections, ids, providers
from simulator.arm.envelope import (
    document,
    network_operation,
    page,
    properties_of,
    respelt,
    show_result,
    show_status,
)
from simulator.connection_documents import CHILD
from simulator.documents import Document
from simulator.endpoint_names import PRIVATE_LINK_SERVICES
from simulator.providers import Provider
from simulator.refusals import By, NotSimulatedError, Refusal
from simulator.wire import Reply, Request, Router
from simulator.world import Operation

_SUBSCRIPTION = "/subscriptions/{subscription}/providers"
_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}/providers"
# A resource of any type, or one beneath it, as a web site's slot is.
_TARGETS = (f"{_GROUP}/{{provider}}/{{type}}/{{name}}", f"{_GROUP}/{{provider}}/{{type}}/{{name}}/{{child}}/{{part}}")
_OPERATIONS = f"{_SUBSCRIPTION}/{{provider}}/locations/{{region}}"


def add_routes(router: Router) -> None:
    """Makes the connections of every target answer."""
    for target in _TARGETS:
        router.add("GET", f"{target}/{CHILD}", _list)
        router.add("GET", f"{target}/{CHILD}/{{connection}}", _get)
        router.add("PUT", f"{target}/{CHILD}/{{connection}}", _answer)
        router.add("PATCH", f"{target}/{CHILD}/{{connection}}", _answer)
        router.add("DELETE", f"{target}/{CHILD}/{{connection}}", _delete)
    router.add("GET", f"{_OPERATIONS}/operationStatuses/{{operation}}", show_status)
    router.add("GET", f"{_OPERATIONS}/operationResults/{{operation}}", show_result)
    for scope in (_SUBSCRIPTION, _GROUP):
        router.add("GET", f"{scope}/{PRIVATE_LINK_SERVICES}", _list_services)


def _list(request: Request) -> Reply:
    target_id = request.path.rsplit("/", 1)[0]
    provider = _need_target(request, target_id)
    if not provider.lists and not request.world.settings.connections_listed:
        raise _not_allowed(request)
    return page(request, [_spelt(request, each) for each in connections.of_target(request.world, target_id)])


def _get(request: Request) -> Reply:
    _need_target(request, ids.parse(request.path).parent)
    return document(_spelt(request, request.world.need(request.path)))


def _answer(request: Request) -> Reply:
    provider = _need_target(request, ids.parse(request.path).parent)
    by_put = request.world.settings.patched_by_put and provider.verb == "PATCH" and request.method == "PUT"
    if request.method != provider.verb and not by_put:
        raise _not_allowed(request)
    body, if_match = properties_of(request), request.headers.get("If-Match")
    shown, operation = connections.answer(request.world, request.caller, request.path, body, if_match)
    if operation is None:
        return document(_spelt(request, shown))
    headers = _followed(request, operation, provider)
    return document(_spelt(request, shown), provider.status, headers if provider.answer == "operation" else {})


def _delete(request: Request) -> Reply:
    provider = _need_target(request, ids.parse(request.path).parent)
    removed = connections.remove(request.world, request.caller, request.path)
    if isinstance(removed, Operation):
        return Reply(202, None, _followed(request, removed, provider))
    return Reply(200 if removed else 204)


def _need_target(request: Request, target_id: str) -> Provider:
    """How the target's provider behaves. Raises Refusal if there is no such target.

    Of a type that Azure may not have connections for, only those exist that an endpoint asked for, or that were put in.
    """
    world, target_type = request.world, ids.parse(target_id).type
    told = ids.key(target_id) in world.targets or connections.of_target(world, target_id)
    if not told and not providers.is_known(target_type):
        raise NotSimulatedError(f"nothing is known of connections to {target_type}")
    if not told:
        world.need(target_id)
    return providers.of_target(target_type)


def _not_allowed(request: Request) -> Refusal:
    """What a provider without such an operation answers; the code is unverified (behaviour reference section 4.3)."""
    message = f"The requested resource does not support http method '{request.method}'."
    return Refusal("MethodNotAllowed", message, by=By.GATEWAY)


def _followed(request: Request, operation: Operation, provider: Provider) -> dict[str, str]:
    """Where a long operation can be followed: by its status, by its result, or by both (section 6.4)."""
    headers = {"Retry-After": str(provider.retry_after)} if provider.retry_after is not None else {}
    if ids.parse(operation.resource_id).type.lower().startswith("microsoft.network/"):
        return {**headers, **network_operation(request, operation)}
    parsed = ids.parse(operation.resource_id)
    base = f"{request.base_url}/subscriptions/{parsed.subscription}/providers/{parsed.type.split('/')[0]}/locations"
    places = {"Azure-AsyncOperation": "operationStatuses", "Location": "operationResults"}
    wanted = request.world.settings.connection_headers
    found = {
        header: f"{base}/westeurope/{place}/{operation.id}?api-version={request.api_version}"
        for header, place in places.items()
        if wanted in ("both", header)
    }
    return {**headers, **found}


def _spelt(request: Request, found: Document) -> Document:
    return respelt(found, request) if "/microsoft.network/" in request.path.lower() else found


def _list_services(request: Request) -> Reply:
    values = request.values
    found = request.world.documents(
        PRIVATE_LINK_SERVICES, subscription=values["subscription"], resource_group=values.get("group")
    )
    return page(request, found)
