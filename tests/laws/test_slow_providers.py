"""Long-running approvals are followed through the work queue until the wanted state is really there, or have failed.

Nothing is answered twice meanwhile, whoever looks; and what is read back must be what was decided on (law 10).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from hubwarden.errors import LedgerUnavailableError
from hubwarden.ledger.decisions import DECISIONS_TABLE, Decisions
from hubwarden.model.connection import Verdict
from hubwarden.model.plan import HeldReason
from hubwarden.model.report import Report, Result
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import Everything, OneEndpoint, OneTarget, Pending, Scope
from hubwarden.reconcile.answer import close_open
from hubwarden.reconcile.approve import approve
from tests.azure import resource_id
from tests.estate import Estate
from tests.laws.conftest import Founding
from tests.laws.test_approvals import STORAGE, VAULT, connections_of, fault, guarded, rule, target_of
from tests.laws.test_providers import (
    COSMOS,
    MESSAGES,
    PARTNER,
    SQL,
    connection_at,
    ruled,
    sent,
    state_of,
    stranger_at,
    waiting_at,
)

FOR_EVER = 1_000_000_000


async def answered_and_shown(
    estate: Estate, target: str, endpoint: str, status: str, properties: Mapping[str, Any]
) -> None:
    """An answer that Azure takes and never ends with; meanwhile the connection comes to show something else."""
    await estate.azure.sim("POST", "settings", {"operationMs": FOR_EVER})
    await estate.look(endpoint)
    shown = await connection_at(estate, target)
    shown["properties"] |= properties
    state_of(shown)["status"] = status
    await estate.azure.put(shown)


async def followed(estate: Estate, scope: Scope) -> list[Report]:
    """The reports of a look and of all its follow-ups, each at its time."""
    reports: list[Report] = []
    attempt = 0
    due: float | None = estate.time.now()
    while due is not None:
        await estate.azure.advance(max(0.0, due - estate.time.now()))
        estate.time.seconds = max(due, estate.time.now())
        looked = await estate.hubwarden.look(scope, within=100, attempt=attempt)
        assert looked.report is not None
        reports.append(looked.report)
        attempt, due = attempt + 1, looked.next_look
    return reports


def outcomes(reports: list[Report]) -> list[Result]:
    return [outcome.result for report in reports for outcome in report.outcomes]


@pytest.mark.parametrize("target_type", [SQL, MESSAGES, COSMOS])
@pytest.mark.parametrize("seconds", [60, 1500])
async def test_an_answer_is_followed_until_it_shows(found: Founding, target_type: str, seconds: int) -> None:
    """Approval notes, "response lags": one write, however long it takes."""
    estate = await ruled(found, target_type)
    target, endpoint = await waiting_at(estate, target_type)
    await estate.azure.sim("POST", "settings", {"operationMs": seconds * 1000})
    reports = await followed(estate, OneEndpoint(ResourceId.parse(endpoint)))
    assert state_of(await connection_at(estate, target))["status"] == "Approved"
    assert Result.FAILED not in outcomes(reports)
    assert [held.reason for held in reports[0].plan.held if held.connection] == [HeldReason.NOT_READY]
    assert await sent(estate) == ["PUT"]


async def test_an_answer_that_never_shows_has_failed_after_the_last_follow_up(
    found: Founding, caplog: pytest.LogCaptureFixture
) -> None:
    estate = await ruled(found, SQL)
    _, endpoint = await waiting_at(estate, SQL)
    await estate.azure.sim("POST", "settings", {"operationMs": FOR_EVER})
    reports = await followed(estate, OneEndpoint(ResourceId.parse(endpoint)))
    assert len(reports) == 1 + len(estate.hubwarden.rooms.follow_ups)
    assert outcomes(reports[:-1]) == []
    [outcome] = reports[-1].outcomes
    assert (outcome.result, outcome.temporary) == (Result.FAILED, False)
    assert "the last follow-up is over" in outcome.error
    assert [each for each in caplog.records if each.levelname == "ERROR" and "last follow-up" in each.message]
    assert await sent(estate) == ["PUT"]
    assert await estate.hubwarden.rooms.decisions.open() == ()
    report = await estate.look(endpoint)
    assert report.outcomes == (), "Azure is still at work on it, so it is not answered again"


async def test_an_answer_that_nobody_may_look_at_any_more_has_failed_after_the_last_follow_up(found: Founding) -> None:
    """Nobody knows whether it took: that is told, and stays under way no longer."""
    estate = await ruled(found, SQL)
    target, endpoint = await waiting_at(estate, SQL)
    await estate.azure.sim("POST", "settings", {"operationMs": FOR_EVER})
    await estate.look(endpoint)
    [connection] = await connections_of(estate, target)
    broken = fault("GET", str(connection.id), status=403, code="AuthorizationFailed")
    await estate.azure.sim("POST", "faults", {**broken, "times": 99})
    estate.time.seconds += sum(estate.hubwarden.rooms.follow_ups)
    report = await estate.look(endpoint)
    [outcome] = report.outcomes
    assert (outcome.result, outcome.temporary) == (Result.FAILED, False)
    assert "it cannot be looked at" in outcome.error
    assert await estate.hubwarden.rooms.decisions.open() == ()
    assert await sent(estate) == ["PUT"]


async def test_whoever_looks_meanwhile_sends_nothing(found: Founding) -> None:
    """Events, the minute's timer, a sweep, and a person's plan: while the answer is under way, all of them wait."""
    estate = await ruled(found, MESSAGES)
    target, endpoint = await waiting_at(estate, MESSAGES)
    await estate.azure.sim("POST", "settings", {"operationMs": FOR_EVER})
    await estate.look(endpoint)
    shown = await connection_at(estate, target)
    shown["properties"]["provisioningState"] = "Succeeded"  # nothing tells that it is under way
    await estate.azure.put(shown)
    scopes: list[Scope] = [
        Pending(),
        OneTarget(ResourceId.parse(target)),
        OneEndpoint(ResourceId.parse(endpoint)),
        Everything(),
    ]
    for scope in scopes:
        for applies in (True, False):
            report = await estate.hubwarden.run(scope, applies=applies)
            assert [each.verdict for each in report.decisions] == [Verdict.APPROVE]
            assert HeldReason.NOT_READY in {held.reason for held in report.plan.held if held.connection}
    estate.time.seconds += 700
    await estate.sweep()
    assert await sent(estate) == ["PUT"]
    assert len(await estate.hubwarden.rooms.decisions.open()) == 1


async def test_a_strangers_answer_is_followed_at_the_target(found: Founding) -> None:
    """Its endpoint is none of the estate's, so there is nothing else to look at."""
    estate = await guarded(found, rule("partner", types=[SQL], subscriptions=[PARTNER]))
    target = await target_of(estate, SQL)
    asking = resource_id(PARTNER, "rg", "Microsoft.Network/privateEndpoints", "pe")
    await estate.azure.put(stranger_at(target, asking))
    await estate.azure.sim("POST", "settings", {"operationMs": 60_000})
    report = await estate.hubwarden.run(Pending())
    assert report.outcomes == ()
    follow_up = await estate.hubwarden.rooms.claims.follow_up(ResourceId.parse(target))
    assert follow_up is not None
    await estate.azure.advance(60)
    report = await estate.hubwarden.run(OneTarget(ResourceId.parse(target)))
    assert outcomes([report]) == [Result.DONE]
    assert [each.rule for each in report.decisions] == ["partner"]
    assert state_of(await connection_at(estate, target))["status"] == "Approved"


async def test_an_endpoint_of_the_estate_is_followed_by_itself(found: Founding) -> None:
    estate = await ruled(found, SQL)
    _, endpoint = await waiting_at(estate, SQL)
    await estate.azure.sim("POST", "settings", {"operationMs": 60_000})
    await estate.hubwarden.run(Pending())
    assert await estate.hubwarden.rooms.claims.follow_up(ResourceId.parse(endpoint)) is not None


@pytest.mark.parametrize(("shows", "looks"), [("Failed", 1), ("before", 8)])
async def test_an_answer_at_which_azure_fails_has_failed(found: Founding, shows: str, looks: int) -> None:
    """What a connection shows then is unverified, so a switch: it is believed at once, or after the last follow-up."""
    estate = await ruled(found, SQL)
    target, endpoint = await waiting_at(estate, SQL)
    await estate.azure.sim("POST", "settings", {"failedAnswers": shows})
    reports = []
    for wait in (0.0, *estate.hubwarden.rooms.follow_ups):
        estate.time.seconds += wait
        reports.append(await estate.look(endpoint))
        if outcomes(reports):
            break
    assert outcomes(reports) == [Result.FAILED]
    assert len(reports) == looks
    assert await sent(estate) == ["PUT"]
    await estate.azure.sim("POST", "settings", {"failedAnswers": "off"})
    assert outcomes([await estate.look(endpoint)]) == [Result.DONE]
    assert state_of(await connection_at(estate, target))["status"] == "Approved"


async def test_a_failure_before_the_answer_is_not_the_answers(found: Founding) -> None:
    """What was left Failed is answered like any other that waits, and may show the old failure for a while."""
    estate = await ruled(found, MESSAGES)
    target, endpoint = await waiting_at(estate, MESSAGES)
    shown = await connection_at(estate, target)
    shown["properties"]["provisioningState"] = "Failed"
    await estate.azure.put(shown)
    assert outcomes([await estate.look(endpoint)]) == [Result.DONE]


async def test_an_answer_that_cannot_be_read_back_was_taken_all_the_same(found: Founding) -> None:
    estate = await ruled(found, STORAGE)
    target, endpoint = await waiting_at(estate, STORAGE)
    [waiting] = await connections_of(estate, target)
    broken = fault("GET", str(waiting.id), status=500, code="InternalServerError", skip=1)
    await estate.azure.sim("POST", "faults", {**broken, "times": 99})
    approvals = await approve(estate.hubwarden.rooms, [waiting], applies=True)
    assert (approvals.outcomes, [held.reason for held in approvals.held]) == ((), [HeldReason.NOT_READY])
    again = await approve(estate.hubwarden.rooms, [waiting], applies=True)
    assert (again.outcomes, [held.reason for held in again.held]) == ((), [HeldReason.NOT_READY])
    await estate.azure.sim("DELETE", "faults")
    assert outcomes([await estate.hubwarden.run(OneTarget(ResourceId.parse(target)))]) == [Result.DONE]
    assert await sent(estate) == ["PUT"]
    assert endpoint


@pytest.mark.parametrize("code", [403, 404])
async def test_an_answer_that_may_not_be_read_back_is_an_outcome(found: Founding, code: int) -> None:
    estate = await ruled(found, STORAGE)
    target, _ = await waiting_at(estate, STORAGE)
    [waiting] = await connections_of(estate, target)
    name = {403: "AuthorizationFailed", 404: "ResourceNotFound"}[code]
    await estate.azure.sim("POST", "faults", fault("GET", str(waiting.id), status=code, code=name, skip=1))
    [outcome] = (await approve(estate.hubwarden.rooms, [waiting], applies=True)).outcomes
    assert outcome.result is {403: Result.FAILED, 404: Result.RACED}[code]


async def test_what_goes_while_it_is_followed_is_raced(found: Founding) -> None:
    estate = await ruled(found, SQL)
    target, endpoint = await waiting_at(estate, SQL)
    await estate.azure.sim("POST", "settings", {"operationMs": FOR_EVER})
    await estate.look(endpoint)
    waiting = await connections_of(estate, target)
    await estate.azure.sim("DELETE", "resources", id=str(waiting[0].id))
    [outcome] = (await approve(estate.hubwarden.rooms, waiting, applies=True)).outcomes
    assert outcome.result is Result.RACED
    assert await estate.hubwarden.rooms.decisions.open() == ()


async def test_that_it_was_taken_need_not_be_noted_for_the_answer_to_stand(found: Founding) -> None:
    """With the ledger gone at that moment, Azure's own word keeps others from answering again."""

    class Failing(Decisions):
        async def note_taken(self, *_given: object, **_named: object) -> None:
            raise LedgerUnavailableError("storage went down")

    estate = await ruled(found, SQL)
    target, endpoint = await waiting_at(estate, SQL)
    await estate.azure.sim("POST", "settings", {"operationMs": 60_000})
    rooms = estate.hubwarden.rooms
    failing = replace(rooms, decisions=Failing(rooms.account))
    approvals = await approve(failing, await connections_of(estate, target), applies=True)
    assert [held.reason for held in approvals.held] == [HeldReason.NOT_READY]
    report = await estate.look(endpoint)
    assert [each.verdict for each in report.decisions] == [Verdict.HOLD]
    await estate.azure.advance(60)
    assert await sent(estate) == ["PUT"]
    assert state_of(await connection_at(estate, target))["status"] == "Approved"


async def test_groups_that_are_more_than_is_stored_are_not_compared(found: Founding) -> None:
    """Law 13: what one connection brings cannot keep the ledger from storing."""
    estate = await ruled(found, STORAGE)
    target = await target_of(estate, STORAGE)
    asking = await estate.azure.endpoint("pe1", target, manual=True, groups=["blob"])
    shown = await connection_at(estate, target)
    shown["properties"]["groupIds"] = ["g" * 60] * 1000
    await estate.azure.put(shown)
    assert outcomes([await estate.look(asking)])[0] is Result.DONE


# Somebody else between the read and the write.


async def between(estate: Estate, monkeypatch: pytest.MonkeyPatch, act: Any) -> None:
    """Lets something happen after a connection was read, right before it is written."""
    session = estate.hubwarden.rooms.arm
    send = session.send

    async def late(method: str, path: str, version: str, body: Any, headers: Any) -> None:
        monkeypatch.setattr(session, "send", send)
        await act()
        await send(method, path, version, body, headers)

    monkeypatch.setattr(session, "send", late)


async def test_an_endpoint_made_anew_under_its_name_asks_anew(found: Founding, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its connection has another name at most services (approval notes, "Cosmos DB"): the old one is a 404."""
    estate = await ruled(found, VAULT)
    target, endpoint = await waiting_at(estate, VAULT)

    async def anew() -> None:
        await estate.delete_endpoint(endpoint)
        await estate.azure.endpoint("pe1", target, manual=True, groups=["g1"])

    await between(estate, monkeypatch, anew)
    report = await estate.look(endpoint)
    assert outcomes([report]) == [Result.RACED]
    assert state_of(await connection_at(estate, target))["status"] == "Pending"
    assert outcomes([await estate.look(endpoint)]) == [Result.DONE]


async def test_one_made_anew_at_cosmos_for_another_group_is_told_of(
    found: Founding, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Cosmos DB names connections after the endpoint and has no etag: what was answered is read back and compared."""
    own = rule("own", types=[COSMOS], groups=["Sql"], **{"in": "estate"})
    estate = await guarded(found, own)
    target, endpoint = await waiting_at(estate, COSMOS, group="Sql")
    await estate.azure.target(
        target, [{"groupId": each, "memberName": each, "fqdns": [f"{each}.example"]} for each in ("Sql", "MongoDB")]
    )

    async def anew() -> None:
        await estate.delete_endpoint(endpoint)
        await estate.azure.endpoint("pe1", target, manual=True, groups=["MongoDB"])

    await between(estate, monkeypatch, anew)
    [outcome] = (await estate.look(endpoint)).outcomes
    assert (outcome.result, outcome.temporary) == (Result.FAILED, False)
    assert "it is another's now" in outcome.error
    assert [each for each in caplog.records if each.levelname == "ERROR" and "another's now" in each.message]


async def test_a_person_between_the_read_and_the_write_is_told_apart_by_the_etag(
    found: Founding, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Approval notes, "Key Vault": where there is an etag, a person's answer cannot be overwritten.

    The simulator's Key Vault shows its etag and, like Azure's specification, does not promise to check it; Batch does.
    """
    batch = "Microsoft.Batch/batchAccounts"
    estate = await ruled(found, batch)
    target, endpoint = await waiting_at(estate, batch)
    shown = await connection_at(estate, target)

    async def by_hand() -> None:
        state = {**state_of(shown), "status": "Rejected", "description": "by hand"}
        body = {"properties": {"privateLinkServiceConnectionState": state}}
        assert (await estate.azure.arm("PATCH", shown["id"], body)).status == 202
        await estate.azure.advance(60)

    await between(estate, monkeypatch, by_hand)
    assert outcomes([await estate.look(endpoint)]) == [Result.RACED]
    assert state_of(await connection_at(estate, target))["description"] == "by hand"


@pytest.mark.parametrize("target_type", [SQL, MESSAGES, STORAGE, VAULT, COSMOS])
async def test_two_who_decide_at_once_come_to_one_answer(found: Founding, target_type: str) -> None:
    """Two looks at the same moment, as two instances': whoever is late finds it answered, or gets Azure's no."""
    estate = await ruled(found, target_type)
    target, endpoint = await waiting_at(estate, target_type)
    await asyncio.gather(*(estate.look(endpoint) for _ in range(3)))
    await estate.azure.advance(60)
    estate.time.seconds += 60
    await estate.look(endpoint)
    state = state_of(await connection_at(estate, target))
    assert state["status"] == "Approved"
    assert state["description"] == "Approved by Hubwarden (contoso): rule own"


@pytest.mark.parametrize("status", [409, 429, 500])
@pytest.mark.parametrize("target_type", [COSMOS, VAULT])
async def test_a_provider_that_says_not_now_is_asked_again(found: Founding, target_type: str, status: int) -> None:
    estate = await ruled(found, target_type)
    target, endpoint = await waiting_at(estate, target_type)
    await estate.azure.sim("POST", "faults", fault("PUT", "/privateEndpointConnections/", status=status, code="No"))
    report = await estate.look(endpoint)
    assert outcomes([report]) == [Result.FAILED]
    assert report.look_again
    assert outcomes([await estate.look(endpoint)]) == [Result.DONE]
    assert state_of(await connection_at(estate, target))["status"] == "Approved"


async def test_the_follow_ups_count_from_when_azure_took_the_answer(found: Founding) -> None:
    """Tries that were refused for hours before do not shorten them, though the ledger keeps them as one."""
    estate = await ruled(found, SQL)
    _, endpoint = await waiting_at(estate, SQL)
    refused = fault("PUT", "/privateEndpointConnections/", status=429, code="TooManyRequests")
    await estate.azure.sim("POST", "faults", refused)
    assert outcomes([await estate.look(endpoint)]) == [Result.FAILED]
    estate.time.seconds += sum(estate.hubwarden.rooms.follow_ups)
    await estate.azure.sim("POST", "settings", {"operationMs": FOR_EVER})
    await estate.look(endpoint)
    estate.time.seconds += 15
    assert outcomes([await estate.look(endpoint)]) == []


async def test_a_sweep_does_not_take_anothers_approval_for_its_own(
    found: Founding, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody looked while the answer was under way, and what shows it now is another's connection."""
    estate = await ruled(found, SQL)
    target, endpoint = await waiting_at(estate, SQL)
    other = {"provisioningState": "Ready", "privateEndpoint": {"id": f"{endpoint}-other"}}
    await answered_and_shown(estate, target, endpoint, "Approved", other)
    estate.time.seconds += 601
    await close_open(estate.hubwarden.rooms)
    assert await estate.hubwarden.rooms.decisions.open() == ()
    table = estate.hubwarden.rooms.account.table(DECISIONS_TABLE).client
    assert [row["Result"] async for row in table.query_entities("PartitionKey eq 'closed'")] == ["raced"]
    assert [each for each in caplog.records if each.levelname == "ERROR" and "another's now" in each.message]
