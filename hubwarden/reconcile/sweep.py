"""The sweep: everything is compared in memory; only what differs is looked at by ARM, and written, part by part."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from hubwarden.dns.plan import joined
from hubwarden.model.plan import Claim, HeldReason
from hubwarden.model.resource_id import ResourceId
from hubwarden.reconcile.compare import Compared, compare
from hubwarden.reconcile.observe import Ask, observe
from hubwarden.reconcile.rooms import Rooms
from hubwarden.reconcile.write import Orders, Part, write

AT_ONCE = 20
"""Endpoints that are looked at, and written for, together: what was seen of them must not grow old."""

LASTS = 480.0
"""Seconds after which no new part is begun: the platform ends an invocation after 600."""

_REBUILDING = "the ledger was empty: this run only rebuilds the claims from the marks"


async def sweep(rooms: Rooms, orders: Orders) -> Part:
    """Makes the whole estate right. Raises where the index, ARM or the ledger gives no answer to begin with."""
    began = rooms.now()
    compared = await compare(rooms)
    orders = replace(orders, foreseen=compared.foreseen)
    if compared.ledger_is_empty and compared.ours:
        orders = replace(orders, keeps_all=_REBUILDING)
    if orders.applies:
        await _claim(rooms, compared)
    parts = [Part(compared.plan)]
    left = compared.suspects
    while left and rooms.now() - began < LASTS:
        now, left = _next(left)
        marked = {endpoint: compared.marked[endpoint] for endpoint in now if endpoint in compared.marked}
        ask = Ask(now, marked=marked, absent=compared.absent, doubted=compared.doubted, by_guid=compared.by_guid)
        part = await write(rooms, await observe(rooms, ask), orders)
        parts.append(part)
        done = [change.key.zone.key for change in (*part.plan.changes, *part.plan.over_limit) if change.withdraws]
        compared.foreseen.subtract(done)
    part = together(parts, complete=compared.complete and not left)
    if orders.applies and part.complete:
        await _note(rooms, compared, part)
    return part


def _next(groups: list[tuple[ResourceId, ...]]) -> tuple[tuple[ResourceId, ...], list[tuple[ResourceId, ...]]]:
    """The next endpoints to look at together, whole groups of them, and the groups that are left."""
    now = groups[0]
    taken = 1
    while taken < len(groups) and len(now) + len(groups[taken]) <= AT_ONCE:
        now += groups[taken]
        taken += 1
    return now, groups[taken:]


def together(parts: list[Part], *, complete: bool = True) -> Part:
    """Several parts as one; what two of them saw is told once."""
    plan = joined(*(part.plan for part in parts))
    once = replace(plan, held=tuple(dict.fromkeys(plan.held)), unchanged=tuple(dict.fromkeys(plan.unchanged)))
    return Part(
        plan=once,
        outcomes=tuple(outcome for part in parts for outcome in part.outcomes),
        decisions=tuple(decision for part in parts for decision in part.decisions),
        complete=complete and all(part.complete for part in parts),
        watch=any(part.watch for part in parts),
    )


async def _claim(rooms: Rooms, compared: Compared) -> None:
    """Claims that the ledger lacks are stored as the index tells them: hints, which no look is worth."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def store(claims: list[Claim]) -> None:
        async with gate:
            await rooms.claims.store(claims)

    by_endpoint: dict[ResourceId, list[Claim]] = {}
    for claim in compared.unclaimed:
        by_endpoint.setdefault(claim.endpoint, []).append(claim)
    await asyncio.gather(*map(store, by_endpoint.values()))


async def _note(rooms: Rooms, compared: Compared, part: Part) -> None:
    """What the next looks want to know of a sweep that saw everything."""
    await rooms.tally.note_ours(compared.ours)
    await rooms.tally.forget_before(rooms.now())
    over = {held.key for held in part.plan.held if held.reason is HeldReason.OVER_LIMIT}
    await rooms.tally.release(key for key in await rooms.tally.withheld() if key not in over)
