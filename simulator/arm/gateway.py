"""What ARM's gateway looks at before any provider does: version, subscription, roles, resource group, locks."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from simulator import ids, locks, roles, tenants
from simulator.connection_documents import CHILD
from simulator.endpoint_names import ENDPOINTS
from simulator.private_dns import LINKS
from simulator.refusals import By, Refusal
from simulator.roles import Rights
from simulator.wire import Request

_VERBS = {"GET": "read", "HEAD": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}
_APPROVAL = f"{CHILD}Approval/action"
_JOIN = "Microsoft.Network/virtualNetworks/join/action"


def check_request(request: Request) -> None:
    """Raises Refusal if the gateway does not let the request through to its provider."""
    if not request.api_version:
        message = "The api-version query parameter (?api-version=) is required for all requests."
        raise Refusal("MissingApiVersionParameter", message, by=By.GATEWAY)
    parts = request.path.strip("/").split("/")
    if parts[0].lower() != "subscriptions" or len(parts) < 2:
        return
    subscription = request.world.need_subscription(parts[1])
    scope, action = request.path.rstrip("/"), _action(request)
    request.actions.append(action)
    rights = roles.rights_of(request.world, request.caller.principal)
    tenants.check(request.world, subscription, rights, action, scope)
    rights.need(action, scope)
    makes_group = len(parts) == 4 and request.method != "GET"
    if len(parts) >= 4 and parts[2].lower() == "resourcegroups" and not makes_group:
        request.world.need_group(parts[1], parts[3])
    if _VERBS.get(request.method) != "read":
        _check_write(request, scope, action, rights)


def _action(request: Request) -> str:
    """The action that a role must permit: the type of the resource, or of those listed, and the method's verb."""
    scope, verb = request.path.rstrip("/"), _VERBS.get(request.method, "action")
    for spelt in (scope, f"{scope}/x"):  # a resource; a list of such, or something to do with one
        with contextlib.suppress(ValueError):
            return f"{ids.parse(spelt).type}/{verb}"
    # Something to do with a group or a subscription, such as moving what is in it.
    parts = scope.split("/")
    if len(parts) == 5 and parts[3].lower() == "providers":
        return f"{ids.SUBSCRIPTION}/providers/{verb}"  # the same for whichever provider
    above = 5 if len(parts) > 5 and parts[3].lower() == "resourcegroups" and parts[4] else 3
    return "/".join([ids.parse("/".join(parts[:above])).type, *parts[above:], verb])


def _check_write(request: Request, scope: str, action: str, rights: Rights) -> None:
    written = _written(request)
    if written is not None and written.type.lower().endswith(f"/{CHILD}".lower()) and request.method != "DELETE":
        # Azure, who answers a connection needs a right of its own on the target (behaviour reference section 4.3).
        approval = f"{ids.parse(written.parent).type}/{_APPROVAL}"
        request.actions.append(approval)
        rights.need(approval, written.parent)
    if written is not None and written.type.lower() == ENDPOINTS.lower() and request.method == "PUT":
        _check_targets(request, scope, action, rights)
    if written is not None and written.type.lower() == LINKS.lower() and request.method == "PUT":
        _check_network(request, scope, action, rights)
    # Azure, ReadOnly stops actions, too.
    locks.refuse_when_locked(request.world, scope, _VERBS.get(request.method, "write"))
    if written is not None:
        locks.refuse_beside_operation(request.world, scope)


def _written(request: Request) -> ids.Id | None:
    """The resource that is written or deleted; None for an action, and for a path that is no resource's."""
    if request.method not in _VERBS:
        return None
    try:
        return ids.parse(request.path)
    except ValueError:
        return None


def _check_targets(request: Request, scope: str, action: str, rights: Rights) -> None:
    """Azure, an automatic request is approved by its sender, who needs that right (behaviour reference section 2.6)."""
    for target in _automatic_targets(request.body):
        try:
            approval = f"{ids.parse(target).type}/{_APPROVAL}"
        except ValueError:
            continue  # an alias, or nothing at all, which the provider refuses
        request.actions.append(approval)
        if not rights.allow(approval, target):
            raise roles.link_forbidden(request.caller.principal, action, scope, target, approval)


def _check_network(request: Request, scope: str, action: str, rights: Rights) -> None:
    """Azure, who links a network to a zone must be allowed to join it (built-in Private DNS Zone Contributor)."""
    properties: Any = request.body.get("properties") if isinstance(request.body, Mapping) else None
    network: Any = properties.get("virtualNetwork") if isinstance(properties, Mapping) else None
    linked = str(network.get("id")) if isinstance(network, Mapping) else ""
    if not linked:
        return
    request.actions.append(_JOIN)
    if not rights.allow(_JOIN, linked):
        raise roles.link_forbidden(request.caller.principal, action, scope, linked, _JOIN)


def _automatic_targets(body: Any) -> list[str]:
    asked: Any = body.get("properties") if isinstance(body, Mapping) else None
    connections: Any = asked.get("privateLinkServiceConnections") if isinstance(asked, Mapping) else None
    listed = connections if isinstance(connections, list) else []
    found = [each.get("properties") for each in listed if isinstance(each, Mapping)]
    return [str(each.get("privateLinkServiceId")) for each in found if isinstance(each, Mapping)]
