"""At a run's end what is due in the outbox goes to the topic, the oldest first.

Whatever becomes of the topic, decisions and records go on; what it does not take stays in the outbox.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from hubwarden.errors import HubwardenError, RefusedError
from hubwarden.ledger.outbox import Kept, State
from hubwarden.model.announcement import Kind
from hubwarden.model.record import RecordKey, RecordSet, RecordType, Unread
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import Everything, Pending, Scope
from hubwarden.reconcile.observe import read_records
from hubwarden.reconcile.rooms import SOMEBODYS, Rooms
from hubwarden.reconcile.tell import waiting
from hubwarden.reconcile.write import Part
from hubwarden.report.as_events import id_of_record

if TYPE_CHECKING:
    from hubwarden.announce import Announcer

MOST_AT_ONCE = 100
"""Events in a request: each has a few KB at the most, and a request may have 1 MB (behaviour reference section 1.8)."""

WITHIN, SWEEP_WITHIN = 5.0, 60.0
"""Seconds for which a run that is over waits for the topic; nobody waits for a sweep, so it may take longer."""

REST = 60.0
"""Seconds after a failure for which only the timers try the topic: no event's run waits for it again."""

REFUSED_FOR = 86400.0
"""Seconds for which one that the topic refuses is tried again, by every sweep."""

_MOST_LOOKED_AT = 1000
"""Of one sweep; the next looks at the rest."""

log = logging.getLogger(__name__)


async def announce(rooms: Rooms, scope: Scope, part: Part, *, began: float) -> None:
    """Tells the topic, if there is one, of what a run did and left undone. It fails in nothing: it only warns.

    `began` is when the run did, in seconds since 1970. The timers' runs also send what others left.
    """
    announcer = rooms.announcer
    if announcer is None:
        return
    sweep = isinstance(scope, Everything)
    timer = sweep or isinstance(scope, Pending)
    try:
        if sweep:
            await _look_at_intended(rooms)
        if timer or part.decisions:
            seen = part.decisions, part.plan.held, part.outcomes
            await waiting(rooms, *seen, records=sweep, looked=began if sweep and part.complete else None)
    except HubwardenError as error:
        log.warning("publish: what is left undone is told by a later run: %s", error)
    if timer or part.decisions or part.outcomes:
        await _publish(rooms, announcer, timer=timer, sweep=sweep)


async def _publish(rooms: Rooms, announcer: Announcer, *, timer: bool, sweep: bool) -> None:
    """Publishes what is due. What the topic does not take stays; `sweep` also tries what it refused before."""
    if not timer and rooms.now() - announcer.failed_at < REST:
        return
    try:
        async with asyncio.timeout(SWEEP_WITHIN if sweep else WITHIN):
            await _publish_due(rooms, announcer)
            if sweep:
                await _publish_refused(rooms, announcer)
    except (HubwardenError, TimeoutError) as error:
        announcer.failed_at = rooms.now()
        log.error("publish: what was done is announced later: %s", str(error) or "the topic is silent")


async def _publish_due(rooms: Rooms, announcer: Announcer) -> None:
    left = True
    while left and (due := await rooms.outbox.of(State.DUE, most=MOST_AT_ONCE)):
        left = len(due) == MOST_AT_ONCE
        try:
            await announcer.publish([each.announcement for each in due])
        except RefusedError:
            # All or none: each by itself, so that one does not hold up the others.
            for each in due:
                await _publish_one(rooms, announcer, each)
        else:
            await rooms.outbox.settle(void=due)


async def _publish_one(rooms: Rooms, announcer: Announcer, kept: Kept) -> None:
    try:
        await announcer.publish([kept.announcement])
    except RefusedError as error:
        log.error("publish: %s of %s is refused: %s", kept.announcement.kind, kept.announcement.subject, error)
        await rooms.outbox.refused(kept)
    else:
        await rooms.outbox.settle(void=[kept])


async def _publish_refused(rooms: Rooms, announcer: Announcer) -> None:
    for kept in await rooms.outbox.of(State.REFUSED, most=MOST_AT_ONCE):
        if rooms.now() - kept.announcement.time < REFUSED_FOR:
            await _publish_one(rooms, announcer, kept)
            continue
        log.error("publish: %s of %s was refused for a day and is dropped", kept.announcement.kind, kept.name)
        await rooms.outbox.settle(void=[kept])


async def _look_at_intended(rooms: Rooms) -> None:
    """Looks whether what was about to be written stands: a run ended between its deed and its word, or got no answer.

    What was overtaken before anybody could look is not told of.
    """
    intended = [
        kept
        for kept in await rooms.outbox.of(State.INTENDED, most=_MOST_LOOKED_AT)
        if rooms.now() - kept.announcement.time >= SOMEBODYS
    ]
    keys = {kept.name: _key(kept.announcement.subject) for kept in intended}
    shown = await read_records(rooms, set(keys.values()), strict=False)
    due: list[Kept] = []
    void: list[Kept] = []
    for kept in intended:
        record = shown[keys[kept.name]]
        if isinstance(record, Unread):
            # A zone that is gone for a day tells no more.
            void += [kept] if rooms.now() - kept.announcement.time >= REFUSED_FOR else []
        elif _is_done(kept, record):
            due.append(_as_it_stands(kept, record))
        else:
            void.append(kept)
    await rooms.outbox.settle(due=due, void=void)


def _key(subject: str) -> RecordKey:
    record = ResourceId.parse(subject)
    return RecordKey(record.parent, record.name, RecordType(record.path[-1][0]))


def _is_done(kept: Kept, record: RecordSet | None) -> bool:
    data = kept.announcement.data
    if kept.announcement.kind is Kind.RECORD_WITHDRAWN or record is None:
        return kept.announcement.kind is Kind.RECORD_WITHDRAWN and record is None
    addresses = [str(address) for address in record.addresses]
    owner = record.owner.endpoint if record.owner else None
    return addresses == data["addresses"] and owner == ResourceId.parse(data["endpoint"])


def _as_it_stands(kept: Kept, record: RecordSet | None) -> Kept:
    if record is None:
        return kept
    known_by = id_of_record(Kind.RECORD_REGISTERED, _key(kept.announcement.subject), record.etag)
    return replace(kept, announcement=replace(kept.announcement, id=known_by))
