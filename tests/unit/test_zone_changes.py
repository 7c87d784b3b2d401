"""Zones that are made and linked, as values: where, under which name, named by the hash, and how they are told."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from hubwarden.arm.zones import to_zone
from hubwarden.errors import InputError
from hubwarden.model.dns_name import DnsName
from hubwarden.model.plan import Plan, PlanWarning
from hubwarden.model.report import Outcome, Report, Result, Status
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import OneZone, scope_data, subject_of, to_scope
from hubwarden.model.zone import LinkZone, MakeZone
from hubwarden.report.as_json import change_data, report_data
from hubwarden.report.as_text import COLUMNS, report_csv, report_text
from tests.unit.given import BLOB, BLOB_ZONE, ENDPOINT, HUB_SUBSCRIPTION, ZONES, hub, put, zone

ZONE = zone(BLOB_ZONE).id
NETWORKS = f"/subscriptions/{HUB_SUBSCRIPTION}/resourceGroups/rg-hub/providers/Microsoft.Network/virtualNetworks"
NETWORK = ResourceId.parse(f"{NETWORKS}/vnet-hub")
MAKE = MakeZone("weu", ZONE, "contoso", "it is missed")
LINK = LinkZone("weu", ZONE, NETWORK, redirects=True, why="the network is the hub's")
WARNING = PlanWarning("weu", ZONE, "clients get NXDOMAIN", BLOB, ENDPOINT)
SCOPE = OneZone("weu", ZONE)


def report(*outcomes: Outcome, warnings: tuple[PlanWarning, ...] = ()) -> Report:
    """What a run that makes a zone tells."""
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    plan = Plan((put(),), zones=(MAKE, LINK), warnings=warnings)
    return Report("7f3c", SCOPE, "apply", moment, moment, plan, outcomes)


def test_a_zone_is_made_in_the_first_group_of_the_hub() -> None:
    settled = hub().hub
    other = ResourceId.parse(f"/subscriptions/{HUB_SUBSCRIPTION}/resourceGroups/rg-other")
    two = replace(settled, zone_groups=(*settled.zone_groups, other))
    assert two.zone_id(DnsName.parse(BLOB_ZONE)) == ZONE


def test_a_link_has_the_same_name_at_every_try_and_another_for_each_network() -> None:
    again = replace(LINK, network=ResourceId.parse(str(NETWORK).upper().replace("/SUBSCRIPTIONS/", "/subscriptions/")))
    assert again.key.parent == LINK.key.parent == ZONE
    assert again.key.name.rpartition("-")[2] == LINK.key.name.rpartition("-")[2]
    elsewhere = ResourceId.parse(str(NETWORK).replace("rg-hub", "rg-other"))
    assert replace(LINK, network=elsewhere).key != LINK.key
    assert LINK.key.name.startswith("hubwarden-vnet-hub-")


def test_the_name_of_a_link_fits_whatever_the_network_is_called() -> None:
    """Azure allows 80 characters."""
    assert len(replace(LINK, network=ResourceId.parse(f"{NETWORKS}/{'v' * 64}")).key.name) <= 80


@pytest.mark.parametrize(
    "other",
    [
        replace(MAKE, hub="neu"),
        replace(MAKE, zone=zone("privatelink.dfs.core.windows.net").id),
        replace(MAKE, instance="fabrikam"),
        replace(LINK, redirects=False),
        replace(LINK, network=ResourceId.parse(f"{NETWORKS}/vnet-other")),
        LINK,
    ],
)
def test_the_hash_names_what_is_done_to_zones(other: MakeZone | LinkZone) -> None:
    assert Plan(zones=(other,)).hash != Plan(zones=(MAKE,)).hash
    assert Plan(zones=(MAKE, other)).hash == Plan(zones=(other, MAKE)).hash


def test_neither_the_reason_nor_a_warning_changes_the_hash() -> None:
    plain = Plan(zones=(MAKE,))
    assert Plan(zones=(replace(MAKE, why="another"),), warnings=(WARNING,)).hash == plain.hash


def test_the_scope_is_about_the_zone_in_its_hub_and_comes_back_as_data() -> None:
    """Two hubs may have one zone, and each links it to networks of its own."""
    assert (str(subject_of(SCOPE)), str(SCOPE)) == (f"{ZONE}/hubs/weu", f"zone {BLOB_ZONE} of hub weu")
    assert subject_of(SCOPE) != subject_of(replace(SCOPE, hub="neu"))
    assert to_scope(scope_data(SCOPE)) == SCOPE


@pytest.mark.parametrize("text", [str(ENDPOINT), f"{ZONES}/{BLOB_ZONE}/A/x", f"{ZONES}/-", None])
def test_a_scope_of_a_zone_names_a_zone(text: object) -> None:
    with pytest.raises(InputError):
        to_scope({"hub": "weu", "zone": text})


def test_the_document_of_a_zone_says_how_full_it_is_and_who_made_it() -> None:
    """Behaviour reference section 3.2."""
    numbers = {"numberOfRecordSets": 20000, "maxNumberOfRecordSets": 25000, "numberOfVirtualNetworkLinks": 2}
    found = to_zone({"id": str(ZONE), "name": BLOB_ZONE, "tags": {"hubwarden": "contoso"}, "properties": numbers})
    assert (found.maker, found.fill, found.room, found.links) == ("contoso", 0.8, 5000, 2)


def test_a_zone_that_tells_no_numbers_is_never_called_full() -> None:
    bare = to_zone({"id": str(ZONE), "name": BLOB_ZONE})
    assert (bare.maker, bare.fill, bare.room) == ("", 0.0, None)


def test_a_zone_with_more_than_it_takes_has_no_room() -> None:
    assert replace(zone(BLOB_ZONE), record_sets=26_000, most_record_sets=25_000).room == 0


def test_changes_of_zones_are_told_with_the_keys_of_every_change() -> None:
    told = change_data(LINK)
    assert (told["op"], told["zone"], told["network"], told["nxDomainRedirect"]) == (
        "link",
        BLOB_ZONE,
        str(NETWORK),
        True,
    )
    assert change_data(MAKE)["op"] == "zone"
    assert set(change_data(MAKE)) == set(change_data(put()))


def test_a_report_tells_of_zones_first_and_of_warnings() -> None:
    whole = report(Outcome(MAKE, Result.DONE), Outcome(LINK, Result.FAILED, "403"), warnings=(WARNING,))
    data = report_data(whole)
    assert [change["op"] for change in data["plan"]["changes"]] == ["zone", "link", "put"]
    assert [outcome["change"]["op"] for outcome in data["outcomes"]] == ["zone", "link"]
    assert data["plan"]["warnings"] == [
        {
            "hub": "weu",
            "zone": BLOB_ZONE,
            "zoneId": str(ZONE),
            "name": BLOB,
            "endpoint": str(ENDPOINT),
            "connection": None,
            "detail": "clients get NXDOMAIN",
        }
    ]
    text = report_text(whole)
    assert f"failed: {LINK.key}: 403" in text
    assert f"warning: hub weu: {BLOB}: clients get NXDOMAIN" in text
    rows = list(csv.DictReader(io.StringIO(report_csv(whole))))
    assert list(rows[0]) == list(COLUMNS)
    assert [(row["op"], row["zone"], row["addresses"], row["result"]) for row in rows] == [
        ("zone", BLOB_ZONE, "", "done"),
        ("link", BLOB_ZONE, str(NETWORK), "failed"),
        ("put", BLOB_ZONE, "10.1.0.4", ""),
        ("warning", BLOB_ZONE, "", ""),
    ]


def test_a_warning_of_a_zone_itself_names_no_endpoint() -> None:
    told = report_data(report(warnings=(PlanWarning("weu", ZONE, "it is nearly full"),)))["plan"]["warnings"]
    assert (told[0]["name"], told[0]["endpoint"], told[0]["connection"]) == (None, None, None)


def test_a_link_that_failed_leaves_the_run_unfinished_and_one_that_was_done_does_not() -> None:
    done = (Outcome(MAKE, Result.DONE), Outcome(LINK, Result.DONE))
    assert report(*done).status is Status.DONE
    failed = report(done[0], Outcome(LINK, Result.FAILED, "403"))
    assert (failed.status, failed.look_again) == (Status.PARTIAL, True)
