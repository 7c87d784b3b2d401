"""Who waits for a person for long: the Report warns of each, and each is told of again, once in a while."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence

from hubwarden.ledger.sights import Sight
from hubwarden.model.announcement import Kind
from hubwarden.model.connection import Decision
from hubwarden.model.plan import HeldReason, PlanWarning
from hubwarden.model.resource_id import ResourceId
from hubwarden.reconcile.rooms import Rooms
from hubwarden.reconcile.since import Since, since_when
from hubwarden.report.as_events import of_reminder
from hubwarden.report.times import written_seconds

_UNITS = ((86400.0, "days"), (3600.0, "hours"), (60.0, "minutes"), (1.0, "seconds"))

log = logging.getLogger(__name__)


def overdue(rooms: Rooms, held: Iterable[Decision], since: Since) -> tuple[PlanWarning, ...]:
    """Those that have waited for a person for longer than `remindAfter`; who waits longest comes first."""
    sights = [(sight, decision) for decision in held if (sight := since.sight(decision.connection))]
    late = [each for each in sights if _is_over(rooms, each[0].first, since.now)]
    return tuple(
        PlanWarning(
            "",
            None,
            f"{sight.connection} has waited for a person for {_for(since.now - sight.first)}, since "
            f"{written_seconds(sight.first)}",
            endpoint=sight.endpoint,
            connection=sight.connection,
        )
        for sight, _ in sorted(late, key=lambda each: each[0].first)
    )


async def remind(
    rooms: Rooms, held: Sequence[Decision], reasons: Mapping[ResourceId | None, HeldReason], since: Since
) -> None:
    """Tells of those again for which `remindAfter` is over since they were first seen, or told of again.

    That is once in such a time, however many instances there are, and whatever run ends halfway: the event bears the
    time of the one before it, and the outbox takes it once; then it is noted. Raises LedgerUnavailableError.
    """
    due = [each for each in held if _is_due(rooms, since.sight(each.connection), since.now)]
    if not due:
        return
    # To decide may have taken long: another instance may have told of them meanwhile.
    latest = await since_when(rooms, [each.connection for each in due], notes=False)
    sights = {
        each.connection.id: sight
        for each in due
        if (sight := latest.sight(each.connection)) and _is_due(rooms, sight, latest.now)
    }
    if rooms.announcer is not None:
        told = [
            of_reminder(each, reasons.get(each.connection.id), sight.first, sight.raised, latest.now)
            for each in due
            if (sight := sights.get(each.connection.id))
        ]
        await rooms.outbox.tell_once(told, among=Kind.CONNECTION_HELD)
    for sight in await rooms.sights.raise_again(sights.values(), latest.now):
        log.warning("remind: %s has waited for a person since %s", sight.connection, written_seconds(sight.first))


def _is_due(rooms: Rooms, sight: Sight | None, now: float) -> bool:
    return sight is not None and _is_over(rooms, max(sight.first, sight.raised or 0.0), now)


def _is_over(rooms: Rooms, start: float, now: float) -> bool:
    return bool(rooms.remind_after) and now - start >= rooms.remind_after


def _for(seconds: float) -> str:
    """For how long, in the largest unit of which it is more than one."""
    length, unit = next(each for each in _UNITS if seconds >= 2 * each[0] or each[0] == 1.0)
    return f"{int(seconds // length)} {unit}"
