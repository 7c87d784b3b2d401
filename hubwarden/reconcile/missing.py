"""Zones that hubs lack, or that were made for them and are not linked yet: handed on to a run of their own."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from functools import partial

from hubwarden.errors import HubwardenError
from hubwarden.model.hub import Hub, HubZones
from hubwarden.model.plan import Held
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import OneZone
from hubwarden.model.zone import Zone
from hubwarden.reconcile.at_once import some_at_once
from hubwarden.reconcile.hand_on import hand_on
from hubwarden.reconcile.rooms import Rooms
from hubwarden.reconcile.write import Orders, Part

_AT_ONCE = 10

log = logging.getLogger(__name__)


async def missing_handed_on(rooms: Rooms, part: Part, orders: Orders, *, notes: bool = True) -> Part:
    """Hands on the zones that the part found missing in hubs that make theirs, one item for each.

    It notes who misses them, for the index may not show them yet; a sweep, which has it from the index, need not. What
    could not be handed on leaves the part incomplete, so that it is looked at again.
    """
    waiting: dict[OneZone, set[ResourceId]] = {}
    told = "it is handed on to be made" if orders.applies else "createZones would make it"
    held: list[Held] = []
    for each in part.plan.held:
        zone = _to_make(rooms, each)
        held.append(replace(each, detail=f"{each.detail}; {told}") if zone else each)
        if zone:
            waiting.setdefault(zone, set()).update([each.endpoint] if each.endpoint and notes else [])
    if not waiting:
        return part
    complete = part.complete and (not orders.applies or await _all_handed_on(rooms, waiting))
    return replace(part, plan=replace(part.plan, held=tuple(held)), complete=complete)


async def unlinked_handed_on(rooms: Rooms, hubs: Iterable[HubZones]) -> bool:
    """Hands on the zones that we made and that are not linked to all of their hub's networks; whether all could be."""
    found = [
        OneZone(each.hub.name, zone.id)
        for each in hubs
        if each.hub.creates_zones
        for zone in each.zones.values()
        if zone.id == each.hub.zone_id(zone.name) and zone.maker in rooms.rules.instances
        if not await _is_linked(rooms, each.hub, zone)
    ]
    return await _all_handed_on(rooms, dict.fromkeys(found, ()))


def _to_make(rooms: Rooms, held: Held) -> OneZone | None:
    """Which zone is to be made for a name that is held, if any."""
    hub = rooms.rules.hubs.get(held.missing.hub) if held.missing and held.missing.creatable else None
    if hub is None or not hub.creates_zones or held.missing is None:
        return None
    return OneZone(hub.name, hub.zone_id(held.missing.zone))


async def _is_linked(rooms: Rooms, hub: Hub, zone: Zone) -> bool:
    """Whether a zone is linked to all of a hub's networks; where that is not shown, the next look asks again."""
    if zone.links < len(hub.networks):
        return False
    try:
        return set(hub.networks) <= {link.network for link in await rooms.estate.links(zone.id)}
    except HubwardenError as error:
        log.warning("zones: the links of %s are not shown: %s", zone.id, error)
        return True


async def _all_handed_on(rooms: Rooms, found: Mapping[OneZone, Collection[ResourceId]]) -> bool:
    """Notes who waits for each zone, and hands the zones on."""
    try:
        for scope, endpoints in found.items():
            await some_at_once(partial(rooms.claims.wait_for, scope.zone), sorted(endpoints), _AT_ONCE)
            await hand_on(rooms, scope)
    except HubwardenError as error:
        log.error("zones: not handed on: %s", error)
        return False
    return True
