"""The one path, and what it costs: an endpoint appears, its name is there; it goes, and its name goes with it."""

from __future__ import annotations

import pytest

from hubwarden.model.plan import HeldReason
from hubwarden.model.report import Status
from tests.azure import SPOKE, resource_id
from tests.estate import Estate, held, written
from tests.laws.conftest import Founding

ACR_ZONE = "privatelink.azurecr.io"


async def registry(estate: Estate) -> str:
    """A container registry with a regional data endpoint, and its zone."""
    await estate.azure.zone(ACR_ZONE)
    target = resource_id(SPOKE, "rg-spoke", "Microsoft.ContainerRegistry/registries", "reg1")
    members = [
        {
            "groupId": "registry",
            "memberName": member,
            "fqdns": [fqdn],
            "zone": ACR_ZONE,
            "publicAddress": "203.0.113.9",
        }
        for member, fqdn in (
            ("registry_data_westeurope", "reg1.westeurope.data.azurecr.io"),
            ("registry", "reg1.azurecr.io"),
        )
    ]
    return await estate.azure.target(target, members)


async def test_a_new_endpoint_costs_one_read_and_a_write_for_each_name(estate: Estate) -> None:
    endpoint = await estate.azure.endpoint("pe1", await registry(estate), groups=["registry"])
    await estate.warm()
    report = await estate.look(endpoint)
    assert report.status is Status.DONE
    assert set(written(report)) == {"reg1", "reg1.westeurope.data"}
    calls = await estate.calls()
    assert len(calls) == 1 + 2
    assert sum(call.startswith("PUT") for call in calls) == 2
    assert await estate.addresses("reg1", ACR_ZONE) != await estate.addresses("reg1.westeurope.data", ACR_ZONE)


async def test_one_more_read_where_the_expansion_lacks_the_names(estate: Estate) -> None:
    await estate.azure.sim("POST", "settings", {"expandNics": "ids"})
    endpoint = await estate.azure.endpoint("pe1", await registry(estate), groups=["registry"])
    await estate.warm()
    await estate.look(endpoint)
    assert len(await estate.calls()) == 1 + 1 + 2


async def test_a_repeated_event_costs_one_read(estate: Estate) -> None:
    endpoint = await estate.azure.endpoint("pe1", await registry(estate), groups=["registry"])
    await estate.look(endpoint)
    await estate.forget_calls()
    report = await estate.look(endpoint)
    assert len(await estate.calls()) == 1
    assert len(report.plan.unchanged) == 2


async def test_a_deleted_endpoint_costs_two_reads_and_a_deletion_for_each_name(estate: Estate) -> None:
    endpoint = await estate.azure.endpoint("pe1", await registry(estate), groups=["registry"])
    await estate.look(endpoint)
    await estate.delete_endpoint(endpoint)
    await estate.forget_calls()
    report = await estate.look(endpoint)
    assert report.status is Status.DONE
    assert await estate.addresses("reg1", ACR_ZONE) is None
    assert await estate.addresses("reg1.westeurope.data", ACR_ZONE) is None
    calls = await estate.calls()
    assert len(calls) == 1 + 1 + 2
    assert sum(call.startswith("DELETE") for call in calls) == 2
    await estate.forget_calls()
    assert not (await estate.look(endpoint)).plan.changes
    assert len(await estate.calls()) == 1


async def test_claims_are_not_believed_for_ever(estate: Estate) -> None:
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke())
    await estate.look(endpoint)
    await estate.delete_by_hand()
    assert not (await estate.look(endpoint)).plan.changes, "claims are fresh, and an event believes them"
    estate.time.seconds += 901
    assert written(await estate.look(endpoint)) == {"st1": ["10.1.0.4"]}
    assert await estate.addresses() == ["10.1.0.4"]


async def test_a_verified_claim_is_believed_again(estate: Estate) -> None:
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke())
    await estate.look(endpoint)
    estate.time.seconds += 901
    await estate.look(endpoint)
    await estate.forget_calls()
    await estate.look(endpoint)
    assert len(await estate.calls()) == 1


async def test_a_person_who_asks_gets_a_hand_deleted_record_back(estate: Estate) -> None:
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke())
    await estate.look(endpoint)
    await estate.delete_by_hand()
    planned = await estate.look(endpoint, thorough=True, applies=False)
    assert written(planned) == {"st1": ["10.1.0.4"]}
    assert planned.mode == "plan"
    assert not planned.outcomes
    assert await estate.addresses() is None
    done = await estate.look(endpoint, thorough=True)
    assert done.plan.hash == planned.plan.hash
    assert await estate.addresses() == ["10.1.0.4"]


async def test_the_second_run_changes_nothing(estate: Estate) -> None:
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke())
    await estate.look(endpoint)
    for thorough in (False, True):
        report = await estate.look(endpoint, thorough=thorough)
        assert not report.plan.changes
        assert not report.plan.held


async def test_a_changed_ttl_is_written_again_with_no_gap(found: Founding) -> None:
    estate = await found(records={"ttl": 30})
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke())
    await estate.write_by_hand(
        hubwarden="1", hubwarden_instance="contoso", hubwarden_endpoint=endpoint, hubwarden_guid=""
    )
    report = await estate.look(endpoint)
    assert report.status is Status.DONE
    record = await estate.record()
    assert record is not None
    assert record["properties"]["ttl"] == 30
    assert record["properties"]["aRecords"] == [{"ipv4Address": "10.1.0.4"}]


async def test_mode_plan_writes_nothing_at_all(found: Founding) -> None:
    estate = await found(mode="plan")
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke())
    report = await estate.look(endpoint)
    assert report.mode == "plan"
    assert written(report) == {"st1": ["10.1.0.4"]}
    assert all(call.startswith("GET") for call in await estate.calls())


async def test_a_subscription_outside_the_estate_costs_nothing(found: Founding) -> None:
    estate = await found(estate={"subscriptions": [SPOKE], "exclude": [SPOKE]})
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke())
    await estate.forget_calls()
    assert held(await estate.look(endpoint)) == [HeldReason.OUTSIDE_ESTATE]
    assert await estate.calls() == []


async def test_management_groups_are_asked_of_the_index_once(found: Founding) -> None:
    estate = await found(estate={"managementGroups": ["corp"]})
    await estate.azure.subscription(SPOKE, managementGroups=["corp"])
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke())
    for _ in range(2):
        assert held(await estate.look(endpoint)) == []
    assert len(await estate.calls("graph")) == 1


@pytest.mark.parametrize("state", ["Updating", "Deleting"])
async def test_an_endpoint_that_azure_is_still_at_work_on_waits(estate: Estate, state: str) -> None:
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke())
    document = (await estate.azure.arm("GET", endpoint)).body
    document["properties"]["provisioningState"] = state
    await estate.azure.put(document)
    report = await estate.look(endpoint)
    assert held(report) == [HeldReason.NOT_READY]
    assert report.look_again


async def test_an_endpoint_without_an_interface_waits(estate: Estate) -> None:
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke())
    document = (await estate.azure.arm("GET", endpoint)).body
    document["properties"]["networkInterfaces"] = []
    await estate.azure.put(document)
    assert held(await estate.look(endpoint)) == [HeldReason.NOT_READY]
