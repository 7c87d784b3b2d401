"""Does it fit? Creations beyond what a zone takes are held; what stands there is changed and dropped as ever."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from hubwarden.dns.limits import held_back
from hubwarden.model.hub import HubZones
from hubwarden.model.plan import Change, HeldReason, Plan, PlanWarning, Put
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.zone import Zone

FULL_SOON = 0.8
"""The share of its record sets from which on a zone is warned of."""


def fitting(plan: Plan, hubs: Iterable[HubZones]) -> Plan:
    """The plan without the creations for which their zone has no room (behaviour reference section 3.7).

    Room that a drop of the same plan makes is there at the next look.
    """
    zones: Mapping[ResourceId, Zone] = {zone.id: zone for hub in hubs for zone in hub.zones.values()}
    taken: Counter[ResourceId] = Counter()
    back: list[tuple[Change, str]] = []
    for change in creations(plan):
        zone = zones.get(change.key.zone)
        taken[change.key.zone] += 1
        if zone is not None and zone.room is not None and taken[zone.id] > zone.room:
            back.append((change, f"{zone.name} has {zone.record_sets} of {zone.most_record_sets} record sets"))
    return held_back(plan, back, HeldReason.ZONE_FULL)


def creations(plan: Plan) -> list[Put]:
    """The changes that need room: they make a record where none stands."""
    return [change for change in plan.changes if isinstance(change, Put) and change.etag is None]


def full_soon(hubs: Iterable[HubZones]) -> tuple[PlanWarning, ...]:
    """A warning for each zone that is nearly full, or full."""
    return tuple(
        PlanWarning(
            hub.hub.name,
            zone.id,
            f"{zone.name} has {zone.record_sets} of {zone.most_record_sets} record sets, {zone.fill:.0%}",
        )
        for hub in hubs
        for zone in sorted(hub.zones.values(), key=lambda each: each.id)
        if zone.fill >= FULL_SOON
    )
