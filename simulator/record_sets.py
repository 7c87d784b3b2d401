"""The rules of private DNS record sets: written at once, guarded by etags (behaviour reference sections 3.3 to 3.5)."""

from __future__ import annotations

import ipaddress
import uuid
from collections.abc import Mapping
from typing import Any

from simulator import ids
from simulator.documents import Document
from simulator.private_dns import ZONES, Insist, bad_request, fqdn, links, need_zone, recount, spelt
from simulator.refusals import By, Refusal
from simulator.world import Caller, World, not_found

# The property that holds a type's records: a list, or one record for CNAME and SOA.
RECORDS = {
    "A": "aRecords",
    "AAAA": "aaaaRecords",
    "CNAME": "cnameRecord",
    "MX": "mxRecords",
    "PTR": "ptrRecords",
    "SOA": "soaRecord",
    "SRV": "srvRecords",
    "TXT": "txtRecords",
}
_SINGLE = ("CNAME", "SOA")

# Azure, limits (behaviour reference sections 3.3 and 3.7).
MAX_RECORDS = 20
MAX_TTL = 2_147_483_647


def write_record_set(
    world: World, caller: Caller, record_id: str, body: Mapping[str, Any], insist: Insist
) -> tuple[Document, bool]:
    """Creates or replaces a record set at once; tells whether it is new."""
    zone_id, record_type, name = record_key(record_id)
    zone = need_zone(world, zone_id, f"{ZONES}/{record_type}", "write")
    current = world.document(record_id)
    insist.check("Record set", name, current)
    properties = body.get("properties") or {}
    records = _checked_records(record_type, properties)
    ttl = properties.get("ttl")
    if type(ttl) is not int or not 1 <= ttl <= MAX_TTL:
        raise bad_request(f"The TTL of record set {name} must be between 1 and {MAX_TTL}.")
    if current is None:
        _refuse_new_record_set(world, zone["id"], record_type, name)
    document = _record_set(world, current, zone["id"], record_type, name)
    metadata = properties.get("metadata")
    document["properties"] = {
        # Azure, the key is absent when there is no metadata (behaviour reference section 3.3).
        **({"metadata": dict(metadata)} if metadata else {}),
        "fqdn": fqdn(document["name"], zone["name"]),
        "ttl": ttl,
        RECORDS[record_type]: records,
        "isAutoRegistered": False,
    }
    world.put(document)
    if current is None:
        recount(world, zone["id"])
    world.announce(f"{ZONES}/{record_type}/write", document["id"], caller)
    return document, current is None


def patch_record_set(world: World, caller: Caller, record_id: str, body: Mapping[str, Any], insist: Insist) -> Document:
    """Changes what the body names; metadata is replaced as a whole (behaviour reference section 3.3)."""
    current = need_record_set(world, record_id)
    merged = {**current["properties"], **(body.get("properties") or {})}
    return write_record_set(world, caller, record_id, {"properties": merged}, insist)[0]


def remove_record_set(world: World, caller: Caller, record_id: str, insist: Insist) -> bool:
    """Deletes a record set at once; tells whether there was one."""
    zone_id, record_type, name = record_key(record_id)
    zone = need_zone(world, zone_id, f"{ZONES}/{record_type}", "delete")
    current = world.document(record_id)
    if current is not None or world.settings.missing_delete_insists:
        insist.check("Record set", name, current)
    if current is None:
        return False
    if record_type == "SOA":
        raise bad_request("The SOA record set cannot be deleted.")
    world.remove(current["id"])
    recount(world, zone["id"])
    world.announce(f"{ZONES}/{record_type}/delete", current["id"], caller)
    return True


def record_sets(world: World, zone_id: str, record_type: str | None, suffix: str) -> list[Document]:
    """A zone's record sets, of one type or of all, ordered by name (behaviour reference section 3.5)."""
    zone = need_zone(world, zone_id, f"{ZONES}/{record_type or 'ALL'}", "read")
    found = [
        document
        for each in ([record_type] if record_type else RECORDS)
        for document in world.store.below(zone["id"], f"{ZONES}/{each}")
        if document["name"].lower().endswith(suffix.lower())
    ]
    return sorted(found, key=lambda document: (document["name"].lower(), document["id"].lower()))


def need_record_set(world: World, record_id: str) -> Document:
    """Raises Refusal if there is no such record set: by the service itself, which does not wrap it."""
    zone_id, record_type, name = record_key(record_id)
    need_zone(world, zone_id, f"{ZONES}/{record_type}", "read")
    found = world.document(record_id)
    if found is None:
        # Azure, the shape of this one 404 is unverified, so it is a switch (behaviour reference section 3.8).
        if world.settings.record_not_found_wrapped:
            raise not_found(record_id)
        message = f"The resource record '{name}' of type '{record_type}' does not exist in the zone."
        raise Refusal("NotFound", message, by=By.PRIVATE_DNS)
    return found


def record_key(record_id: str) -> tuple[str, str, str]:
    """The zone's id, the record type in upper case, and the relative name."""
    zone_id, record_type, name = record_id.rsplit("/", 2)
    return zone_id, record_type.upper(), name


def _record_set(world: World, current: Document | None, zone_id: str, record_type: str, name: str) -> Document:
    # Azure, every write makes a new etag, also one that changes nothing (behaviour reference section 3.4).
    record_id = current["id"] if current else spelt(world, f"{zone_id}/{record_type}/{name}")
    return {
        "id": record_id,
        "name": ids.parse(record_id).name,
        "type": f"{ZONES}/{record_type}",
        "etag": str(uuid.uuid4()),
    }


def _checked_records(record_type: str, properties: Mapping[str, Any]) -> Any:
    key = RECORDS[record_type]
    if record_type in _SINGLE:
        if not isinstance(properties.get(key), Mapping):
            raise bad_request(f"A record set of type {record_type} needs properties.{key}.")
        return properties[key]
    records = properties.get(key) or []
    if not isinstance(records, list) or not all(isinstance(record, Mapping) for record in records):
        raise bad_request(f"properties.{key} must be a list of records.")
    if len(records) > MAX_RECORDS:
        raise bad_request(f"A record set cannot have more than {MAX_RECORDS} records.")
    if record_type == "A":
        for record in records:
            _check_address(record.get("ipv4Address"))
    return records


def _check_address(address: Any) -> None:
    try:
        ipaddress.IPv4Address(address)
    except ValueError as error:
        raise bad_request(f"The value '{address}' is not an IPv4 address.") from error


def _refuse_new_record_set(world: World, zone_id: str, record_type: str, name: str) -> None:
    most = world.settings.max_record_sets
    if world.store.count_below(zone_id) - len(links(world, zone_id)) >= most:
        # Azure, the limit is documented (reference section 3.7), how one more is refused is not.
        code = "Conflict" if world.settings.zone_full_refusal == "409" else "BadRequest"
        raise Refusal(code, f"The zone cannot have more than {most} record sets.", by=By.PRIVATE_DNS)
    if record_type == "SOA":
        raise bad_request("A zone has one SOA record set, at its apex.")
    others = [each for each in RECORDS if world.document(f"{zone_id}/{each}/{name}") is not None]
    # Azure, a CNAME is alone at its name, and never at the apex (reference section 3.3; status unverified).
    if others and (record_type == "CNAME" or "CNAME" in others):
        raise bad_request(f"The record set {name} of type {record_type} cannot coexist with one of type {others[0]}.")
