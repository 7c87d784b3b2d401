"""The target's side on the wire, for storage accounts and private link services (behaviour reference section 4)."""

from __future__ import annotations

from simulator import connections
from simulator.arm.envelope import document, network_operation, page, properties_of, respelt
from simulator.documents import Document
from simulator.endpoint_names import PRIVATE_LINK_SERVICES
from simulator.ids import parse
from simulator.wire import Reply, Request, Router

_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}/providers"
_TARGETS = ("Microsoft.Storage/storageAccounts", PRIVATE_LINK_SERVICES)


def add_routes(router: Router) -> None:
    """Makes the connections of the known providers answer."""
    for target in _TARGETS:
        every = f"{_GROUP}/{target}/{{target}}/{connections.CHILD}"
        router.add("GET", every, _list)
        router.add("GET", f"{every}/{{connection}}", _get)
        router.add("PUT", f"{every}/{{connection}}", _put)
        router.add("DELETE", f"{every}/{{connection}}", _delete)
    for scope in ("/subscriptions/{subscription}/providers", _GROUP):
        router.add("GET", f"{scope}/{PRIVATE_LINK_SERVICES}", _list_services)


def _list(request: Request) -> Reply:
    target_id = request.path.rsplit("/", 1)[0]
    _need_target(request, target_id)
    return page(request, connections.of_target(request.world, target_id))


def _get(request: Request) -> Reply:
    _need_target(request, parse(request.path).parent)
    return document(_spelt(request, request.world.need(request.path)))


def _put(request: Request) -> Reply:
    _need_target(request, parse(request.path).parent)
    body = properties_of(request)
    return document(_spelt(request, connections.answer(request.world, request.caller, request.path, body)))


def _delete(request: Request) -> Reply:
    _need_target(request, parse(request.path).parent)
    if connections.provider_of(request.path)["delete"] == "at once":
        found = connections.remove(request.world, request.caller, request.path)
        return Reply(200 if found else 204)
    operation = connections.begin_remove(request.world, request.caller, request.path)
    return Reply(204) if operation is None else Reply(202, None, network_operation(request, operation))


def _need_target(request: Request, target_id: str) -> None:
    if target_id.lower() not in request.world.targets:
        request.world.need(target_id)


def _spelt(request: Request, found: Document) -> Document:
    return respelt(found, request) if "/microsoft.network/" in request.path.lower() else found


def _list_services(request: Request) -> Reply:
    values = request.values
    found = request.world.documents(
        PRIVATE_LINK_SERVICES, subscription=values["subscription"], resource_group=values.get("group")
    )
    return page(request, found)
