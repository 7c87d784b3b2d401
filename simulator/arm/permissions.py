"""What whoever asks may do at a scope (REST reference, Permissions - List For Resource Group, and For Resource)."""

from __future__ import annotations

from simulator import roles
from simulator.arm.envelope import page
from simulator.wire import Reply, Request, Router

_SUBSCRIPTION = "/subscriptions/{subscription}"
_GROUP = f"{_SUBSCRIPTION}/resourceGroups/{{group}}"


def add_routes(router: Router) -> None:
    """Makes the list answer for subscriptions and resource groups."""
    for scope in (_SUBSCRIPTION, _GROUP):
        router.add("GET", f"{scope}/providers/Microsoft.Authorization/permissions", _list)


def _list(request: Request) -> Reply:
    scope = request.path.rsplit("/providers/", 1)[0]
    return page(request, roles.permissions_at(request.world, request.caller.principal, scope))
