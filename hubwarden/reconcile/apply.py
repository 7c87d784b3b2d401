"""The third step: the plan's changes are written, each with its claim ahead of it and its outcome behind."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import replace

from hubwarden.arm.zones import drop_record, put_record
from hubwarden.errors import HubwardenError, NotFoundError, RacedError, TemporaryError
from hubwarden.model.endpoint import Endpoint, Gone
from hubwarden.model.plan import Change, Claim, ClaimState, Drop, Put, Want
from hubwarden.model.record import RecordKey, RecordSet, Unread
from hubwarden.model.report import Outcome, Result
from hubwarden.reconcile.observe import CLAIMS_LAST, Sight
from hubwarden.reconcile.rooms import Rooms

_AT_ONCE = 5

log = logging.getLogger(__name__)


async def apply(rooms: Rooms, sight: Sight) -> tuple[Outcome, ...]:
    """Writes claims ahead, then the records, then settles the claims.

    Raises LedgerUnavailableError before anything is written; after that, every failure is an Outcome.
    """
    ahead = [claim for claim in _written_ahead(rooms, sight) if _needs_storing(sight, claim)]
    stored = {claim.key: claim for claim in await rooms.claims.store(ahead)}
    gate = asyncio.Semaphore(_AT_ONCE)

    async def write(change: Change) -> Outcome:
        async with gate:
            return await _written(rooms, sight, change, stored)

    outcomes = await asyncio.gather(*(write(change) for change in sight.plan.changes))
    try:
        await _forget_ended(rooms, sight)
    except TemporaryError as error:
        log.warning("apply: claims that ended stay until the next look: %s", error)
    return tuple(outcomes)


async def _written(rooms: Rooms, sight: Sight, change: Change, stored: dict[RecordKey, Claim]) -> Outcome:
    try:
        match change:
            case Put():
                etag = await put_record(rooms.arm, change)
                await _settled(rooms, replace(stored[change.key], state=ClaimState.SERVED, etag=etag))
            case Drop():
                await drop_record(rooms.arm, change)
                await _forget(rooms, sight, change.key)
    except RacedError as error:
        return Outcome(change, Result.RACED, str(error), temporary=True)
    except NotFoundError as error:
        rooms.estate.forget_zones()
        return Outcome(change, Result.RACED, str(error), temporary=True)
    except TemporaryError as error:
        return Outcome(change, Result.FAILED, str(error), temporary=True, retry_after=error.retry_after)
    except HubwardenError as error:
        return Outcome(change, Result.FAILED, str(error))
    return Outcome(change, Result.DONE)


async def _settled(rooms: Rooms, claim: Claim) -> None:
    """Notes what was written. Raises RacedError if another run took the claim away meanwhile.

    The record is there then, so the claim must be, too: it is stored anew before anybody looks again.
    """
    try:
        await rooms.claims.settle(claim)
    except RacedError:
        await rooms.claims.store([claim])
        raise


async def _forget(rooms: Rooms, sight: Sight, key: RecordKey) -> None:
    for claim in sight.claims:
        if claim.key == key:
            await rooms.claims.forget(claim)


async def _forget_ended(rooms: Rooms, sight: Sight) -> None:
    """Claims on records that are not ours to withdraw: with the endpoint's want ended, nothing is left to remember."""
    seen = sight.seen
    if isinstance(seen, Gone):
        final = seen.proven or seen.moved_to is not None
    else:
        final = seen.settled and bool(seen.sure_names)
    kept = {change.key for change in sight.plan.changes} | {held.key for held in sight.plan.held}
    for claim in sight.leftovers:
        if final and claim.key not in kept:
            await rooms.claims.forget(claim)


def _written_ahead(rooms: Rooms, sight: Sight) -> Iterable[Claim]:
    """The claims that must stand before the records are written, and those that the look itself settles."""
    if not isinstance(sight.seen, Endpoint):
        return
    puts = {change.key for change in sight.plan.changes if isinstance(change, Put)}
    held = {held.key for held in sight.plan.held if held.key}
    for want in sight.wishes.wants:
        record = sight.standing[want.key]
        if isinstance(record, Unread):
            continue  # what the claim says of it may still be so
        if want.key in puts:
            yield _claim(rooms, sight.seen, want, ClaimState.INTENDED, record)
        elif want.key in held:
            yield _claim(rooms, sight.seen, want, ClaimState.HELD, None)
        else:
            yield _claim(rooms, sight.seen, want, ClaimState.SERVED, record)


def _claim(rooms: Rooms, endpoint: Endpoint, want: Want, state: ClaimState, record: RecordSet | None) -> Claim:
    return Claim(
        endpoint=endpoint.id,
        guid=endpoint.guid,
        hub=want.hub,
        key=want.key,
        fqdn=want.fqdn,
        addresses=want.addresses,
        ttl=rooms.rules.ttl,
        state=state,
        etag=record.etag if record else "",
        written_at=rooms.now(),
    )


def _needs_storing(sight: Sight, claim: Claim) -> bool:
    """Whether the ledger does not say this already, or said it too long ago to be believed next time."""
    for known in sight.claims:
        if known.key == claim.key and known.hub == claim.hub:
            same = replace(known, version="", written_at=0.0) == replace(claim, version="", written_at=0.0)
            fresh = claim.written_at - known.written_at < CLAIMS_LAST
            return not same or not fresh or claim.state is ClaimState.INTENDED
    return True
