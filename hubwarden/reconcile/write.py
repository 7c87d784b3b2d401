"""The parts of a run: what was observed is kept within the limits and written, with one more look after a race."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from hubwarden.dns.limits import Spent, held_back, limited, withdrawals
from hubwarden.dns.plan import joined
from hubwarden.errors import HubwardenError, TemporaryError
from hubwarden.ledger.tally import Counted
from hubwarden.model.connection import Decision
from hubwarden.model.endpoint import Endpoint, Gone
from hubwarden.model.plan import Change, Drop, Held, HeldReason, Plan, Put
from hubwarden.model.record import RecordKey
from hubwarden.model.report import Outcome, Report, Result
from hubwarden.model.scope import OneEndpoint, Scope
from hubwarden.reconcile.apply import apply
from hubwarden.reconcile.hand_on import look_at
from hubwarden.reconcile.look import see
from hubwarden.reconcile.observe import View, observe
from hubwarden.reconcile.rooms import Rooms

log = logging.getLogger(__name__)

LOOK_LASTS = 5.0
"""Seconds after which what was seen is looked at again before it is written on.

A deletion's look that finds no claim looks again after the first follow-up, which is longer: so a creation that the
deletion overtook is found by the one or the other.
"""


@dataclass(frozen=True, slots=True)
class Orders:
    """How a run is to write."""

    applies: bool
    let_through: frozenset[str] = frozenset()
    """Withdrawals, by their essence, that a person lets through over the limits."""
    foreseen: Mapping[str, int] = field(default_factory=dict)
    """Withdrawals that a sweep sees coming, by the key of the zone's id."""
    keeps_all: str = ""
    """Why nothing may be withdrawn in this run; empty where it may."""
    run: str = ""
    """Whose orders they are; empty until it has begun."""
    notes: bool = False
    """Whether the ledger may note since when connections wait: also in mode plan, unless a plan is asked for."""


@dataclass(frozen=True, slots=True)
class Part:
    """What came of one part of a run, or of several together."""

    plan: Plan = field(default_factory=Plan)
    outcomes: tuple[Outcome, ...] = ()
    decisions: tuple[Decision, ...] = ()
    complete: bool = True
    watch: bool = False

    def report(self, run: str, scope: Scope, *, applies: bool, began: float, ended: float) -> Report:
        """The Report of a run that came to this, between two moments in seconds since 1970."""
        return Report(
            run=run,
            scope=scope,
            mode="apply" if applies else "plan",
            started_at=datetime.fromtimestamp(began, UTC),
            finished_at=datetime.fromtimestamp(ended, UTC),
            plan=self.plan,
            outcomes=self.outcomes,
            decisions=self.decisions,
            complete=self.complete,
            watch=self.watch,
        )


async def write(rooms: Rooms, view: View, orders: Orders) -> Part:
    """Writes what was observed. Raises LedgerUnavailableError before anything is written."""
    if not orders.applies:
        return Part(await judged(rooms, view.plan, orders))
    if await _is_stale(rooms, view, orders):
        view = await observe(rooms, replace(view.ask, thorough=True))
    for sight in view.sights.values():
        if isinstance(sight.seen, Gone) and sight.seen.moved_to:
            # The endpoint at its new place takes its records over in a look of its own.
            await look_at(rooms, OneEndpoint(sight.seen.moved_to))
    counted: Counts = []
    plan = await _within_limits(rooms, view.plan, orders, counted)
    kept = {change.key for change in view.plan.changes} - {change.key for change in plan.changes}
    view = replace(view, plan=plan, kept=frozenset(kept))
    outcomes = await apply(rooms, view)
    if any(outcome.result is Result.RACED for outcome in outcomes) or await _may_have_an_heir(rooms, view):
        plan, outcomes = await _once_more(rooms, view, orders, outcomes, counted)
    await _count_only_done(rooms, counted, outcomes)
    asked = [view.sights[endpoint] for endpoint in view.ask.endpoints]
    watch = any(isinstance(sight.seen, Gone) and sight.seen.proven and not sight.claims for sight in asked)
    return Part(_with_locks(plan, outcomes), outcomes, complete=not any(sight.silent for sight in asked), watch=watch)


async def write_all(rooms: Rooms, views: Sequence[View], orders: Orders, *, until: float = math.inf) -> Part:
    """Writes several parts, judged together: what each withdraws counts for all of them.

    Where one could not even be begun, the others go on and are told of; the whole is not complete then.
    """
    leaving = [change for view in views for change in withdrawals(view.plan, orders.let_through)]
    withheld = await rooms.tally.withheld() if leaving else frozenset()
    foreseen = _by_zone(change for change in leaving if change.key not in withheld)
    parts: list[Part] = []
    for view in views:
        if rooms.now() >= until:
            return together(parts, complete=False)
        try:
            part = await write(rooms, view, replace(orders, foreseen=foreseen))
        except HubwardenError as error:
            log.error("a part of %d endpoints was left out: %s", len(view.ask.endpoints), error)
            part = Part(complete=False)
        parts.append(part)
        # What was held stays foreseen: else enough of it would make room for the rest.
        foreseen -= _by_zone(withdrawals(part.plan, orders.let_through))
    return together(parts)


def together(parts: list[Part], *, complete: bool = True) -> Part:
    """Several parts as one; what two of them saw is told once."""
    plan = joined(*(part.plan for part in parts))
    once = replace(
        plan,
        held=tuple(dict.fromkeys(plan.held)),
        unchanged=tuple(dict.fromkeys(plan.unchanged)),
        warnings=tuple(dict.fromkeys(plan.warnings)),
    )
    return Part(
        plan=once,
        outcomes=tuple(outcome for part in parts for outcome in part.outcomes),
        decisions=tuple(decision for part in parts for decision in part.decisions),
        complete=complete and all(part.complete for part in parts),
        watch=any(part.watch for part in parts),
    )


Counts = list[tuple[RecordKey, str]]
"""The withdrawals that were counted ahead, and the names of the notes."""


async def _within_limits(rooms: Rooms, plan: Plan, orders: Orders, counted: Counts) -> Plan:
    """The plan as far as the limits allow it now; what goes on is counted before it is done."""
    plan = _kept(plan, orders)
    if not withdrawals(plan):
        return plan
    spent = await _spent(rooms, plan, orders)
    allowed = _limited(rooms, plan, orders, spent)
    leaving = withdrawals(allowed, orders.let_through)
    names = await rooms.tally.note(Counted.WITHDRAWN, [_thing(change) for change in leaving], rooms.now())
    after = _limited(rooms, plan, orders, replace(spent, withdrawn=await _withdrawn(rooms, plan)))
    if len(after.over_limit) > len(allowed.over_limit):
        allowed = after  # another instance has withdrawn meanwhile: together it would be too much
    kept = {change.key for change in allowed.changes}
    noted = [(change.key, name) for change, name in zip(leaving, names, strict=True)]
    await rooms.tally.take_back(Counted.WITHDRAWN, [name for key, name in noted if key not in kept])
    counted += [(key, name) for key, name in noted if key in kept]
    await rooms.tally.withhold(change.key for change in allowed.over_limit if change.key not in spent.withheld)
    await rooms.tally.release(change.key for change in allowed.changes if change.key in spent.withheld)
    return allowed


async def judged(rooms: Rooms, plan: Plan, orders: Orders) -> Plan:
    """The plan as far as the limits would allow it now; nothing is counted."""
    plan = _kept(plan, orders)
    return _limited(rooms, plan, orders, await _spent(rooms, plan, orders)) if withdrawals(plan) else plan


def _kept(plan: Plan, orders: Orders) -> Plan:
    """The plan without its withdrawals, if the run may not make any."""
    back = [(change, orders.keeps_all) for change in withdrawals(plan)] if orders.keeps_all else []
    return held_back(plan, back, HeldReason.UNCERTAIN)


def _limited(rooms: Rooms, plan: Plan, orders: Orders, spent: Spent) -> Plan:
    return limited(plan, spent, rooms.limits, let_through=orders.let_through)


async def _spent(rooms: Rooms, plan: Plan, orders: Orders) -> Spent:
    return Spent(
        withdrawn=await _withdrawn(rooms, plan),
        foreseen=orders.foreseen,
        ours=await rooms.tally.ours(),
        withheld=await rooms.tally.withheld(),
    )


async def _withdrawn(rooms: Rooms, plan: Plan) -> Mapping[str, int]:
    """What else was withdrawn; what this plan withdraws itself may have been noted by an earlier try."""
    asked = [_thing(change)[1] for change in plan.changes]
    return await rooms.tally.within_hour(Counted.WITHDRAWN, rooms.now(), without=asked)


def _by_zone(changes: Iterable[Change]) -> Counter[str]:
    return Counter(change.key.zone.key for change in changes)


def _thing(change: Change) -> tuple[str, str]:
    return (change.key.zone.key, f"{change.key.zone.key}|{change.key}")


async def _count_only_done(rooms: Rooms, counted: Counts, outcomes: Iterable[Outcome]) -> None:
    """A try that was refused took nothing away; it would use up what others may, and end as over the limit itself.

    One without a clear answer may have struck, and counts.
    """
    done = {
        outcome.key
        for outcome in outcomes
        if outcome.result is Result.DONE or (outcome.result is Result.FAILED and outcome.temporary)
    }
    try:
        await rooms.tally.take_back(Counted.WITHDRAWN, [name for key, name in counted if key not in done])
    except TemporaryError as error:
        log.warning("write: withdrawals that failed stay counted for an hour: %s", error)


def _with_locks(plan: Plan, outcomes: tuple[Outcome, ...]) -> Plan:
    held = tuple(
        Held(HeldReason.LOCKED, outcome.change.endpoint, outcome.error, outcome.change.key, outcome.change.key.fqdn)
        for outcome in outcomes
        if outcome.locked and isinstance(outcome.change, Put | Drop)
    )
    return replace(plan, held=(*plan.held, *held)) if held else plan


async def _is_stale(rooms: Rooms, view: View, orders: Orders) -> bool:
    """Whether to look again before writing: the look was slow, or no guid tells an endpoint from its heir."""
    slow = any(rooms.now() - sight.at > LOOK_LASTS for sight in view.sights.values())
    if slow and (await judged(rooms, view.plan, orders)).changes:
        return True
    return await _has_an_heir(rooms, view)


async def _may_have_an_heir(rooms: Rooms, view: View) -> bool:
    try:
        return await _has_an_heir(rooms, view)
    except HubwardenError as error:
        log.warning("write: it is looked at again, for Azure does not say who stands there now: %s", error)
        return True


async def _has_an_heir(rooms: Rooms, view: View) -> bool:
    """Whether an endpoint stands where one was gone that showed no guid: only so can its heir be told from it."""
    dropped = {change.key for change in view.plan.changes if isinstance(change, Drop)}
    for endpoint, sight in view.sights.items():
        nameless = any(claim.key in dropped and not claim.guid for claim in sight.claims)
        if isinstance(sight.seen, Gone) and nameless and isinstance(await see(rooms, endpoint), Endpoint):
            return True
    return False


async def _once_more(
    rooms: Rooms, view: View, orders: Orders, outcomes: tuple[Outcome, ...], counted: Counts
) -> tuple[Plan, tuple[Outcome, ...]]:
    """A 412 leads to a fresh look at endpoints and records, and a new plan, once; what failed waits for another time.

    Whatever the second look meets, the first one's outcomes are told.
    """
    failed = {
        outcome.change.key
        for outcome in outcomes
        if outcome.result is Result.FAILED and isinstance(outcome.change, Put | Drop)
    }
    try:
        again = await observe(rooms, replace(view.ask, thorough=True, absent=frozenset()))
        changes = tuple(change for change in again.plan.changes if change.key not in failed)
        # What the first try withdrew is counted already, and no longer to come.
        coming = Counter(orders.foreseen) - _by_zone(withdrawals(view.plan, orders.let_through))
        plan = await _within_limits(
            rooms, replace(again.plan, changes=changes), replace(orders, foreseen=coming), counted
        )
        again = replace(again, plan=plan, left=frozenset(failed))
        more = await apply(rooms, again)
    except HubwardenError as error:
        log.warning("run: the second look at %s failed: %s", ", ".join(map(str, view.ask.endpoints[:3])), error)
        return view.plan, outcomes
    planned = {change.key for change in plan.changes}
    tried = tuple(
        outcome.change
        for outcome in outcomes
        if isinstance(outcome.change, Put | Drop)
        and outcome.result is not Result.RACED
        and outcome.change.key not in planned
    )
    return replace(plan, changes=(*tried, *plan.changes)), (*outcomes, *more)
