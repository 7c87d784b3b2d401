"""Killed after any write of an approval: one answer, one row, one event, and none that policy does not allow.

Tried after every single write, to Azure or to Storage, at a provider that answers at once and at one that takes long;
in the run that answers and in the one that follows the answer up; and with another policy when Hubwarden is back.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from hubwarden.errors import LedgerUnavailableError
from hubwarden.ledger.outbox import State
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import OneEndpoint, OneTarget, Pending, Scope
from tests.azure import Azure
from tests.estate import Estate
from tests.laws.announced import APPROVED, REJECTED, announcing, told, topic_of
from tests.laws.conftest import Founding, restarted
from tests.laws.test_announced_after_a_crash import rows_of_answers
from tests.laws.test_approvals import STORAGE, rule
from tests.laws.test_killed import MOST_WRITES, Killer
from tests.laws.test_providers import SQL, connection_at, sent, state_of, waiting_at
from tests.laws.wire import Incident, Wire

MOST_CALLS = 100
"""Nothing that a test does has so many requests to Azure and to Storage together."""

TRIES = 3
"""As often as the SDKs ask Storage before they give up."""

OWN = {"rules": [rule("own", types=[STORAGE, SQL], **{"in": "estate"})]}
NONE = {"rules": [rule("none", "reject", types=[STORAGE, SQL], **{"in": "estate"})]}
SHOWN = {"Approved": (APPROVED, "own", "approve"), "Rejected": (REJECTED, "none", "reject")}


@pytest.fixture
def killer(monkeypatch: pytest.MonkeyPatch) -> Killer:
    """Waits for its run."""
    return Killer(monkeypatch)


async def asking(found: Founding, azure: Azure, target_type: str, number: int) -> tuple[Estate, str, str]:
    """An estate with a request that waits at a target of its own, and a topic that was told nothing."""
    estate = await announcing(found, azure, approvals=OWN)
    target, endpoint = await waiting_at(estate, target_type, name=f"t{number}")
    await azure.sim("DELETE", "topics")
    await estate.forget_calls()
    return estate, target, endpoint


async def ends(estate: Estate, directory: Path, then: dict[str, Any]) -> None:
    """Hubwarden is back, with these approvals; time passes, and two sweeps have been."""
    await restarted(estate, directory, approvals=then, events={"topic": topic_of(estate.azure)})
    for _ in range(2):
        estate.time.seconds += 1000
        await estate.azure.advance(1000)
        await estate.sweep()


async def is_one_answer(estate: Estate, target: str, status: str) -> None:
    """The target shows it, the ledger has one row of it, the topic was told once, and nothing is left to do."""
    kind, name, verdict = SHOWN[status]
    assert state_of(await connection_at(estate, target))["status"] == status
    [row] = [each for each in await rows_of_answers(estate) if each["Result"] != "failed"]
    assert (row["Verdict"], row["Rule"], row["Result"], row["Who"]) == (verdict, name, "done", "policy")
    assert (row["Before"], row["After"], bool(row["Run"])) == ("Pending", status, True)
    answers = {(each["type"], each["id"]) for each in await told(estate) if each["type"] in (APPROVED, REJECTED)}
    assert [each for each, _ in answers] == [kind]
    assert await estate.hubwarden.rooms.decisions.open() == ()
    assert [await estate.hubwarden.rooms.outbox.of(state, most=9) for state in State] == [[], [], []]
    before = await sent(estate)
    assert (await estate.sweep()).outcomes == ()
    assert await sent(estate) == before


def scope_of(target: str, endpoint: str) -> list[Scope]:
    """Every way by which the request is come upon."""
    return [OneTarget(ResourceId.parse(target)), OneEndpoint(ResourceId.parse(endpoint)), Pending()]


@pytest.mark.parametrize(("target_type", "then"), [(STORAGE, OWN), (SQL, NONE)])
async def test_killed_after_any_write_of_the_run_that_answers(
    found: Founding, azure: Azure, killer: Killer, tmp_path: Path, target_type: str, then: dict[str, Any]
) -> None:
    """What Azure took stands, whatever the policy says by now; what it never saw is decided by the policy of now."""
    for number in range(1, MOST_WRITES):
        estate, target, endpoint = await asking(found, azure, target_type, number)
        scope = scope_of(target, endpoint)[number % 3]
        killed = await killer.kills(estate.hubwarden.look(scope, within=1000), number)
        was_sent = len(await sent(estate))
        assert was_sent <= 1
        await ends(estate, tmp_path, then)
        status = "Approved" if was_sent or then == OWN else "Rejected"
        await is_one_answer(estate, target, status)
        assert len(await sent(estate)) == 1, f"killed at write {number}: Azure is asked once"
        await estate.azure.arm("DELETE", endpoint)
        await estate.azure.settle()
        if not killed:
            assert number > 4, "there was something to kill"
            return
    raise AssertionError("the run has more writes than were tried")


@pytest.mark.parametrize("calls", [range(1, MOST_CALLS, 2), range(2, MOST_CALLS, 2)], ids=["odd", "even"])
async def test_storage_that_falls_silent_at_any_call_costs_no_answer_and_makes_no_second(
    found: Founding, azure: Azure, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, calls: range
) -> None:
    """Law 12: what was not stored ahead is not sent; what was sent is one row and one event when Storage is back."""
    counts: list[int] = []
    for number in calls:
        estate, target, endpoint = await asking(found, azure, STORAGE, number)
        wire = Wire(estate.time, azure.url)

        async def silent(wire: Wire = wire) -> None:
            wire.storage_fails = TRIES

        with monkeypatch.context() as patch, wire.incident(Incident(number, False, silent)):
            wire.lay(patch)
            with suppress(LedgerUnavailableError):
                await estate.hubwarden.run(Pending())
        counts.append(len(await sent(estate)))
        await ends(estate, tmp_path, OWN)
        await is_one_answer(estate, target, "Approved")
        assert len(await sent(estate)) == 1, f"silent at call {number}: Azure is asked once"
        await estate.azure.arm("DELETE", endpoint)
        await estate.azure.settle()
        if wire.calls < number:
            assert set(counts) == {0, 1}, "it fell silent before the answer, and after it"
            return
    raise AssertionError("the run has more calls than were tried")


async def test_killed_after_any_write_of_the_run_that_follows(
    found: Founding, azure: Azure, killer: Killer, tmp_path: Path
) -> None:
    """The answer was taken, and shows by now: nobody sends it again, and nobody another one."""
    for number in range(1, MOST_WRITES):
        estate, target, endpoint = await asking(found, azure, SQL, number)
        await azure.sim("POST", "settings", {"operationMs": 60_000})
        scope = scope_of(target, endpoint)[number % 3]
        await estate.hubwarden.look(scope, within=1000)
        await azure.advance(60)
        estate.time.seconds += 60
        killed = await killer.kills(estate.hubwarden.look(scope_of(target, endpoint)[0], within=1000), number)
        await ends(estate, tmp_path, NONE)
        await is_one_answer(estate, target, "Approved")
        assert len(await sent(estate)) == 1
        await azure.sim("POST", "settings", {"operationMs": 0})
        await estate.azure.arm("DELETE", endpoint)
        await estate.azure.settle()
        if not killed:
            assert number > 2
            return
    raise AssertionError("the run has more writes than were tried")
