"""Since when connections wait: what is seen for the first time is noted, and what waits no longer is forgotten."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from hubwarden.arm.connections import knows, read_connection
from hubwarden.errors import HubwardenError, NotFoundError
from hubwarden.ledger.sights import Seen, Sight, name_of
from hubwarden.model.connection import Connection
from hubwarden.model.endpoint import ConnectionStatus
from hubwarden.model.resource_id import ResourceId
from hubwarden.reconcile.at_once import some_within
from hubwarden.reconcile.rooms import Rooms
from hubwarden.reconcile.waiting import in_turn

LOOKED_WITHIN = 60.0
"""Seconds for which a sweep looks whether what was seen waiting still waits."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Since:
    """Since when connections wait, as it is known at one moment of a run, `now` (seconds since 1970)."""

    now: float
    seen: Seen = field(default_factory=Seen)

    def sight(self, connection: Connection) -> Sight | None:
        """When it was first seen; None where nobody has noted that, or a newer Hubwarden."""
        return self.seen.of(connection.id, connection.endpoint)

    def age(self, connection: Connection) -> float | None:
        """Seconds since it was first seen: 0 in its first run, and never less, however the instances' clocks differ.

        None where only a newer Hubwarden knows.
        """
        if name_of(connection.id, connection.endpoint) in self.seen.unread:
            return None
        sight = self.sight(connection)
        return max(0.0, self.now - sight.first) if sight else 0.0


async def since_when(
    rooms: Rooms, connections: Collection[Connection], *, notes: bool, guids: Mapping[ResourceId, str] | None = None
) -> Since:
    """Since when these connections wait; `notes` has the ledger remember what is new of it.

    `guids` are the resourceGuids of their endpoints, as far as they are known: an endpoint made anew is another, though
    its id and the connection's are the same. Raises LedgerUnavailableError.
    """
    now = rooms.now()
    seen = await rooms.sights.of_targets({each.target for each in connections})
    known = guids or {}
    news = {
        sight.name: sight
        for each in connections
        if (sight := _news(seen, each, known.get(each.endpoint, "") if each.endpoint else "", now))
    }
    if not notes:
        return Since(now, seen)
    await rooms.sights.note(news.values())
    return Since(now, replace(seen, known={**seen.known, **news}))


async def since_ever(rooms: Rooms) -> Since:
    """Since when anything waits, as far as it was noted. Raises LedgerUnavailableError."""
    return Since(rooms.now(), await rooms.sights.all())


def _news(seen: Seen, connection: Connection, guid: str, now: float) -> Sight | None:
    """What is to be noted of a connection; None where that is known, or a newer Hubwarden's."""
    name = name_of(connection.id, connection.endpoint)
    if name in seen.unread:
        return None
    sight = seen.known.get(name)
    if sight is None:
        return Sight(connection.id, connection.endpoint, first=now, guid=guid)
    if not guid or guid == sight.guid:
        return None
    is_another = bool(sight.guid)
    return replace(sight, first=now, raised=None, guid=guid) if is_another else replace(sight, guid=guid)


async def forget_ended(rooms: Rooms, waiting: Iterable[Connection]) -> None:
    """Forgets what is not among those that wait in the estate, and of which ARM itself shows that it waits no longer.

    The index may lag behind, and shows nothing of what may not be read any more. Some are looked at by each sweep. To
    fail is only a warning: the next sweep looks again.
    """
    try:
        there = {name_of(each.id, each.endpoint) for each in waiting}
        left = {each.connection: each for each in (await rooms.sights.all()).known.values() if each.name not in there}
        asked = [left[each] for each in in_turn(left, rooms.now())]
        ended = await some_within(LOOKED_WITHIN, lambda sight: _has_ended(rooms, sight), asked, otherwise=False)
        await rooms.sights.forget(sight for sight, has_ended in zip(asked, ended, strict=True) if has_ended)
    except HubwardenError as error:
        log.warning("sweep: what waits no longer is forgotten later: %s", error)


async def _has_ended(rooms: Rooms, sight: Sight) -> bool:
    target = sight.connection.parent
    try:
        if not (knows(target) and await rooms.estate.includes(target.subscription)):
            return True  # ARM is not asked about it, and the index shows it no more
        found = await read_connection(rooms.arm, sight.connection)
    except NotFoundError:
        return True
    except HubwardenError as error:
        log.warning("sweep: whether %s still waits is not known: %s", sight.connection, error)
        return False
    return found.status is not ConnectionStatus.PENDING or found.endpoint != sight.endpoint
