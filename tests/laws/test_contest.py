"""Two endpoints, one name (law 7): the holder keeps it, the other waits with a claim, and takes over without a gap."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from azure.data.tables.aio import TableClient

from hubwarden.ledger.claims import CLAIMS_TABLE
from hubwarden.model.dns_name import DnsName
from hubwarden.model.plan import ClaimState, HeldReason
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import OneTarget
from hubwarden.reconcile import explain
from tests.azure import BLOB_ZONE, HUB, SPOKE, resource_id
from tests.estate import TENANT, Estate, held, written
from tests.laws.conftest import Founding

ACCOUNT = resource_id(SPOKE, "rg-spoke", "Microsoft.Storage/storageAccounts", "st1")
OTHER = "00000000-0000-0000-0000-0000000000cc"
FIRST, SECOND, THIRD = ["10.1.0.4"], ["10.1.0.5"], ["10.1.0.6"]


async def contested(estate: Estate, *names: str) -> list[str]:
    """Endpoints to one account, looked at in this order; the first holds the name."""
    endpoints = [await estate.azure.endpoint(name, ACCOUNT) for name in names]
    for endpoint in endpoints:
        await estate.look(endpoint)
    assert await estate.addresses() == FIRST
    return endpoints


async def states(estate: Estate, endpoint: str) -> list[ClaimState]:
    """What the ledger says of an endpoint's claims."""
    return [claim.state for claim in await estate.hubwarden.rooms.claims.of(ResourceId.parse(endpoint))]


async def test_the_holder_keeps_the_name_and_the_other_keeps_a_claim(estate: Estate) -> None:
    first, second = await contested(estate, "pe1", "pe2")
    report = await estate.look(second)
    assert held(report) == [HeldReason.CONTESTED]
    assert first in report.plan.held[0].detail
    assert not report.look_again, "the holder's end will look at the other"
    assert (await states(estate, first), await states(estate, second)) == ([ClaimState.SERVED], [ClaimState.HELD])


async def test_a_name_is_explained_with_its_owner_and_with_those_who_wait_for_it(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever asks why a name leads elsewhere, or nowhere, hears of each endpoint that wants it: the owner first."""
    third, first, second = map(ResourceId.parse, await contested(estate, "pe3", "pe1", "pe2"))
    explained = await estate.hubwarden.explain_name(DnsName("st1.blob.core.windows.net"))
    assert [each.endpoint for each in explained.endpoints] == [third, first, second]
    assert [[each.reason for each in one.plan.held] for one in explained.endpoints[1:]] == [[HeldReason.CONTESTED]] * 2
    monkeypatch.setattr(explain, "MOST_EXPLAINED", 2)
    explained = await estate.hubwarden.explain_name(DnsName("st1.blob.core.windows.net"))
    assert [each.endpoint for each in explained.endpoints] == [third, first]
    assert explained.trouble == ("1 more of the endpoints that claim it: each can be explained by its id",)


async def test_a_name_that_a_strangers_record_has_is_explained_with_the_endpoint_that_wants_it(estate: Estate) -> None:
    await estate.write_by_hand()
    endpoint = await estate.azure.endpoint("pe1", ACCOUNT)
    assert held(await estate.look(endpoint)) == [HeldReason.FOREIGN_CONFLICT]
    explained = await estate.hubwarden.explain_name(DnsName("st1.blob.core.windows.net"))
    assert [str(each.endpoint) for each in explained.endpoints] == [endpoint], "spelled as Azure does"


async def test_the_survivor_takes_over_in_the_same_run_in_one_write(estate: Estate) -> None:
    first, second = await contested(estate, "pe1", "pe2")
    await estate.delete_endpoint(first)
    await estate.forget_calls()
    report = await estate.look(first)
    assert written(report) == {"st1": SECOND}
    writes = [call for call in await estate.calls() if not call.startswith("GET")]
    assert [write.split()[0] for write in writes] == ["PUT"], "never a moment without the record"
    assert await estate.addresses() == SECOND
    assert (await states(estate, first), await states(estate, second)) == ([], [ClaimState.SERVED])


async def test_of_several_survivors_one_takes_over_and_the_rest_stay_contested(estate: Estate) -> None:
    first, second, third = await contested(estate, "pe1", "pe2", "pe3")
    await estate.delete_endpoint(first)
    report = await estate.look(first)
    assert (written(report), held(report)) == ({"st1": SECOND}, [HeldReason.CONTESTED])
    await estate.delete_endpoint(second)
    await estate.look(second)
    assert await estate.addresses() == THIRD
    assert await states(estate, third) == [ClaimState.SERVED]


@pytest.mark.parametrize("answer", ["Rejected", "Disconnected"])
async def test_the_survivor_takes_over_when_the_holders_connection_ends(estate: Estate, answer: str) -> None:
    first, second = await contested(estate, "pe1", "pe2")
    if answer == "Rejected":
        await estate.azure.answer(first, ACCOUNT, "Rejected")
    else:
        await estate.azure.remove_connection(first, ACCOUNT)
    await estate.hubwarden.run(OneTarget(ResourceId.parse(ACCOUNT)))
    assert await estate.addresses() == SECOND
    assert await states(estate, second) == [ClaimState.SERVED]


async def test_a_claimant_finds_a_holder_gone_that_no_event_told_of(estate: Estate) -> None:
    first, second = await contested(estate, "pe1", "pe2")
    await estate.delete_endpoint(first)
    report = await estate.look(second, thorough=True)
    assert written(report) == {"st1": SECOND}
    assert await states(estate, first) == []


async def test_a_holder_in_doubt_keeps_the_name(estate: Estate) -> None:
    """Law 5: a 403 proves nothing, whoever else wants the name."""
    first, second = await contested(estate, "pe1", "pe2")
    await estate.delete_endpoint(first)
    await estate.azure.sim(
        "POST", "faults", {"service": "arm", "method": "GET", "path": "/pe1$", "times": 9, "status": 403}
    )
    report = await estate.look(second, thorough=True)
    assert report.plan.changes == ()
    assert HeldReason.CONTESTED in held(report)
    assert await estate.addresses() == FIRST
    await estate.azure.sim("DELETE", "faults")


async def test_a_sweep_hands_the_name_on_as_well(estate: Estate) -> None:
    first, _ = await contested(estate, "pe1", "pe2")
    await estate.delete_endpoint(first)
    report = await estate.sweep()
    assert written(report) == {"st1": SECOND}
    assert (await estate.sweep()).plan.changes == ()


async def lose_claims(estate: Estate) -> None:
    """The ledger knows of no claim any more."""
    async with TableClient.from_connection_string(estate.connection_string, CLAIMS_TABLE) as table:
        async for row in table.list_entities():
            await table.delete_entity(row)


async def test_with_an_empty_ledger_a_sweep_hands_no_name_on_before_it_has_rebuilt_the_claims(estate: Estate) -> None:
    """To hand it on is a withdrawal (law 9), and the claim of the holder that is gone must outlast the first sweep."""
    [first] = await contested(estate, "pe1")
    second = await estate.azure.endpoint("pe2", ACCOUNT)
    await estate.delete_endpoint(first)
    await lose_claims(estate)
    await estate.sweep()
    assert await estate.addresses() == FIRST
    assert await states(estate, first) == [ClaimState.SERVED]
    await estate.sweep()
    assert await estate.addresses() == SECOND
    assert (await states(estate, first), await states(estate, second)) == ([], [ClaimState.SERVED])


async def test_a_hand_deleted_record_goes_back_to_its_holder(estate: Estate) -> None:
    await contested(estate, "pe1", "pe2")
    await estate.delete_by_hand()
    report = await estate.sweep()
    assert (written(report), held(report)) == ({"st1": FIRST}, [HeldReason.CONTESTED])


async def other_spoke(estate: Estate) -> None:
    """Another subscription of ours, with a network."""
    await estate.azure.subscription(OTHER, tenant=TENANT)
    await estate.azure.resource_group(subscription=OTHER)
    await estate.azure.vnet(subscription=OTHER, prefix="10.7.0.0/24")


async def preferring(
    found: Founding, *, records: Mapping[str, Any] | None = None, **prefers: list[str]
) -> tuple[Estate, str, str]:
    """An estate whose hub prefers somebody; pe1 in the spoke holds the name, pe2 in another subscription comes late."""
    hub = {"name": "weu", "zones": [f"/subscriptions/{HUB}/resourceGroups/rg-dns"], "prefers": prefers}
    estate = await found(estate={"subscriptions": [HUB, SPOKE, OTHER]}, hubs=[hub], records=dict(records or {}))
    await other_spoke(estate)
    first = await estate.azure.endpoint("pe1", ACCOUNT)
    await estate.look(first)
    return estate, first, await estate.azure.endpoint("pe2", ACCOUNT, subscription=OTHER)


@pytest.mark.parametrize("sweeps", [True, False])
async def test_a_preferred_subscription_displaces_the_holder_and_keeps_the_name(found: Founding, sweeps: bool) -> None:
    estate, first, second = await preferring(found, subscriptions=[OTHER])
    report = await (estate.sweep() if sweeps else estate.look(second))
    assert written(report) == {"st1": ["10.7.0.4"]}
    assert HeldReason.CONTESTED in held(report)
    assert (await states(estate, first), await states(estate, second)) == ([ClaimState.HELD], [ClaimState.SERVED])
    assert (await estate.look(first, thorough=True)).plan.changes == ()
    assert (await estate.sweep()).plan.changes == ()


@pytest.mark.parametrize("sweeps", [True, False])
async def test_a_holder_of_a_protected_name_is_not_displaced_and_not_called_contested(
    found: Founding, sweeps: bool
) -> None:
    """Law 2: a reason is true. The name is protected, so its holder still has it, and it is the other who waits."""
    records = {"protected": ["st1.blob.core.windows.net"]}
    estate, first, second = await preferring(found, records=records, subscriptions=[OTHER])
    report = await (estate.sweep() if sweeps else estate.look(second))
    assert [str(each.endpoint) for each in report.plan.held] == [second]
    assert await estate.addresses() == FIRST
    assert (await states(estate, first), await states(estate, second)) == ([ClaimState.SERVED], [ClaimState.HELD])


@pytest.mark.parametrize("sweeps", [True, False])
async def test_a_holder_whom_a_limit_keeps_from_being_displaced_still_holds_the_name(
    found: Founding, sweeps: bool
) -> None:
    """Law 9: to take an address from a standing record is a withdrawal, whoever is preferred."""
    estate, first, second = await preferring(found, records={"limits": {"perZone": 0}}, subscriptions=[OTHER])
    report = await (estate.sweep() if sweeps else estate.look(second))
    assert [(each.reason, str(each.endpoint)) for each in report.plan.held] == [(HeldReason.OVER_LIMIT, second)]
    assert await estate.addresses() == FIRST
    assert (await states(estate, first), await states(estate, second)) == ([ClaimState.SERVED], [ClaimState.HELD])
    assert (await estate.look(first, thorough=True)).plan.changes == ()
    assert await states(estate, first) == [ClaimState.SERVED]


async def test_with_an_empty_ledger_a_preferred_subscription_displaces_nobody(found: Founding) -> None:
    """Law 2: a reason is true. The holder still has the name, and is not called contested."""
    estate, first, _ = await preferring(found, subscriptions=[OTHER])
    await lose_claims(estate)
    report = await estate.sweep()
    assert await estate.addresses() == FIRST
    assert report.plan.changes == ()
    assert (first, HeldReason.CONTESTED) not in {(str(each.endpoint), each.reason) for each in report.plan.held}
    await estate.sweep()
    assert await estate.addresses() == ["10.7.0.4"], "the claims are there now"


async def test_a_preferred_location_displaces_nobody(found: Founding) -> None:
    estate, _, second = await preferring(found, locations=["westeurope"])
    assert held(await estate.look(second)) == [HeldReason.CONTESTED]
    assert await estate.addresses() == FIRST


async def test_the_end_of_a_zone_groups_endpoint_looks_at_the_others_that_claim_its_name(estate: Estate) -> None:
    """A zone group's record goes with its endpoint, whoever else wants the name."""
    first = await estate.azure.endpoint("pe1", ACCOUNT)
    zone = resource_id(HUB, "rg-dns", "Microsoft.Network/privateDnsZones", BLOB_ZONE)
    group = {"privateDnsZoneConfigs": [{"name": "blob", "properties": {"privateDnsZoneId": zone}}]}
    await estate.azure.arm("PUT", f"{first}/privateDnsZoneGroups/default", {"properties": group})
    await estate.azure.settle()
    second = await estate.azure.endpoint("pe2", ACCOUNT)
    for endpoint in (first, second):
        assert held(await estate.look(endpoint)) == [HeldReason.ZONE_GROUP]
    await estate.delete_endpoint(first)
    assert written(await estate.look(first)) == {"st1": SECOND}
    assert await states(estate, second) == [ClaimState.SERVED]
