"""Is this too much? Withdrawals beyond what an hour may see are held until a person lets them through (law 9)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from hubwarden.model.plan import Change, Held, HeldReason, Plan, Put, essence
from hubwarden.model.record import RecordKey

SHARE_FROM = 20
"""Records of ours in a zone from which on its share counts: of three records, one is no mass withdrawal."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many withdrawals an hour may see: in all, in a zone, and as a share of our records in a zone."""

    withdrawals: int = 500
    per_zone: int = 100
    share: float = 0.3


@dataclass(frozen=True, slots=True)
class Spent:
    """What the ledger knows about withdrawals; zones go by the key of their id."""

    withdrawn: Mapping[str, int] = field(default_factory=dict)
    """How many records were withdrawn within the last hour, by zone."""
    foreseen: Mapping[str, int] = field(default_factory=dict)
    """How many a sweep sees coming beside these, by zone: so that none goes where all would be too many."""
    ours: Mapping[str, int] = field(default_factory=dict)
    """How many records of ours the last sweep counted, by zone."""
    withheld: frozenset[RecordKey] = frozenset()
    """The records whose withdrawal is held already; an hour's passing does not let them through."""


def limited(plan: Plan, spent: Spent, limits: Limits, *, let_through: frozenset[str] = frozenset()) -> Plan:
    """The plan without the withdrawals that are too many; those named in `let_through` (by essence) are let through.

    Over a zone's limit all of the zone's withdrawals are held, not only the last: a part of a mistake is one as well.
    Creations and corrections go on.
    """
    asked = withdrawals(plan, let_through)
    if not asked:
        return plan
    # What is withheld already waits by itself, and drags nothing else along.
    by_zone = Counter(change.key.zone.key for change in asked if change.key not in spent.withheld)
    totals = {
        zone: spent.withdrawn.get(zone, 0) + max(by_zone[zone], spent.foreseen.get(zone, 0))
        for zone in {*(change.key.zone.key for change in asked), *spent.withdrawn, *spent.foreseen}
    }
    over = [(change, why) for change in asked if (why := _too_many(change, totals, spent, limits))]
    allowed = held_back(plan, over, HeldReason.OVER_LIMIT)
    return replace(allowed, over_limit=(*plan.over_limit, *(change for change, _ in over)))


def withdrawals(plan: Plan, let_through: frozenset[str] = frozenset()) -> list[Change]:
    """The withdrawals that count: not what a person lets through, which must not use up what the others may."""
    return [change for change in plan.changes if change.withdraws and essence(change) not in let_through]


def held_back(plan: Plan, back: Sequence[tuple[Change, str]], reason: HeldReason) -> Plan:
    """The plan without these changes, each held with its detail; whom one would have displaced keeps the name."""
    held = tuple(Held(reason, change.endpoint, why, change.key, change.key.fqdn) for change, why in back)
    staying = {(change.displaces, change.key) for change, _ in back if isinstance(change, Put) and change.displaces}
    still = tuple(each for each in plan.held if (each.endpoint, each.key) not in staying)
    left_out = {id(change) for change, _ in back}
    kept = tuple(change for change in plan.changes if id(change) not in left_out)
    return replace(plan, changes=kept, held=(*still, *held))


def _too_many(change: Change, totals: Mapping[str, int], spent: Spent, limits: Limits) -> str:
    """Why this withdrawal is held; empty where it is not."""
    zone = change.key.zone
    in_zone, in_all = totals[zone.key], sum(totals.values())
    ours = spent.ours.get(zone.key, 0)
    if change.key in spent.withheld:
        return "its withdrawal was over a limit before, and no person has let it through"
    if in_zone > limits.per_zone:
        return f"{in_zone} withdrawals from {zone.name} within an hour; records.limits.perZone is {limits.per_zone}"
    if in_all > limits.withdrawals:
        return f"{in_all} withdrawals within an hour; records.limits.withdrawals is {limits.withdrawals}"
    if ours >= SHARE_FROM and in_zone > limits.share * ours:
        return f"{in_zone} of {ours} records of {zone.name} within an hour; records.limits.share is {limits.share}"
    return ""
