"""Killed after any write: what was done is told of in the end, under one id, and each answer is one row."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from hubwarden.ledger.decisions import DECISIONS_TABLE
from hubwarden.ledger.outbox import State
from hubwarden.model.scope import Scope
from tests.azure import Azure
from tests.estate import Estate, record_id
from tests.laws.announced import APPROVED, REGISTERED, WITHDRAWN, announcing, told, topic_of
from tests.laws.conftest import Founding, restarted
from tests.laws.test_killed import MOST_WRITES, RULE, Killer, creation, deletion, request, start_over

APPROVALS = {"rules": [RULE]}


async def rows_of_answers(estate: Estate) -> list[dict[str, Any]]:
    """What the ledger keeps of the answers that are over."""
    table = estate.hubwarden.rooms.account.table(DECISIONS_TABLE).client
    return [dict(each) async for each in table.query_entities("PartitionKey eq 'closed'")]


@pytest.mark.parametrize(
    ("prepare", "expected"),
    [(creation, [REGISTERED]), (deletion, [REGISTERED, WITHDRAWN]), (request, [APPROVED, REGISTERED])],
)
async def test_whatever_the_last_write_was_it_is_told_of_under_one_id(
    found: Founding,
    azure: Azure,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    prepare: Callable[[Estate], Awaitable[Scope]],
    expected: list[str],
) -> None:
    killer = Killer(monkeypatch)
    for after in range(1, MOST_WRITES):
        estate = await announcing(found, azure, approvals=APPROVALS)
        await azure.sim("POST", "settings", {"operationMs": 0})
        scope = await prepare(estate)
        killed = await killer.kills(estate.hubwarden.look(scope, within=1000), after)
        await restarted(estate, tmp_path, approvals=APPROVALS, events={"topic": topic_of(azure)})
        estate.time.seconds += 1000
        await estate.sweep()
        await estate.sweep()

        events = {(each["type"], each["subject"].lower(), each["id"]) for each in await told(estate)}
        assert sorted(kind for kind, _, _ in events) == sorted(expected), f"killed after write {after}"
        assert {subject for kind, subject, _ in events if kind == REGISTERED} == {record_id("st1").lower()}
        assert [await estate.hubwarden.rooms.outbox.of(state, most=9) for state in State] == [[], [], []]
        rows = await rows_of_answers(estate)
        assert [row["Result"] for row in rows] == (["done"] if APPROVED in expected else [])
        await start_over(estate)
        await azure.sim("DELETE", "topics")
        if not killed:
            return
    raise AssertionError("the run has more writes than were tried")


async def test_an_answers_row_says_what_it_was_decided_on(found: Founding, azure: Azure) -> None:
    """Rule, facts as codes, states, run, who and when; no word of the consumer's."""
    estate = await found(approvals=APPROVALS)
    scope = await request(estate)
    looked = await estate.hubwarden.look(scope, within=1000)

    assert looked.report is not None
    [row] = await rows_of_answers(estate)
    assert (row["Verdict"], row["Rule"], row["Result"]) == ("approve", RULE["name"], "done")
    assert (row["Before"], row["After"], row["Who"]) == ("Pending", "Approved", "policy")
    assert row["Run"] == looked.report.run
    assert '"inEstate": true' in row["Facts"]
    assert row["ClosedAt"] >= row["IntendedAt"]


async def test_an_answer_that_azure_refuses_again_and_again_is_one_row(found: Founding, azure: Azure) -> None:
    estate = await found(approvals=APPROVALS)
    scope = await request(estate)
    fault = {"service": "arm", "method": "PUT", "path": "privateEndpointConnections", "times": 3}
    await azure.sim("POST", "faults", {**fault, "status": 403, "code": "AuthorizationFailed"})
    for _ in range(3):
        await estate.hubwarden.run(scope)
        await estate.time.sleep(60)
    assert [row["Result"] for row in await rows_of_answers(estate)] == ["failed"]

    await estate.hubwarden.run(scope)
    assert [row["Result"] for row in await rows_of_answers(estate)] == ["done"]


async def test_answers_are_kept_for_a_year(found: Founding, azure: Azure) -> None:
    """The sweep clears away what is older."""
    estate = await found(approvals=APPROVALS)
    scope = await request(estate)
    await estate.hubwarden.run(scope)
    await estate.time.sleep(364 * 86400)
    await estate.sweep()
    assert len(await rows_of_answers(estate)) == 1

    await estate.time.sleep(2 * 86400)
    await estate.sweep()
    assert await rows_of_answers(estate) == []
