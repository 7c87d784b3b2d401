"""Law 9: withdrawals have limits over events and sweeps together, and only a person lets the rest through."""

from __future__ import annotations

import pytest

from hubwarden.errors import PlanChangedError
from hubwarden.model.plan import HeldReason
from hubwarden.model.report import Report
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import Everything, OneEndpoint
from hubwarden.reconcile.run import let_through, reconcile
from tests.azure import BLOB_ZONE, HUB, SPOKE, resource_id
from tests.estate import Estate, held, written
from tests.laws.conftest import Founding


async def estate_of(found: Founding, count: int, **limits: float) -> tuple[Estate, list[str]]:
    """An estate with so many endpoints, each to an account of its own, all served."""
    estate = await found(records={"limits": limits})
    endpoints = []
    for number in range(count):
        account = await estate.azure.storage_account(f"acct{number}")
        endpoints.append(await estate.azure.endpoint(f"pe{number}", account))
    await estate.sweep()
    assert await names(estate) == {f"acct{number}" for number in range(count)}
    return estate, endpoints


def account_id(name: str) -> str:
    """One of the accounts."""
    return resource_id(SPOKE, "rg-spoke", "Microsoft.Storage/storageAccounts", name)


async def names(estate: Estate) -> set[str]:
    """The records that stand."""
    world = await estate.azure.arm(
        "GET", resource_id(HUB, "rg-dns", "Microsoft.Network/privateDnsZones", BLOB_ZONE) + "/A"
    )
    return {each["name"] for each in world.body["value"]}


def over(report: Report) -> int:
    """How many withdrawals are over a limit."""
    assert len(report.plan.over_limit) == held(report).count(HeldReason.OVER_LIMIT)
    return len(report.plan.over_limit)


async def test_a_mass_deletion_is_held_as_a_whole_while_creations_go_on(found: Founding) -> None:
    estate, endpoints = await estate_of(found, 4, perZone=2)
    for endpoint in endpoints[:3]:
        await estate.delete_endpoint(endpoint)
    await estate.azure.endpoint("new", await estate.azure.storage_account("acctnew"))
    report = await estate.sweep()
    assert over(report) == 3
    assert set(written(report)) == {"acctnew"}
    assert await names(estate) == {"acct0", "acct1", "acct2", "acct3", "acctnew"}


async def test_events_and_sweeps_count_together(found: Founding) -> None:
    estate, endpoints = await estate_of(found, 4, perZone=2)
    for endpoint in endpoints[:2]:
        await estate.delete_endpoint(endpoint)
        assert over(await estate.look(endpoint)) == 0
    await estate.delete_endpoint(endpoints[2])
    assert over(await estate.look(endpoints[2])) == 1
    assert over(await estate.sweep()) == 1
    assert await names(estate) == {"acct2", "acct3"}


async def test_an_hours_passing_frees_new_withdrawals_but_not_those_that_were_held(found: Founding) -> None:
    estate, endpoints = await estate_of(found, 4, perZone=1)
    for endpoint in endpoints[:2]:
        await estate.delete_endpoint(endpoint)
    assert over(await estate.sweep()) == 2
    estate.time.seconds += 7200
    assert over(await estate.look(endpoints[0])) == 1, "a person has not looked yet"
    await estate.delete_endpoint(endpoints[2])
    assert over(await estate.look(endpoints[2])) == 0
    assert await names(estate) == {"acct0", "acct1", "acct3"}


async def test_what_waits_for_a_person_drags_nothing_else_along(found: Founding) -> None:
    """It is not withdrawn with what comes a day later, and so is not counted with it."""
    estate, endpoints = await estate_of(found, 5, perZone=2)
    for endpoint in endpoints[:3]:
        await estate.delete_endpoint(endpoint)
    assert over(await estate.sweep()) == 3
    estate.time.seconds += 86400
    await estate.delete_endpoint(endpoints[3])
    assert over(await estate.sweep()) == 3
    assert await names(estate) == {"acct0", "acct1", "acct2", "acct4"}


@pytest.mark.parametrize("sweeps", [True, False])
async def test_a_person_lets_the_held_plan_through_by_its_hash(found: Founding, sweeps: bool) -> None:
    estate, endpoints = await estate_of(found, 3, perZone=0)
    await estate.delete_endpoint(endpoints[0])
    scope = OneEndpoint(ResourceId.parse(endpoints[0]))
    seen = await (estate.sweep() if sweeps else estate.hubwarden.run(scope))
    assert over(seen) == 1
    if sweeps:
        report = await estate.sweep(plan=seen.plan.hash)
    else:
        report = await estate.hubwarden.run(scope, plan=seen.plan.hash)
    assert over(report) == 0
    assert await names(estate) == {"acct1", "acct2"}


async def test_what_a_person_lets_through_does_not_count_against_what_comes_later(found: Founding) -> None:
    """Else a person's word would hold up what no person has to look at."""
    estate, endpoints = await estate_of(found, 4, perZone=1)
    for endpoint in endpoints[:2]:
        await estate.delete_endpoint(endpoint)
    seen = await estate.sweep()
    assert over(seen) == 2
    assert over(await estate.sweep(plan=seen.plan.hash)) == 0
    await estate.delete_endpoint(endpoints[2])
    assert over(await estate.look(endpoints[2])) == 0
    assert await names(estate) == {"acct3"}
    await estate.delete_endpoint(endpoints[3])
    assert over(await estate.look(endpoints[3])) == 1, "the limit still is what it was"


async def test_what_a_person_lets_through_does_not_count_against_what_goes_beside_it(found: Founding) -> None:
    """Whatever went meanwhile is judged by itself."""
    estate, endpoints = await estate_of(found, 5, perZone=2)
    for endpoint in endpoints[:3]:
        await estate.delete_endpoint(endpoint)
    seen = await estate.sweep()
    assert over(seen) == 3
    rooms = estate.hubwarden.rooms
    through = await let_through(rooms, Everything(), seen.plan.hash)
    await estate.delete_endpoint(endpoints[3])
    assert over(await reconcile(rooms, Everything(), through=through)) == 0
    assert await names(estate) == {"acct4"}


async def test_another_plan_than_the_one_named_is_not_let_through(found: Founding) -> None:
    estate, endpoints = await estate_of(found, 3, perZone=0)
    await estate.delete_endpoint(endpoints[0])
    seen = await estate.sweep()
    await estate.delete_endpoint(endpoints[1])
    with pytest.raises(PlanChangedError):
        await estate.sweep(plan=seen.plan.hash)
    assert await names(estate) == {"acct0", "acct1", "acct2"}


async def test_a_limit_of_all_zones(found: Founding) -> None:
    estate, endpoints = await estate_of(found, 3, withdrawals=1)
    for endpoint in endpoints[:2]:
        await estate.delete_endpoint(endpoint)
    assert over(await estate.sweep()) == 2


async def test_a_withdrawal_over_the_limit_that_is_wanted_again_is_held_no_more(found: Founding) -> None:
    estate, endpoints = await estate_of(found, 2, perZone=0)
    await estate.delete_endpoint(endpoints[0])
    assert over(await estate.sweep()) == 1
    await estate.azure.endpoint("pe0", account_id("acct0"))
    assert over(await estate.sweep()) == 0
    assert await estate.hubwarden.rooms.tally.withheld() == frozenset()


async def test_taking_over_a_name_counts_as_a_withdrawal(found: Founding) -> None:
    """The holder's address leaves a standing record."""
    estate, endpoints = await estate_of(found, 1, perZone=0)
    account = account_id("acct0")
    second = await estate.azure.endpoint("second", account)
    await estate.look(second)
    await estate.delete_endpoint(endpoints[0])
    assert over(await estate.look(endpoints[0])) == 1
    assert (await estate.addresses("acct0")) == ["10.1.0.4"]


async def test_an_explanation_says_what_is_over_the_limit(found: Founding) -> None:
    estate, endpoints = await estate_of(found, 1, perZone=0)
    await estate.delete_endpoint(endpoints[0])
    explained = await estate.hubwarden.explain(ResourceId.parse(endpoints[0]))
    assert (explained.plan.changes, len(explained.plan.over_limit)) == ((), 1)
    assert [each.reason for each in explained.plan.held] == [HeldReason.OVER_LIMIT]
