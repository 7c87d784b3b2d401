"""Every scope, the whole way: from what waits or changed to the answer and the record in the hub."""

from __future__ import annotations

import pytest

from hubwarden.model.connection import Verdict
from hubwarden.model.plan import HeldReason
from hubwarden.model.report import Status
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import Everything, OneEndpoint, OneGroup, OneTarget, Pending, Scope
from tests.azure import HUB, SPOKE, resource_id
from tests.estate import Estate, held, written
from tests.laws.conftest import Founding
from tests.laws.test_approvals import APPROVED, OWN_BLOBS, STORAGE, asked, guarded, statuses, target_of, writes

HERE = f"/subscriptions/{SPOKE}/resourceGroups/rg-spoke"


@pytest.mark.parametrize("by", ["endpoint", "target", "pending", "everything"])
async def test_every_scope_answers_what_waits_in_it(found: Founding, by: str) -> None:
    estate = await guarded(found, OWN_BLOBS)
    target = await target_of(estate, STORAGE)
    endpoint = await asked(estate, target)
    scopes: dict[str, Scope] = {
        "endpoint": OneEndpoint(ResourceId.parse(endpoint)),
        "target": OneTarget(ResourceId.parse(target)),
        "pending": Pending(),
        "everything": Everything(),
    }
    report = await estate.hubwarden.run(scopes[by])
    [decision] = report.decisions
    assert (decision.verdict, decision.rule, decision.after) == (Verdict.APPROVE, "own blobs", APPROVED)
    assert report.status is Status.DONE
    assert await statuses(estate, target) == [APPROVED]
    if by == "pending":  # it answers, and leaves the records to a look of its own
        await estate.look(endpoint)
    assert await estate.addresses("t1") == ["10.1.0.4"]


async def test_in_mode_plan_every_scope_answers_nothing(found: Founding) -> None:
    estate = await guarded(found, OWN_BLOBS, mode="plan")
    target = await target_of(estate, STORAGE)
    await asked(estate, target)
    for scope in (Pending(), Everything(), OneTarget(ResourceId.parse(target))):
        report = await estate.hubwarden.run(scope)
        assert [(each.verdict, each.after) for each in report.decisions] == [(Verdict.APPROVE, None)]
    assert await writes(estate) == []


async def test_a_target_looks_at_the_endpoints_that_lead_to_it(estate: Estate) -> None:
    """Also where the connection is gone already, so that the target shows none of them."""
    target = resource_id(SPOKE, "rg-spoke", "Microsoft.Storage/storageAccounts", "st1")
    endpoint = await estate.azure.endpoint("pe1", target)
    report = await estate.hubwarden.run(OneTarget(ResourceId.parse(target)))
    assert written(report) == {"st1": ["10.1.0.4"]}
    await estate.azure.remove_connection(endpoint, target)
    await estate.hubwarden.run(OneTarget(ResourceId.parse(target)))
    assert await estate.record() is None


async def test_a_target_does_not_look_at_the_endpoints_of_one_whose_name_begins_like_its_own(estate: Estate) -> None:
    target, longer = [await estate.azure.storage_account(name) for name in ("st1", "st10")]
    await estate.azure.endpoint("pe1", target)
    other = await estate.azure.endpoint("pe10", longer)
    await estate.forget_calls()
    report = await estate.hubwarden.run(OneTarget(ResourceId.parse(target)))
    assert written(report) == {"st1": ["10.1.0.4"]}
    assert f"GET {other}" not in await estate.calls()
    assert await estate.record("st10") is None


async def test_looks_that_begin_together_ask_but_once_for_what_all_of_them_want_to_know(estate: Estate) -> None:
    """The zones of a hub and the tenant of a subscription: whoever asks while others do waits for their answer."""
    target = await estate.azure.storage_account("st1")
    endpoints = [await estate.azure.endpoint(f"pe{number}", target) for number in range(4)]
    await estate.forget_calls()
    await estate.hubwarden.run(OneTarget(ResourceId.parse(target)))
    calls = await estate.calls()
    assert [calls.count(f"GET {each}") for each in endpoints] == [1, 1, 1, 1]
    assert len([call for call in calls if call.endswith("/privateDnsZones")]) == 1
    assert calls.count(f"GET /subscriptions/{SPOKE}") == 1


async def test_a_target_out_of_the_estate_is_held_and_its_endpoints_here_are_looked_at(found: Founding) -> None:
    estate = await found(estate={"subscriptions": [HUB]})
    target = ResourceId.parse(resource_id(SPOKE, "rg-spoke", "Microsoft.Storage/storageAccounts", "st1"))
    report = await estate.hubwarden.run(OneTarget(target))
    assert held(report) == [HeldReason.OUTSIDE_ESTATE]


async def test_a_group_looks_at_every_endpoint_that_was_claimed_in_it(estate: Estate) -> None:
    endpoints = []
    for name in ("a", "b"):
        account = await estate.azure.storage_account(name)
        endpoints.append(await estate.azure.endpoint(f"pe-{name}", account))
        await estate.look(endpoints[-1])
    for endpoint in endpoints:
        await estate.delete_endpoint(endpoint)
    report = await estate.hubwarden.run(OneGroup(ResourceId.parse(endpoints[0]).parent))
    assert {change.key.name for change in report.plan.changes} == {"a", "b"}
    assert await estate.record("a") is None
    assert await estate.record("b") is None


async def moved(estate: Estate, endpoint: str) -> str:
    """Its owner moves an endpoint to another group; the group's id."""
    group = await estate.azure.resource_group("rg-new")
    order = {"resources": [endpoint], "targetResourceGroup": group}
    assert (await estate.azure.arm("POST", f"{HERE}/moveResources", order)).status == 202
    await estate.azure.settle()
    return group


async def test_an_endpoint_that_moved_takes_its_record_along(estate: Estate) -> None:
    """Law 5: the same resourceGuid lives elsewhere, so nothing is dropped."""
    target = resource_id(SPOKE, "rg-spoke", "Microsoft.Storage/storageAccounts", "st1")
    endpoint = await estate.azure.endpoint("pe1", target)
    await estate.look(endpoint)
    group = await moved(estate, endpoint)
    await estate.hubwarden.run(OneGroup(ResourceId.parse(HERE)))
    await estate.sweep()
    record = await estate.record()
    assert record is not None
    assert record["properties"]["metadata"]["hubwarden_endpoint"] == endpoint.replace(HERE, group)
    assert (await estate.sweep()).plan.changes == ()


async def test_a_move_that_the_index_does_not_show_yet_drops_nothing(estate: Estate) -> None:
    """Law 5: that the index still shows it at its old place is no proof that it lives nowhere else."""
    target = resource_id(SPOKE, "rg-spoke", "Microsoft.Storage/storageAccounts", "st1")
    endpoint = await estate.azure.endpoint("pe1", target)
    await estate.look(endpoint)
    await estate.azure.sim("POST", "settings", {"graphLagMs": 600_000})
    await moved(estate, endpoint)
    report = await estate.hubwarden.run(OneGroup(ResourceId.parse(HERE)))
    assert (report.plan.changes, held(report), report.look_again) == ((), [HeldReason.UNCERTAIN], True)
    await estate.azure.sim("POST", "settings", {"graphLagMs": 0})
    await estate.sweep()
    assert await estate.addresses() == ["10.1.0.4"]


async def test_the_log_tells_records_from_connections(found: Founding) -> None:
    estate = await guarded(found, OWN_BLOBS)
    endpoint = await asked(estate, await target_of(estate, STORAGE))
    looked = await estate.hubwarden.look(OneEndpoint(ResourceId.parse(endpoint)), within=100)
    assert looked.summary == "apply: done, 1 of 1 changes done, 0 unchanged, connections answered: 1"
