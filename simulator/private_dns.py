"""The rules of private DNS zones and of their links to virtual networks (behaviour reference section 3).

Record sets, which know neither long operations nor locks, are next door in record_sets.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulator import ids
from simulator.documents import Document
from simulator.refusals import By, Refusal
from simulator.world import Caller, Operation, World

ZONES = "Microsoft.Network/privateDnsZones"
LINKS = f"{ZONES}/virtualNetworkLinks"

# Azure, limits (behaviour reference section 3.7).
MAX_LINKS = 1_000
MAX_REGISTRATION_LINKS = 100


@dataclass(frozen=True, slots=True)
class Insist:
    """What a write insists on; without any of it the last writer wins."""

    etag: str | None = None
    exists: bool = False
    absent: bool = False

    def check(self, kind: str, name: str, current: Document | None) -> None:
        """Raises Refusal if what stands there is not what the caller insists on.

        Azure, the texts of 412 as recorded (behaviour reference section 3.4); that of a missing one is unverified.
        """
        if self.absent and current is not None:
            raise _precondition(f"The {kind} {name} exists already and hence cannot be created again.")
        if (self.exists or self.etag is not None) and current is None:
            raise _precondition(f"The {kind} {name} does not exist.")
        if self.etag is not None and current is not None and current.get("etag") != self.etag:
            raise _precondition(f"The {kind} {name} has been modified (etag mismatch).")


def _precondition(message: str) -> Refusal:
    return Refusal("PreconditionFailed", message, by=By.PRIVATE_DNS)


def bad_request(message: str) -> Refusal:
    return Refusal("BadRequest", message, by=By.PRIVATE_DNS)


def spelt(world: World, resource_id: str) -> str:
    """Azure, zone and record ids sometimes spell the resource group in lower case (behaviour reference section 6.5)."""
    if not world.settings.lower_case_dns_groups:
        return resource_id
    before, group, after = resource_id.split("/", 5)[:4], resource_id.split("/", 5)[4], resource_id.split("/", 5)[5]
    return "/".join([*before, group.lower(), after])


def write_zone(world: World, caller: Caller, zone_id: str, body: Mapping[str, Any], insist: Insist) -> Operation:
    """Starts to create or change a zone; the zone is there at the end."""
    parsed = ids.parse(zone_id)
    current = world.document(zone_id)
    insist.check("Private DNS zone", parsed.name, current)
    _refuse_when_busy(world, zone_id, "UpsertPrivateDnsZone")
    zone_id = current["id"] if current else spelt(world, zone_id)

    def finish() -> None:
        zone: Document = {
            "id": zone_id,
            "name": ids.parse(zone_id).name,
            "type": ZONES,
            "etag": str(uuid.uuid4()),
            "location": "global",
            **({"tags": body["tags"]} if "tags" in body else {}),
            "properties": {"provisioningState": "Succeeded"},
        }
        world.put(zone)
        ensure_soa(world, zone_id)
        recount(world, zone_id)

    return world.begin(f"{ZONES}/write", zone_id, caller, finish)


def remove_zone(world: World, caller: Caller, zone_id: str, insist: Insist) -> Operation | None:
    """Starts to delete a zone and its record sets; None if there is no such zone.

    Azure, a zone with links stays (behaviour reference section 3.2; the code is unverified).
    """
    zone = world.document(zone_id)
    insist.check("Private DNS zone", ids.parse(zone_id).name, zone)
    if zone is None:
        return None
    _refuse_when_busy(world, zone_id, "DeletePrivateDnsZone")
    if links(world, zone_id):
        message = "Can not delete resource before nested resources are deleted."
        raise Refusal("CannotDeleteResource", message, by=By.GATEWAY)
    return world.begin(f"{ZONES}/delete", zone["id"], caller, lambda: world.remove(zone["id"]))


def write_link(world: World, caller: Caller, link_id: str, body: Mapping[str, Any], insist: Insist) -> Operation:
    """Starts to create or change a link between a zone and a virtual network (behaviour reference section 3.10)."""
    parsed = ids.parse(link_id)
    zone = need_zone(world, parsed.parent, LINKS, "write")
    current = world.document(link_id)
    insist.check("Virtual network link", parsed.name, current)
    _refuse_when_busy(world, link_id, "UpsertVirtualNetworkLink")
    wanted = body.get("properties") or {}
    network = (wanted.get("virtualNetwork") or {}).get("id")
    if not isinstance(network, str):
        raise bad_request("A virtual network link needs properties.virtualNetwork.id.")
    registration = bool(wanted.get("registrationEnabled", False))
    _refuse_overlap(world, zone, network)
    _refuse_too_many_links(world, zone["id"], link_id, registration=registration)
    link_id = current["id"] if current else f"{zone['id']}/virtualNetworkLinks/{parsed.name}"

    def finish() -> None:
        link = {
            "id": link_id,
            "name": ids.parse(link_id).name,
            "type": LINKS,
            "etag": str(uuid.uuid4()),
            "location": "global",
            **({"tags": body["tags"]} if "tags" in body else {}),
            "properties": {
                "provisioningState": "Succeeded",
                "registrationEnabled": registration,
                "resolutionPolicy": wanted.get("resolutionPolicy") or "Default",
                "virtualNetwork": {"id": network},
                "virtualNetworkLinkState": "Completed",
            },
        }
        need_zone(world, zone["id"], LINKS, "write")  # it may have gone meanwhile
        world.put(link)
        recount(world, zone["id"])

    return world.begin(f"{LINKS}/write", link_id, caller, finish)


def remove_link(world: World, caller: Caller, link_id: str, insist: Insist) -> Operation | None:
    """Starts to delete a link; None if there is no such link (behaviour reference section 3.2)."""
    link = world.document(link_id)
    insist.check("Virtual network link", ids.parse(link_id).name, link)
    if link is None:
        return None
    _refuse_when_busy(world, link_id, "DeleteVirtualNetworkLink")

    def finish() -> None:
        world.remove(link["id"])
        recount(world, ids.parse(link["id"]).parent)

    return world.begin(f"{LINKS}/delete", link["id"], caller, finish)


def need_zone(world: World, zone_id: str, resource_type: str, verb: str) -> Document:
    """Raises Refusal, as the gateway does for a child, if there is no such zone (behaviour reference section 3.8)."""
    zone = world.document(zone_id)
    if zone is None:
        raise Refusal(
            "ParentResourceNotFound",
            f"Failed to perform '{verb}' on resource(s) of type '{resource_type.removeprefix('Microsoft.Network/')}', "
            f"because the parent resource '{zone_id}' could not be found.",
            by=By.GATEWAY,
        )
    return zone


def ensure_soa(world: World, zone_id: str) -> None:
    """Azure, every zone has its SOA, made with it (behaviour reference section 3.3)."""
    if world.document(f"{zone_id}/SOA/@") is not None:
        return
    zone_name = ids.parse(zone_id).name
    properties = {
        "fqdn": fqdn("@", zone_name),
        "ttl": 3600,
        "soaRecord": {
            "email": "azureprivatedns-host.microsoft.com",
            "expireTime": 2419200,
            "host": "azureprivatedns.net",
            "minimumTtl": 10,
            "refreshTime": 3600,
            "retryTime": 300,
            "serialNumber": 1,
        },
        "isAutoRegistered": False,
    }
    soa_id = f"{zone_id}/SOA/@"
    etag = str(uuid.uuid4())
    world.put({"id": soa_id, "name": "@", "type": f"{ZONES}/SOA", "etag": etag, "properties": properties})


def recount(world: World, zone_id: str) -> None:
    """Brings the numbers in a zone's document up to date; without a new etag, for nobody wrote the zone."""
    zone = world.need(zone_id)
    found = links(world, zone_id)
    numbers = {
        "maxNumberOfRecordSets": world.settings.max_record_sets,
        "maxNumberOfVirtualNetworkLinks": MAX_LINKS,
        "maxNumberOfVirtualNetworkLinksWithRegistration": MAX_REGISTRATION_LINKS,
        "numberOfRecordSets": world.store.count_below(zone_id) - len(found),
        "numberOfVirtualNetworkLinks": len(found),
        "numberOfVirtualNetworkLinksWithRegistration": sum(map(_registers, found)),
    }
    world.put({**zone, "properties": {**numbers, "provisioningState": "Succeeded"}})


def fqdn(name: str, zone_name: str) -> str:
    return f"{zone_name}." if name == "@" else f"{name}.{zone_name}."


def _refuse_when_busy(world: World, resource_id: str, operation_type: str) -> None:
    """Azure, two operations on one zone: the second is a Conflict (behaviour reference section 3.2)."""
    if operation := world.busy(resource_id):
        group = resource_id.replace("/", "|")
        raise Refusal(
            "Conflict",
            f"Operation group '/operations/groups/id/{group}' already has 1 operations like "
            f"'/operations/type/{operation_type}/id/{operation.id}' queued.",
            by=By.PRIVATE_DNS,
        )


def links(world: World, zone_id: str) -> list[Document]:
    """A zone's links, ordered by name."""
    return world.store.below(zone_id, LINKS)


def _refuse_overlap(world: World, zone: Document, network: str) -> None:
    """Azure, a network sees only one zone of a name (the text as in MicrosoftDocs/azure-aks-docs#212)."""
    for other in world.documents(ZONES):
        if other["name"].lower() != zone["name"].lower() or ids.key(other["id"]) == ids.key(zone["id"]):
            continue
        if any(
            ids.key(link["properties"]["virtualNetwork"]["id"]) == ids.key(network)
            for link in links(world, other["id"])
        ):
            raise bad_request(
                "A virtual network cannot be linked to multiple zones with overlapping namespaces. You tried to link "
                f"virtual network with '{zone['name']}' and '{other['name']}' zones."
            )


def _registers(link: Document) -> bool:
    return bool(link["properties"].get("registrationEnabled"))


def _refuse_too_many_links(world: World, zone_id: str, link_id: str, *, registration: bool) -> None:
    others = [link for link in links(world, zone_id) if ids.key(link["id"]) != ids.key(link_id)]
    if len(others) >= MAX_LINKS or (registration and sum(map(_registers, others)) >= MAX_REGISTRATION_LINKS):
        raise bad_request(
            f"A zone cannot have more than {MAX_LINKS} links, nor more than {MAX_REGISTRATION_LINKS} with registration."
        )
