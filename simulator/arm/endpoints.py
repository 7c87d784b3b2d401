"""Private endpoints, their zone groups and their interfaces on the wire (behaviour reference section 2)."""

from __future__ import annotations

from simulator import private_link
from simulator.addresses import INTERFACES
from simulator.arm.envelope import (
    document,
    network_operation,
    page,
    properties_of,
    respelt,
    show_result,
    show_status,
)
from simulator.documents import Document
from simulator.endpoint_names import ENDPOINTS
from simulator.wire import Reply, Request, Router
from simulator.world import Operation
from simulator.zone_groups import attached

_SUBSCRIPTION = "/subscriptions/{subscription}/providers"
_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}/providers"
_ENDPOINT = f"{_GROUP}/{ENDPOINTS}/{{endpoint}}"
_ZONE_GROUP = f"{_ENDPOINT}/privateDnsZoneGroups/{{zone_group}}"
_OPERATIONS = f"{_SUBSCRIPTION}/Microsoft.Network/locations/{{region}}"


def add_routes(router: Router) -> None:
    """Makes the network service's part of private link answer."""
    for scope in (_SUBSCRIPTION, _GROUP):
        router.add("GET", f"{scope}/{ENDPOINTS}", _list_endpoints)
        router.add("GET", f"{scope}/{INTERFACES}", _list_interfaces)
    router.add("GET", _ENDPOINT, _get_endpoint)
    router.add("PUT", _ENDPOINT, _put_endpoint)
    router.add("DELETE", _ENDPOINT, _delete_endpoint)
    router.add("GET", f"{_ENDPOINT}/privateDnsZoneGroups", _list_zone_groups)
    router.add("GET", _ZONE_GROUP, _get)
    router.add("PUT", _ZONE_GROUP, _put_zone_group)
    router.add("DELETE", _ZONE_GROUP, _delete_zone_group)
    router.add("GET", f"{_GROUP}/{INTERFACES}/{{interface}}", _get)
    router.add("GET", f"{_OPERATIONS}/operations/{{operation}}", show_status)
    router.add("GET", f"{_OPERATIONS}/operationResults/{{operation}}", show_result)


def _get(request: Request) -> Reply:
    return document(respelt(request.world.need(request.path), request))


def _shown(request: Request, endpoint: Document) -> Document:
    """An endpoint as a GET shows it; what is unverified about that is a switch (behaviour reference section 2)."""
    shown = dict(endpoint["properties"])
    settings = request.world.settings
    if not settings.resource_guid_on_get:
        shown.pop("resourceGuid", None)
    if request.query.get("$expand", "").lower() == "networkinterfaces" and settings.expand_nics == "full":
        interfaces = shown.get("networkInterfaces") or []
        shown["networkInterfaces"] = [request.world.document(each["id"]) or each for each in interfaces]
    return respelt({**endpoint, "properties": shown}, request)


def _get_endpoint(request: Request) -> Reply:
    return document(_shown(request, request.world.need(request.path)))


def _list_endpoints(request: Request) -> Reply:
    return page(request, [_shown(request, each) for each in _of_type(request, ENDPOINTS)])


def _list_interfaces(request: Request) -> Reply:
    return page(request, _of_type(request, INTERFACES))


def _of_type(request: Request, resource_type: str) -> list[Document]:
    values = request.values
    return request.world.documents(
        resource_type, subscription=values["subscription"], resource_group=values.get("group")
    )


def _put_endpoint(request: Request) -> Reply:
    body = properties_of(request)
    written, operation, new = private_link.write_endpoint(request.world, request.caller, request.path, body)
    return document(_shown(request, written), 201 if new else 200, network_operation(request, operation))


def _delete_endpoint(request: Request) -> Reply:
    return _deleted(request, private_link.remove_endpoint(request.world, request.caller, request.path))


def _list_zone_groups(request: Request) -> Reply:
    endpoint_id = request.path.rsplit("/", 1)[0]
    return page(request, attached(request.world, request.world.need(endpoint_id)["id"]))


def _put_zone_group(request: Request) -> Reply:
    body = properties_of(request)
    written, operation, new = private_link.write_zone_group(request.world, request.caller, request.path, body)
    return document(respelt(written, request), 201 if new else 200, network_operation(request, operation))


def _delete_zone_group(request: Request) -> Reply:
    return _deleted(request, private_link.remove_zone_group(request.world, request.caller, request.path))


def _deleted(request: Request, operation: Operation | None) -> Reply:
    return Reply(204) if operation is None else Reply(202, None, network_operation(request, operation))
