"""The life of a private endpoint: asked for, given an interface, connected, deleted (behaviour reference section 2).

What the owner of the target does meanwhile is next door in connections; what the endpoint shows, in endpoint_names.
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from simulator import connections, endpoint_names, ids, interfaces, zone_groups
from simulator.addresses import INTERFACES
from simulator.documents import Document
from simulator.endpoint_names import CONNECTION_LISTS, ENDPOINTS, connection_of, members_of, stamped
from simulator.locks import another_operation
from simulator.refusals import NotSimulatedError, Refusal
from simulator.world import NETWORK_SERVICE, Caller, Operation, World

_MAX_REQUEST_MESSAGE = 140
_MAX_ZONES = 5
# Azure, only the service itself writes these (behaviour reference section 2).
_READ_ONLY = ("provisioningState", "resourceGuid", "networkInterfaces", "customDnsConfigs")


def write_endpoint(
    world: World, caller: Caller, endpoint_id: str, body: Mapping[str, Any]
) -> tuple[Document, Operation, bool]:
    """Starts to create or change a private endpoint; tells whether it is new."""
    refuse_when_busy(world, endpoint_id)
    current = world.document(endpoint_id)
    wanted = body.get("properties") or {}
    which, request = _checked_request(world, wanted)
    if current is not None:
        _refuse_another_target(current, request, wanted)
    endpoint_id = str(current["id"]) if current else endpoint_id
    name = ids.parse(endpoint_id).name
    before = current["properties"] if current else {}
    interface_id = _interface_id(current, endpoint_id, wanted)
    properties: dict[str, Any] = {
        "provisioningState": "Updating",
        "resourceGuid": before.get("resourceGuid") or str(uuid.uuid4()),
        **{each: [] for each in CONNECTION_LISTS},
        "customNetworkInterfaceName": "",
        "ipConfigurations": [],
        **{key: value for key, value in wanted.items() if key not in (*_READ_ONLY, *CONNECTION_LISTS)},
        "networkInterfaces": [{"id": interface_id}],
        "customDnsConfigs": before.get("customDnsConfigs") or [],
    }
    properties[which] = [_connection(endpoint_id, which, request, current)]
    _keep_own_dns(world, endpoint_id, wanted.get("customDnsConfigs") or [], before.get("customDnsConfigs"))
    endpoint = {
        "name": name,
        "id": endpoint_id,
        "etag": "",
        "type": ENDPOINTS,
        "location": body.get("location", ""),
        "tags": body.get("tags") or {},
        "properties": properties,
    }
    world.put(stamped(endpoint))
    if current is None:
        world.put(interfaces.new(endpoint, interface_id))
    finish = _finish(world, endpoint_id, new=current is None)
    operation = world.begin(f"{ENDPOINTS}/write", endpoint_id, caller, finish)
    return world.need(endpoint_id), operation, current is None


def remove_endpoint(world: World, caller: Caller, endpoint_id: str) -> Operation | None:
    """Starts to delete an endpoint and all that came with it; None if there is none."""
    endpoint = world.document(endpoint_id)
    if endpoint is None:
        return None
    refuse_when_busy(world, endpoint_id)
    for group in zone_groups.attached(world, endpoint_id):
        refuse_when_busy(world, group["id"])
    deleting = stamped(endpoint)
    deleting["properties"]["provisioningState"] = "Deleting"
    world.put(deleting)
    return world.begin(f"{ENDPOINTS}/delete", endpoint["id"], caller, lambda: forget_endpoint(world, endpoint["id"]))


def forget_endpoint(world: World, endpoint_id: str) -> None:
    """Azure, with the endpoint go its interface, the target's connection and its zone groups' records (section 2.6)."""
    endpoint = world.need(endpoint_id)
    zone_groups.withdraw(world, endpoint_id)
    connections.forget(world, endpoint_id)
    interface = endpoint_names.interface_of(world, endpoint)
    world.remove(endpoint_id)
    world.own_dns.pop(ids.key(endpoint_id), None)
    world.lagging.discard(ids.key(endpoint_id))
    if interface is not None:
        world.remove(interface["id"])
        world.announce(f"{INTERFACES}/delete", interface["id"], Caller(NETWORK_SERVICE))


def write_zone_group(
    world: World, caller: Caller, group_id: str, body: Mapping[str, Any]
) -> tuple[Document, Operation, bool]:
    """Starts to attach a zone group to an endpoint, or to change it; tells whether it is new.

    Azure, one group per endpoint, five zones per group (behaviour reference section 2.4; the codes are unverified).
    """
    parsed = ids.parse(group_id)
    endpoint = world.need(parsed.parent)
    refuse_when_busy(world, endpoint["id"])
    refuse_when_busy(world, group_id)
    current = world.document(group_id)
    if current is None and zone_groups.attached(world, endpoint["id"]):
        raise Refusal("PrivateDnsZoneGroupLimitReached", "A private endpoint can have one private DNS zone group.")
    group: Document = {
        "name": parsed.name,
        "id": current["id"] if current else f"{endpoint['id']}/privateDnsZoneGroups/{parsed.name}",
        "etag": f'W/"{uuid.uuid4()}"',
        "type": zone_groups.ZONE_GROUPS,
        "properties": {"provisioningState": "Updating", "privateDnsZoneConfigs": _checked_configs(world, body)},
    }
    world.put(group)

    def finish() -> None:
        done = world.need(group["id"])
        world.put({**done, "properties": {**done["properties"], "provisioningState": "Succeeded"}})
        endpoint_names.refresh(world, endpoint["id"])
        if current is not None:
            zone_groups.leave(world, current, world.need(group["id"]))

    operation = world.begin(f"{zone_groups.ZONE_GROUPS}/write", group["id"], caller, finish)
    return group, operation, current is None


def remove_zone_group(world: World, caller: Caller, group_id: str) -> Operation | None:
    """Starts to take a zone group and its records away; None if there is none."""
    group = world.document(group_id)
    if group is None:
        return None
    endpoint_id = ids.parse(group["id"]).parent
    refuse_when_busy(world, group_id)
    refuse_when_busy(world, endpoint_id)
    world.put({**group, "properties": {**group["properties"], "provisioningState": "Deleting"}})

    def finish() -> None:
        zone_groups.abandon(world, group["id"])
        endpoint_names.refresh(world, endpoint_id)

    return world.begin(f"{zone_groups.ZONE_GROUPS}/delete", group["id"], caller, finish)


def refuse_when_busy(world: World, resource_id: str) -> None:
    """Azure, the network service takes one operation on a resource at a time (behaviour reference section 6.1)."""
    if operation := world.busy(resource_id):
        raise another_operation(operation)


def _checked_request(world: World, wanted: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The one connection that is asked for, and the list it stands in (behaviour reference section 2.1)."""
    requests = [(name, each) for name in CONNECTION_LISTS for each in wanted.get(name) or []]
    if len(requests) != 1 or not isinstance(requests[0][1], Mapping):
        raise Refusal("InvalidRequestFormat", "A private endpoint needs exactly one connection, in one of its lists.")
    if not isinstance((wanted.get("subnet") or {}).get("id"), str):
        raise Refusal("InvalidRequestFormat", "A private endpoint needs properties.subnet.id.")
    which, request = requests[0]
    properties = request.get("properties") or {}
    if len(properties.get("requestMessage") or "") > _MAX_REQUEST_MESSAGE:
        raise Refusal("InvalidRequestFormat", f"A request message has at most {_MAX_REQUEST_MESSAGE} characters.")
    if not isinstance(properties.get("privateLinkServiceId"), str):
        raise Refusal("InvalidRequestFormat", "A connection needs properties.privateLinkServiceId.")
    members_of(world, properties["privateLinkServiceId"], properties.get("groupIds") or [])
    return which, request


def _checked_configs(world: World, body: Mapping[str, Any]) -> list[Document]:
    configs = (body.get("properties") or {}).get("privateDnsZoneConfigs") or []
    if len(configs) > _MAX_ZONES:
        message = f"A private DNS zone group can have at most {_MAX_ZONES} zones."
        raise Refusal("PrivateDnsZoneConfigLimitReached", message)
    checked = []
    for config in configs:
        zone_id = str((config.get("properties") or {}).get("privateDnsZoneId"))
        if world.document(zone_id) is None:
            raise Refusal("InvalidResourceReference", f"Resource {zone_id} referenced by a zone group was not found.")
        checked.append({"name": config.get("name"), "properties": {"privateDnsZoneId": zone_id, "recordSets": []}})
    return checked


def _refuse_another_target(current: Document, request: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    def place(connection: Mapping[str, Any], subnet: Mapping[str, Any]) -> tuple[str, list[str], str]:
        asked = connection["properties"]
        groups = [group.lower() for group in asked.get("groupIds") or []]
        return asked["privateLinkServiceId"].lower(), groups, subnet["id"].lower()

    if place(connection_of(current), current["properties"]["subnet"]) != place(request, wanted["subnet"]):
        raise NotSimulatedError("a private endpoint whose target, groups or subnet change")


def _connection(endpoint_id: str, which: str, request: Mapping[str, Any], current: Document | None) -> Document:
    asked = request["properties"]
    name = request.get("name") or ids.parse(endpoint_id).name
    state = {"status": "Pending", "description": "", "actionsRequired": "None"}
    if current is not None:
        state = connection_of(current)["properties"]["privateLinkServiceConnectionState"]
    return {
        "name": name,
        "id": f"{endpoint_id}/{which}/{name}",
        "etag": "",
        "properties": {
            "provisioningState": "Succeeded",
            "privateLinkServiceId": asked["privateLinkServiceId"],
            "groupIds": asked.get("groupIds") or [],
            **({"requestMessage": asked["requestMessage"]} if asked.get("requestMessage") else {}),
            "privateLinkServiceConnectionState": state,
        },
        "type": f"{ENDPOINTS}/{which}",
    }


def _keep_own_dns(world: World, endpoint_id: str, wanted: list[Any], shown: Any) -> None:
    """Azure, whether it stores a caller's customDnsConfigs is unverified, so a switch (behaviour reference section 2).

    What a caller merely sends back as it read it is not its own.
    """
    if wanted != (shown or []):
        world.own_dns.pop(ids.key(endpoint_id), None)
        if wanted and world.settings.store_custom_dns:
            world.own_dns[ids.key(endpoint_id)] = wanted


def _interface_id(current: Document | None, endpoint_id: str, wanted: Mapping[str, Any]) -> str:
    if current is not None:
        return str(current["properties"]["networkInterfaces"][0]["id"])
    parsed = ids.parse(endpoint_id)
    name = wanted.get("customNetworkInterfaceName") or f"{parsed.name}.nic.{uuid.uuid4()}"
    return f"/subscriptions/{parsed.subscription}/resourceGroups/{parsed.resource_group}/providers/{INTERFACES}/{name}"


def _finish(world: World, endpoint_id: str, *, new: bool) -> Callable[[], None]:
    def finish() -> None:
        endpoint = copy.deepcopy(world.need(endpoint_id))
        try:
            if new:
                interfaces.give_addresses(world, endpoint)
                connections.request(world, endpoint)
        except Refusal:
            endpoint["properties"]["provisioningState"] = "Failed"
            world.put(stamped(endpoint))
            raise
        endpoint["properties"]["provisioningState"] = "Succeeded"
        world.put(stamped(endpoint))
        if new and endpoint_names.status_of(endpoint) == "Approved":
            endpoint_names.lag(world, endpoint_id)
        endpoint_names.refresh(world, endpoint_id)
        if new:
            interface_id = endpoint["properties"]["networkInterfaces"][0]["id"]
            world.announce(f"{INTERFACES}/write", interface_id, Caller(NETWORK_SERVICE))

    return finish
