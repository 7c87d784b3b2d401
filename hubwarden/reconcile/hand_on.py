"""The last step: what is left is handed on to the work queue, one follow-up an endpoint; then the sweep owns it."""

from __future__ import annotations

from hubwarden.errors import RacedError
from hubwarden.ledger.claims import FollowUp
from hubwarden.model.report import OneEndpoint
from hubwarden.model.work import WorkItem
from hubwarden.reconcile.rooms import Rooms


async def hand_on(
    rooms: Rooms, scope: OneEndpoint, *, attempt: int = 0, trace: str = "", at_least: float | None = None
) -> float | None:
    """Hands a scope to the work queue for another look; `attempt` says which follow-up the caller itself was (0: none).

    `at_least` are seconds that Azure asked for. Gives when the look is due (seconds since 1970), or None when no try is
    left. Raises LedgerUnavailableError: nothing was handed on.
    """
    if attempt >= len(rooms.follow_ups):
        await close(rooms, scope)
        return None
    now = rooms.now()
    wait = max(rooms.follow_ups[attempt], at_least or 0.0)
    waiting = await rooms.claims.follow_up(scope.endpoint)
    on_its_way = waiting is not None and waiting.attempt == 1 and now < waiting.due <= now + wait
    if attempt == 0 and waiting and on_its_way and (waiting.thorough or not scope.thorough):
        return waiting.due  # it comes no later, and looks no less closely
    due = round(now + wait, 3)
    # Sent first and noted then: a note without its message would promise a look that never comes.
    await rooms.work.send(WorkItem(scope, attempt + 1, due, trace), delay=wait)
    await rooms.claims.note_follow_up(scope.endpoint, FollowUp(attempt + 1, due, scope.thorough))
    return due


async def is_current(rooms: Rooms, item: WorkItem) -> bool:
    """Whether a work item is still to be done: not when a later follow-up has taken its place."""
    waiting = await rooms.claims.follow_up(item.scope.endpoint)
    return waiting is None or waiting.due <= item.due


async def close(rooms: Rooms, scope: OneEndpoint) -> None:
    """Nothing is left to wait for."""
    try:
        await rooms.claims.close_follow_up(scope.endpoint)
    except RacedError:
        return  # there was none


async def wait_until_due(rooms: Rooms, item: WorkItem) -> None:
    """The queue counts whole seconds; the rest of a second is waited out here."""
    await rooms.sleep(min(max(item.due - rooms.now(), 0.0), 1.0))
