"""Answers: a connection is written as decided, read back, and followed until it shows the answer or has failed to.

A connection's own state is followed, not the operation that its provider may name: only that state says whose
connection it is now (azure-cli does the same, approval notes).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import assert_never

from hubwarden.arm.connections import answer_connection, is_same, read_connection
from hubwarden.errors import HubwardenError, LedgerUnavailableError, NotFoundError, RacedError, TemporaryError
from hubwarden.ledger.decisions import Intended
from hubwarden.ledger.tally import Counted
from hubwarden.model.connection import POLICY, Connection, Decision, Verdict, by
from hubwarden.model.endpoint import ConnectionStatus
from hubwarden.model.note import description
from hubwarden.model.plan import Held, HeldReason
from hubwarden.model.report import Outcome, Result
from hubwarden.model.resource_id import ResourceId
from hubwarden.reconcile import tell
from hubwarden.reconcile.at_once import some_within
from hubwarden.reconcile.rooms import SOMEBODYS, Rooms

PATIENCE = 8.0
"""Seconds for which an answered connection is read back in the run that answered it; then the work queue follows it."""

CLOSED_WITHIN = 60.0
"""Seconds for which a sweep looks at what was left open; what is not answered about then stays open."""

COUNTED = {Verdict.APPROVE: Counted.APPROVED, Verdict.REJECT: Counted.REJECTED}

_LONGEST_GROUPS = 200  # characters that are told of

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of one answer so far: its decision with what the connection shows, and how that ended or waits."""

    decision: Decision
    outcome: Outcome | None = None
    """None while Azure is at work on it."""
    held: Held | None = None
    strayed: bool = False
    """Whether it fell to another consumer than the one that was decided on."""


class _Shows(Enum):
    """What a connection shows after it was answered."""

    THE_ANSWER = auto()
    NOTHING_YET = auto()
    ANOTHER_ANSWER = auto()
    A_FAILURE = auto()
    ANOTHER_CONSUMER = auto()


async def intend(rooms: Rooms, decisions: Sequence[Decision], run: str) -> tuple[Intended | None, ...]:
    """Stores what is to be answered, in its order; None for a connection that somebody else is answering.

    What another decision has left open there is looked at and closed first. Raises LedgerUnavailableError.
    """
    decisions = [replace(each, note=_description(rooms, each)) for each in decisions]
    stored = await rooms.decisions.intend(decisions, rooms.now(), run, lasts=SOMEBODYS)
    barred = [decision for decision, intended in zip(decisions, stored, strict=True) if intended is None]
    if not barred:
        return stored
    connections = {each.connection.id for each in barred}
    for left in await rooms.decisions.open():
        if left.connection in connections and left.held_until <= rooms.now():
            await _look_and_close(rooms, left)
    again = await rooms.decisions.intend(barred, rooms.now(), run, lasts=SOMEBODYS)
    found = {decision.connection.id: intended for decision, intended in zip(barred, again, strict=True)}
    return tuple(
        found.get(decision.connection.id, intended) for decision, intended in zip(decisions, stored, strict=True)
    )


async def answer(rooms: Rooms, decision: Decision, intended: Intended, count: str) -> Answered:
    """Writes one answer and reads it back for as long as PATIENCE lasts; `count` is the note that counts it.

    Every failure is an Outcome. One that may hide that the answer was taken counts, and stays open in the ledger until
    somebody has looked.
    """
    try:
        await answer_connection(rooms.arm, decision, _description(rooms, decision))
    except HubwardenError as error:
        if intended.again and isinstance(error, RacedError):
            return await _answered_before(rooms, decision, intended, count, error)
        outcome = _refused(decision, error)
        if outcome.result is Result.FAILED and outcome.temporary:
            await _let_go(rooms, intended)
        else:
            await _close(rooms, intended, outcome.result, count)
        return Answered(decision, outcome)
    answered = await _read_back(rooms, decision)
    if answered.outcome is None:
        await _note_taken(rooms, intended)
    elif answered.outcome.result is Result.FAILED and answered.decision.after is None:
        await _let_go(rooms, intended)  # it was taken, and may not be read back
    else:
        # Azure took it: that its consumer has taken the connection away since, or another came to stand there, does not
        # make it undone.
        struck = answered.strayed or answered.outcome.result is Result.RACED
        await _close(rooms, intended, answered.outcome.result, "" if struck else count, struck=struck)
    return answered


def _description(rooms: Rooms, decision: Decision) -> str:
    """What the connection is to show beside the answer; the consumer reads it, perhaps in another tenant."""
    decided_by = "decided by a person" if decision.who != POLICY else f"rule {decision.rule}"
    usual = f"{decision.verdict.status} by Hubwarden ({rooms.rules.instance}): {decided_by}"
    return decision.note or description(usual)


async def _answered_before(
    rooms: Rooms, decision: Decision, intended: Intended, count: str, error: RacedError
) -> Answered:
    """The connection waits no longer, and an earlier try of this very answer may be why."""
    result = await _came_of(rooms, intended)
    if result is None:
        await _let_go(rooms, intended)
        return _under_way(decision)
    if result is Result.DONE:
        decision = replace(decision, after=decision.verdict.status)
        answered = Answered(decision, Outcome(decision, Result.DONE))
    else:
        answered = Answered(decision, _refused(decision, error))
    assert answered.outcome is not None
    await _close(rooms, intended, answered.outcome.result, count)
    return answered


async def taken(rooms: Rooms, connections: Mapping[ResourceId, Connection]) -> tuple[Intended, ...]:
    """The answers to these connections that Azure has taken, and that nobody has seen the end of."""
    if not connections:
        return ()
    return tuple(each for each in await rooms.decisions.open() if each.taken_at and each.connection in connections)


async def follow(rooms: Rooms, intended: Intended, connection: Connection, *, applies: bool) -> Answered:
    """Looks at an answer that was taken in an earlier run; it is not sent again.

    Once the last follow-up is over and the connection does not show it, or is not shown itself, it has failed.
    """
    decided_by = by(intended.rule, intended.who)
    reason = f"{intended.verdict} by {decided_by}: Azure took it, and has not come to an end with it"
    decided = replace(connection, endpoint=intended.endpoint, groups=intended.groups, failed=False)
    decision = Decision(decided, intended.verdict, intended.rule, reason, who=intended.who)
    if not applies:
        return _under_way(decision)
    try:
        found = await read_connection(rooms.arm, intended.connection)
    except NotFoundError as error:
        answered = Answered(decision, Outcome(decision, Result.RACED, str(error)))
    except HubwardenError as error:
        log.warning("approve: the answer to %s could not be followed: %s", intended.connection, error)
        answered, shows = _under_way(decision), f"cannot be looked at: {error}"
    else:
        answered, shows = _judged(decision, found), "does not show the answer"
    if answered.outcome is None and _is_overdue(rooms, intended):
        answered = _failed(answered.decision, f"the last follow-up is over, and it {shows}")
    if answered.outcome is not None:
        await _close(rooms, intended, answered.outcome.result)
    return answered


def _is_overdue(rooms: Rooms, intended: Intended) -> bool:
    return rooms.now() - (intended.taken_at or intended.at) >= sum(rooms.follow_ups)


async def close_open(rooms: Rooms) -> None:
    """Looks at what was intended and never closed, and notes what came of it; what still waits is decided anew.

    What Azure has taken, and still shows as waiting, is followed by whoever finds it waiting.
    """
    left = [each for each in await rooms.decisions.open() if each.held_until <= rooms.now()]
    await some_within(CLOSED_WITHIN, lambda each: _look_and_close(rooms, each), left, otherwise=None)


async def _look_and_close(rooms: Rooms, intended: Intended) -> None:
    result = await _came_of(rooms, intended)
    if result is not None:
        await _close(rooms, intended, result)


async def _came_of(rooms: Rooms, intended: Intended) -> Result | None:
    """What came of an answer of which nothing is known but that it was to be given; None while that cannot be said."""
    try:
        found = await read_connection(rooms.arm, intended.connection)
    except NotFoundError:
        return Result.RACED
    except HubwardenError as error:
        log.warning("approve: the decision on %s stays open: %s", intended.connection, error)
        return None
    waits = found.status is ConnectionStatus.PENDING
    if waits and intended.taken_at:
        return None  # whoever finds it waiting follows it
    if not found.settled and not _is_overdue(rooms, intended):
        return None  # Azure may be at work on this very answer
    if not found.settled:
        log.error("approve: the answer to %s never came to an end: it is %s", found.id, found.status)
        return Result.FAILED
    if waits:
        return Result.FAILED
    mine = is_same(found, replace(found, endpoint=intended.endpoint, groups=intended.groups))
    if intended.taken_at and not mine:
        log.error("approve: %s is another's now: it was answered for %s", found.id, intended.endpoint)
    sent = bool(intended.taken_at) or intended.may_have_said(found.message)
    if not (mine and sent and found.status is intended.verdict.status):
        return Result.RACED
    if found.failed:
        log.error("approve: %s: Azure took the answer, and failed at it: it is %s", found.id, found.status)
    return Result.FAILED if found.failed else Result.DONE


def _refused(decision: Decision, error: HubwardenError) -> Outcome:
    if isinstance(error, RacedError | NotFoundError):
        return Outcome(decision, Result.RACED, str(error), temporary=True)
    if isinstance(error, TemporaryError):
        return Outcome(decision, Result.FAILED, str(error), temporary=True, retry_after=error.retry_after)
    return Outcome(decision, Result.FAILED, str(error))


async def _read_back(rooms: Rooms, decision: Decision) -> Answered:
    """Azure may accept an answer and show the old state for a while (a recording of a container registry does)."""
    began, wait = rooms.now(), 0.5
    while True:
        try:
            answered = _judged(decision, await read_connection(rooms.arm, decision.connection.id))
        except TemporaryError as error:
            log.warning("approve: the answer to %s could not be read back: %s", decision.connection.id, error)
            answered = _under_way(decision)
        except HubwardenError as error:
            return Answered(decision, _refused(decision, error))
        if answered.outcome is not None or rooms.now() - began + wait > PATIENCE:
            return answered
        await rooms.sleep(wait)
        wait *= 2


def _judged(decision: Decision, found: Connection) -> Answered:
    """What came of an answer, by what its connection shows now."""
    decided = decision.connection
    decision = replace(decision, after=found.status)
    match _shown(decision, found):
        case _Shows.THE_ANSWER:
            return Answered(decision, Outcome(decision, Result.DONE))
        case _Shows.ANOTHER_ANSWER:
            error = f"{found.id} was answered by somebody else, too: it is {found.status}"
            return Answered(decision, Outcome(decision, Result.RACED, error, temporary=True))
        case _Shows.A_FAILURE:
            return _failed(decision, f"Azure took the answer, and failed at it: it is {found.status}")
        case _Shows.ANOTHER_CONSUMER:
            error = f"it is another's now: it was answered for {_consumer(decided)}, and shows {_consumer(found)}"
            return replace(_failed(decision, error), strayed=True)
        case _Shows.NOTHING_YET:
            return _under_way(decision)
        case _ as never:
            assert_never(never)


def _shown(decision: Decision, found: Connection) -> _Shows:
    if not is_same(found, decision.connection):
        return _Shows.ANOTHER_CONSUMER
    if found.failed and not decision.connection.failed:
        return _Shows.A_FAILURE
    if found.settled and found.status is decision.verdict.status:
        return _Shows.THE_ANSWER
    if found.settled and found.status is not ConnectionStatus.PENDING:
        return _Shows.ANOTHER_ANSWER
    return _Shows.NOTHING_YET


def _consumer(connection: Connection) -> str:
    return f"{connection.endpoint or 'no endpoint'} ({', '.join(connection.groups)[:_LONGEST_GROUPS]})"


def _under_way(decision: Decision) -> Answered:
    connection = decision.connection
    detail = f"{decision.verdict} by {decision.decided_by} was taken by Azure, and does not show yet"
    held = Held(HeldReason.NOT_READY, connection.endpoint, detail, connection=connection.id, waits=True)
    return Answered(replace(decision, after=decision.after or decision.before), held=held)


def _failed(decision: Decision, error: str) -> Answered:
    """An answer that Azure took, and that did not come to what was decided: an alert."""
    log.error("approve: %s: %s", decision.connection.id, error)
    return Answered(decision, Outcome(decision, Result.FAILED, f"{decision.connection.id}: {error}"))


async def _note_taken(rooms: Rooms, intended: Intended) -> None:
    try:
        await rooms.decisions.note_taken(intended, rooms.now())
    except LedgerUnavailableError as error:
        log.warning("approve: that Azure took the answer to %s is not noted: %s", intended.connection, error)


async def _let_go(rooms: Rooms, intended: Intended) -> None:
    try:
        await rooms.decisions.let_go(intended)
    except LedgerUnavailableError as error:
        log.warning("approve: nobody else answers %s for a while: %s", intended.connection, error)


async def _close(rooms: Rooms, intended: Intended, result: Result, count: str = "", *, struck: bool = False) -> None:
    """Notes what came of it. Unless it `struck` or is done, `count` is taken back, the note that counts it."""
    try:
        if result is Result.DONE:
            await tell.answered(rooms, intended)
        await rooms.decisions.close(intended, result, rooms.now())
        if result is Result.DONE:
            await rooms.sights.forget_answered(intended.connection, intended.endpoint)
        if count and result is not Result.DONE:
            # What is refused again and again must not use up what the others may.
            await rooms.tally.take_back(COUNTED[intended.verdict], [count])
        elif (struck or result is not Result.FAILED) and intended.who == POLICY:
            # Whoever has it made anew under the same name, again and again, must not pass the limit (law 9).
            await rooms.tally.settle(COUNTED[intended.verdict], str(intended.connection), rooms.now())
    except LedgerUnavailableError as error:
        log.warning("approve: the decision on %s stays open: %s", intended.connection, error)
