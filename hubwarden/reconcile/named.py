"""Which records a name that a person gives may mean, in the zones that the hubs have now."""

from __future__ import annotations

from hubwarden.catalog import Place
from hubwarden.model.dns_name import DnsName
from hubwarden.model.hub import HubZones
from hubwarden.model.record import RecordKey, RecordType
from hubwarden.reconcile.rooms import Rooms


async def keys_of(rooms: Rooms, name: DnsName) -> tuple[RecordKey, ...]:
    """The records that may answer a public name, or that a full private one names."""
    found = (
        RecordKey(hub.zones[place.zone].id, place.name, kind)
        for hub in await rooms.estate.hubs()
        for place in (*rooms.catalogue.everywhere(name), *_in_zones(name, hub))
        if place.zone in hub.zones
        for kind in RecordType
    )
    return tuple(dict.fromkeys(found))


def _in_zones(name: DnsName, hub: HubZones) -> list[Place]:
    return [Place(zone, left) for zone in hub.zones if (left := name.relative_to(zone)) is not None]
