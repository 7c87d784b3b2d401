"""The records that private DNS zone groups write and take away, without asking whose they are.

Behaviour reference section 2.4: the last writer wins, and whoever goes first takes the record along, also where it
points at another endpoint by then.
"""

from __future__ import annotations

import contextlib

from simulator import ids, record_sets
from simulator.documents import Document
from simulator.private_dns import Insist
from simulator.refusals import Refusal
from simulator.world import NETWORK_SERVICE, Caller, Member, World

ZONE_GROUPS = "Microsoft.Network/privateEndpoints/privateDnsZoneGroups"
TTL = 10

PRIVATE_LINK_LABELS = frozenset({"privatelink", "privatelink-global"})
"""What a private link zone's name has and the public suffix lacks; the second is Virtual Desktop's (section 2.3)."""


def attached(world: World, endpoint_id: str) -> list[Document]:
    """The zone groups of an endpoint."""
    return world.store.below(endpoint_id, ZONE_GROUPS)


def publish(world: World, endpoint: Document, names: list[tuple[Member, str]]) -> None:
    """Writes the records of an endpoint's zone groups; `names` are its members with their addresses."""
    guid = endpoint["properties"].get("resourceGuid", "")
    creator = f"created by private endpoint {endpoint['name']} with resource guid {guid}"
    for group in attached(world, endpoint["id"]):
        configs = []
        for config in group["properties"]["privateDnsZoneConfigs"]:
            zone_id = config["properties"]["privateDnsZoneId"]
            # Azure, a configuration without a name writes nothing (behaviour reference section 2.4).
            records = _records(zone_id, names) if config.get("name") else {}
            for name, addresses in records.items():
                with contextlib.suppress(Refusal):  # what its zone refuses stays unwritten
                    _write(world, zone_id, name, addresses, creator)
            sets = [_record_set(zone_id, name, addresses) for name, addresses in records.items()]
            configs.append({**config, "properties": {**config["properties"], "recordSets": sets}})
        world.put({**group, "properties": {**group["properties"], "privateDnsZoneConfigs": configs}})


def withdraw(world: World, endpoint_id: str) -> None:
    """Deletes the records of an endpoint's zone groups."""
    for group in attached(world, endpoint_id):
        emptied = _emptied(group)
        world.put(emptied)
        leave(world, group, emptied)


def abandon(world: World, group_id: str) -> None:
    """Takes a zone group away, and its records with it.

    Azure, that they may outlive the group for a while is not verified, so a switch.
    """
    group = world.need(group_id)
    world.remove(group["id"])
    emptied = _emptied(group)
    if lag := world.settings.zone_group_linger_ms:
        world.clock.call_later(lag / 1000, lambda: leave(world, group, emptied))
    else:
        leave(world, group, emptied)


def leave(world: World, before: Document, after: Document) -> None:
    """Deletes the records that a zone group wrote before it was changed, and no longer has."""
    kept = _written(after)
    for key, record_id in _written(before).items():
        if key not in kept and world.document(ids.parse(record_id).parent) is not None:
            record_sets.remove_record_set(world, Caller(NETWORK_SERVICE), record_id, Insist())


def _emptied(group: Document) -> Document:
    """A zone group without its records."""
    configs = [
        {**config, "properties": {**config["properties"], "recordSets": []}}
        for config in group["properties"]["privateDnsZoneConfigs"]
    ]
    return {**group, "properties": {**group["properties"], "privateDnsZoneConfigs": configs}}


def _written(group: Document) -> dict[str, str]:
    """The ids of a zone group's records, by what their spellings have in common."""
    written = (
        f"{config['properties']['privateDnsZoneId']}/A/{record['recordSetName']}"
        for config in group["properties"]["privateDnsZoneConfigs"]
        for record in config["properties"].get("recordSets") or []
    )
    return {ids.key(each): each for each in written}


def record_name(fqdn: str, zone: str) -> str:
    """The relative name under which a public name is recorded in its private link zone.

    The zone without its `privatelink` label is as long as the public suffix, even where it is spelt differently
    (vaultcore.azure.net for vault.azure.net), so it is the number of labels that counts. A name that lies in the zone
    already, as Backup shows them, keeps what is in front of it.
    """
    name = fqdn.rstrip(".")
    if name.lower().endswith(f".{zone.lower()}"):
        return name[: -len(zone) - 1]
    suffix = [label for label in zone.lower().split(".") if label not in PRIVATE_LINK_LABELS]
    labels = name.split(".")
    return ".".join(labels[: len(labels) - len(suffix)]) or "@"


def _records(zone_id: str, names: list[tuple[Member, str]]) -> dict[str, list[str]]:
    zone = ids.parse(zone_id).name
    records: dict[str, list[str]] = {}
    for member, address in names:
        if member.zone.lower() == zone.lower():
            for fqdn in member.fqdns:
                records.setdefault(record_name(fqdn, zone), []).append(address)
    return records


def _write(world: World, zone_id: str, name: str, addresses: list[str], creator: str) -> None:
    body = {
        "properties": {
            "ttl": TTL,
            "aRecords": [{"ipv4Address": address} for address in addresses],
            "metadata": {"creator": creator},
        }
    }
    record_sets.write_record_set(world, Caller(NETWORK_SERVICE), f"{zone_id}/A/{name}", body, Insist())


def _record_set(zone_id: str, name: str, addresses: list[str]) -> Document:
    return {
        "recordType": "A",
        "recordSetName": name,
        "fqdn": f"{name}.{ids.parse(zone_id).name}",
        "ttl": TTL,
        "provisioningState": "Succeeded",
        "ipAddresses": addresses,
    }
