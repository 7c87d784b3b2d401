"""A word not done in time goes on through the work queue; what it may do is in the ledger, never in the queue."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import NoReturn

import pytest

from hubwarden.errors import LedgerUnavailableError, UnavailableError
from hubwarden.model.report import Report, Status
from hubwarden.model.work import WorkItem
from hubwarden.reconcile import asked
from hubwarden.reconcile.run import let_through, reconcile
from tests.estate import Estate
from tests.laws.conftest import Founding, restarted
from tests.laws.test_promises import LONG, Patience, Queue, queue, the_run
from tests.laws.test_word import ACCOUNT, FQDN, mark, planned, word
from tests.laws.test_word_ours import RENAMED, instances

__all__ = ["queue"]

SHORT = {"followUps": ["100ms", "200ms"]}
"""Waits so short that the queue hides nothing: it counts whole seconds."""


@pytest.fixture
async def estate(found: Founding) -> Estate:
    """An endpoint, and the record that it wants made by hand."""
    estate = await found(**SHORT)
    await estate.azure.endpoint("pe1", ACCOUNT)
    await estate.write_by_hand(addresses=["10.1.0.4"])
    return estate


async def promised(estate: Estate, plan: str, *names: str) -> str:
    """An adoption that nobody could wait for; the run's name."""
    name = await estate.hubwarden.ask(word("adopt", *names), plan=plan, within=0)
    assert isinstance(name, str)
    return name


async def test_what_is_done_in_time_is_told_at_once_and_kept(estate: Estate, queue: Queue) -> None:
    said = word("adopt", FQDN)
    plan = await estate.hubwarden.ask(said, applies=False, within=LONG)
    assert isinstance(plan, Report)
    done = await estate.hubwarden.ask(said, plan=plan.plan.hash, within=LONG)
    assert isinstance(done, Report)
    assert (done.mode, done.status) == ("apply", Status.DONE)
    run = await the_run(estate, done.run)
    assert (run.scope, run.plan, run.mode) == (said, plan.plan.hash, "apply")
    assert await queue.take() == []


async def test_a_promised_word_is_done_by_whoever_takes_it_from_the_queue(estate: Estate, queue: Queue) -> None:
    plan = (await planned(estate, word("adopt", FQDN))).plan.hash
    name = await promised(estate, plan, FQDN)
    [item] = await queue.take()
    assert (item.scope, item.run) == (word("adopt", FQDN), name)
    assert plan not in item.to_json()
    await estate.hubwarden.work(item, within=LONG)
    run = await the_run(estate, name)
    assert (run.status, run.plan) == (Status.DONE, plan)
    assert (await mark(estate))["hubwarden_instance"] == "contoso"


async def test_a_message_that_says_more_than_was_promised_is_not_believed(estate: Estate, queue: Queue) -> None:
    """The scope of a promised run is the ledger's."""
    await estate.write_by_hand("other")
    name = await promised(estate, (await planned(estate, word("adopt"))).plan.hash)
    await queue.take()
    forged = WorkItem(word("replace", "other.blob.core.windows.net"), attempt=0, due=estate.time.now(), run=name)
    await estate.hubwarden.work(forged, within=LONG)
    run = await the_run(estate, name)
    assert (run.scope, run.status) == (word("adopt"), Status.DONE)
    assert await estate.addresses("other") == ["10.9.9.9"]


async def test_a_promised_word_whose_plan_is_another_by_then_fails_and_says_so(estate: Estate, queue: Queue) -> None:
    name = await promised(estate, "0" * 16, FQDN)
    [item] = await queue.take()
    await estate.hubwarden.work(item, within=LONG)
    run = await the_run(estate, name)
    assert (run.status, run.report) == (Status.FAILED, None)
    assert "now, not 0000000000000000" in run.error
    assert "hubwarden" not in await mark(estate)


async def test_a_word_that_is_half_done_when_time_is_up_goes_on(
    estate: Estate, queue: Queue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left has another hash, and still is what the person named."""
    await estate.delete_by_hand()
    await estate.azure.endpoint("pe2", await estate.azure.storage_account("st2"))
    await estate.sweep()
    await restarted(estate, tmp_path, **RENAMED, **SHORT)
    said = word("rename")
    plan = (await planned(estate, said)).plan
    assert len(plan.changes) == 2
    fault = {"service": "arm", "method": "PUT", "path": "/A/st1$", "delayMs": 60_000, "status": 500}
    await estate.azure.sim("POST", "faults", fault)
    patience = Patience()
    monkeypatch.setattr(asked, "asyncio", patience)
    asking = asyncio.ensure_future(estate.hubwarden.ask(said, plan=plan.hash, within=LONG))

    async def half_is_done() -> bool:
        return await instances(estate, "st1", "st2") == ["contoso", "adatum"]

    await estate.until(half_is_done)
    patience.is_over()
    name = await asking
    assert isinstance(name, str)
    assert (await planned(estate, said)).plan.hash != plan.hash
    [item] = await queue.take()
    await estate.hubwarden.work(item, within=LONG)
    run = await the_run(estate, name)
    assert (run.status, run.error) == (Status.DONE, "")
    assert await instances(estate, "st1", "st2") == ["adatum", "adatum"]


async def test_while_azure_is_away_a_plan_is_refused_and_the_word_is_promised(estate: Estate, queue: Queue) -> None:
    said = word("adopt", FQDN)
    plan = (await planned(estate, said)).plan.hash
    fault = {"service": "graph", "method": "POST", "path": "resources", "status": 503, "times": 1000}
    await estate.azure.sim("POST", "faults", fault)
    with pytest.raises(UnavailableError):
        await estate.hubwarden.ask(said, applies=False, within=LONG)
    name = await estate.hubwarden.ask(said, plan=plan, within=LONG)
    assert isinstance(name, str)
    [item] = await queue.take()
    await estate.azure.sim("DELETE", "faults")
    await estate.hubwarden.work(item, within=LONG)
    assert (await the_run(estate, name)).status is Status.DONE


async def test_one_endpoint_that_is_not_shown_leaves_the_plan_unfinished_and_holds_no_other(estate: Estate) -> None:
    """It may want a record, too; nobody knows."""
    await estate.azure.endpoint("pe2", await estate.azure.storage_account("st2"))
    await estate.write_by_hand("st2", addresses=["10.1.0.5"])
    fault = {"service": "arm", "method": "GET", "path": "privateEndpoints/pe2", "status": 503, "times": 1000}
    await estate.azure.sim("POST", "faults", fault)
    report = await planned(estate, word("adopt"))
    assert report.status is Status.PARTIAL
    assert [change.key.name for change in report.plan.changes] == ["st1"]
    done = await estate.hubwarden.run(word("adopt"), plan=report.plan.hash)
    assert done.status is Status.PARTIAL
    assert (await mark(estate))["hubwarden_instance"] == "contoso"
    assert "hubwarden" not in await mark(estate, "st2")


async def test_a_ledger_that_falls_silent_leaves_the_rest_undone_and_costs_no_report(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Law 12. While it is only planned, whoever asks is told to ask again."""
    said = word("adopt", FQDN)
    plan = (await planned(estate, said)).plan.hash
    through = await let_through(estate.hubwarden.rooms, said, plan)

    async def silence(_: object) -> NoReturn:
        raise LedgerUnavailableError("storage is silent")

    with monkeypatch.context() as patch:
        patch.setattr(estate.hubwarden.rooms.claims, "of", silence)
        with pytest.raises(LedgerUnavailableError):
            await estate.hubwarden.run(said, applies=False)
        report = await reconcile(estate.hubwarden.rooms, said, through=through)
    assert (report.mode, report.status, report.outcomes) == ("apply", Status.PARTIAL, ())
    assert "hubwarden" not in await mark(estate)
    assert (await estate.hubwarden.run(said, plan=plan)).status is Status.DONE
