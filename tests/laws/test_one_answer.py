"""One answer for each connection at a time, whoever gives it: where a provider has no etag, the ledger decides.

Two hosts over one storage, perhaps with different policies, as while a new one is rolled out. Observed: what was sent,
what the target shows, the ledger's rows, and what the topic was told.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hubwarden.errors import LedgerUnavailableError
from hubwarden.model.connection import Verdict
from hubwarden.model.plan import HeldReason
from hubwarden.model.report import Report, Result
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import OneTarget, Pending, Scope
from hubwarden.runtime import Runtime
from tests.azure import Azure
from tests.estate import Estate, config
from tests.laws.announced import APPROVED, announcing, kinds, topic_of
from tests.laws.conftest import Founding
from tests.laws.test_announced_after_a_crash import rows_of_answers
from tests.laws.test_approvals import STORAGE, asked, fault, rule, statuses, target_of, writes
from tests.laws.test_providers import COSMOS, MESSAGES, SQL, sent, state_of, waiting_at
from tests.laws.test_providers import connection_at as shown_at

APPROVES = {"rules": [rule("own", types=[STORAGE, SQL, COSMOS, MESSAGES], **{"in": "estate"})]}
REJECTS = {"rules": [rule("none", "reject", types=[STORAGE, SQL, COSMOS, MESSAGES], **{"in": "estate"})]}


@asynccontextmanager
async def another_host(estate: Estate, directory: Path, approvals: Any, **changes: Any) -> AsyncIterator[Runtime]:
    """A second instance over the same storage and the same Azure."""
    settled = config(directory, estate.azure.url, estate.connection_string, approvals=approvals, **changes)
    async with Runtime.build(settled, now=estate.time.now, sleep=estate.time.sleep) as host:
        yield host


def held_up(patch: pytest.MonkeyPatch, host: Runtime) -> tuple[asyncio.Event, asyncio.Event]:
    """The host's next answer waits right before it is sent: that it came so far, and that it may go on."""
    came, goes_on = asyncio.Event(), asyncio.Event()
    session = host.rooms.arm
    send = session.send

    async def late(*told: Any) -> None:
        came.set()
        await goes_on.wait()
        await send(*told)

    patch.setattr(session, "send", late)
    return came, goes_on


@pytest.mark.parametrize("target_type", [STORAGE, SQL, COSMOS, MESSAGES])
@pytest.mark.parametrize("theirs", [APPROVES, REJECTS])
async def test_while_one_answers_the_other_steps_back(
    found: Founding,
    azure: Azure,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    target_type: str,
    theirs: dict[str, Any],
) -> None:
    """The first answer stands, be the other's policy the same or another: one write, one row, one event."""
    estate = await announcing(found, azure, approvals=APPROVES)
    target, _ = await waiting_at(estate, target_type)
    came, goes_on = held_up(monkeypatch, estate.hubwarden)
    scope = OneTarget(ResourceId.parse(target))
    async with another_host(estate, tmp_path, theirs, events={"topic": topic_of(azure)}) as other:
        first = asyncio.ensure_future(estate.hubwarden.run(scope))
        await came.wait()
        report = await other.run(scope)
        assert [each.verdict for each in report.decisions] == [Verdict.HOLD]
        [held] = [each for each in report.plan.held if each.connection]
        assert (held.reason, held.waits) == (HeldReason.NOT_READY, True)
        assert "but another run is answering it" in held.detail
        assert report.look_again
        goes_on.set()
        await first
        await estate.azure.advance(60)
        estate.time.seconds += 60
        for host in (other, estate.hubwarden):
            await host.run(scope)
    assert state_of(await shown_at(estate, target))["status"] == "Approved"
    assert await sent(estate) == ["PUT"]
    assert [(row["Verdict"], row["Result"]) for row in await rows_of_answers(estate)] == [("approve", "done")]
    assert (await kinds(estate)).count(APPROVED) == 1


@pytest.mark.parametrize("count", range(3))
async def test_of_hosts_with_different_policies_one_is_heard(found: Founding, tmp_path: Path, count: int) -> None:
    """All look at the same moment; who comes first is left to chance, and that there is one answer is not."""
    estate = await found(approvals=APPROVES)
    target = await target_of(estate, STORAGE)
    for number in range(count + 1):
        await asked(estate, target, f"pe{number}")
    async with AsyncExitStack() as hosts:
        policies = (REJECTS, APPROVES, REJECTS)
        others = [await hosts.enter_async_context(another_host(estate, tmp_path, each)) for each in policies]
        await asyncio.gather(*(host.run(Pending()) for host in (estate.hubwarden, *others)))
    rows = await rows_of_answers(estate)
    done = {row["Connection"].lower(): row["After"] for row in rows if row["Result"] == "done"}
    assert sorted(done.values()) == sorted(await statuses(estate, target))
    assert len(await writes(estate)) == len(done) == count + 1


async def test_who_comes_after_a_crash_waits_until_nobody_can_be_at_it(
    found: Founding, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As long as an invocation lasts; then the answer goes on, as the one row that it was."""
    estate = await found(approvals=APPROVES)
    target = await target_of(estate, STORAGE)
    await asked(estate, target)
    scope = OneTarget(ResourceId.parse(target))
    came, _ = held_up(monkeypatch, estate.hubwarden)
    dying = asyncio.ensure_future(estate.hubwarden.run(scope))
    await came.wait()
    dying.cancel()
    [left] = await estate.hubwarden.rooms.decisions.open()
    async with another_host(estate, tmp_path, APPROVES) as other:
        estate.time.seconds += 599
        assert results([await other.run(scope)]) == []
        estate.time.seconds += 1
        assert results([await other.run(scope)]) == [Result.DONE]
    [row] = await rows_of_answers(estate)
    assert (row["IntendedAt"], row["Run"]) == (left.at, left.run)


async def test_another_policy_after_a_crash_looks_first_what_became_of_the_answer(
    found: Founding, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It still waits, so the answer failed; the policy that holds now gives its own."""
    estate = await found(approvals=APPROVES)
    target = await target_of(estate, STORAGE)
    await asked(estate, target)
    came, _ = held_up(monkeypatch, estate.hubwarden)
    dying = asyncio.ensure_future(estate.hubwarden.run(OneTarget(ResourceId.parse(target))))
    await came.wait()
    dying.cancel()
    estate.time.seconds += 600
    async with another_host(estate, tmp_path, REJECTS) as other:
        assert results([await other.run(Pending())]) == [Result.DONE]
    assert await statuses(estate, target) == ["Rejected"]
    rows = [(row["Verdict"], row["Result"]) for row in await rows_of_answers(estate)]
    assert sorted(rows) == [("approve", "failed"), ("reject", "done")]


async def test_a_look_that_fails_leaves_the_connection_to_whoever_looks_next(found: Founding, tmp_path: Path) -> None:
    """What became of the other answer is not known, so none is given beside it."""
    estate = await found(approvals=APPROVES)
    target = await target_of(estate, STORAGE)
    await asked(estate, target)
    await estate.azure.sim("POST", "faults", fault("PUT", "Connections/", status=500, code="InternalServerError"))
    assert results([await estate.hubwarden.run(Pending())]) == [Result.FAILED]
    async with another_host(estate, tmp_path, REJECTS) as other:
        await estate.azure.sim("POST", "faults", fault("GET", "Connections/", status=500, code="No", times=9))
        assert results([await other.run(Pending())]) == []
        await estate.azure.sim("DELETE", "faults")
        assert results([await other.run(Pending())]) == [Result.DONE]
    assert await statuses(estate, target) == ["Rejected"]


@pytest.mark.parametrize("scope", [lambda target: OneTarget(ResourceId.parse(target)), lambda _: Pending()])
async def test_who_steps_back_counts_for_nothing(
    found: Founding, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, scope: Callable[[str], Scope]
) -> None:
    """Law 9: an answer that is not given uses up nothing of the hour."""
    estate = await found(approvals={**APPROVES, "limits": {"approve": 2}})
    target = await target_of(estate, STORAGE)
    await asked(estate, target)
    came, goes_on = held_up(monkeypatch, estate.hubwarden)
    async with another_host(estate, tmp_path, {**APPROVES, "limits": {"approve": 2}}) as other:
        first = asyncio.ensure_future(estate.hubwarden.run(scope(target)))
        await came.wait()
        for _ in range(3):
            await other.run(scope(target))
        goes_on.set()
        await first
        await asked(estate, target, "pe2")
        await other.run(scope(target))
    assert await statuses(estate, target) == ["Approved", "Approved"]


async def test_that_others_could_not_be_uncounted_keeps_nobody_from_an_answer(
    found: Founding, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Storage fails right then: what was stored ahead is answered all the same, and not ten minutes later."""
    estate = await found(approvals=APPROVES)
    target, second = [await target_of(estate, STORAGE, name) for name in ("t1", "t2")]
    await asked(estate, target)
    came, goes_on = held_up(monkeypatch, estate.hubwarden)
    async with another_host(estate, tmp_path, APPROVES) as other:
        first = asyncio.ensure_future(estate.hubwarden.run(OneTarget(ResourceId.parse(target))))
        await came.wait()
        await asked(estate, second, "pe2")

        async def fails(*_: object) -> None:
            raise LedgerUnavailableError("storage is down")

        monkeypatch.setattr(other.rooms.tally, "take_back", fails)
        assert results([await other.run(Pending())]) == [Result.DONE]
        goes_on.set()
        await first
    assert await statuses(estate, target) == await statuses(estate, second) == ["Approved"]


def results(reports: list[Report]) -> list[Result]:
    """What came of the answers in these runs."""
    return [outcome.result for report in reports for outcome in report.outcomes if hasattr(outcome.change, "verdict")]
