"""What fits into a zone: creations beyond its room are held, and nothing else is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hubwarden.dns.capacity import creations, fitting, full_soon
from hubwarden.model.hub import HubZones
from hubwarden.model.plan import Held, HeldReason, Plan
from tests.unit.given import BLOB_ZONE, drop, hub, key, put, zone

OTHER_ZONE = "privatelink.dfs.core.windows.net"


def holding(record_sets: int, most: int) -> HubZones:
    """A hub whose zone for blobs holds so many record sets; the other says nothing of its own."""
    filled = replace(zone(BLOB_ZONE), record_sets=record_sets, most_record_sets=most)
    return HubZones(hub().hub, {filled.name: filled, zone(OTHER_ZONE).name: zone(OTHER_ZONE)})


@pytest.mark.parametrize(("room", "held"), [(0, 3), (1, 2), (3, 0), (9, 0)])
def test_creations_beyond_the_room_are_held(room: int, held: int) -> None:
    plan = Plan(tuple(put(key=key(name)) for name in ("a", "b", "c")))
    allowed = fitting(plan, [holding(10 - room, 10)])
    assert allowed.changes == plan.changes[: 3 - held]
    assert [each.reason for each in allowed.held] == [HeldReason.ZONE_FULL] * held
    assert {each.detail for each in allowed.held} <= {f"{BLOB_ZONE} has {10 - room} of 10 record sets"}


def test_what_stands_there_is_changed_and_dropped_and_other_zones_are_filled() -> None:
    """Azure's limit counts record sets (behaviour reference section 3.7)."""
    changes = (put(etag="e1"), drop(), put(key=key(in_zone=OTHER_ZONE)), put(key=key(in_zone="privatelink.else")))
    plan = Plan(changes, held=(Held(HeldReason.CONTESTED, None, "x"),))
    assert fitting(plan, [holding(10, 10)]) == plan


def test_only_what_makes_a_record_needs_room() -> None:
    assert creations(Plan((put(etag="e1"), drop(), put()))) == [put()]


@pytest.mark.parametrize(("record_sets", "warned"), [(79, False), (80, True), (100, True), (101, True)])
def test_from_four_fifths_on_a_zone_is_warned_of(record_sets: int, warned: bool) -> None:
    found = full_soon([holding(record_sets, 100)])
    assert bool(found) is warned
    assert all((each.zone, each.endpoint, each.name) == (zone(BLOB_ZONE).id, None, "") for each in found)
