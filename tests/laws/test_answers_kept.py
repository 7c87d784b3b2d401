"""The ledger's rows of answers: one for each answer, whoever stores it, however often, and whoever closes it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hubwarden.ledger.decisions import Decisions
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


async def test_what_a_crashed_run_left_open_goes_on_as_it_was(decisions: Decisions) -> None:
    """The repeat stores nothing anew, not even beside one that is new."""
    [first] = await decisions.intend([decided()], 1.0, "run-1")
    again, new = await decisions.intend([decided(), decided("c2")], 2.0, "run-2")
    assert again == first
    assert [each.run for each in await decisions.open()] == ["run-1", "run-2"]
    assert (new.at, new.connection.name) == (2.0, "c2")


async def test_what_azure_has_taken_stays_noted_so(decisions: Decisions) -> None:
    """Another instance that intends the same does not make it unknown."""
    [first] = await decisions.intend([decided()], 1.0)
    await decisions.note_taken(first, 1.5)
    await decisions.intend([decided()], 2.0)
    assert [each.taken_at for each in await decisions.open()] == [1.5]


async def test_a_connection_that_changed_is_another_answer(decisions: Decisions) -> None:
    await decisions.intend([decided(), decided(etag="e2")], 1.0)
    assert len(await decisions.open()) == 2


@pytest.mark.parametrize("results", [(Result.DONE, Result.RACED), (Result.RACED, Result.DONE)])
async def test_who_came_too_late_leaves_what_was_done(
    estate: Estate, decisions: Decisions, results: tuple[Result, Result]
) -> None:
    """Two instances close the same answer, in whichever order."""
    [intended] = await decisions.intend([decided()], 1.0)
    for result in results:
        await decisions.close(intended, result, 2.0)
    assert [row["Result"] for row in await rows_of_answers(estate)] == ["done"]
    assert await decisions.open() == ()


async def test_an_answer_to_one_made_anew_is_a_row_of_its_own(estate: Estate, decisions: Decisions) -> None:
    """Deleted and recreated under the same names: what came before is not overwritten."""
    for now in (1.0, 500.0):
        [intended] = await decisions.intend([decided()], now)
        await decisions.close(intended, Result.DONE, now)
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
    short, long = await decisions.intend([replace(decided(), facts=facts), replace(decided("c2"), facts=too_many)], 1.0)
    assert "please" not in short.facts
    assert str(ENDPOINT) in short.facts
    assert long.facts == "{}"
