"""The ledger's rows of answers: one for each answer, whoever stores it, however often, and whoever closes it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from azure.core.pipeline.transport import AioHttpTransport

from hubwarden.ledger.decisions import DECISION_FORMAT, DECISIONS_TABLE, Decisions, Intended
from hubwarden.model.connection import Connection, Decision, Verdict
from hubwarden.model.endpoint import ConnectionStatus, Tenancy
from hubwarden.model.facts import Facts
from hubwarden.model.report import Result
from hubwarden.model.resource_id import ResourceId
from tests.azure import SPOKE, resource_id
from tests.estate import Estate
from tests.laws.test_announced_after_a_crash import rows_of_answers

TARGET = resource_id(SPOKE, "rg-spoke", "Microsoft.Storage/storageAccounts", "st1")
ENDPOINT = ResourceId.parse(resource_id(SPOKE, "rg-spoke", "Microsoft.Network/privateEndpoints", "pe1"))


def decided(name: str = "c1", *, etag: str = "") -> Decision:
    """A connection that is to be approved."""
    connection = Connection(
        ResourceId.parse(f"{TARGET}/privateEndpointConnections/{name}"),
        ENDPOINT,
        ("blob",),
        ConnectionStatus.PENDING,
        "please",
        settled=True,
        etag=etag,
    )
    return Decision(connection, Verdict.APPROVE, "own", "rule own: please")


@pytest.fixture
def decisions(estate: Estate) -> Decisions:
    """The estate's."""
    return estate.hubwarden.rooms.decisions


LASTS = 600.0
"""Seconds for which an answer is its run's alone."""


async def intended(
    decisions: Decisions, now: float, run: str = "", *, decision: Decision | None = None
) -> Intended | None:
    """What a run is to answer; None where another has an answer open."""
    [each] = await decisions.intend([decision or decided()], now, run, lasts=LASTS)
    return each


async def opened(decisions: Decisions, now: float, decision: Decision | None = None) -> Intended:
    """The same, where nobody is in the way."""
    each = await intended(decisions, now, decision=decision)
    assert each is not None
    return each


async def test_what_a_crashed_run_left_open_goes_on_as_it_was(decisions: Decisions) -> None:
    """The repeat stores nothing anew, not even beside one that is new."""
    first = await intended(decisions, 1.0, "run-1")
    assert first is not None
    again, new = await decisions.intend([decided(), decided("c2")], 1.0 + LASTS, "run-2", lasts=LASTS)
    assert again is not None
    assert new is not None
    assert replace(again, held_until=first.held_until) == first
    assert [each.run for each in await decisions.open()] == ["run-1", "run-2"]
    assert (new.at, new.connection.name) == (1.0 + LASTS, "c2")


@pytest.mark.parametrize("verdict", list(Verdict)[:2])
async def test_while_an_answer_is_one_runs_nobody_else_gives_any(decisions: Decisions, verdict: Verdict) -> None:
    """Neither the same nor another one, though its row would be another; those of other connections go on."""
    await opened(decisions, 1.0)
    same, other = await decisions.intend(
        [replace(decided(), verdict=verdict), decided("c2")], LASTS, "run-2", lasts=LASTS
    )
    assert same is None
    assert other is not None
    assert [each.verdict for each in await decisions.open()] == [Verdict.APPROVE] * 2


async def test_of_those_who_intend_at_once_one_goes_on(decisions: Decisions) -> None:
    verdicts = [Verdict.APPROVE, Verdict.REJECT] * 3
    at_once = [intended(decisions, 1.0, decision=replace(decided(), verdict=verdict)) for verdict in verdicts]
    [mine] = [each for each in await asyncio.gather(*at_once) if each is not None]
    assert list(await decisions.open()) == [mine]


async def test_of_those_who_take_over_at_once_one_goes_on(decisions: Decisions) -> None:
    await opened(decisions, 1.0)
    found = await asyncio.gather(*(intended(decisions, 1.0 + LASTS, f"run-{number}") for number in range(6)))
    assert len([each for each in found if each is not None]) == 1


async def test_what_was_let_go_goes_on_at_once(decisions: Decisions) -> None:
    first = await opened(decisions, 1.0)
    await decisions.let_go(first)
    again = await opened(decisions, 2.0)
    assert (again.at, again.name) == (1.0, first.name)


async def test_another_decision_waits_until_the_one_before_was_looked_at(decisions: Decisions) -> None:
    """Azure may have taken it, though nobody was told."""
    await decisions.let_go(await opened(decisions, 1.0))
    assert await intended(decisions, 2.0, decision=decided(etag="e2")) is None
    [left] = await decisions.open()
    await decisions.close(left, Result.FAILED, 3.0)
    other = await opened(decisions, 3.0, decided(etag="e2"))
    assert other.name != left.name


async def test_who_closes_late_leaves_the_answer_to_whoever_has_it_now(decisions: Decisions) -> None:
    """A sweep read it while it was free, looked at Azure, and meanwhile another run went on with it."""
    await decisions.let_go(await opened(decisions, 1.0))
    [read] = await decisions.open()
    await opened(decisions, 2.0)
    await decisions.close(read, Result.FAILED, 3.0)
    await decisions.let_go(read)
    [left] = await decisions.open()
    assert left.held_until == 2.0 + LASTS


@pytest.mark.parametrize("is_late", [False, True])
async def test_who_gives_up_what_another_goes_on_with_leaves_no_row_of_a_failure(
    estate: Estate, decisions: Decisions, is_late: bool
) -> None:
    """The sweep and the minute's timer begin at the same second: one saw it wait, and the other one answers it."""
    await decisions.let_go(await opened(decisions, 1.0))
    [read] = await decisions.open()
    mine = await opened(decisions, 2.0)
    for each in [(mine, Result.DONE), (read, Result.FAILED)][:: 1 if is_late else -1]:
        await decisions.close(*each, 3.0)
    assert [row["Result"] for row in await rows_of_answers(estate)] == ["done"]
    assert await decisions.open() == ()


@pytest.mark.parametrize("verb", ["batch", "entity"])
async def test_what_storage_took_without_a_word_is_ones_own(
    decisions: Decisions, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    """The SDK sends it again after a 503, and finds its own row there: nobody waits ten minutes for nobody."""
    if verb == "entity":
        await opened(decisions, 0.0, decided("c2"))
    lost = [verb]
    sends = AioHttpTransport.send

    async def send(transport: Any, request: Any, **options: Any) -> Any:
        told = await sends(transport, request, **options)
        if lost and request.method == "POST" and ("$batch" in request.url) is (lost[0] == "batch"):
            lost.clear()
            told.status_code = 503
        return told

    monkeypatch.setattr(AioHttpTransport, "send", send)
    both = [decided(), decided("c2")][: 1 if verb == "batch" else 2]
    mine, *_ = await decisions.intend(both, 1.0, "run-1", lasts=LASTS)
    assert lost == []
    assert mine is not None
    await decisions.close(mine, Result.DONE, 2.0)
    assert {each.connection.name for each in await decisions.open()} <= {"c2"}
    assert await intended(decisions, 1.0, "run-2") is not None


async def test_what_a_newer_hubwarden_has_stored_is_left_to_it(estate: Estate, decisions: Decisions) -> None:
    """And nobody answers beside it."""
    await opened(decisions, 1.0)
    table = estate.hubwarden.rooms.account.table(DECISIONS_TABLE).client
    [row] = [each async for each in table.query_entities("PartitionKey eq 'open'")]
    await table.update_entity({**row, "Format": DECISION_FORMAT + 1})
    assert await intended(decisions, 1.0 + LASTS) is None
    assert await decisions.open() == ()


async def test_what_azure_has_taken_stays_noted_so(decisions: Decisions) -> None:
    """Another instance that intends the same does not make it unknown, however late."""
    first = await opened(decisions, 1.0)
    await decisions.note_taken(first, 1.5)
    assert await intended(decisions, 2.0 + LASTS) is None
    assert [each.taken_at for each in await decisions.open()] == [1.5]


@pytest.mark.parametrize("results", [(Result.DONE, Result.RACED), (Result.RACED, Result.DONE)])
async def test_who_came_too_late_leaves_what_was_done(
    estate: Estate, decisions: Decisions, results: tuple[Result, Result]
) -> None:
    """Two instances close the same answer, in whichever order."""
    answer = await opened(decisions, 1.0)
    for result in results:
        await decisions.close(answer, result, 2.0)
    assert [row["Result"] for row in await rows_of_answers(estate)] == ["done"]
    assert await decisions.open() == ()


async def test_an_answer_to_one_made_anew_is_a_row_of_its_own(estate: Estate, decisions: Decisions) -> None:
    """Deleted and recreated under the same names: what came before is not overwritten."""
    for now in (1.0, 500.0):
        await decisions.close(await opened(decisions, now), Result.DONE, now)
    assert [row["IntendedAt"] for row in await rows_of_answers(estate)] == [1.0, 500.0]


async def test_the_facts_are_codes_and_within_limits(estate: Estate, decisions: Decisions) -> None:
    """No message, no tag: nothing that the consumer wrote."""
    facts = Facts(
        consumer=SPOKE,
        target_type="t",
        target_subscription=SPOKE,
        in_estate=True,
        tenancy=Tenancy.OURS,
        consumer_tags={"note": "please"},
        message="please",
        managers=(ENDPOINT,),
    )
    too_many = replace(facts, managers=(ENDPOINT,) * 1000)
    short = await opened(decisions, 1.0, replace(decided(), facts=facts))
    long = await opened(decisions, 1.0, replace(decided("c2"), facts=too_many))
    assert "please" not in short.facts
    assert str(ENDPOINT) in short.facts
    assert long.facts == "{}"
