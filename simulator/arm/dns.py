"""Private DNS on the wire: zones and links by long operations, record sets at once (behaviour reference section 3)."""

from __future__ import annotations

import base64
import binascii

from simulator import private_dns, record_sets
from simulator.arm.envelope import (
    document,
    insistence,
    need_operation,
    operation_result,
    operation_status,
    page,
    properties_of,
)
from simulator.documents import Document
from simulator.private_dns import LINKS, ZONES
from simulator.wire import Reply, Request, Router
from simulator.world import Operation

_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}/providers"
_ZONE = f"{_GROUP}/{ZONES}/{{zone}}"
_LINK = f"{_ZONE}/virtualNetworkLinks/{{link}}"
_TYPES = "|".join(record_sets.RECORDS)
_RECORD = f"{_ZONE}/{{type:{_TYPES}}}/{{name}}"
# Azure gives out tokens that look like this one (behaviour reference section 6.7).
_TOKEN = "FrontEndAsyncOperation;{}"


def add_routes(router: Router) -> None:
    """Makes private DNS answer."""
    router.add("GET", f"{_GROUP}/Microsoft.Network/privateDnsOperationStatuses/{{token}}", _status)
    router.add("GET", f"{_GROUP}/Microsoft.Network/privateDnsOperationResults/{{token}}", _result)
    router.add("GET", f"/subscriptions/{{subscription}}/providers/{ZONES}", _list_zones)
    router.add("GET", f"{_GROUP}/{ZONES}", _list_zones)
    router.add("GET", _ZONE, lambda request: document(request.world.need(request.path)))
    router.add("PUT", _ZONE, _put_zone)
    router.add("DELETE", _ZONE, _delete_zone)
    router.add("GET", f"{_ZONE}/virtualNetworkLinks", _list_links)
    router.add("GET", _LINK, _get_link)
    router.add("PUT", _LINK, _put_link)
    router.add("DELETE", _LINK, _delete_link)
    router.add("GET", f"{_ZONE}/{{type:{_TYPES}|ALL}}", _list_record_sets)
    router.add("GET", _RECORD, lambda request: document(record_sets.need_record_set(request.world, request.path)))
    router.add("PUT", _RECORD, _put_record_set)
    router.add("PATCH", _RECORD, _patch_record_set)
    router.add("DELETE", _RECORD, _delete_record_set)


def _list_zones(request: Request) -> Reply:
    values = request.values
    found = request.world.documents(ZONES, subscription=values["subscription"], resource_group=values.get("group"))
    return page(request, found)


def _put_zone(request: Request) -> Reply:
    body = properties_of(request)
    operation = private_dns.write_zone(request.world, request.caller, request.path, body, insistence(request))
    return _accepted(request, operation)


def _delete_zone(request: Request) -> Reply:
    operation = private_dns.remove_zone(request.world, request.caller, request.path, insistence(request))
    return Reply(204) if operation is None else _accepted(request, operation)


def _list_links(request: Request) -> Reply:
    zone_id = request.path.rsplit("/", 1)[0]
    zone = private_dns.need_zone(request.world, zone_id, LINKS, "read")
    return page(request, [_shown_link(request, link) for link in private_dns.links(request.world, zone["id"])])


def _get_link(request: Request) -> Reply:
    private_dns.need_zone(request.world, request.path.rsplit("/", 2)[0], LINKS, "read")
    return document(_shown_link(request, request.world.need(request.path)))


def _shown_link(request: Request, link: Document) -> Document:
    """Azure, versions before 2024-06-01 do not show the resolution policy (behaviour reference section 3.10)."""
    if request.api_version >= "2024-06-01":
        return link
    properties = {key: value for key, value in link["properties"].items() if key != "resolutionPolicy"}
    return {**link, "properties": properties}


def _put_link(request: Request) -> Reply:
    body = properties_of(request)
    operation = private_dns.write_link(request.world, request.caller, request.path, body, insistence(request))
    return _accepted(request, operation)


def _delete_link(request: Request) -> Reply:
    operation = private_dns.remove_link(request.world, request.caller, request.path, insistence(request))
    return Reply(204) if operation is None else _accepted(request, operation)


def _list_record_sets(request: Request) -> Reply:
    zone_id, last = request.path.rsplit("/", 1)
    record_type = None if last.upper() == "ALL" else last.upper()
    suffix = request.query.get("$recordsetnamesuffix", "")
    return page(request, record_sets.record_sets(request.world, zone_id, record_type, suffix))


def _put_record_set(request: Request) -> Reply:
    body = properties_of(request)
    written, new = record_sets.write_record_set(request.world, request.caller, request.path, body, insistence(request))
    return document(written, 201 if new else 200)


def _patch_record_set(request: Request) -> Reply:
    body = properties_of(request)
    return document(
        record_sets.patch_record_set(request.world, request.caller, request.path, body, insistence(request))
    )


def _delete_record_set(request: Request) -> Reply:
    found = record_sets.remove_record_set(request.world, request.caller, request.path, insistence(request))
    return Reply(200 if found else 204)


def _accepted(request: Request, operation: Operation) -> Reply:
    """202 with an empty object and two addresses to ask (behaviour reference section 6.7)."""
    token = base64.b64encode(_TOKEN.format(operation.id).encode()).decode()
    group = f"/subscriptions/{request.values['subscription']}/resourceGroups/{request.values['group']}"
    base = f"{request.base_url}{group}/providers/Microsoft.Network"
    version = f"api-version={request.api_version}"
    headers = {
        "Azure-AsyncOperation": f"{base}/privateDnsOperationStatuses/{token}?{version}",
        "Location": f"{base}/privateDnsOperationResults/{token}?{version}",
    }
    return Reply(202, {}, headers)


def _operation(request: Request) -> Operation:
    token = request.values["token"]
    try:
        text = base64.b64decode(token, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        text = token
    return need_operation(request, text.rpartition(";")[2])


def _status(request: Request) -> Reply:
    """Azure, HTTP 202 as long as the operation runs, with the same two addresses (behaviour reference section 6.7)."""
    operation = _operation(request)
    if operation.status == "InProgress":
        return Reply(202, operation_status(operation), _accepted(request, operation).headers)
    return Reply(200, operation_status(operation))


def _result(request: Request) -> Reply:
    return operation_result(request, _operation(request))
