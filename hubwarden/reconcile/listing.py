"""Zones whose records are listed, where that takes fewer requests than to read them one by one.

Private DNS takes 500 GETs in five minutes (behaviour reference section 6.3): whoever needs more records lists them.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping

from hubwarden.arm.zones import list_records
from hubwarden.errors import HubwardenError
from hubwarden.model.record import RecordKey, RecordSet
from hubwarden.model.resource_id import ResourceId
from hubwarden.reconcile.rooms import Rooms

_PAGE = 100  # records that come with each request of a list

Listed = Mapping[ResourceId, Mapping[RecordKey, RecordSet]]
"""All records of some zones."""

log = logging.getLogger(__name__)


async def list_zones(rooms: Rooms, keys: Iterable[RecordKey]) -> Listed:
    """Lists the hubs' zones in which so many of these records are; one that is not shown is left out."""
    asked = Counter(key.zone for key in keys)
    zones = {zone.id: zone for hub in await rooms.estate.hubs() for zone in hub.zones.values()}
    listed: dict[ResourceId, Mapping[RecordKey, RecordSet]] = {}
    for zone in sorted(asked.keys() & zones):
        if asked[zone] > zones[zone].record_sets // _PAGE:
            try:
                listed[zone] = {record.key: record for record in await list_records(rooms.arm, zones[zone])}
            except HubwardenError as error:
                log.warning("its records are read one by one: %s", error)
    return listed


def among(listed: Listed, keys: Iterable[RecordKey]) -> dict[RecordKey, RecordSet | None]:
    """What stands under those of these keys whose zones were listed."""
    return {key: listed[key.zone].get(key) for key in keys if key.zone in listed}
