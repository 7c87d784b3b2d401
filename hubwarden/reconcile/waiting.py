"""Which connections a run is about: those of a target, of an endpoint that asks, or whatever waits in the estate."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hubwarden.arm.connections import known_types, knows, list_connections, places_of
from hubwarden.arm.index import connections_in_index, connections_to_recreate, targets_without_connections
from hubwarden.errors import DeniedError, HubwardenError, NotFoundError, RefusedError
from hubwarden.model.connection import Connection
from hubwarden.model.endpoint import ConnectionStatus, Endpoint
from hubwarden.model.plan import Held, HeldReason
from hubwarden.model.resource_id import ResourceId
from hubwarden.reconcile.at_once import some_within
from hubwarden.reconcile.rooms import Rooms

MOST_LISTED = 100
"""Targets whose connections a sweep asks ARM for, because the index shows none; the others' turn comes later."""

LISTED_WITHIN = 60.0
"""Seconds for which a sweep waits for all of these lists."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits in the estate."""

    connections: tuple[Connection, ...]
    nameless: tuple[str, ...] = ()
    """What is wrong with each target and connection whose id cannot be read, so that it is left out."""


async def of_target(rooms: Rooms, target: ResourceId) -> Sequence[Connection] | Held:
    """The connections that a target of ours shows, or why they are not to be seen."""
    if not await rooms.estate.includes(target.subscription, fresh=True):
        return Held(HeldReason.OUTSIDE_ESTATE, None, f"the target {target} is not part of the estate")
    if not knows(target):
        return Held(HeldReason.UNKNOWN_PROVIDER, None, f"connections of {target.type} are not answered")
    try:
        return await list_connections(rooms.arm, target)
    except (NotFoundError, DeniedError, RefusedError) as error:
        return Held(HeldReason.UNCERTAIN, None, str(error))


async def of_endpoint(rooms: Rooms, endpoint: Endpoint) -> Sequence[Connection] | Held:
    """The connections that the target of an endpoint shows of it, found by the endpoint's id and never by a name.

    Held where they are not to be seen, or where there is none though one should wait.
    """
    assert endpoint.target is not None
    for place in places_of(endpoint.target, endpoint.groups):
        found = await of_target(rooms, place)
        if isinstance(found, Held) and place == endpoint.target:
            return found
        mine = [] if isinstance(found, Held) else [each for each in found if each.endpoint == endpoint.id]
        if mine:
            return mine
    detail = f"its connection waits, and {endpoint.target} shows none of it"
    return Held(HeldReason.UNCERTAIN, endpoint.id, detail, waits=True)


async def everywhere(rooms: Rooms, *, thorough: bool) -> Waiting:
    """Whatever waits in the estate; the index only says where to look.

    `thorough`, as a sweep is, ARM is asked for some of the targets of which the index shows no connections at all; and
    those connections come along that ask something of their consumers.
    """
    members = await rooms.estate.members()
    waiting, unread = await connections_in_index(rooms.arm, members, ConnectionStatus.PENDING)
    if not thorough:
        return Waiting(waiting)
    asked, also_unread = await connections_to_recreate(rooms.arm, members)
    unshown, nameless = await targets_without_connections(rooms.arm, members, known_types())

    nobody: tuple[Connection, ...] = ()

    async def listed(target: ResourceId) -> tuple[Connection, ...]:
        try:
            return await list_connections(rooms.arm, target)
        except HubwardenError as error:
            log.warning("sweep: connections were not listed: %s", error)
            return nobody

    found = await some_within(LISTED_WITHIN, listed, in_turn(unshown, rooms.now()), otherwise=nobody)
    asking = (each for some in found for each in some if each.status is ConnectionStatus.PENDING)
    return Waiting((*waiting, *asked, *asking), tuple(dict.fromkeys((*unread, *also_unread, *nameless))))


def in_turn(resources: Iterable[ResourceId], now: float, most: int = MOST_LISTED) -> list[ResourceId]:
    """At most so many of the resources, others at every moment, so that each has its turn and none is last."""

    def lot(resource: ResourceId) -> bytes:
        return hashlib.sha256(f"{now} {resource.key}".encode()).digest()

    return sorted(resources, key=lot)[:most]
