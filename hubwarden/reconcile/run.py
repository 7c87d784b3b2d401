"""One run: observe, decide, apply, and look once more where somebody else was faster. It ends in a Report."""

from __future__ import annotations

import logging
import uuid
from dataclasses import replace
from datetime import UTC, datetime

from hubwarden.catalog import Place
from hubwarden.errors import HubwardenError
from hubwarden.model.dns_name import DnsName
from hubwarden.model.endpoint import Endpoint, Gone
from hubwarden.model.plan import Drop, Held, HeldReason, Plan
from hubwarden.model.record import HubZones, RecordKey, RecordSet, RecordType
from hubwarden.model.report import Explanation, NameExplanation, OneEndpoint, Outcome, Report, Result
from hubwarden.model.work import WorkItem
from hubwarden.reconcile.apply import apply
from hubwarden.reconcile.observe import Sight, observe, read_records, see
from hubwarden.reconcile.rooms import Rooms

log = logging.getLogger(__name__)


LOOK_LASTS = 5.0
"""Seconds after which what was seen is looked at again before it is written on.

A deletion's look that finds no claim looks again after the first follow-up, which is longer: so a creation that the
deletion overtook is found by the one or the other.
"""


async def reconcile(rooms: Rooms, scope: OneEndpoint, *, applies: bool = True) -> Report:
    """Makes the records of an endpoint right, or, with `applies` False or in mode plan, says what it would do.

    Raises where Azure or the ledger gives no answer, and then nothing was written.
    """
    applies = applies and rooms.applies
    started = rooms.now()
    if held := await _outside(rooms, scope):
        return _report(rooms, scope, started, applies, Plan(held=(held,)), ())
    sight = await observe(rooms, scope)
    if not applies:
        return _report(rooms, scope, started, applies, sight.plan, ())
    if await _is_stale(rooms, sight):
        sight = await observe(rooms, replace(scope, thorough=True))
    if isinstance(sight.seen, Gone) and sight.seen.moved_to:
        # The endpoint at its new place takes its records over in a look of its own.
        await rooms.work.send(WorkItem(OneEndpoint(sight.seen.moved_to), attempt=1, due=round(started, 3)))
    plan, outcomes = sight.plan, await apply(rooms, sight)
    if any(outcome.result is Result.RACED for outcome in outcomes) or await _has_an_heir(rooms, sight):
        plan, outcomes = await _once_more(rooms, scope, plan, outcomes)
    watch = isinstance(sight.seen, Gone) and sight.seen.proven and not sight.claims
    return _report(rooms, scope, started, applies, plan, outcomes, watch=watch)


async def _is_stale(rooms: Rooms, sight: Sight) -> bool:
    """Whether to look again before writing: the look was slow, or no guid tells an endpoint from its heir."""
    slow = bool(sight.plan.changes) and rooms.now() - sight.at > LOOK_LASTS
    return slow or await _has_an_heir(rooms, sight)


async def _has_an_heir(rooms: Rooms, sight: Sight) -> bool:
    """Whether an endpoint stands where one was gone that showed no guid: only so can its heir be told from it."""
    nameless = {claim.key for claim in sight.claims if not claim.guid}
    drops = [change for change in sight.plan.changes if isinstance(change, Drop) and change.key in nameless]
    return isinstance(sight.seen, Gone) and bool(drops) and isinstance(await see(rooms, sight.seen.id), Endpoint)


async def explain(rooms: Rooms, scope: OneEndpoint) -> Explanation:
    """What is seen, wanted, held and owned for an endpoint, and what would be done; changes nothing."""
    if held := await _outside(rooms, scope):
        gone = Gone(scope.endpoint, False, "not looked at: its subscription is not part of the estate")
        return Explanation(scope.endpoint, gone, (), (), {}, Plan(held=(held,)))
    sight = await observe(rooms, replace(scope, thorough=True))
    return Explanation(
        endpoint=scope.endpoint,
        seen=sight.seen,
        wants=sight.wishes.wants,
        claims=sight.claims,
        standing=sight.standing,
        plan=sight.plan,
    )


async def explain_name(rooms: Rooms, name: DnsName) -> NameExplanation:
    """The records that may answer a public or a private name, and why they stand so; changes nothing."""
    keys = []
    for hub in await rooms.estate.hubs():
        places = [*rooms.catalogue.everywhere(name), *(Place(zone, left) for zone, left in _in_zones(name, hub))]
        keys += [
            RecordKey(hub.zones[place.zone].id, place.name, kind)
            for place in places
            if place.zone in hub.zones
            for kind in RecordType
        ]
    standing = await read_records(rooms, dict.fromkeys(keys))
    records = [record for record in standing.values() if isinstance(record, RecordSet)]
    owners = {record.owner.endpoint for record in records if record.owner}
    explained = [await explain(rooms, OneEndpoint(owner)) for owner in sorted(owners)]
    return NameExplanation(name, standing, tuple(explained))


def _in_zones(name: DnsName, hub: HubZones) -> list[tuple[DnsName, str]]:
    return [(zone, left) for zone in hub.zones if (left := name.relative_to(zone)) is not None]


async def _outside(rooms: Rooms, scope: OneEndpoint) -> Held | None:
    subscription = scope.endpoint.subscription
    if await rooms.estate.includes(subscription):
        return None
    detail = f"subscription {subscription} is not part of the estate"
    waits = rooms.estate.may_come_to_include(subscription)
    return Held(HeldReason.OUTSIDE_ESTATE, scope.endpoint, detail, waits=waits)


async def _once_more(
    rooms: Rooms, scope: OneEndpoint, first: Plan, outcomes: tuple[Outcome, ...]
) -> tuple[Plan, tuple[Outcome, ...]]:
    """A 412 leads to a fresh look at endpoint and records, and a new plan, once; what failed waits for another time.

    Whatever the second look meets, the first one's outcomes are told.
    """
    failed = {outcome.change.key for outcome in outcomes if outcome.result is Result.FAILED}
    try:
        again = await observe(rooms, replace(scope, thorough=True))
        changes = tuple(change for change in again.plan.changes if change.key not in failed)
        again = replace(again, plan=replace(again.plan, changes=changes))
        more = await apply(rooms, again)
    except HubwardenError as error:
        log.warning("run: the second look at %s failed: %s", scope.endpoint, error)
        return first, outcomes
    planned = {change.key for change in changes}
    tried = tuple(
        outcome.change
        for outcome in outcomes
        if outcome.result is not Result.RACED and outcome.change.key not in planned
    )
    return replace(again.plan, changes=(*tried, *changes)), (*outcomes, *more)


def _report(
    rooms: Rooms,
    scope: OneEndpoint,
    started: float,
    applies: bool,
    plan: Plan,
    outcomes: tuple[Outcome, ...],
    *,
    watch: bool = False,
) -> Report:
    return Report(
        run=str(uuid.uuid4()),
        scope=scope,
        mode="apply" if applies else "plan",
        started_at=datetime.fromtimestamp(started, UTC),
        finished_at=datetime.fromtimestamp(rooms.now(), UTC),
        plan=plan,
        outcomes=outcomes,
        watch=watch,
    )
