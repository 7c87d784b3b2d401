"""The sweep: everything is compared in memory; only what differs is looked at by ARM, and written, part by part."""

from __future__ import annotations

import logging
from dataclasses import replace

from hubwarden.dns.capacity import FULL_SOON, full_soon
from hubwarden.errors import HubwardenError
from hubwarden.model.plan import Claim, PlanWarning
from hubwarden.model.resource_id import ResourceId
from hubwarden.reconcile.at_once import some_at_once
from hubwarden.reconcile.compare import Compared, compare
from hubwarden.reconcile.missing import unlinked_handed_on
from hubwarden.reconcile.observe import Ask, View, observe, read_records
from hubwarden.reconcile.reach import unreached
from hubwarden.reconcile.rooms import Rooms
from hubwarden.reconcile.warn import had_twice, kept_out, left_out
from hubwarden.reconcile.write import Orders, Part, together, write_all
from hubwarden.telemetry.measured import measure_zones

AT_ONCE = 20
"""Endpoints that are looked at, and written for, together: what was seen of them must not grow old."""

LASTS = 480.0
"""Seconds of a run after which no new part is begun: the platform ends an invocation after 600."""

DECISIONS_KEPT = 365 * 86400.0
"""Seconds for which the ledger remembers what was answered."""

log = logging.getLogger(__name__)

_REBUILDING = "the ledger was empty: this run only rebuilds the claims from the marks"


async def sweep(rooms: Rooms, orders: Orders, *, began: float) -> Part:
    """Makes the whole estate right. Raises where the index, ARM or the ledger gives no answer to begin with.

    What only comes or is corrected is written first. Then all that would be withdrawn is looked at before any of it is:
    the limits judge it as a whole.
    """
    until = began + LASTS
    compared = await compare(rooms)
    if not compared.ledger.claims and compared.ours:
        orders = replace(orders, keeps_all=_REBUILDING)
    if orders.applies:
        await _claim(rooms, compared)
    hubs = await rooms.estate.hubs()
    measure_zones(hubs, full_soon=FULL_SOON)
    missing = [PlanWarning("", None, each) for each in await unreached(rooms, hubs)]
    for warning in missing:
        log.error("sweep: %s", warning.detail)
    alerts = (*full_soon(hubs), *had_twice(hubs))
    for warning in alerts:
        log.warning("sweep: %s", warning.detail)
    alerts = (*missing, *alerts, *left_out(compared.nameless))
    parts = [Part(replace(compared.plan, warnings=(*alerts, *await kept_out(rooms, compared.seen, compared.shown))))]
    left = compared.suspects
    while left and rooms.now() < until:
        now, left = next_groups(left)
        views = await _seen(rooms, compared, now)
        parts.append(await write_all(rooms, views, orders))
    losing: list[View] = []
    coming = compared.losing
    while coming and rooms.now() < until:
        now, coming = next_groups(coming)
        losing += await _seen(rooms, compared, now)
    parts.append(await write_all(rooms, losing, orders, until=until))
    all_handed_on = not orders.applies or await unlinked_handed_on(rooms, hubs)
    part = together(parts, complete=compared.complete and not left and not coming and all_handed_on)
    if orders.applies and part.complete:
        try:
            await _note(rooms, compared, together(parts[1:]))
        except HubwardenError as error:
            log.error("sweep: all was looked at, and could not be noted: %s", error)
            return replace(part, complete=False)
    # Of what is shown all was done; a sweep of everything was that not.
    return replace(part, complete=part.complete and not missing)


async def _seen(rooms: Rooms, compared: Compared, endpoints: tuple[ResourceId, ...]) -> list[View]:
    """What ARM shows of these endpoints; nothing where it could not be seen, and then the run is not whole."""
    ask = Ask(
        endpoints,
        marked=compared.marked,
        absent=compared.absent,
        doubted=compared.doubted,
    )
    try:
        return [await observe(rooms, ask)]
    except HubwardenError as error:
        log.error("sweep: %d endpoints were left out: %s", len(endpoints), error)
        compared.complete = False
        return []


def next_groups(groups: list[tuple[ResourceId, ...]]) -> tuple[tuple[ResourceId, ...], list[tuple[ResourceId, ...]]]:
    """The next endpoints to look at together, whole groups of them, and the groups that are left."""
    now = groups[0]
    taken = 1
    while taken < len(groups) and len(now) + len(groups[taken]) <= AT_ONCE:
        now += groups[taken]
        taken += 1
    return now, groups[taken:]


async def _claim(rooms: Rooms, compared: Compared) -> None:
    """Claims that the ledger lacks are stored as the index tells them: hints, which no look is worth."""
    by_endpoint: dict[ResourceId, list[Claim]] = {}
    for claim in compared.unclaimed:
        by_endpoint.setdefault(claim.endpoint, []).append(claim)
    await some_at_once(rooms.claims.store, by_endpoint.values(), AT_ONCE)


async def _note(rooms: Rooms, compared: Compared, looked_at: Part) -> None:
    """What the next looks want to know of a sweep that saw everything."""
    await rooms.tally.note_ours(compared.ours)
    await rooms.tally.forget_before(rooms.now())
    await rooms.decisions.forget(rooms.now() - DECISIONS_KEPT)
    await rooms.claims.mend_names(compared.ledger)
    # Only what ARM showed to need no withdrawal waits no longer: a doubt, or an index, is no person's word.
    settled = {*looked_at.plan.unchanged, *(change.key for change in looked_at.plan.changes)}
    waiting = await rooms.tally.withheld()
    absent = await read_records(rooms, [key for key in waiting if key not in compared.shown], strict=False)
    await rooms.tally.release(key for key in waiting if key in settled or absent.get(key, key) is None)
