"""Zones have room for so many record sets: what does not fit is held, and told before it comes to that."""

from __future__ import annotations

import logging

import pytest

from hubwarden.model.plan import HeldReason
from hubwarden.model.report import Result, Status
from hubwarden.model.resource_id import ResourceId
from tests.azure import BLOB_ZONE, HUB, resource_id
from tests.estate import Estate, held, written

ZONE_ID = resource_id(HUB, "rg-dns", "Microsoft.Network/privateDnsZones", BLOB_ZONE)


async def roomy(estate: Estate, most: int, *names: str) -> None:
    """The zone takes so many record sets, its SOA among them, and has these records of others' already."""
    await estate.azure.sim("POST", "settings", {"maxRecordSets": most})
    for name in names:
        await estate.write_by_hand(name)
    assert (await estate.azure.arm("GET", ZONE_ID)).body["properties"]["maxNumberOfRecordSets"] == most


async def endpoint(estate: Estate, account: str) -> str:
    """An endpoint to an account of its own."""
    return await estate.azure.endpoint(f"pe-{account}", await estate.azure.storage_account(account))


async def test_a_creation_in_a_full_zone_is_held_and_costs_no_write(estate: Estate) -> None:
    """Behaviour reference section 3.7: 25,000 record sets in Azure."""
    await roomy(estate, 3, "a", "b")
    report = await estate.look(await endpoint(estate, "st1"))
    [full] = report.plan.held
    assert (full.reason, full.detail) == (HeldReason.ZONE_FULL, f"{BLOB_ZONE} has 3 of 3 record sets")
    assert (report.outcomes, await estate.addresses()) == ((), None)


async def test_what_stands_in_a_full_zone_is_corrected_and_withdrawn_as_ever(estate: Estate) -> None:
    first = await endpoint(estate, "st1")
    await estate.look(first)
    await estate.azure.sim("POST", "settings", {"maxRecordSets": 2})
    await estate.write_by_hand(
        "st1", hubwarden="1", hubwarden_instance="contoso", hubwarden_endpoint=first, hubwarden_guid=""
    )
    estate.hubwarden.rooms.estate.forget_zones()
    corrected = await estate.look(first, thorough=True)
    assert written(corrected) == {"st1": ["10.1.0.4"]}
    assert corrected.status is Status.DONE
    await estate.delete_endpoint(first)
    assert [outcome.result for outcome in (await estate.look(first)).outcomes] == [Result.DONE]
    assert await estate.addresses() is None


async def test_as_many_come_as_fit(estate: Estate) -> None:
    await roomy(estate, 3, "a")
    for account in ("st1", "st2"):
        await endpoint(estate, account)
    report = await estate.sweep()
    assert (len(report.plan.changes), held(report)) == (1, [HeldReason.ZONE_FULL])
    assert report.status is Status.DONE
    assert held(await estate.sweep()) == [HeldReason.ZONE_FULL]


async def test_a_sweep_looks_at_nothing_more_because_of_a_full_zone(estate: Estate) -> None:
    """Calls grow with the changes, not with the estate (design section 3.5)."""
    await roomy(estate, 3, "a", "b")
    await endpoint(estate, "st1")
    await estate.sweep()
    await estate.forget_calls()
    assert held(await estate.sweep()) == [HeldReason.ZONE_FULL]
    assert not [call for call in await estate.calls() if "privateEndpoints" in call or "/A/" in call]


async def test_with_room_again_the_record_is_made(estate: Estate) -> None:
    await roomy(estate, 3, "a", "b")
    await endpoint(estate, "st1")
    await estate.sweep()
    await estate.delete_by_hand("a")
    estate.time.seconds += 1000
    await estate.sweep()
    assert await estate.addresses() == ["10.1.0.4"]


@pytest.mark.parametrize("refusal", ["400", "409"])
async def test_what_azure_itself_refuses_for_want_of_room_is_told_so(estate: Estate, refusal: str) -> None:
    """How Azure words it is not verified (behaviour reference section 3.7): the zone's own numbers tell."""
    await estate.azure.sim("POST", "settings", {"zoneFullRefusal": refusal})
    await estate.warm()
    await roomy(estate, 3, "a", "b")
    first = await endpoint(estate, "st1")
    report = await estate.look(first)
    [outcome] = report.outcomes
    assert (outcome.result, outcome.temporary) == (Result.FAILED, False)
    assert outcome.error.startswith(f"{BLOB_ZONE} is full, so it takes no new record: ")
    assert f"Azure answered {refusal}" in outcome.error
    assert held(await estate.look(first)) == [HeldReason.ZONE_FULL], "what was known of its room is forgotten"


@pytest.mark.parametrize("unread", [False, True])
async def test_another_refusal_stays_what_it_is(estate: Estate, unread: bool) -> None:
    first = await endpoint(estate, "st1")
    await estate.azure.sim("POST", "faults", {"service": "arm", "method": "PUT", "path": "/A/st1$", "status": 400})
    if unread:
        await estate.azure.sim(
            "POST", "faults", {"service": "arm", "method": "GET", "path": f"{BLOB_ZONE}$", "status": 403}
        )
    [outcome] = (await estate.look(first)).outcomes
    assert "Azure answered 400 InternalServerError" in outcome.error
    assert "is full" not in outcome.error


async def test_from_four_fifths_on_a_sweep_warns_of_the_zone(estate: Estate, caplog: pytest.LogCaptureFixture) -> None:
    await roomy(estate, 10, *"abcdef")
    estate.time.seconds += 1000
    assert (await estate.sweep()).plan.warnings == ()
    await roomy(estate, 10, "g")
    estate.time.seconds += 1000
    with caplog.at_level(logging.WARNING, "hubwarden"):
        [warning] = (await estate.sweep()).plan.warnings
    detail = f"{BLOB_ZONE} has 8 of 10 record sets, 80%"
    assert (warning.hub, warning.zone, warning.endpoint) == ("weu", ResourceId.parse(ZONE_ID), None)
    assert warning.detail == detail
    assert [record.getMessage() for record in caplog.records] == [f"sweep: {detail}"]
