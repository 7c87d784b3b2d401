"""Takeover: a person has Hubwarden's records take the place of those that an endpoint's DNS zone group made."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum

from hubwarden.model.plan import Put, essence
from hubwarden.model.record import RecordKey
from hubwarden.model.report import Outcome
from hubwarden.model.resource_id import ResourceId


@dataclass(frozen=True, slots=True)
class GroupZone:
    """A zone that a zone group writes into, and the records that it says it made there."""

    name: str
    """Of the configuration within the group."""
    zone: ResourceId
    records: tuple[RecordKey, ...] = ()


@dataclass(frozen=True, slots=True)
class ZoneGroup:
    """A private DNS zone group; Azure lets an endpoint have one, with five zones at most."""

    id: ResourceId
    zones: tuple[GroupZone, ...]
    settled: bool
    """Whether provisioningState is Succeeded."""


class ObstacleReason(StrEnum):
    """Why an endpoint's zone group is not taken over."""

    OUTSIDE_ESTATE = "outside_estate"
    NOT_READY = "not_ready"
    NOT_APPROVED = "not_approved"
    NO_GROUP = "no_group"
    FOREIGN_ZONE = "foreign_zone"
    NOT_WANTED = "not_wanted"
    OTHER_ADDRESSES = "other_addresses"
    OTHERS_RECORD = "others_record"
    PROTECTED = "protected"
    LOCKED = "locked"
    POLICY = "policy"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One thing that stands in the way of a takeover."""

    reason: ObstacleReason
    detail: str

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"


@dataclass(frozen=True, slots=True)
class Takeover:
    """What would be done for one endpoint: its group deleted, and each record written anew as ours once it is gone."""

    endpoint: ResourceId
    group: ZoneGroup | None = None
    """None where it has none any more: what an earlier takeover left undone is written."""
    puts: tuple[Put, ...] = ()
    """`was` has the addresses that stand there now, none where nothing does."""
    obstacles: tuple[Obstacle, ...] = ()

    @property
    def essence(self) -> str:
        """What makes it this one, as a text."""
        zones = sorted(zone.zone.key for zone in self.group.zones) if self.group else []
        group = self.group.id.key if self.group else ""
        return json.dumps([self.endpoint.key, group, zones, sorted(essence(put) for put in self.puts)])


@dataclass(frozen=True, slots=True)
class TakeoverPlan:
    """The takeovers that were looked into, in the order in which they would be done."""

    takeovers: tuple[Takeover, ...] = ()

    @property
    def ready(self) -> tuple[Takeover, ...]:
        """Those with nothing in their way."""
        return tuple(each for each in self.takeovers if not each.obstacles)

    @property
    def refused(self) -> tuple[Takeover, ...]:
        """Those with something in their way."""
        return tuple(each for each in self.takeovers if each.obstacles)

    @property
    def hash(self) -> str:
        """Names exactly what would be done, whatever is refused beside it: equal plans have equal hashes."""
        return hashlib.sha256("\n".join(each.essence for each in self.ready).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Gap:
    """How long a name may have had no record: from when it was last seen to stand to the answer to our write."""

    key: RecordKey
    seconds: float


@dataclass(frozen=True, slots=True)
class TakenOver:
    """What became of one takeover; `error` says what state things are in, and is empty where all of it was done."""

    takeover: Takeover
    run: str
    outcomes: tuple[Outcome, ...] = ()
    gaps: tuple[Gap, ...] = ()
    error: str = ""
    deleted: bool = False
    """Whether the zone group is gone, or was asked to go."""


@dataclass(frozen=True, slots=True)
class TakeoverReport:
    """A plan, and what was done of it: nothing where it was only planned; it ends with the first failure."""

    plan: TakeoverPlan
    done: tuple[TakenOver, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether it was stopped."""
        return any(each.error for each in self.done)

    @property
    def longest(self) -> Gap | None:
        """The longest of all gaps; None where there was none."""
        return max((gap for each in self.done for gap in each.gaps), key=lambda gap: gap.seconds, default=None)
