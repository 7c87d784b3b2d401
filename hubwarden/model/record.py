"""What stands in zones: RecordKey, RecordSet, and Owner, our mark; and who else may keep a record."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from hubwarden.errors import InputError
from hubwarden.model.dns_name import APEX
from hubwarden.model.endpoint import Address, private_endpoint_id
from hubwarden.model.resource_id import GUID, ResourceId, fold

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
_MAKER = re.compile(rf".* with resource guid ({GUID})", re.ASCII)


class RecordType(StrEnum):
    """The two record types that Hubwarden writes."""

    A = "A"
    AAAA = "AAAA"

    @classmethod
    def of(cls, address: Address) -> RecordType:
        """The type of record that holds such an address."""
        return cls.A if address.version == 4 else cls.AAAA


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

    @classmethod
    def read(
        cls,
        key: RecordKey,
        addresses: tuple[Address, ...],
        metadata: Mapping[str, str],
        *,
        ttl: int,
        etag: str,
        auto_registered: bool,
    ) -> RecordSet:
        """A record set as Azure shows it, with its keeper as the metadata tell."""
        keeper, owner = read_mark(metadata, auto_registered=auto_registered)
        maker = read_maker(metadata) if keeper is Keeper.ZONE_GROUP else ""
        return cls(key, addresses, ttl, etag, keeper, owner, maker)

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
