"""Takeover: an endpoint's zone group goes, and its records are ours, after a gap that is measured.

The person at the shell has rights of their own: the app's identity never changes an endpoint (law 11, which every test
here is checked for). Which endpoints are refused is next door in test_takeover_refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import dns.rcode
import pytest

from hubwarden.errors import PlanChangedError, PlanOnlyError
from hubwarden.model.plan import ClaimState
from hubwarden.model.report import Result, Status
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import OneEndpoint
from hubwarden.model.takeover import ObstacleReason, TakenOver
from hubwarden.reconcile.handover import LOOKS, MODE, PATIENCE
from simulator.resolution import resolve
from simulator.server import Simulator
from tests.azure import BLOB_ZONE, HUB, resource_id
from tests.estate import Estate, held, record_id, written
from tests.laws.conftest import Founding
from tests.laws.takeovers import COSMOS_ZONE, Moments, Takeovers, group_id, may_take_over, person_at, zone_id


@pytest.fixture
async def takeovers(estate: Estate, tmp_path: Path) -> AsyncIterator[Takeovers]:
    """The estate with the default settings, and a person at its shell."""
    await may_take_over(estate)
    moments = Moments(estate.time)
    person = person_at(estate, tmp_path, moments)
    yield Takeovers(estate, person, moments)
    await person.close()


async def its_record_is_ours(takeovers: Takeovers, endpoint: str, name: str = "st1", zone: str = BLOB_ZONE) -> None:
    """Our mark, our ttl, the endpoint's address."""
    record = await takeovers.record(name, zone)
    assert record["metadata"]["hubwarden_endpoint"] == endpoint
    assert record["ttl"] == 10


async def failed(takeovers: Takeovers, endpoint: str) -> TakenOver:
    """The one takeover of a report that failed."""
    report = await takeovers.take_over(endpoint)
    [one] = report.done
    assert report.failed
    return one


# What it does


async def test_each_of_several_names_is_ours_as_soon_as_the_groups_is_gone(takeovers: Takeovers) -> None:
    """A creation first proves the right to write: it insists that nothing stands there, so nothing comes of it."""
    endpoint = await takeovers.cosmos()
    names = ("cosmos", "cosmos-westeurope")
    before = {name: (await takeovers.record(name, COSMOS_ZONE))["aRecords"] for name in names}
    await takeovers.estate.forget_calls()

    report = await takeovers.take_over(endpoint)

    assert not report.failed
    assert not await takeovers.has_group(endpoint)
    for name in names:
        await its_record_is_ours(takeovers, endpoint, name, COSMOS_ZONE)
    assert {name: (await takeovers.record(name, COSMOS_ZONE))["aRecords"] for name in names} == before
    writes = await takeovers.writes()
    puts = {f"PUT {record_id(name, COSMOS_ZONE)}" for name in names}
    assert (set(writes[:2]), writes[2], set(writes[3:])) == (puts, f"DELETE {group_id(endpoint)}", puts)
    [done] = report.done
    assert {gap.key.name for gap in done.gaps} == set(names)
    assert all(0 < gap.seconds < 5 for gap in done.gaps)
    assert report.longest in done.gaps


async def test_afterwards_a_sweep_changes_nothing_and_the_endpoints_end_withdraws_the_record(
    takeovers: Takeovers,
) -> None:
    estate, endpoint = takeovers.estate, await takeovers.grouped()
    await takeovers.take_over(endpoint)
    [claim] = await estate.hubwarden.rooms.claims.of(ResourceId.parse(endpoint))
    record = await estate.record()
    assert record is not None
    assert (claim.state, claim.etag) == (ClaimState.SERVED, record["etag"])
    swept = await estate.sweep()
    assert (swept.plan.changes, held(swept)) == ((), [])
    await estate.azure.sim("POST", "settings", {"operationMs": 0})
    await estate.delete_endpoint(endpoint)
    await estate.look(endpoint)
    assert await estate.addresses() is None


async def test_it_is_a_run_that_tells_of_the_gap(takeovers: Takeovers) -> None:
    endpoint = await takeovers.grouped()
    report = await takeovers.take_over(endpoint)
    [listed, *_], _ = await takeovers.estate.hubwarden.runs(5)
    run = await takeovers.estate.hubwarden.run_named(report.done[0].run)
    assert run is not None
    assert (listed.id, run.mode, run.status, run.plan) == (run.id, MODE, Status.DONE, report.plan.hash)
    assert run.report is not None
    told: dict[str, Any] = run.report["takeover"]
    assert (told["endpoint"], told["group"], told["result"]) == (endpoint, group_id(endpoint), "done")
    assert [gap["name"] for gap in told["gaps"]] == ["st1"]
    assert [outcome["result"] for outcome in run.report["outcomes"]] == ["done"]


async def test_without_naming_any_all_are_taken_over_one_after_the_other(takeovers: Takeovers) -> None:
    """Those whose zone groups made records in our hubs' zones, by the guid that the records tell."""
    first, second = await takeovers.grouped("pe1", "st1"), await takeovers.grouped("pe2", "st2")
    await takeovers.estate.azure.endpoint("pe3", await takeovers.estate.azure.storage_account("st3"))
    planned = await takeovers.plan()
    assert [str(each.endpoint) for each in planned.ready] == [first, second]
    await takeovers.estate.forget_calls()
    report = await takeovers.take_over()
    assert [str(each.takeover.endpoint) for each in report.done] == [first, second]
    writes = await takeovers.writes()
    deletions = [writes.index(f"DELETE {group_id(each)}") for each in (first, second)]
    last_of_first = max(at for at, each in enumerate(writes) if each.endswith("/A/st1"))
    assert deletions[0] < last_of_first < deletions[1]
    assert (await takeovers.plan()).takeovers == ()


async def test_to_plan_all_a_zone_is_listed_rather_than_read_record_by_record(takeovers: Takeovers) -> None:
    """Private DNS takes 500 GETs in five minutes (behaviour reference section 6.3)."""
    endpoints = [await takeovers.grouped(f"pe{n}", f"st{n}") for n in range(3)]
    await takeovers.estate.forget_calls()
    assert [str(each.endpoint) for each in (await takeovers.plan()).ready] == endpoints
    asked = [each["path"].rpartition("/")[2] for each in await takeovers.estate.azure.requests()]
    assert (asked.count("aLL"), [each for each in asked if each.startswith("st")]) == (1, [])
    await takeovers.fault(method="GET", path="/ALL$", status=403, code="AuthorizationFailed")
    assert len((await takeovers.plan()).ready) == 3


async def test_a_plan_changes_nothing(takeovers: Takeovers) -> None:
    endpoint = await takeovers.grouped()
    await takeovers.estate.forget_calls()
    planned = await takeovers.plan(endpoint)
    assert (len(planned.ready), planned.hash) == (1, (await takeovers.plan(endpoint)).hash)
    assert await takeovers.writes() == []
    assert await takeovers.has_group(endpoint)


async def test_only_the_very_plan_that_was_shown_is_done(takeovers: Takeovers) -> None:
    endpoint = await takeovers.grouped()
    shown = (await takeovers.plan()).hash
    await takeovers.grouped("pe2", "st2")
    with pytest.raises(PlanChangedError, match=(await takeovers.plan()).hash):
        await takeovers.take_over(plan=shown)
    assert await takeovers.has_group(endpoint)


async def test_in_mode_plan_nothing_is_taken_over(found: Founding, tmp_path: Path) -> None:
    estate = await found(mode="plan")
    await may_take_over(estate)
    moments = Moments(estate.time)
    person = person_at(estate, tmp_path, moments)
    takeovers = Takeovers(estate, person, moments)
    endpoint = await takeovers.grouped()
    planned = await takeovers.plan(endpoint)
    assert len(planned.ready) == 1
    with pytest.raises(PlanOnlyError):
        await takeovers.take_over(endpoint)
    assert await takeovers.has_group(endpoint)
    await person.close()


@pytest.mark.parametrize("policy", ["Default", "NxDomainRedirect"])
async def test_the_gap_is_the_only_time_without_the_private_answer(
    takeovers: Takeovers, simulator: Simulator, policy: str
) -> None:
    """Asked at every change of the world, a linked network's client hears the private address, once something else, and
    the private address again (behaviour reference sections 3.6 and 9.2)."""
    endpoint = await takeovers.grouped()
    network = resource_id(HUB, "rg-hub", "Microsoft.Network/virtualNetworks", "vnet-hub")
    await takeovers.estate.azure.link(zone_id(), network, policy=policy)
    await takeovers.estate.azure.sim("POST", "settings", {"dnsNetwork": network})
    heard: list[str] = []

    def ask(_: str, __: object) -> None:
        answer = resolve(simulator.world, "st1.blob.core.windows.net", "A")
        found = [str(item) for rrset in answer.records if rrset.rdtype == 1 for item in rrset]
        said = ",".join(found) or dns.rcode.to_text(answer.rcode)
        if said != (heard or [""])[-1]:
            heard.append(said)

    ask("", None)
    simulator.world.watchers.append(ask)
    report = await takeovers.take_over(endpoint)
    assert not report.failed
    without = {"Default": "NXDOMAIN", "NxDomainRedirect": "203.0.113.7"}[policy]
    assert heard == ["10.1.0.4", without, "10.1.0.4"]


async def test_a_record_that_outlives_its_group_is_waited_for(takeovers: Takeovers) -> None:
    """Not verified on Azure: a switch (docs/unverified.md)."""
    azure, endpoint = takeovers.estate.azure, await takeovers.grouped()
    await azure.sim("POST", "settings", {"zoneGroupLingerMs": 60_000})
    takeovers.moments.happening = [azure.end_operations, partial(asyncio.sleep, 0), partial(azure.advance, 60)]
    report = await takeovers.take_over(endpoint)
    assert not report.failed
    await its_record_is_ours(takeovers, endpoint)


async def test_a_record_that_goes_with_the_very_end_of_the_group_is_written_again(takeovers: Takeovers) -> None:
    """Nobody says that the group takes nothing along when its record was gone before (behaviour reference section 2.4:
    no ownership check by content)."""
    estate, endpoint = takeovers.estate, await takeovers.grouped()
    takeovers.moments.happening = [estate.delete_by_hand, estate.azure.end_operations]
    report = await takeovers.take_over(endpoint)
    assert not report.failed
    await its_record_is_ours(takeovers, endpoint)
    writes = [each for each in await takeovers.writes() if each.startswith("PUT")]
    assert len(writes) == 3, "one that proved the right, one in place of the group's, one after it had gone"
    [gap] = report.done[0].gaps
    assert gap.seconds > 0.5, "both gaps count"


async def test_where_the_app_was_faster_the_record_is_ours_all_the_same(takeovers: Takeovers) -> None:
    """The event of the group's deletion brings the app, which writes the very same record."""
    estate, endpoint = takeovers.estate, await takeovers.grouped()

    async def both() -> None:
        await estate.azure.end_operations()
        assert written(await estate.look(endpoint)) == {"st1": ["10.1.0.4"]}

    takeovers.moments.happening = [both]
    report = await takeovers.take_over(endpoint)
    assert not report.failed
    [gap] = report.done[0].gaps
    assert gap.seconds > 0
    await its_record_is_ours(takeovers, endpoint)
    assert not (await estate.sweep()).plan.changes


# What fails, at every step


async def test_whoever_may_not_write_the_record_deletes_no_group(takeovers: Takeovers) -> None:
    endpoint = await takeovers.grouped()
    await takeovers.fault(method="PUT", path="/A/st1$", status=403, code="AuthorizationFailed")
    one = await failed(takeovers, endpoint)
    assert "AuthorizationFailed" in one.error
    assert not one.deleted
    assert await takeovers.has_group(endpoint)


@pytest.mark.parametrize(
    ("status", "code"), [(403, "AuthorizationFailed"), (409, "AnotherOperationInProgress"), (409, "ScopeLocked")]
)
async def test_a_deletion_that_azure_refuses_changes_nothing(takeovers: Takeovers, status: int, code: str) -> None:
    """Behaviour reference sections 2.4 and 6.1."""
    endpoint = await takeovers.grouped()
    await takeovers.fault(method="DELETE", path="privateDnsZoneGroups", status=status, code=code)
    one = await failed(takeovers, endpoint)
    assert code in one.error
    assert (one.deleted, one.gaps) == (False, ())
    assert [outcome.result for outcome in one.outcomes] == [Result.FAILED]
    assert await takeovers.has_group(endpoint)
    assert (await takeovers.record())["metadata"].keys() == {"creator"}


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_deletion_whose_answer_is_lost_is_gone_on_with_if_it_was_heard(takeovers: Takeovers, when: str) -> None:
    endpoint = await takeovers.grouped()
    await takeovers.fault(method="DELETE", path="privateDnsZoneGroups", when=when, reset=True)
    report = await takeovers.take_over(endpoint)
    assert report.failed is (when == "before")
    assert await takeovers.has_group(endpoint) is (when == "before")
    if when == "after":
        await its_record_is_ours(takeovers, endpoint)


@pytest.mark.parametrize(("status", "code"), [(403, "AuthorizationFailed"), (404, "SubscriptionNotFound")])
async def test_where_nobody_knows_whether_the_group_goes_that_is_said(
    takeovers: Takeovers, status: int, code: str
) -> None:
    endpoint = await takeovers.grouped()
    await takeovers.fault(method="DELETE", path="privateDnsZoneGroups", when="after", reset=True)
    await takeovers.fault(method="GET", path="privateDnsZoneGroups/", status=status, code=code)
    one = await failed(takeovers, endpoint)
    assert one.deleted
    assert "whether the zone group is there is not known" in one.error


async def test_a_record_that_does_not_go_ends_the_wait(takeovers: Takeovers) -> None:
    endpoint, began = await takeovers.grouped(), takeovers.estate.time.seconds
    await takeovers.estate.azure.sim("POST", "settings", {"zoneGroupLingerMs": 10**9})
    one = await failed(takeovers, endpoint)
    assert f"did not become ours after {PATIENCE:.0f} s" in one.error
    assert "the zone group is gone" in one.error
    assert "10.1.0.4 stands there, by zone group" in one.error
    assert one.deleted
    assert PATIENCE * 0.8 < takeovers.estate.time.seconds - began <= PATIENCE + 1
    reads = [each for each in await takeovers.estate.azure.requests() if each["path"].endswith("/A/st1")]
    assert len(reads) < 60, "private DNS takes 500 GETs in five minutes"
    [(reason, said)] = await takeovers.why_not(endpoint)
    assert (reason, said.startswith(f"st1.{BLOB_ZONE} A was left behind")) == (ObstacleReason.OTHERS_RECORD, True)
    await takeovers.estate.delete_by_hand()
    assert not (await takeovers.take_over(endpoint)).failed, "with the leftover gone, only the write is left"
    await its_record_is_ours(takeovers, endpoint)


async def test_a_record_that_changes_instead_of_going_is_not_touched(takeovers: Takeovers) -> None:
    estate, endpoint = takeovers.estate, await takeovers.grouped()
    takeovers.moments.happening = [partial(estate.write_by_hand, owner="somebody")]
    one = await failed(takeovers, endpoint)
    assert "changed by somebody else" in one.error
    assert await estate.addresses() == ["10.9.9.9"]


async def test_a_write_that_fails_for_a_while_is_tried_again(takeovers: Takeovers) -> None:
    endpoint = await takeovers.grouped()
    await takeovers.fault(method="PUT", path="/A/st1$", skip=1, times=6, status=503, code="ServerBusy")
    report = await takeovers.take_over(endpoint)
    assert not report.failed
    await its_record_is_ours(takeovers, endpoint)


async def test_azures_own_wait_is_kept(takeovers: Takeovers) -> None:
    endpoint, began = await takeovers.grouped(), takeovers.estate.time.seconds
    await takeovers.fault(method="PUT", path="/A/st1$", skip=1, times=1, status=429, retryAfter=60)
    report = await takeovers.take_over(endpoint)
    assert not report.failed
    assert takeovers.estate.time.seconds - began > 60
    [gap] = report.done[0].gaps
    assert gap.seconds > 60, "it is told as it was"


async def test_a_write_that_never_succeeds_ends_the_wait_and_tells_the_state(takeovers: Takeovers) -> None:
    endpoint = await takeovers.grouped()
    await takeovers.fault(method="PUT", path="/A/st1$", skip=1, status=429, retryAfter=60)
    one = await failed(takeovers, endpoint)
    assert "TooManyRequests" in one.error
    assert "nothing stands there" in one.error


async def test_a_record_that_is_not_shown_any_more_ends_the_wait(takeovers: Takeovers) -> None:
    endpoint = await takeovers.grouped()
    fault = partial(takeovers.fault, method="GET", path="/A/st1$", status=403, code="AuthorizationFailed")
    takeovers.moments.happening = [fault]
    one = await failed(takeovers, endpoint)
    assert "AuthorizationFailed" in one.error
    assert "what stands there is not known" in one.error


async def test_a_write_that_is_refused_tells_the_state_and_the_app_mends_it(takeovers: Takeovers) -> None:
    """The right went between the proof and the write; the app has its own, and was told to look."""
    endpoint = await takeovers.grouped()
    await takeovers.fault(method="PUT", path="/A/st1$", skip=1, status=403, code="AuthorizationFailed")
    one = await failed(takeovers, endpoint)
    assert "AuthorizationFailed" in one.error
    assert "the zone group is gone" in one.error
    assert "nothing stands there; the app writes it when it looks next" in one.error
    assert await takeovers.estate.addresses() is None
    await takeovers.estate.azure.sim("DELETE", "faults")
    assert written(await takeovers.estate.look(endpoint)) == {"st1": ["10.1.0.4"]}


async def test_a_group_that_stays_although_its_records_went_is_told_of(takeovers: Takeovers) -> None:
    estate, endpoint = takeovers.estate, await takeovers.grouped()
    takeovers.moments.happening = [estate.delete_by_hand]
    one = await failed(takeovers, endpoint)
    assert "the records are ours, but the zone group default is still there" in one.error
    assert [outcome.result for outcome in one.outcomes] == [Result.DONE]
    run = await estate.hubwarden.run_named(one.run)
    assert run is not None
    assert (run.status, bool(run.error)) == (Status.PARTIAL, True)


async def test_what_changed_since_it_was_planned_is_left_alone_when_its_turn_comes(takeovers: Takeovers) -> None:
    estate, first = takeovers.estate, await takeovers.grouped()
    second = await takeovers.grouped("pe2", "st2")

    async def meanwhile() -> None:
        await estate.write_by_hand("st2")
        await estate.azure.end_operations()

    takeovers.moments.happening = [meanwhile, *[estate.azure.end_operations] * 9]
    report = await takeovers.take_over(first, second)
    assert [bool(each.error) for each in report.done] == [False, True]
    assert "others_record" in report.done[1].error
    assert await takeovers.has_group(second)


async def test_the_first_failure_ends_it_all(takeovers: Takeovers) -> None:
    endpoints = [await takeovers.grouped(f"pe{n}", f"st{n}") for n in range(3)]
    await takeovers.fault(method="DELETE", path="pe1/privateDnsZoneGroups", status=403, code="AuthorizationFailed")
    report = await takeovers.take_over()
    assert [bool(each.error) for each in report.done] == [False, True]
    assert [await takeovers.has_group(each) for each in endpoints] == [False, True, True]
    again = await takeovers.plan()
    assert [str(each.endpoint) for each in again.ready] == endpoints[1:]


async def test_without_the_ledger_nothing_is_begun(takeovers: Takeovers, tmp_path: Path) -> None:
    nobody = (
        "DefaultEndpointsProtocol=http;AccountName=test;AccountKey=dGVzdA==;"
        "QueueEndpoint=http://127.0.0.1:9/test;TableEndpoint=http://127.0.0.1:9/test;"
    )
    endpoint = await takeovers.grouped()
    person = person_at(takeovers.estate, tmp_path, takeovers.moments, storage=nobody)
    alone = Takeovers(takeovers.estate, person, takeovers.moments)
    await takeovers.estate.forget_calls()
    one = await failed(alone, endpoint)
    assert "the ledger cannot be written" in one.error
    assert "nothing was deleted" in one.error
    assert await takeovers.writes() == []
    await person.close()


@pytest.mark.parametrize("heard", [True, False], ids=["its event is heard", "the sweep comes"])
async def test_another_endpoints_group_takes_the_record_along_and_it_is_written_again(
    takeovers: Takeovers, heard: bool
) -> None:
    """Whose group goes takes the name's record along, whoever's it is by then (behaviour reference section 2.4)."""
    estate, first, second = takeovers.estate, await takeovers.grouped("pe1"), await takeovers.grouped("pe2")
    assert [str(each.endpoint) for each in (await takeovers.plan()).takeovers] == [second]
    await takeovers.take_over(second)
    assert await takeovers.why_not(first) != []
    assert (await estate.azure.arm("DELETE", group_id(first))).status == 202
    await estate.azure.end_operations()
    assert await estate.addresses() is None
    await (estate.look(first) if heard else estate.sweep())
    assert await estate.addresses() in (["10.1.0.4"], ["10.1.0.5"])


# Interrupted between the deletion and the write


@pytest.fixture
async def interrupted(takeovers: Takeovers) -> str:
    """An endpoint whose takeover ended when its group was gone and nothing written; its id."""
    endpoint = await takeovers.grouped()
    planned = await takeovers.plan(endpoint)
    running: list[asyncio.Task[object]] = []

    async def killed() -> None:
        await takeovers.estate.azure.end_operations()
        running[0].cancel()
        await asyncio.sleep(0)

    await takeovers.estate.azure.hold_operations()
    takeovers.moments.happening = [killed]
    named = [ResourceId.parse(endpoint)]
    running.append(asyncio.create_task(takeovers.person.take_over(named, planned.hash)))
    with pytest.raises(asyncio.CancelledError):
        await running[0]
    assert await takeovers.estate.addresses() is None
    assert not await takeovers.has_group(endpoint)
    return endpoint


async def test_the_event_of_the_deletion_alone_leads_to_the_record(takeovers: Takeovers, interrupted: str) -> None:
    """Its subject is the group, which is a reason to look at the endpoint (tests/doors/test_events.py)."""
    assert written(await takeovers.estate.look(interrupted)) == {"st1": ["10.1.0.4"]}
    await its_record_is_ours(takeovers, interrupted)


async def test_a_sweep_leads_to_the_record(takeovers: Takeovers, interrupted: str) -> None:
    assert written(await takeovers.estate.sweep()) == {"st1": ["10.1.0.4"]}


@pytest.mark.parametrize("named", [True, False])
async def test_the_next_takeover_leads_to_the_record(takeovers: Takeovers, interrupted: str, named: bool) -> None:
    report = await takeovers.take_over(*([interrupted] if named else []))
    assert not report.failed
    assert [each.takeover.group for each in report.done] == [None]
    await its_record_is_ours(takeovers, interrupted)


async def test_the_app_was_told_to_look_before_anything_was_deleted(takeovers: Takeovers, interrupted: str) -> None:
    waiting = await takeovers.estate.hubwarden.rooms.work.lengths()
    assert waiting[0] == len(LOOKS)


async def test_its_run_says_that_it_was_interrupted(takeovers: Takeovers, interrupted: str) -> None:
    """A run that nobody goes on with does not stay under way for ever."""
    [run], _ = await takeovers.estate.hubwarden.runs(1)
    assert (run.mode, run.status, run.finished_at is None) == (MODE, Status.FAILED, False)
    assert run.scope == OneEndpoint(ResourceId.parse(interrupted), thorough=True)
    assert "interrupted" in run.error
