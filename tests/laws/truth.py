"""What is so in the simulated world, whoever may see it: by this, histories are judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulator import ids
from simulator.endpoint_names import ENDPOINTS, connection_of, interface_of, members_of, status_of
from simulator.world import World
from tests.azure import BLOB_ZONE

INSTANCE = "contoso"
_SUFFIX = BLOB_ZONE.removeprefix("privatelink")

Record = Mapping[str, Any]
"""The document of a record set."""


@dataclass(frozen=True, slots=True)
class Living:
    """A private endpoint that is there, with the addresses that each of its target's names has on its interface."""

    id: str
    """As compared: without regard to case."""
    guid: str
    status: str
    settled: bool
    target: str
    addresses: Mapping[str, frozenset[str]]
    """By the name of the record, relative to the zone."""

    @property
    def subscription(self) -> str:
        """Where it lives."""
        return ids.parse(self.id).subscription

    def wants(self, name: str) -> bool:
        """Whether it is to be reached by that record."""
        return self.status == "Approved" and self.settled and name in self.addresses


@dataclass(frozen=True, slots=True)
class Mark:
    """Whose a record of ours is, by what it says itself."""

    endpoint: str
    guid: str

    def names(self, endpoint: Living) -> bool:
        """Whether it is this one's: an endpoint made anew under the same id is another."""
        if self.guid and endpoint.guid:
            return self.guid == endpoint.guid
        return self.endpoint == endpoint.id


def living(world: World, subscription: str | None = None) -> list[Living]:
    """Every private endpoint that there is now, perhaps only those of a subscription, but those that are going."""
    found = []
    for document in world.documents(ENDPOINTS, subscription=subscription):
        properties, connection = document["properties"], connection_of(document)["properties"]
        if properties["provisioningState"] == "Deleting":
            continue
        addresses: dict[str, frozenset[str]] = {}
        interface = interface_of(world, document)
        members = members_of(world, connection["privateLinkServiceId"], connection["groupIds"])
        for configuration in interface["properties"]["ipConfigurations"] if interface else ():
            held = configuration["properties"]
            place = held["privateLinkConnectionProperties"]["requiredMemberName"]
            for fqdn in (fqdn for member in members if member.member_name == place for fqdn in member.fqdns):
                name = fqdn.removesuffix(_SUFFIX)
                addresses[name] = addresses.get(name, frozenset()) | {held["privateIPAddress"]}
        found.append(
            Living(
                id=ids.key(document["id"]),
                guid=properties["resourceGuid"],
                status=status_of(document),
                settled=properties["provisioningState"] == "Succeeded",
                target=ids.key(connection["privateLinkServiceId"]),
                addresses=addresses,
            )
        )
    return found


def mark_of(record: Record | None) -> Mark | None:
    """The mark of a record of ours; None for anybody else's, for a torn or a newer mark, and for none at all."""
    properties = record["properties"] if record else {}
    metadata = properties.get("metadata") or {}
    if properties.get("isAutoRegistered") or metadata.get("hubwarden") != "1":
        return None
    if metadata.get("hubwarden_instance") != INSTANCE or "hubwarden_guid" not in metadata:
        return None
    endpoint = metadata.get("hubwarden_endpoint") or ""
    return Mark(ids.key(endpoint), metadata["hubwarden_guid"]) if "/privateendpoints/" in endpoint.lower() else None


def addresses_of(record: Record | None) -> frozenset[str]:
    """The addresses that stand in a record; none for no record."""
    return frozenset(each["ipv4Address"] for each in record["properties"]["aRecords"]) if record else frozenset()
