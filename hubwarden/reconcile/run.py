"""One run: observe, decide, apply, and look once more where somebody else was faster. It ends in a Report."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime

from hubwarden.catalog import Place
from hubwarden.model.dns_name import DnsName
from hubwarden.model.endpoint import Gone
from hubwarden.model.plan import Held, HeldReason, Plan
from hubwarden.model.record import HubZones, RecordKey, RecordType
from hubwarden.model.report import Explanation, NameExplanation, OneEndpoint, Outcome, Report, Result
from hubwarden.model.work import WorkItem
from hubwarden.reconcile.apply import apply
from hubwarden.reconcile.observe import Sight, observe, read_records
from hubwarden.reconcile.rooms import Rooms


async def reconcile(rooms: Rooms, scope: OneEndpoint, *, applies: bool = True) -> Report:
    """Makes the records of an endpoint right, or, with `applies` False or in mode plan, says what it would do.

    Raises TemporaryError where Azure or the ledger gives no answer, and then nothing was written.
    """
    applies = applies and rooms.applies
    started = rooms.now()
    if held := await _outside(rooms, scope):
        return _report(rooms, scope, started, applies, Plan(held=(held,)), ())
    sight = await observe(rooms, scope)
    if not applies:
        return _report(rooms, scope, started, applies, sight.plan, ())
    if isinstance(sight.seen, Gone) and sight.seen.moved_to:
        # The endpoint at its new place takes its records over in a look of its own.
        await rooms.work.send(WorkItem(OneEndpoint(sight.seen.moved_to), attempt=1, due=round(started, 3)))
    outcomes = await apply(rooms, sight)
    plan = sight.plan
    if any(outcome.result is Result.RACED for outcome in outcomes):
        plan, outcomes = await _once_more(rooms, scope, outcomes)
    return _report(rooms, scope, started, applies, plan, outcomes)


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
        claims=sight.book.claims,
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
    owners = {record.owner.endpoint for record in standing.values() if record and record.owner}
    explained = [await explain(rooms, OneEndpoint(owner)) for owner in sorted(owners)]
    return NameExplanation(name, standing, tuple(explained))


def _in_zones(name: DnsName, hub: HubZones) -> list[tuple[DnsName, str]]:
    return [(zone, left) for zone in hub.zones if (left := name.relative_to(zone)) is not None]


async def _outside(rooms: Rooms, scope: OneEndpoint) -> Held | None:
    if await rooms.estate.includes(scope.endpoint.subscription):
        return None
    detail = f"subscription {scope.endpoint.subscription} is not part of the estate"
    return Held(HeldReason.OUTSIDE_ESTATE, scope.endpoint, detail)


async def _once_more(
    rooms: Rooms, scope: OneEndpoint, outcomes: tuple[Outcome, ...]
) -> tuple[Plan, tuple[Outcome, ...]]:
    """A 412 leads to a fresh look at endpoint and records, and a new plan, once."""
    again: Sight = await observe(rooms, replace(scope, thorough=True))
    more = await apply(rooms, again)
    planned = {change.key for change in again.plan.changes}
    tried = tuple(
        outcome.change
        for outcome in outcomes
        if outcome.result is not Result.RACED and outcome.change.key not in planned
    )
    return replace(again.plan, changes=(*tried, *again.plan.changes)), (*outcomes, *more)


def _report(
    rooms: Rooms, scope: OneEndpoint, started: float, applies: bool, plan: Plan, outcomes: tuple[Outcome, ...]
) -> Report:
    return Report(
        run=str(uuid.uuid4()),
        scope=scope,
        mode="apply" if applies else "plan",
        started_at=datetime.fromtimestamp(started, UTC),
        finished_at=datetime.fromtimestamp(rooms.now(), UTC),
        plan=plan,
        outcomes=outcomes,
    )
