"""The last step: what is left is handed on to the work queue, one follow-up a subject; then the sweep owns it."""

from __future__ import annotations

from hubwarden.ledger.claims import FollowUp
from hubwarden.model.scope import OneEndpoint, Scope, subject_of
from hubwarden.model.work import WorkItem
from hubwarden.reconcile.rooms import Rooms
from hubwarden.telemetry.tracing import cause_now


async def hand_on(rooms: Rooms, scope: Scope, *, attempt: int = 0, at_least: float | None = None) -> float | None:
    """Hands a scope to the work queue for another look; `attempt` says which follow-up the caller itself was (0: none).

    `at_least` are seconds that Azure asked for. Gives when the look is due (seconds since 1970), or None when no try is
    left. Raises LedgerUnavailableError: nothing was handed on.
    """
    subject = subject_of(scope)
    if subject is None:
        return None  # the timer comes again before any follow-up would
    if attempt >= len(rooms.follow_ups):
        await close(rooms, scope)
        return None
    now = rooms.now()
    wait = max(rooms.follow_ups[attempt], at_least or 0.0)
    thorough = isinstance(scope, OneEndpoint) and scope.thorough
    waiting = await rooms.claims.follow_up(subject)
    on_its_way = waiting is not None and waiting.attempt == 1 and now < waiting.due <= now + wait
    if attempt == 0 and waiting and on_its_way and (waiting.thorough or not thorough):
        return waiting.due  # it comes no later, and looks no less closely
    due = round(now + wait, 3)
    # Sent first and noted then: a note without its message would promise a look that never comes.
    await rooms.work.send(_item(scope, attempt + 1, due), delay=wait)
    await rooms.claims.note_follow_up(subject, FollowUp(attempt + 1, due, thorough))
    return due


async def look_at(rooms: Rooms, scope: Scope, *, after: float = 0.0) -> None:
    """Sends a look of its own to the work queue, whatever other looks find. Raises LedgerUnavailableError."""
    due = round(rooms.now() + after, 3)
    await rooms.work.send(_item(scope, 0, due), delay=after)


def _item(scope: Scope, attempt: int, due: float) -> WorkItem:
    cause = cause_now()
    return WorkItem(scope, attempt, due, trace=cause.trace, since=cause.at)


async def is_current(rooms: Rooms, item: WorkItem) -> bool:
    """Whether a work item is still to be done: not when a later follow-up has taken its place."""
    subject = subject_of(item.scope)
    if subject is None or not item.attempt:
        return True
    waiting = await rooms.claims.follow_up(subject)
    return waiting is None or waiting.due <= item.due


async def close(rooms: Rooms, scope: Scope) -> None:
    """Nothing is left to wait for."""
    subject = subject_of(scope)
    if subject is None:
        return
    await rooms.claims.close_follow_up(subject)


async def wait_until_due(rooms: Rooms, item: WorkItem) -> None:
    """The queue counts whole seconds; the rest of a second is waited out here."""
    await rooms.sleep(min(max(item.due - rooms.now(), 0.0), 1.0))
