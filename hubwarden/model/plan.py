"""What should happen: Want, Claim, Put, Drop, Held and Plan. A Plan is a value: printed, counted, hashed, applied."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Self, assert_never

from hubwarden.errors import InputError
from hubwarden.model.dns_name import DnsName
from hubwarden.model.endpoint import Address
from hubwarden.model.record import Owner, RecordKey
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.zone import LinkZone, MakeZone, ZoneChange

_HASH = re.compile(r"[0-9a-f]{16}", re.ASCII)


class HeldReason(StrEnum):
    """Why something that was seen is on purpose not done."""

    NOT_READY = "not_ready"
    NOT_APPROVED = "not_approved"
    NO_NAMES = "no_names"
    UNKNOWN_SERVICE = "unknown_service"
    UNKNOWN_PROVIDER = "unknown_provider"
    NAME_NOT_ALLOWED = "name_not_allowed"
    MALFORMED = "malformed"
    NO_HUB = "no_hub"
    NO_ZONE = "no_zone"
    ZONE_FULL = "zone_full"
    TOO_MANY_ADDRESSES = "too_many_addresses"
    ZONE_GROUP = "zone_group"
    SERVED_BY_OTHER = "served_by_other"
    FOREIGN_CONFLICT = "foreign_conflict"
    CONTESTED = "contested"
    SHARED_NAME = "shared_name"
    PROTECTED = "protected"
    LOCKED = "locked"
    OVER_LIMIT = "over_limit"
    UNCERTAIN = "uncertain"
    OUTSIDE_ESTATE = "outside_estate"
    NO_LONGER_COVERED = "no_longer_covered"
    NOT_APPLICABLE = "not_applicable"
    ACTION_REQUIRED = "action_required"

    @property
    def meaning(self) -> str:
        """One sentence for people."""
        return _MEANINGS[self]


_MEANINGS = {
    HeldReason.NOT_READY: "Azure is still at work on the endpoint or its connection, or shows no names yet.",
    HeldReason.NOT_APPROVED: "The connection is not Approved, so its address carries no traffic and gets no name.",
    HeldReason.NO_NAMES: "The target brings no names of its own, as private link services do not.",
    HeldReason.UNKNOWN_SERVICE: "The catalogue has no zone for this type of target and group.",
    HeldReason.UNKNOWN_PROVIDER: "Hubwarden cannot answer connections of this type of resource: a person must.",
    HeldReason.NAME_NOT_ALLOWED: "The name or address is not one that this target may have published.",
    HeldReason.MALFORMED: "What was read has another shape than Azure's documents, or is more than is read.",
    HeldReason.NO_HUB: "No hub publishes endpoints of this subscription and location.",
    HeldReason.NO_ZONE: "The hub has no zone for this name.",
    HeldReason.ZONE_FULL: "The zone has as many record sets as Azure allows, so it takes no new one.",
    HeldReason.TOO_MANY_ADDRESSES: "A record set holds at most 20 addresses in Azure.",
    HeldReason.ZONE_GROUP: "A DNS zone group made the record, and keeps it.",
    HeldReason.SERVED_BY_OTHER: "Others serve the name: a record with the same addresses, or the service itself.",
    HeldReason.FOREIGN_CONFLICT: "A record that is not ours gives other addresses: a person must decide.",
    HeldReason.CONTESTED: "Another endpoint holds this name, and keeps it while it lives.",
    HeldReason.SHARED_NAME: "One record of this name answers for everybody; records.shared does not name the target.",
    HeldReason.PROTECTED: "The name is in records.protected and is never changed or dropped.",
    HeldReason.LOCKED: "A management lock forbids the change until a person takes the lock away.",
    HeldReason.OVER_LIMIT: "More would be withdrawn or answered within an hour than the limits allow.",
    HeldReason.UNCERTAIN: "Azure's answer proves nothing, so nothing is written or withdrawn on it.",
    HeldReason.OUTSIDE_ESTATE: "The endpoint's subscription is not part of the estate.",
    HeldReason.NO_LONGER_COVERED: "The settings no longer cover the record; it stays until a person releases it.",
    HeldReason.NOT_APPLICABLE: "The record is not one that the person's word is for, so nothing is done to it.",
    HeldReason.ACTION_REQUIRED: "The target asks something of the endpoint's owner that nobody else can do.",
}


@dataclass(frozen=True, slots=True)
class Want:
    """A record that an endpoint asks for; addresses are sorted and all of the key's type."""

    hub: str
    key: RecordKey
    fqdn: str
    addresses: tuple[Address, ...]


class ClaimState(StrEnum):
    """How far a claim got: written ahead of its record, served by it, or held back from it."""

    INTENDED = "intended"
    SERVED = "served"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Claim:
    """In the ledger: this endpoint wants this name in this zone. A hint that the marks can rebuild, never the truth."""

    endpoint: ResourceId
    guid: str
    hub: str
    key: RecordKey
    fqdn: str
    addresses: tuple[Address, ...]
    ttl: int
    state: ClaimState
    etag: str
    """Of our last write of the record; empty unless SERVED."""
    written_at: float
    """When the record was last written or seen to be right, in seconds since 1970."""
    version: str = ""
    """The ledger's own etag of this claim; empty for one that was never stored."""

    @classmethod
    def on(
        cls,
        want: Want | Put,
        endpoint: ResourceId,
        guid: str,
        state: ClaimState,
        *,
        ttl: int,
        etag: str = "",
        written_at: float = 0.0,
    ) -> Self:
        """The claim of an endpoint on a record that it wants, or that is written for it."""
        return cls(
            endpoint=endpoint,
            guid=guid,
            hub=want.hub,
            key=want.key,
            fqdn=want.fqdn,
            addresses=want.addresses,
            ttl=ttl,
            state=state,
            etag=etag,
            written_at=written_at,
        )


@dataclass(frozen=True, slots=True)
class Put:
    """Create a record set (`etag` None: only if there is none), or change it (only if it still has `etag`)."""

    op: ClassVar[str] = "put"

    hub: str
    key: RecordKey
    fqdn: str
    addresses: tuple[Address, ...]
    ttl: int
    owner: Owner
    etag: str | None
    was: tuple[Address, ...]
    why: str
    displaces: ResourceId | None = None
    """The living endpoint that loses the name by it, where a hub prefers another."""

    @classmethod
    def of(cls, want: Want, owner: Owner, *, ttl: int, was: tuple[Address, ...], etag: str | None, why: str) -> Self:
        """The record that an endpoint wants, with our mark for it."""
        return cls(want.hub, want.key, want.fqdn, want.addresses, ttl, owner, etag, was, why)

    @property
    def endpoint(self) -> ResourceId:
        """For whom."""
        return self.owner.endpoint

    @property
    def withdraws(self) -> bool:
        """Whether a standing record loses an address by it."""
        return not set(self.was) <= set(self.addresses)


@dataclass(frozen=True, slots=True)
class Drop:
    """Delete a record set, only if it still has `etag`."""

    op: ClassVar[str] = "drop"
    addresses: ClassVar[tuple[Address, ...]] = ()
    """None stand there afterwards."""

    key: RecordKey
    etag: str
    was: tuple[Address, ...]
    endpoint: ResourceId
    why: str

    @property
    def withdraws(self) -> bool:
        """Always: that is what it is for."""
        return True


Change = Put | Drop


@dataclass(frozen=True, slots=True)
class MissingZone:
    """The zone that a hub should have for a name, and has not."""

    hub: str
    zone: DnsName
    creatable: bool
    """Whether it may be made for the hub; some are never to be, for they answer for more than one target."""


@dataclass(frozen=True, slots=True)
class Held:
    """Seen, and on purpose not done."""

    reason: HeldReason
    endpoint: ResourceId | None
    """Whose it is; None where a connection shows no endpoint that can be named, or a record is nobody's here."""
    detail: str
    key: RecordKey | None = None
    name: str = ""
    """The public name, or the text that was read for it."""
    connection: ResourceId | None = None
    waits: bool = False
    """Whether it is likely to change soon by itself, so that it is looked at again."""
    missing: MissingZone | None = None
    """Of a name that is held as `no_zone`: which zone."""


@dataclass(frozen=True, slots=True)
class PlanWarning:
    """What nobody may be harmed by yet, and somebody should know: of a name in a hub, of a zone, of a connection, or of
    what Azure does not show."""

    hub: str
    """Empty where it is a connection that is warned of, or what is not shown."""
    zone: ResourceId | None
    detail: str
    name: str = ""
    """The public name; empty where it is the zone itself, or a connection, that is warned of."""
    endpoint: ResourceId | None = None
    connection: ResourceId | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What to change, what is held and why, and how many records need nothing."""

    changes: tuple[Change, ...] = ()
    held: tuple[Held, ...] = ()
    unchanged: tuple[RecordKey, ...] = ()
    over_limit: tuple[Change, ...] = ()
    """Withdrawals that only a person lets through, by the hash; each is held as over_limit as well."""
    zones: tuple[ZoneChange, ...] = ()
    """Zones to make and to link."""
    warnings: tuple[PlanWarning, ...] = ()

    @property
    def hash(self) -> str:
        """Names exactly these changes, whatever is held or warned of beside them: equal plans have equal hashes.

        What a limit holds back counts: with the hash, a person lets it through.
        """
        lines = sorted(essence(change) for change in (*self.changes, *self.over_limit, *self.zones))
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def plan_hash(text: object) -> str:
    """The hash by which a person names a plan. Raises InputError for what is no such hash."""
    if not isinstance(text, str) or not _HASH.fullmatch(text):
        raise InputError("the hash of a plan is 16 hexadecimal digits")
    return text


def essence(change: Change | ZoneChange) -> str:
    """What makes a change this one, as a digest; not the etag, which any look may find anew."""
    match change:
        case Put():
            new = [str(address) for address in change.addresses]
            parts = [change.op, *_place(change), new, change.ttl, change.owner.instance, change.owner.guid]
        case Drop():
            parts = [change.op, *_place(change)]
        case MakeZone():
            parts = [change.op, change.hub, change.zone.key, change.instance]
        case LinkZone():
            parts = [change.op, change.hub, change.zone.key, change.network.key, change.redirects]
        case _ as never:
            assert_never(never)
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _place(change: Change) -> list[object]:
    was = [str(address) for address in change.was]
    return [str(change.key), change.key.zone.key, was, change.endpoint.key]
