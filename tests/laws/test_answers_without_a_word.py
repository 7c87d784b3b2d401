"""Answers of which Azure never said what came: each is one row and one event in the end, whoever looks, and when."""

from __future__ import annotations

import pytest

from hubwarden.model.report import Result
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import OneTarget
from hubwarden.reconcile.approve import approve
from tests.azure import Azure
from tests.estate import Estate
from tests.laws.announced import APPROVED, WAITING, announcing, told
from tests.laws.conftest import Founding
from tests.laws.test_announced_after_a_crash import rows_of_answers
from tests.laws.test_approvals import STORAGE, connections_of, fault, rule
from tests.laws.test_providers import SQL, connection_at, sent, state_of, waiting_at

OWN = rule("own", types=[STORAGE, SQL], **{"in": "estate"})
ANSWER = "/privateEndpointConnections/"


async def asking(found: Founding, azure: Azure, target_type: str) -> tuple[Estate, str]:
    """An estate with a topic, and a target at which a request waits that a rule approves."""
    estate = await announcing(found, azure, approvals={"rules": [OWN]})
    target, _ = await waiting_at(estate, target_type)
    await azure.sim("DELETE", "topics")
    return estate, target


async def loses_the_answer(estate: Estate) -> None:
    """Azure takes the next answer, and nobody is told."""
    lost = fault("PUT", ANSWER, status=500, code="InternalServerError", when="after")
    await estate.azure.sim("POST", "faults", lost)


async def passes(estate: Estate, seconds: float) -> None:
    estate.time.seconds += seconds
    await estate.azure.advance(seconds)


async def is_one_answer(estate: Estate, target: str) -> None:
    """The target shows it; one row, one event; nothing is left open."""
    assert state_of(await connection_at(estate, target))["status"] == "Approved"
    assert [row["Result"] for row in await rows_of_answers(estate)] == ["done"]
    assert [each["type"] for each in await told(estate) if each["type"] in (APPROVED, WAITING)] == [APPROVED]
    assert await estate.hubwarden.rooms.decisions.open() == ()
    assert await sent(estate) == ["PUT"]


async def test_who_finds_it_waiting_in_a_stale_index_notes_that_it_was_answered(found: Founding, azure: Azure) -> None:
    """The same decision goes on where it was left; that the connection waits no longer is its own doing."""
    estate, target = await asking(found, azure, STORAGE)
    [stale] = await connections_of(estate, target)
    await loses_the_answer(estate)
    [outcome] = (await approve(estate.hubwarden.rooms, [stale], applies=True, run="r1")).outcomes
    assert (outcome.result, outcome.temporary) == (Result.FAILED, True)
    [outcome] = (await approve(estate.hubwarden.rooms, [stale], applies=True, run="r2")).outcomes
    assert outcome.result is Result.DONE
    await estate.sweep()
    await is_one_answer(estate, target)


@pytest.mark.parametrize("seconds", [60, 1500])
async def test_what_azure_is_still_at_work_on_is_not_given_up(found: Founding, azure: Azure, seconds: int) -> None:
    """It shows Pending and an unsettled provisioningState meanwhile: only a state that stays says what came of it."""
    estate, target = await asking(found, azure, SQL)
    await azure.sim("POST", "settings", {"operationMs": seconds * 1000})
    await loses_the_answer(estate)
    await estate.hubwarden.run(OneTarget(ResourceId.parse(target)))
    await estate.sweep()
    await passes(estate, seconds)
    await estate.sweep()
    await is_one_answer(estate, target)


async def test_what_may_not_be_read_back_is_kept_when_it_may(found: Founding, azure: Azure) -> None:
    """Azure took it: that a right was missing right afterwards is an alert, and no reason to forget the answer."""
    estate, target = await asking(found, azure, STORAGE)
    [waiting] = await connections_of(estate, target)
    denied = fault("GET", str(waiting.id), status=403, code="AuthorizationFailed", skip=1)
    await estate.azure.sim("POST", "faults", denied)
    [outcome] = (await approve(estate.hubwarden.rooms, [waiting], applies=True, run="r1")).outcomes
    assert (outcome.result, outcome.temporary) == (Result.FAILED, False)
    await estate.sweep()
    await is_one_answer(estate, target)


async def test_what_is_still_changing_in_a_stale_index_is_looked_at_later(found: Founding, azure: Azure) -> None:
    """The index shows it waiting, and ARM shows that something is at work on it: the earlier try, as it turns out."""
    estate, target = await asking(found, azure, SQL)
    await azure.sim("POST", "settings", {"operationMs": 60_000})
    [stale] = await connections_of(estate, target)
    await loses_the_answer(estate)
    await approve(estate.hubwarden.rooms, [stale], applies=True, run="r1")
    approvals = await approve(estate.hubwarden.rooms, [stale], applies=True, run="r2")
    assert (approvals.outcomes, [held.waits for held in approvals.held]) == ((), [True])
    await passes(estate, 60)
    await estate.sweep()
    await is_one_answer(estate, target)


@pytest.mark.parametrize(("status", "result"), [("Rejected", "raced"), ("Pending", "raced")])
async def test_what_another_did_meanwhile_is_not_taken_for_ones_own(
    found: Founding, azure: Azure, status: str, result: str
) -> None:
    """An answer that never came to Azure goes on, and finds another's, or another endpoint's connection there."""
    estate, target = await asking(found, azure, STORAGE)
    [stale] = await connections_of(estate, target)
    refused = fault("PUT", ANSWER, status=500, code="InternalServerError")
    await estate.azure.sim("POST", "faults", refused)
    await approve(estate.hubwarden.rooms, [stale], applies=True, run="r1")
    shown = await connection_at(estate, target)
    state_of(shown)["status"] = status
    if status == "Pending":
        shown["properties"]["privateEndpoint"]["id"] += "-other"
    await estate.azure.put(shown)
    [outcome] = (await approve(estate.hubwarden.rooms, [stale], applies=True, run="r2")).outcomes
    assert outcome.result is Result.RACED
    assert [row["Result"] for row in await rows_of_answers(estate)] == [result]
    assert await estate.hubwarden.rooms.decisions.open() == ()


@pytest.mark.parametrize("swept", [True, False])
@pytest.mark.parametrize(("words", "result"), [("by hand", "raced"), ("let me in", "done"), ("", "done")])
async def test_the_same_answer_of_somebody_else_is_not_told_as_ones_own(
    found: Founding, azure: Azure, words: str, result: str, swept: bool
) -> None:
    """Law 12: it never came to Azure, and a person approved at the resource meanwhile, whom the description shows.

    Where that is what it was, or nothing, a provider that takes no description may show our own answer so.
    """
    estate, target = await asking(found, azure, STORAGE)
    shown = await connection_at(estate, target)
    state_of(shown)["description"] = "let me in"
    await estate.azure.put(shown)
    [stale] = await connections_of(estate, target)
    await estate.azure.sim("POST", "faults", fault("PUT", ANSWER, status=500, code="InternalServerError"))
    await approve(estate.hubwarden.rooms, [stale], applies=True, run="r1")
    state_of(shown).update(status="Approved", description=words)
    await estate.azure.put(shown)
    if swept:
        await estate.sweep()
    else:
        await approve(estate.hubwarden.rooms, [stale], applies=True, run="r2")
    assert [row["Result"] for row in await rows_of_answers(estate)] == [result]
    assert await estate.hubwarden.rooms.decisions.open() == ()


async def test_an_approval_at_which_azure_failed_is_no_answer_that_is_done(
    found: Founding, azure: Azure, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody followed it; it shows Approved and provisioningState Failed: an alert, and a row that says so."""
    estate, target = await asking(found, azure, SQL)
    await azure.sim("POST", "settings", {"operationMs": 60_000})
    await loses_the_answer(estate)
    await estate.hubwarden.run(OneTarget(ResourceId.parse(target)))
    shown = await connection_at(estate, target)
    state_of(shown)["status"] = "Approved"
    shown["properties"]["provisioningState"] = "Failed"
    await estate.azure.put(shown)
    await estate.sweep()
    assert [row["Result"] for row in await rows_of_answers(estate)] == ["failed"]
    assert "Azure took the answer, and failed at it" in caplog.text
