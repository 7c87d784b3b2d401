"""Managed private endpoints: those that a resource has made in a network that Microsoft keeps for it.

The endpoint itself lies in a subscription of Microsoft's that answers nobody; its owner sees it at the resource, and
the target's owner sees the connection. It is made at once here; what a resource shows while that takes time, or goes
wrong, can be put in as a document. Shapes are those of the examples of azure-rest-api-specs: Microsoft.DataFactory
2018-06-01, Microsoft.Dashboard 2023-09-01, Microsoft.Search 2020-08-01, and of the REST reference of AFD Origins.
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Mapping
from typing import Any

from simulator import connections, ids
from simulator.connection_documents import STATE
from simulator.documents import Document
from simulator.endpoint_names import CONNECTION_LISTS, ENDPOINTS, connection_of, target_id_of
from simulator.refusals import Refusal
from simulator.world import Caller, Subscription, World

MICROSOFT = Subscription("99999999-9999-4999-8999-999999999999", "88888888-8888-4888-8888-888888888888", readable=False)
"""Where the managed endpoints of everybody lie; the ids are made up, as Microsoft publishes none."""

ORIGINS = "Microsoft.Cdn/profiles/originGroups/origins"
_SHARED = "sharedPrivateLinkResource"
_AUTOMATIC, _MANUAL = CONNECTION_LISTS


def write(world: World, caller: Caller, managed_id: str, body: Mapping[str, Any]) -> Document:
    """Makes a managed endpoint with its connection at the target, or changes what its owner may change.

    Raises Refusal where there is no resource for it, or it leads nowhere.
    """
    parsed = ids.parse(managed_id)
    world.need(parsed.parent)
    properties = {**(body.get("properties") or {}), "provisioningState": "Succeeded"}
    document = {"id": parsed.text, "name": parsed.name, "type": parsed.type, "properties": properties}
    if (wanted := _wanted(document)) is not None:
        _make_endpoint(world, document, wanted)
    world.put(document)
    world.announce(f"{parsed.type}/write", parsed.text, caller)
    return shown(world, document)


def shown(world: World, document: Document) -> Document:
    """A managed endpoint as its resource shows it: with the state of its endpoint, if one was made here for it.

    Azure, whether an origin of Front Door shows it is unverified, so a switch.
    """
    endpoint = world.document(_endpoint_id(document)) if _wanted(document) is not None else None
    if endpoint is None:
        return document
    state, made = connection_of(endpoint)["properties"][STATE], copy.deepcopy(document)
    properties = made["properties"]
    match ids.parse(document["id"]).type.lower():
        case kind if kind == ORIGINS.lower():
            if world.settings.origin_status_shown:
                properties[_SHARED]["status"] = state["status"]
        case "microsoft.search/searchservices/sharedprivatelinkresources":
            properties["status"] = state["status"]
        case _:
            properties["connectionState"] = {**state, "actionsRequired": "None"}
    return made


def _wanted(document: Document) -> Mapping[str, Any] | None:
    """What says where it leads; an origin of Front Door may lead nowhere private."""
    properties = document.get("properties") or {}
    return properties.get(_SHARED) if ids.parse(document["id"]).type.lower() == ORIGINS.lower() else properties


def _make_endpoint(world: World, document: Document, wanted: Mapping[str, Any]) -> None:
    endpoint_id, target = _endpoint_id(document), target_id_of(world, _target(wanted))
    if world.document(endpoint_id) is not None:
        return
    if world.document(target) is None:
        raise Refusal("InvalidResourceReference", f"Resource {target} referenced by {document['name']} was not found.")
    world.subscriptions.setdefault(MICROSOFT.id, MICROSOFT)
    asked = {
        "privateLinkServiceId": target,
        "groupIds": _groups(wanted),
        "requestMessage": wanted.get("requestMessage") or "",
        STATE: {"status": "Pending", "description": ""},
    }
    endpoint = {
        "id": endpoint_id,
        "name": ids.parse(endpoint_id).name,
        "type": ENDPOINTS,
        "location": "westeurope",
        "properties": {
            "provisioningState": "Succeeded",
            _AUTOMATIC: [],
            _MANUAL: [{"name": "managed", "properties": asked}],
        },
    }
    connections.request(world, endpoint)
    world.put(endpoint)


def _endpoint_id(document: Document) -> str:
    """Azure, a profile of Front Door has one endpoint for all its origins with one target, group and location."""
    parsed, wanted = ids.parse(document["id"]), _wanted(document) or {}
    one = parsed.key
    if parsed.type.lower() == ORIGINS.lower():
        profile = ids.parse(ids.parse(parsed.parent).parent).key
        one = "|".join([profile, _target(wanted).lower(), *_groups(wanted), str(wanted.get("privateLinkLocation"))])
    name = uuid.uuid5(uuid.NAMESPACE_URL, one)
    return f"/subscriptions/{MICROSOFT.id}/resourceGroups/managed/providers/{ENDPOINTS}/{name}"


def _target(wanted: Mapping[str, Any]) -> str:
    return str(wanted.get("privateLinkResourceId") or (wanted.get("privateLink") or {}).get("id") or "")


def _groups(wanted: Mapping[str, Any]) -> list[str]:
    groups = wanted.get("groupIds") or [wanted.get("groupId")]
    return [str(group) for group in groups if group]
