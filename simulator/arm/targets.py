"""PUT and DELETE of the resources that private endpoints point at; their GET is that of every resource."""

from __future__ import annotations

from simulator import providers, targets
from simulator.arm.envelope import document, properties_of
from simulator.wire import Reply, Request, Router

_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}/providers"


def add_routes(router: Router) -> None:
    """Makes every type that is known to have connections answer."""
    for each in providers.known_types():
        namespace, *types = each.split("/")
        path = "/".join([_GROUP, namespace, *(f"{name}/{{name{depth}}}" for depth, name in enumerate(types))])
        router.add("PUT", path, _put)
        router.add("DELETE", path, _delete)


def _put(request: Request) -> Reply:
    # Azure, 200, 201 or 202 for a new one, by type; 200 is what the SDKs of all take.
    return document(targets.write_target(request.world, request.caller, request.path, properties_of(request)))


def _delete(request: Request) -> Reply:
    return Reply(200 if targets.remove_target(request.world, request.caller, request.path) else 204)
