"""Which names a private endpoint and its network interface show, and since when (behaviour reference section 2.3)."""

from __future__ import annotations

import copy
import uuid
from itertools import chain
from typing import Any

from simulator import ids, zone_groups
from simulator.documents import Document
from simulator.refusals import Refusal
from simulator.world import Member, World

ENDPOINTS = "Microsoft.Network/privateEndpoints"
PRIVATE_LINK_SERVICES = "Microsoft.Network/privateLinkServices"
CONNECTION_LISTS = ("privateLinkServiceConnections", "manualPrivateLinkServiceConnections")

# Documents may be put in from outside that Azure would not have made: one without a connection points nowhere.
_NO_CONNECTION = {
    "properties": {"privateLinkServiceId": "", "groupIds": [], "privateLinkServiceConnectionState": {"status": ""}}
}


def connection_of(endpoint: Document) -> Document:
    """The one connection of an endpoint, from whichever list holds it."""
    lists = [endpoint["properties"].get(name) or [] for name in CONNECTION_LISTS]
    connection: Document = next((each for each in chain(*lists)), _NO_CONNECTION)
    return connection


def status_of(endpoint: Document) -> str:
    """Pending, Approved, Rejected or Disconnected."""
    return str(connection_of(endpoint)["properties"]["privateLinkServiceConnectionState"]["status"])


def target_id_of(world: World, reference: str) -> str:
    """The id behind what a connection refers to, which for a private link service may be its alias."""
    for service in [] if reference.startswith("/") else world.store.of_type(PRIVATE_LINK_SERVICES):
        if str(service["properties"].get("alias", "")).lower() == reference.lower():
            return str(service["id"])
    return reference


def members_of(world: World, reference: str, groups: list[str]) -> list[Member]:
    """The members an endpoint to that target gets for those groups.

    Azure, an endpoint to a private link service has no groups, one address, and no names but those that the service's
    owner wrote into it (behaviour reference section 2.3; whether they reach the endpoint is unverified, so a switch).
    Of a target in a subscription that cannot be read nobody here knows the names (section 2.5).
    Raises Refusal if there is no such target or group.
    """
    target_id = target_id_of(world, reference)
    target, document = world.targets.get(ids.key(target_id)), world.document(target_id)
    if target is None and document is None:
        if _is_out_of_reach(world, target_id):
            return [Member(group, group, (), "", "") for group in groups]
        raise Refusal("InvalidResourceReference", f"Resource {reference} referenced by a connection was not found.")
    if is_private_link_service(target_id) and not (target and target.members):
        fqdns = (document or {}).get("properties", {}).get("fqdns") or [] if world.settings.pls_fqdns else []
        return [Member("", "", tuple(fqdns), "", "")]
    wanted = [group.lower() for group in groups] or [""]
    members = [member for member in target.members if member.group_id.lower() in wanted] if target else []
    if not members:
        raise Refusal("InvalidGroupId", f"Resource {reference} has no group {', '.join(groups) or '(none)'}.")
    return members


def _is_out_of_reach(world: World, target_id: str) -> bool:
    try:
        subscription = world.subscriptions.get(ids.parse(target_id).subscription.lower())
    except ValueError:
        return False  # an alias that nobody has
    return subscription is None or not subscription.readable


def is_private_link_service(target_id: str) -> bool:
    """Whether the target is somebody's own service rather than one of Azure's."""
    return f"/{PRIVATE_LINK_SERVICES}/".lower() in target_id.lower()


def interface_of(world: World, endpoint: Document) -> Document | None:
    """The network interface of an endpoint."""
    interfaces = endpoint["properties"].get("networkInterfaces") or []
    return world.document(interfaces[0]["id"]) if interfaces else None


def lag(world: World, endpoint_id: str) -> None:
    """From now on the interface shows no names, until it has caught up."""
    if not world.settings.nic_lag_ms:
        return
    lagging = ids.key(endpoint_id)
    world.lagging.add(lagging)

    def catch_up() -> None:
        if lagging in world.lagging:
            world.lagging.discard(lagging)
            refresh(world, endpoint_id)

    world.clock.call_later(world.settings.nic_lag_ms / 1000, catch_up)


def refresh(world: World, endpoint_id: str) -> None:
    """Lets endpoint, interface and zone groups show what the state of the connection has them show."""
    endpoint = world.document(endpoint_id)
    interface = interface_of(world, endpoint) if endpoint else None
    if endpoint is None or interface is None:
        return
    status, settings = status_of(endpoint), world.settings
    members = _members(world, endpoint)
    names = _names(interface, members)
    if members and status != "Disconnected":
        shown = status == "Approved" or (status == "Pending" and settings.nic_while_pending)
        _show_on_interface(world, interface, names, shown=shown and ids.key(endpoint_id) not in world.lagging)
    shown = status == "Approved" or (status == "Pending" and settings.custom_dns_while_pending)
    _show_on_endpoint(world, endpoint, names if shown else [])
    if status == "Approved":
        zone_groups.publish(world, endpoint, names)
    elif status in ("Rejected", "Disconnected"):
        zone_groups.withdraw(world, endpoint_id)


def stamped(document: Document) -> Document:
    """A copy with a new etag, which an endpoint shares with its connections (behaviour reference section 2.1)."""
    stamped = copy.deepcopy(document)
    stamped["etag"] = etag = f'W/"{uuid.uuid4()}"'
    for name in (*CONNECTION_LISTS, "ipConfigurations"):
        for child in stamped["properties"].get(name) or []:
            if "id" in child:
                child["etag"] = etag
    return stamped


def _members(world: World, endpoint: Document) -> list[Member]:
    """The endpoint's members; none where nobody knows the target, as for documents that were put in from outside."""
    connection = connection_of(endpoint)["properties"]
    try:
        return members_of(world, connection["privateLinkServiceId"], connection.get("groupIds") or [])
    except Refusal:
        return []


def _names(interface: Document, members: list[Member]) -> list[tuple[Member, str]]:
    """Each member with its address; where the target is unknown, what the interface shows."""
    names = []
    for configuration in interface["properties"].get("ipConfigurations") or []:
        held = configuration["properties"]
        link = held.get("privateLinkConnectionProperties") or {}
        place = (str(link.get("groupId", "")), str(link.get("requiredMemberName", "")))
        known = [each for each in members if (each.group_id, each.member_name) == place]
        shown = [Member(*place, tuple(link.get("fqdns") or []), "", "")]
        names += [(member, str(held["privateIPAddress"])) for member in known or shown]
    return names


def _show_on_interface(world: World, interface: Document, names: list[tuple[Member, str]], *, shown: bool) -> None:
    changed = copy.deepcopy(interface)
    for configuration in changed["properties"]["ipConfigurations"]:
        held = configuration["properties"]
        here = [member for member, address in names if address == held["privateIPAddress"]]
        held["privateLinkConnectionProperties"]["fqdns"] = [fqdn for member in here if shown for fqdn in member.fqdns]
    if changed != interface:
        world.put(stamped(changed))


def _show_on_endpoint(world: World, endpoint: Document, names: list[tuple[Member, str]]) -> None:
    shown = custom_dns(names)
    if own := world.own_dns.get(ids.key(endpoint["id"])):
        shown = own
    if zone_groups.attached(world, endpoint["id"]):
        shown = []  # Azure, empty once a zone group is attached (behaviour reference section 2.3)
    if shown != endpoint["properties"].get("customDnsConfigs"):
        changed = stamped(endpoint)
        changed["properties"]["customDnsConfigs"] = shown
        world.put(changed)


def custom_dns(names: list[tuple[Member, str]]) -> list[dict[str, Any]]:
    """Names with all their addresses, in the order they came."""
    addresses: dict[str, list[str]] = {}
    for member, address in names:
        for fqdn in member.fqdns:
            addresses.setdefault(fqdn, []).append(address)
    return [{"fqdn": fqdn, "ipAddresses": each} for fqdn, each in addresses.items()]
