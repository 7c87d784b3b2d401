"""Law 3: only records bearing our instance's mark are ever changed or dropped. Law 4: every write insists."""

from __future__ import annotations

import pytest

from hubwarden.model.plan import HeldReason
from hubwarden.model.report import Result
from tests.azure import SPOKE
from tests.estate import Estate, held, record_id, written
from tests.laws.conftest import Founding

OTHER = f"/subscriptions/{SPOKE}/resourceGroups/rg-spoke/providers/Microsoft.Network/privateEndpoints/other"

STRANGERS = [
    pytest.param({}, HeldReason.FOREIGN_CONFLICT, id="unmarked"),
    pytest.param({"owner": "terraform"}, HeldReason.FOREIGN_CONFLICT, id="somebody's metadata"),
    pytest.param(
        {"creator": "created by private endpoint pe1 with resource guid 5f0c6d2e"},
        HeldReason.ZONE_GROUP,
        id="zone group",
    ),
    pytest.param(
        {"hubwarden": "1", "hubwarden_instance": "fabrikam", "hubwarden_endpoint": OTHER},
        HeldReason.FOREIGN_CONFLICT,
        id="another instance",
    ),
    pytest.param(
        {"hubwarden": "2", "hubwarden_instance": "contoso", "hubwarden_endpoint": OTHER},
        HeldReason.FOREIGN_CONFLICT,
        id="a newer mark",
    ),
    pytest.param({"hubwarden": "1", "hubwarden_instance": "contoso"}, HeldReason.FOREIGN_CONFLICT, id="a torn mark"),
]


@pytest.mark.parametrize("thorough", [False, True])
@pytest.mark.parametrize(("metadata", "reason"), STRANGERS)
async def test_a_strangers_record_is_never_overwritten(
    estate: Estate, metadata: dict[str, str], reason: HeldReason, thorough: bool
) -> None:
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke())
    await estate.write_by_hand(**metadata)
    before = await estate.record()
    report = await estate.look(endpoint, thorough=thorough)
    assert held(report) == [reason]
    assert await estate.record() == before


@pytest.mark.parametrize(("metadata", "_"), STRANGERS)
async def test_a_strangers_record_is_never_dropped(estate: Estate, metadata: dict[str, str], _: HeldReason) -> None:
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke())
    await estate.look(endpoint)
    await estate.write_by_hand(**metadata)
    before = await estate.record()
    await estate.delete_endpoint(endpoint)
    report = await estate.look(endpoint)
    assert all(outcome.result is not Result.DONE for outcome in report.outcomes)
    assert not report.look_again
    assert await estate.record() == before
    assert not (await estate.look(endpoint)).plan.changes, "the claim is forgotten: there is nothing of ours"


async def test_a_record_of_auto_registration_is_left_alone(estate: Estate) -> None:
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke())
    await estate.write_by_hand()
    document = await estate.record()
    assert document is not None
    document["properties"]["isAutoRegistered"] = True
    await estate.azure.put(document)
    assert held(await estate.look(endpoint)) == [HeldReason.FOREIGN_CONFLICT]


async def test_a_record_with_the_right_addresses_is_not_ours_for_that(estate: Estate) -> None:
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke())
    await estate.write_by_hand(addresses=["10.1.0.4"])
    assert held(await estate.look(endpoint)) == [HeldReason.SERVED_BY_OTHER]
    await estate.delete_endpoint(endpoint)
    await estate.look(endpoint)
    assert await estate.addresses() == ["10.1.0.4"]


async def test_a_record_beside_ours_is_not_touched_by_a_deletion(estate: Estate) -> None:
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke())
    await estate.write_by_hand("handmade")
    await estate.look(endpoint)
    await estate.delete_endpoint(endpoint)
    await estate.look(endpoint)
    assert await estate.addresses() is None
    assert await estate.addresses("handmade") == ["10.9.9.9"]


async def test_a_create_insists_that_nothing_is_there(estate: Estate) -> None:
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke())
    await estate.warm()
    await estate.write_by_hand()
    await estate.look(endpoint)
    answers = [each["status"] for each in await estate.azure.requests() if each["path"].endswith("/A/st1")]
    assert 412 in answers, "the write went out without a look, and insisted"


async def test_a_deletion_insists_on_what_we_wrote(estate: Estate) -> None:
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke())
    await estate.look(endpoint)
    record = await estate.record()
    assert record is not None
    record["properties"]["ttl"] = 77
    assert (await estate.azure.arm("PUT", record_id("st1"), {"properties": record["properties"]})).status == 200
    await estate.delete_endpoint(endpoint)
    report = await estate.look(endpoint)
    assert [outcome.result for outcome in report.outcomes] == [Result.RACED, Result.DONE]
    assert await estate.addresses() is None, "it still bears our mark, so it goes at the second look"


async def test_a_change_meets_a_writer_who_was_faster_and_plans_anew(estate: Estate) -> None:
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke())
    await estate.look(endpoint)
    await estate.azure.sim(
        "POST",
        "faults",
        {
            "service": "arm",
            "method": "PUT",
            "path": "/A/st1",
            "times": 1,
            "when": "before",
            "status": 412,
            "code": "PreconditionFailed",
        },
    )
    await estate.delete_by_hand()
    estate.time.seconds += 901
    report = await estate.look(endpoint)
    assert [outcome.result for outcome in report.outcomes] == [Result.RACED, Result.DONE]
    assert not report.look_again
    assert await estate.addresses() == ["10.1.0.4"]


async def test_a_former_name_of_the_instance_is_still_ours(found: Founding) -> None:
    estate = await found(instance="contoso", formerly=["adatum"])
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke())
    await estate.write_by_hand(
        hubwarden="1", hubwarden_instance="adatum", hubwarden_endpoint=endpoint, hubwarden_guid=""
    )
    assert written(await estate.look(endpoint)) == {"st1": ["10.1.0.4"]}
    record = await estate.record()
    assert record is not None
    assert record["properties"]["metadata"]["hubwarden_instance"] == "contoso"


async def test_a_protected_name_is_neither_changed_nor_dropped(found: Founding) -> None:
    estate = await found(records={"protected": ["st1.blob.core.windows.net"]})
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke())
    assert written(await estate.look(endpoint)) == {"st1": ["10.1.0.4"]}, "nothing stood there to be protected"
    record = await estate.record()
    assert record is not None
    await estate.write_by_hand(addresses=["10.9.9.9"], **record["properties"]["metadata"])
    assert held(await estate.look(endpoint, thorough=True)) == [HeldReason.PROTECTED]
    await estate.delete_endpoint(endpoint)
    assert held(await estate.look(endpoint, thorough=True)) == [HeldReason.PROTECTED]
    assert await estate.addresses() == ["10.9.9.9"]
