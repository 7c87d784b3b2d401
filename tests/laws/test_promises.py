"""Runs that somebody asked for: what is promised is kept, by whatever instance takes it from the queue (law 12)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from azure.storage.queue import TextBase64DecodePolicy
from azure.storage.queue.aio import QueueClient

from hubwarden.errors import LedgerUnavailableError, PlanChangedError, UnavailableError
from hubwarden.model.report import Report, Run, Status
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import Everything, OneEndpoint
from hubwarden.model.work import WORK_QUEUE, Cause, WorkItem
from hubwarden.reconcile import asked
from hubwarden.reconcile.asked import KEPT
from tests.estate import Estate, written
from tests.laws.conftest import Founding
from tests.laws.test_limits import estate_of, names, over

LONG = 100.0
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Queue:
    """The work queue, as the Functions host sees it."""

    def __init__(self, client: QueueClient) -> None:
        self._client = client

    async def take(self) -> list[WorkItem]:
        """Everything in it, due or not."""
        found = [
            WorkItem.from_json(each.content) async for each in self._client.receive_messages(visibility_timeout=600)
        ]
        await self._client.clear_messages()
        return found


@pytest.fixture
async def estate(found: Founding) -> Estate:
    """The estate with waits so short that the queue hides nothing: it counts whole seconds."""
    return await found(followUps=["100ms", "200ms"])


@pytest.fixture
async def queue(estate: Estate) -> AsyncIterator[Queue]:
    """The queue of the estate, which is there from the start."""
    policy = TextBase64DecodePolicy()
    async with QueueClient.from_connection_string(
        estate.connection_string, WORK_QUEUE, message_decode_policy=policy
    ) as client:
        await client.create_queue()
        yield Queue(client)


async def scope_of(estate: Estate, name: str = "pe1") -> OneEndpoint:
    """A person's question about an endpoint that is there."""
    return OneEndpoint(ResourceId.parse(await estate.azure.endpoint(name, await estate.azure.spoke())), thorough=True)


async def the_run(estate: Estate, name: str) -> Run:
    """A run that is known."""
    run = await estate.hubwarden.run_named(name)
    assert run is not None
    return run


async def test_what_is_done_in_time_is_told_at_once_and_kept(estate: Estate, queue: Queue) -> None:
    scope = await scope_of(estate)
    report = await estate.hubwarden.ask(scope, within=LONG)
    assert isinstance(report, Report)
    assert written(report) == {"st1": ["10.1.0.4"]}
    run = await the_run(estate, report.run)
    assert (run.status, run.mode, run.scope) == (Status.DONE, "apply", scope)
    assert run.report is not None
    assert run.report["plan"]["hash"] == report.plan.hash
    assert await queue.take() == []


async def test_what_is_not_done_in_time_goes_on_through_the_queue(estate: Estate, queue: Queue) -> None:
    scope = await scope_of(estate)
    name = await estate.hubwarden.ask(scope, within=0)
    assert isinstance(name, str)
    promised = await the_run(estate, name)
    assert (promised.status, promised.finished_at, promised.report) == (Status.RUNNING, None, None)
    [item] = await queue.take()
    assert (item.run, item.attempt, item.scope) == (name, 0, scope)
    assert await estate.addresses() is None

    assert await estate.hubwarden.work(item, within=LONG) is None
    assert await estate.addresses() == ["10.1.0.4"]
    run = await the_run(estate, name)
    assert run.status is Status.DONE
    assert run.report is not None
    assert run.report["run"] == name

    await estate.forget_calls()
    assert await estate.hubwarden.work(item, within=LONG) is None
    assert await estate.calls() == [], "a message that comes twice is not done twice"


async def test_a_run_that_only_plans_writes_nothing_through_the_queue_either(estate: Estate, queue: Queue) -> None:
    """What a run may do stands in the ledger; the item in the queue has no word of it."""
    name = await estate.hubwarden.start(await scope_of(estate), applies=False)
    [item] = await queue.take()
    await estate.hubwarden.work(item, within=LONG)
    run = await the_run(estate, name)
    assert (run.mode, run.status) == ("plan", Status.DONE)
    assert run.report is not None
    assert len(run.report["plan"]["changes"]) == 1
    assert await estate.addresses() is None


async def test_a_plan_is_applied_only_while_it_is_that_very_one(estate: Estate, queue: Queue) -> None:
    scope = await scope_of(estate)
    planned = (await estate.hubwarden.run(scope, applies=False)).plan.hash
    with pytest.raises(PlanChangedError, match=planned):
        await estate.hubwarden.ask(scope, plan="0" * 16, within=LONG)
    assert await estate.addresses() is None
    done = await estate.hubwarden.ask(scope, plan=planned, within=LONG)
    assert isinstance(done, Report)
    assert done.plan.hash == planned
    assert (await the_run(estate, done.run)).plan == planned
    assert await queue.take() == []


async def test_a_promised_plan_that_is_another_by_then_fails_and_says_so(estate: Estate, queue: Queue) -> None:
    scope = await scope_of(estate)
    name = await estate.hubwarden.ask(scope, plan="0" * 16, within=0)
    assert isinstance(name, str)
    [item] = await queue.take()
    assert "0" * 16 not in item.to_json(), "the hash is in the ledger, never in the queue"
    assert (await the_run(estate, name)).plan == "0" * 16
    await estate.hubwarden.work(item, within=LONG)
    run = await the_run(estate, name)
    assert (run.status, run.report) == (Status.FAILED, None)
    assert "not 0000000000000000" in run.error
    assert run.finished_at is not None
    assert await estate.addresses() is None


class Patience:
    """How long somebody waits for an answer: until the test says that it is over."""

    def timeout(self, _: float) -> asyncio.Timeout:
        """Stands in for asyncio.timeout."""
        self._waiting = asyncio.timeout(None)
        return self._waiting

    def is_over(self) -> None:
        """Now."""
        self._waiting.reschedule(asyncio.get_running_loop().time())


async def test_a_plan_that_a_person_let_through_goes_on_through_the_queue(
    found: Founding, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Law 9: with half of it done it has another hash, and still is what the person let through."""
    estate, endpoints = await estate_of(found, 3, perZone=1)
    for endpoint in endpoints[:2]:
        await estate.delete_endpoint(endpoint)
    seen = await estate.sweep()
    assert over(seen) == 2
    fault = {"service": "arm", "method": "DELETE", "path": "/A/acct1$", "delayMs": 60_000, "status": 500}
    await estate.azure.sim("POST", "faults", fault)
    patience = Patience()
    monkeypatch.setattr(asked, "asyncio", patience)
    asking = asyncio.ensure_future(estate.hubwarden.ask(Everything(), plan=seen.plan.hash, within=LONG))

    async def half_is_done() -> bool:
        forgotten = not await estate.hubwarden.rooms.claims.of(ResourceId.parse(endpoints[0]))
        return forgotten and await names(estate) == {"acct1", "acct2"}

    await estate.until(half_is_done)
    patience.is_over()
    name = await asking
    assert isinstance(name, str)
    assert await names(estate) == {"acct1", "acct2"}
    await estate.hubwarden.work(WorkItem(Everything(), 0, estate.time.now(), run=name), within=LONG)
    run = await the_run(estate, name)
    assert (run.status, run.error) == (Status.DONE, "")
    assert await names(estate) == {"acct2"}


async def test_while_azure_is_away_a_plan_is_refused_and_the_work_is_promised(estate: Estate, queue: Queue) -> None:
    scope = await scope_of(estate)
    fault = {"service": "arm", "method": "GET", "path": "privateEndpoints/pe1", "status": 503, "times": 1000}
    await estate.azure.sim("POST", "faults", fault)
    with pytest.raises(UnavailableError):
        await estate.hubwarden.ask(scope, applies=False, within=LONG)
    name = await estate.hubwarden.ask(scope, within=LONG)
    assert isinstance(name, str)

    [item] = await queue.take()
    await estate.hubwarden.work(item, within=LONG)
    assert (await the_run(estate, name)).status is Status.RUNNING, "it comes again"
    [again] = await queue.take()
    assert (again.run, again.attempt) == (name, 1)
    assert again.due > item.due

    await estate.azure.sim("DELETE", "faults")
    await estate.hubwarden.work(again, within=LONG)
    assert (await the_run(estate, name)).status is Status.DONE
    assert await estate.addresses() == ["10.1.0.4"]


async def test_a_promise_that_cannot_be_kept_ends_as_failed(found: Founding) -> None:
    estate = await found(followUps=["15s"])
    scope = await scope_of(estate)
    name = await estate.hubwarden.start(scope)
    fault = {"service": "arm", "method": "GET", "path": "privateEndpoints/pe1", "status": 503, "times": 1000}
    await estate.azure.sim("POST", "faults", fault)
    item = WorkItem(scope, attempt=1, due=estate.time.now(), run=name)
    await estate.hubwarden.work(item, within=LONG)
    run = await the_run(estate, name)
    assert run.status is Status.FAILED
    assert "503" in run.error


async def test_a_run_that_never_ends_in_time_says_that(found: Founding) -> None:
    estate = await found(followUps=["15s"])
    scope = await scope_of(estate)
    name = await estate.hubwarden.start(scope)
    await estate.hubwarden.work(WorkItem(scope, attempt=1, due=estate.time.now(), run=name), within=0)
    run = await the_run(estate, name)
    assert (run.status, run.error) == (Status.FAILED, "it did not end in time")


async def test_what_azure_refuses_for_good_is_told_and_not_promised(estate: Estate, queue: Queue) -> None:
    """Whoever asked can do more about it than the queue."""
    await scope_of(estate)
    away = OneEndpoint(ResourceId.parse(await estate.azure.endpoint("pe2", await estate.azure.spoke())))
    fault = {"service": "arm", "method": "GET", "path": "privateDnsZones", "status": 403, "code": "AuthorizationFailed"}
    await estate.azure.sim("POST", "faults", {**fault, "times": 1000})
    name = await estate.hubwarden.start(away)
    came = await estate.hubwarden.ask(away, within=LONG)
    assert isinstance(came, Report)
    [item, *_] = await queue.take()
    await estate.hubwarden.work(item, within=LONG)
    run = await the_run(estate, name)
    assert run.report is not None
    assert [each["reason"] for each in run.report["plan"]["held"]] == [each.reason for each in came.plan.held]


async def test_what_a_run_could_not_write_is_looked_at_again(estate: Estate, queue: Queue) -> None:
    scope = await scope_of(estate)
    fault = {"service": "arm", "method": "PUT", "path": "/A/st1$", "status": 503, "times": 1000}
    await estate.azure.sim("POST", "faults", fault)
    report = await estate.hubwarden.ask(scope, within=LONG)
    assert isinstance(report, Report)
    assert report.status is Status.FAILED
    [follow_up] = await queue.take()
    assert (follow_up.scope, follow_up.attempt, follow_up.run) == (scope, 1, "")


async def test_a_zone_group_is_looked_at_after_its_time(estate: Estate, queue: Queue) -> None:
    """Section 2.4: its records come and go some time after its event."""
    scope = await scope_of(estate)
    now = estate.time.now()
    await estate.hubwarden.later(scope, (0.0, 0.5), cause=Cause(TRACE, now - 1))
    items = sorted(await queue.take(), key=lambda item: item.due)
    assert [(item.attempt, item.due - now, item.trace, item.since) for item in items] == [
        (0, 0, TRACE, now - 1),
        (0, 0.5, TRACE, now - 1),
    ]
    await estate.hubwarden.look(scope, within=LONG)
    for item in items:
        looked = await estate.hubwarden.work(item, within=LONG)
        assert looked is not None, "no other look takes its place"


async def test_a_run_without_effect_is_not_kept(estate: Estate) -> None:
    """Else every repeated event would leave a row."""
    scope = replace(await scope_of(estate), thorough=False)
    first = await estate.hubwarden.run(scope)
    assert (await estate.hubwarden.runs(10))[0] == [replace(await the_run(estate, first.run), report=None)]
    second = await estate.hubwarden.run(scope)
    assert not second.plan.changes
    assert await estate.hubwarden.run_named(second.run) is None


async def test_a_sweep_is_kept_and_forgets_what_is_old(estate: Estate) -> None:
    scope = await scope_of(estate)
    old = await estate.hubwarden.run(scope)
    assert await estate.hubwarden.last_sweep() is None
    estate.time.seconds += KEPT + 1
    sweep = await estate.hubwarden.run(Everything())
    last = await estate.hubwarden.last_sweep()
    assert last is not None
    assert (last.id, last.scope) == (sweep.run, Everything())
    assert await estate.hubwarden.run_named(old.run) is None
    assert [run.id for run in (await estate.hubwarden.runs(10))[0]] == [sweep.run]


async def test_a_run_that_cannot_be_kept_is_done_all_the_same(
    estate: Estate, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The work is done; only its story is lost, and that is said."""

    async def down(_: Run) -> None:
        raise LedgerUnavailableError("Azure Storage does not answer")

    monkeypatch.setattr(estate.hubwarden.rooms.runs, "store", down)
    with caplog.at_level(logging.WARNING):
        report = await estate.hubwarden.run(await scope_of(estate))
    assert report.status is Status.DONE
    assert await estate.addresses() == ["10.1.0.4"]
    assert f"run {report.run} is not kept: Azure Storage does not answer" in caplog.text


async def test_a_ledger_that_is_slow_to_keep_a_run_holds_nobody_up(
    estate: Estate, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asked, "KEEP_WITHIN", 0.0)
    with caplog.at_level(logging.WARNING):
        report = await estate.hubwarden.run(await scope_of(estate))
    assert report.status is Status.DONE
    assert f"run {report.run} is not kept: storage is silent" in caplog.text


@pytest.mark.usefixtures("azurite_down")
async def test_with_storage_down_nothing_is_promised(estate: Estate) -> None:
    scope = await scope_of(estate)
    with pytest.raises(LedgerUnavailableError):
        await estate.hubwarden.start(scope)
    with pytest.raises(LedgerUnavailableError):
        await estate.hubwarden.ask(scope, within=0)
    with pytest.raises(LedgerUnavailableError):
        await estate.hubwarden.later(scope, (30.0,))
