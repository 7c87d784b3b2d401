"""What is done and what is held goes into the outbox, if there is a topic: noted ahead of the deed, settled behind it.

Without a topic nothing here costs a call.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from hubwarden.errors import TemporaryError
from hubwarden.ledger.decisions import Intended
from hubwarden.ledger.outbox import Kept, State
from hubwarden.model.announcement import Kind
from hubwarden.model.connection import Decision
from hubwarden.model.plan import Change, Held, Put
from hubwarden.model.report import Outcome, Result
from hubwarden.reconcile.rooms import Rooms
from hubwarden.report.as_events import id_of_record, left, of_answer, of_change

_ALL, _CONNECTIONS = "Hubwarden.", "Hubwarden.Connection."

log = logging.getLogger(__name__)


async def ahead(rooms: Rooms, changes: Sequence[Change]) -> tuple[Kept, ...]:
    """Notes what is about to be written; nothing where nobody is to be told.

    Raises LedgerUnavailableError: then nothing may be written.
    """
    if rooms.announcer is None or not changes:
        return ()
    return await rooms.outbox.add([of_change(change, rooms.now()) for change in changes], State.INTENDED)


async def behind(rooms: Rooms, noted: Sequence[Kept], outcomes: Sequence[Outcome]) -> None:
    """What was done is due, what was refused is forgotten; what nobody knows for sure is left to the next sweep.

    To fail is only a warning: the sweep looks.
    """
    if not noted:
        return
    ended = list(zip(noted, outcomes, strict=True))
    due = [_done(kept, outcome, rooms.now()) for kept, outcome in ended if outcome.result is Result.DONE]
    void = [kept for kept, outcome in ended if outcome.result is Result.FAILED and not outcome.temporary]
    try:
        await rooms.outbox.settle(due=due, void=void)
    except TemporaryError as error:
        log.warning("tell: what was done is told after the next sweep: %s", error)


def _done(kept: Kept, outcome: Outcome, now: float) -> Kept:
    announcement = replace(kept.announcement, time=now)
    if isinstance(outcome.change, Put):
        known_by = id_of_record(Kind.RECORD_REGISTERED, outcome.change.key, outcome.etag)
        announcement = replace(announcement, id=known_by)
    return replace(kept, announcement=announcement)


async def answered(rooms: Rooms, intended: Intended) -> None:
    """A connection shows the answer: it is due before the decision is closed, so that no crash can come between.

    Raises LedgerUnavailableError: then the decision must stay open.
    """
    if rooms.announcer is None:
        return
    told = of_answer(
        intended.connection,
        intended.endpoint,
        intended.verdict,
        intended.rule,
        who=intended.who,
        name=intended.kept_as,
        now=rooms.now(),
    )
    await rooms.outbox.add([told], State.DUE)


async def waiting(
    rooms: Rooms,
    decisions: Sequence[Decision],
    held: Sequence[Held],
    outcomes: Sequence[Outcome],
    *,
    records: bool,
    looked: float | None,
) -> None:
    """Tells of what is newly held or has failed; of records only where the whole estate was looked at.

    Where all of it was, `looked` is since when: what was told of before that, and is not among these, is held no more.
    Raises LedgerUnavailableError.
    """
    found = left(decisions, held, outcomes, rooms.now())
    news = [each for each in found if records or each.kind.is_of_a_connection]
    await rooms.outbox.tell_once(news, among=_ALL if records else _CONNECTIONS, looked=looked)
