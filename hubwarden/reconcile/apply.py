"""The third step: the plan's changes are written, each with its claim ahead of it and its outcome behind."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace

from hubwarden.arm.failures import LOCKED
from hubwarden.arm.zones import ZONE_FULL, drop_record, put_record
from hubwarden.errors import HubwardenError, NotFoundError, RacedError, RefusedError, TemporaryError
from hubwarden.model.endpoint import ConnectionStatus, Endpoint, Gone
from hubwarden.model.plan import Change, Claim, ClaimState, Drop, Put, Want
from hubwarden.model.record import RecordKey, RecordSet, Unread
from hubwarden.model.report import Outcome, Result
from hubwarden.model.resource_id import ResourceId, fold
from hubwarden.model.zone import ZoneChange
from hubwarden.reconcile import tell
from hubwarden.reconcile.at_once import some_at_once
from hubwarden.reconcile.look import Sight
from hubwarden.reconcile.observe import CLAIMS_LAST, View
from hubwarden.reconcile.rooms import Rooms
from hubwarden.telemetry.measured import brought
from hubwarden.telemetry.tracing import spanned

Stored = dict[tuple[ResourceId, RecordKey], Claim]

log = logging.getLogger(__name__)


@spanned("apply")
async def apply(rooms: Rooms, view: View) -> tuple[Outcome, ...]:
    """Writes claims ahead, then the records, then settles the claims.

    Raises LedgerUnavailableError before anything is written; after that, every failure is an Outcome.
    """
    stored: Stored = {}
    for sight in view.sights.values():
        ahead = [claim for claim in _written_ahead(rooms, view, sight) if _needs_storing(sight, claim)]
        listed = {claim.key for claim in sight.claims if claim.version}
        stored |= {(claim.endpoint, claim.key): claim for claim in await rooms.claims.store(ahead, listed=listed)}
    noted = await tell.ahead(rooms, view.plan.changes)
    outcomes = await some_at_once(lambda change: _written(rooms, view, change, stored), view.plan.changes)
    await tell.behind(rooms, noted, outcomes)
    try:
        await _forget_ended(rooms, view)
    except TemporaryError as error:
        log.warning("apply: claims that ended stay until the next look: %s", error)
    return tuple(outcomes)


async def _written(rooms: Rooms, view: View, change: Change, stored: Stored) -> Outcome:
    etag = ""
    try:
        match change:
            case Put():
                etag = await put_record(rooms.arm, change)
                # Only a record that is renamed may have no claim: its mark tells all there is to know.
                if claim := stored.get((change.endpoint, change.key)):
                    await _settled(rooms, replace(claim, state=ClaimState.SERVED, etag=etag))
            case Drop():
                await drop_record(rooms.arm, change)
        await _forget(rooms, view, change.key)
    except RacedError as error:
        return Outcome(change, Result.RACED, str(error), temporary=True)
    except NotFoundError as error:
        rooms.estate.forget_zones()
        return Outcome(change, Result.RACED, str(error), temporary=True)
    except HubwardenError as error:
        if isinstance(error, RefusedError) and error.code == ZONE_FULL:
            rooms.estate.forget_zones()  # what was known of its room is not so any more
        return failure(change, error)
    brought(change, rooms.now())  # at once: a run that is cut short later tells nothing of what it has written
    return Outcome(change, Result.DONE, etag=etag)


def failure(change: Change | ZoneChange, error: HubwardenError, advice: str = "") -> Outcome:
    """What became of a change that Azure refused or did not answer."""
    text = f"{error}{advice}"
    if isinstance(error, TemporaryError):
        return Outcome(change, Result.FAILED, text, temporary=True, retry_after=error.retry_after)
    return Outcome(change, Result.FAILED, text, locked=isinstance(error, RefusedError) and error.code == LOCKED)


async def _settled(rooms: Rooms, claim: Claim) -> None:
    """Notes what was written. Raises RacedError if another run took the claim away meanwhile.

    The record is there then, so the claim must be, too: it is stored anew before anybody looks again.
    """
    try:
        await rooms.claims.settle(claim)
    except RacedError:
        await rooms.claims.store([claim])
        raise


async def _forget(rooms: Rooms, view: View, key: RecordKey) -> None:
    """Whoever claimed the record and wants it no more has no claim on what stands there now."""
    for sight in view.sights.values():
        for claim in sight.leftovers:
            if claim.key == key and _is_final(sight, claim):
                await rooms.claims.forget(claim)


async def _forget_ended(rooms: Rooms, view: View) -> None:
    """Claims on records that are not ours to withdraw: with the endpoint's want ended, nothing is left to remember."""
    changed = {change.key for change in (*view.plan.changes, *view.plan.over_limit)} | view.left | view.kept
    held = {(held.endpoint, held.key) for held in view.plan.held}
    for sight in view.sights.values():
        for claim in sight.leftovers:
            known = claim.key in view.standing and claim.key not in changed
            if known and _is_final(sight, claim) and (claim.endpoint, claim.key) not in held:
                await rooms.claims.forget(claim)


def _is_final(sight: Sight, claim: Claim) -> bool:
    """Whether what was seen says for good that the endpoint does not want what it claimed."""
    if isinstance(sight.seen, Gone):
        return sight.seen.proven or sight.seen.moved_to is not None or sight.outside
    ended = sight.seen.status in (ConnectionStatus.REJECTED, ConnectionStatus.DISCONNECTED)
    ended = ended or fold(claim.guid) in sight.forebears
    # Where the settings alone give the names, nothing that Azure will show later can bring one.
    return sight.seen.settled and (ended or bool(sight.seen.sure_names) or not sight.seen.brings_names)


def _written_ahead(rooms: Rooms, view: View, sight: Sight) -> Iterable[Claim]:
    """The claims that must stand before the records are written, and those that the look itself settles."""
    puts = {(change.endpoint, change.key) for change in view.plan.changes if isinstance(change, Put)}
    if not isinstance(sight.seen, Endpoint):
        # Nobody looks at the endpoint of a record that is renamed: of its claim, too, only the etag changes.
        known = (claim for claim in sight.claims if claim.version and (claim.endpoint, claim.key) in puts)
        yield from (replace(claim, state=ClaimState.INTENDED) for claim in known)
        return
    held = {(held.endpoint, held.key) for held in view.plan.held if held.key}
    for want in sight.wishes.wants:
        if want.key not in view.standing or want.key in view.left:
            continue
        record = view.standing[want.key]
        if isinstance(record, Unread):
            continue  # what the claim says of it may still be so
        if (sight.seen.id, want.key) in puts:
            yield _claim(rooms, sight.seen, want, ClaimState.INTENDED, record)
        elif (sight.seen.id, want.key) in held:
            yield _claim(rooms, sight.seen, want, ClaimState.HELD, None)
        else:
            yield _claim(rooms, sight.seen, want, ClaimState.SERVED, record)


def _claim(rooms: Rooms, endpoint: Endpoint, want: Want, state: ClaimState, record: RecordSet | None) -> Claim:
    etag = record.etag if record else ""
    return Claim.on(want, endpoint.id, endpoint.guid, state, ttl=rooms.rules.ttl, etag=etag, written_at=rooms.now())


def _needs_storing(sight: Sight, claim: Claim) -> bool:
    """Whether the ledger does not say this already, or said it too long ago to be believed next time."""
    for known in sight.claims:
        if known.key == claim.key and known.version:
            same = replace(known, version="", written_at=0.0) == replace(claim, version="", written_at=0.0)
            fresh = claim.written_at - known.written_at < CLAIMS_LAST
            return not same or not fresh or claim.state is ClaimState.INTENDED
    return True
