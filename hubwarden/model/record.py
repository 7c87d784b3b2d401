"""Zones and what stands in them: Hub, Zone, RecordKey, RecordSet, and Owner, our mark."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from hubwarden.errors import InputError
from hubwarden.model.dns_name import APEX, DnsName
from hubwarden.model.endpoint import Address, private_endpoint_id
from hubwarden.model.resource_id import ResourceId, fold

MARK_FORMAT = 1
MOST_ADDRESSES = 20
"""Azure allows 20 records in one record set (DNS limits, private zones)."""

# The mark's keys in a record set's metadata. Changing one means migrating live records.
FORMAT_KEY = "hubwarden"
INSTANCE_KEY = "hubwarden_instance"
ENDPOINT_KEY = "hubwarden_endpoint"
GUID_KEY = "hubwarden_guid"

# What zone groups write there: the endpoint's name, which may be anything, and then its resourceGuid.
_CREATOR_KEY = "creator"
_CREATOR = "created by private endpoint"
_MAKER = re.compile(r".* with resource guid ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.ASCII)


class RecordType(StrEnum):
    """The two record types that Hubwarden writes."""

    A = "A"
    AAAA = "AAAA"

    @classmethod
    def of(cls, address: Address) -> RecordType:
        """The type of record that holds such an address."""
        return cls.A if address.version == 4 else cls.AAAA


@dataclass(frozen=True, slots=True)
class Hub:
    """Where one hub's zones live and which endpoints it publishes; `locations` empty means all of them."""

    name: str
    zone_groups: tuple[ResourceId, ...]
    """Resource groups in which the hub's privatelink zones live."""
    networks: tuple[ResourceId, ...] = ()
    locations: frozenset[str] = frozenset()
    subscriptions: frozenset[str] = frozenset()
    preferred_subscriptions: frozenset[str] = frozenset()
    preferred_locations: frozenset[str] = frozenset()
    creates_zones: bool = False
    redirects: bool = True
    """Whether the links that are made ask the public DNS for what the zone has no record of (NxDomainRedirect)."""

    def zone_id(self, zone: DnsName) -> ResourceId:
        """Where a zone of that name is made: in the first of the hub's resource groups."""
        group = self.zone_groups[0]
        return ResourceId(group.subscription, group.group, "Microsoft.Network", (("privateDnsZones", zone.text),))

    def publishes(self, *, subscription: str, location: str) -> bool:
        """Whether this hub serves endpoints of that subscription and location."""
        return (not self.locations or fold(location) in self.locations) and (
            not self.subscriptions or fold(subscription) in self.subscriptions
        )

    def prefers_subscription(self, subscription: str) -> bool:
        """Whether an endpoint of that subscription may take a name from one of another."""
        return fold(subscription) in self.preferred_subscriptions

    def prefers_location(self, location: str) -> bool:
        """Whether an endpoint there comes first where nothing else decides."""
        return fold(location) in self.preferred_locations


@dataclass(frozen=True, slots=True)
class Zone:
    """A private DNS zone of a hub."""

    id: ResourceId
    name: DnsName
    maker: str = ""
    """The instance whose tag it bears; empty for one that somebody else made."""
    record_sets: int = 0
    most_record_sets: int = 0
    """How many record sets it has, its SOA among them, and may have; 0 where Azure does not say."""
    links: int = 0
    """How many networks it is linked to."""

    @property
    def fill(self) -> float:
        """How full it is, from 0 to 1."""
        return self.record_sets / self.most_record_sets if self.most_record_sets else 0.0

    @property
    def room(self) -> int | None:
        """How many more record sets it takes; None where nobody knows."""
        return max(self.most_record_sets - self.record_sets, 0) if self.most_record_sets else None


@dataclass(frozen=True, slots=True)
class HubZones:
    """A hub and the zones that it has now; `trouble` says why they could not be listed, if so."""

    hub: Hub
    zones: Mapping[DnsName, Zone]
    trouble: str = ""
    hidden: tuple[Zone, ...] = ()
    """Zones of the same names in groups that come later, which are left alone."""

    def holds(self, zone: ResourceId) -> bool:
        """Whether that zone is one of this hub's."""
        return any(each.id == zone for each in self.zones.values())


@dataclass(frozen=True, slots=True, order=True)
class RecordKey:
    """Which record set: the zone, the name relative to it in lower case (`@` is the apex), and the type."""

    zone: ResourceId
    name: str
    type: RecordType

    @property
    def fqdn(self) -> str:
        """The name in full, as the zone answers it."""
        return self.zone.name.lower() if self.name == APEX else f"{self.name}.{self.zone.name.lower()}"

    def __str__(self) -> str:
        return f"{self.fqdn} {self.type}"


@dataclass(frozen=True, slots=True)
class Owner:
    """Our mark in a record set's metadata: whose record it is, and for which endpoint."""

    instance: str
    endpoint: ResourceId
    guid: str

    def to_metadata(self) -> dict[str, str]:
        """The mark as metadata of a record set."""
        return {
            FORMAT_KEY: str(MARK_FORMAT),
            INSTANCE_KEY: self.instance,
            ENDPOINT_KEY: str(self.endpoint),
            GUID_KEY: self.guid,
        }

    def is_for(self, endpoint: ResourceId, guid: str) -> bool:
        """Whether the mark names this endpoint: by its id, or by its resourceGuid, which a move keeps."""
        return self.endpoint == endpoint or (bool(guid) and fold(self.guid) == fold(guid))


class Keeper(StrEnum):
    """Who made a record set, as far as it says so itself."""

    HUBWARDEN = "hubwarden"
    NEWER_HUBWARDEN = "newer hubwarden"
    ZONE_GROUP = "zone group"
    AUTO_REGISTRATION = "auto-registration"
    UNMARKED = "unmarked"


@dataclass(frozen=True, slots=True)
class RecordSet:
    """What stands in a zone under one key now."""

    key: RecordKey
    addresses: tuple[Address, ...]
    ttl: int
    etag: str
    keeper: Keeper
    owner: Owner | None = None
    """Set if and only if `keeper` is HUBWARDEN."""
    maker: str = ""
    """The resourceGuid of the endpoint whose zone group made it, where it says so; empty where it does not."""

    def owned_by(self, instances: frozenset[str]) -> bool:
        """Whether the record carries the mark of one of these instances, in a format that we know."""
        return self.owner is not None and self.owner.instance in instances


@dataclass(frozen=True, slots=True)
class Unread:
    """A record set that Azure did not show, in a way that proves nothing about it."""

    detail: str


Standing = Mapping[RecordKey, RecordSet | Unread | None]
"""What stands in the zones now under the keys that matter; None where nothing does, Unread where nobody knows."""


def read_mark(metadata: Mapping[str, str], *, auto_registered: bool) -> tuple[Keeper, Owner | None]:
    """Who made a record set, by its metadata, and the mark if it is one of Hubwarden's.

    A mark that cannot be read whole, or of another format, is never taken for ours: NEWER_HUBWARDEN is hands off.
    Zone groups write `creator` = `created by private endpoint ...` (seen in exported templates; match by prefix).
    """
    if auto_registered:
        return Keeper.AUTO_REGISTRATION, None
    if FORMAT_KEY in metadata:
        owner = _owner(metadata)
        return (Keeper.HUBWARDEN, owner) if owner else (Keeper.NEWER_HUBWARDEN, None)
    if fold(metadata.get(_CREATOR_KEY) or "").startswith(_CREATOR):
        return Keeper.ZONE_GROUP, None
    return Keeper.UNMARKED, None


def read_maker(metadata: Mapping[str, str]) -> str:
    """The resourceGuid, in lower case, of the endpoint whose zone group made a record set; empty where none is named.

    Zone groups write `created by private endpoint <name> with resource guid <guid>` (behaviour reference section 2.4);
    a text that was shortened by hand names nobody.
    """
    text = fold(metadata.get(_CREATOR_KEY) or "").rstrip()
    found = _MAKER.fullmatch(text) if text.startswith(_CREATOR) else None
    return found.group(1) if found else ""


def _owner(metadata: Mapping[str, str]) -> Owner | None:
    if metadata[FORMAT_KEY] != str(MARK_FORMAT) or not metadata.get(INSTANCE_KEY):
        return None
    try:
        endpoint = private_endpoint_id(metadata.get(ENDPOINT_KEY))
    except InputError:
        return None
    return Owner(metadata[INSTANCE_KEY], endpoint, metadata[GUID_KEY]) if GUID_KEY in metadata else None
