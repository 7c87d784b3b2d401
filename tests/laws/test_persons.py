"""What a person decides walks the path of every answer (law 10): only what waits is answered, on its state read just
before, one answer at a time, stored ahead (law 12). The policy is no bound for it, nor are the limits (law 9)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hubwarden.errors import InputError, LedgerUnavailableError, NotDecidedError, PlanOnlyError
from hubwarden.ledger.decisions import Decisions, Intended
from hubwarden.ledger.storage import StorageAccount
from hubwarden.ledger.work_queue import WorkQueue
from hubwarden.model.connection import Connection, Decision, Verdict
from hubwarden.model.person import LONGEST_REASON, Ruling
from hubwarden.model.plan import HeldReason
from hubwarden.model.report import Report, Result, Status
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import OneTarget, Pending
from hubwarden.reconcile.answer import COUNTED
from hubwarden.reconcile.person import decide
from tests.azure import HUB, SPOKE, Azure, resource_id
from tests.estate import TENANT, Estate
from tests.laws.announced import announcing, told, topic_of
from tests.laws.conftest import Founding, restarted
from tests.laws.test_announced_after_a_crash import rows_of_answers
from tests.laws.test_approvals import (
    APPROVED,
    OWN,
    PENDING,
    REJECTED,
    SERVER,
    SERVICE,
    STORAGE,
    STRANGER,
    VAULT,
    asked,
    by_hand,
    connections_of,
    fault,
    guarded,
    of_subscription,
    statuses,
    target_of,
    writes,
)

ADA, BEN = (f"0b1d0000-0000-4000-8000-00000000000{number}" for number in (1, 2))


async def waiting(estate: Estate, target_type: str = STORAGE, **wanted: Any) -> tuple[str, Connection]:
    """A target with a connection that waits."""
    target = await target_of(estate, target_type)
    await asked(estate, target, **wanted)
    [connection] = await connections_of(estate, target)
    return target, connection


def said(connection: Connection, verdict: str = "approve", reason: str = "") -> Ruling:
    return Ruling.read(str(connection.id), verdict, reason)


async def decided(estate: Estate, connection: Connection, verdict: str = "approve", who: str = ADA) -> Report:
    """What came of a person's decision."""
    return await estate.hubwarden.decide(said(connection, verdict), who)


async def open_rows(estate: Estate) -> tuple[Intended, ...]:
    return await estate.hubwarden.rooms.decisions.open()


def meanwhile(estate: Estate, act: Callable[[], Awaitable[object]]) -> None:
    """Something happens after a decision is stored, and before the connection is read again and written."""

    class Meanwhile(Decisions):
        async def intend(self, *given: Any, **named: Any) -> tuple[Intended | None, ...]:
            stored = await super().intend(*given, **named)
            await act()
            return stored

    rooms = estate.hubwarden.rooms
    estate.hubwarden.rooms = replace(rooms, decisions=Meanwhile(rooms.account))


@pytest.mark.parametrize("target_type", [STORAGE, VAULT, SERVER, SERVICE])
@pytest.mark.parametrize(("verdict", "status"), [("approve", APPROVED), ("reject", REJECTED)])
async def test_a_person_answers_what_waits(found: Founding, target_type: str, verdict: str, status: Any) -> None:
    """Whatever the provider; the reason becomes the description, and the row says who decided."""
    estate = await guarded(found)
    target, connection = await waiting(estate, target_type, message="let me in")
    report = await estate.hubwarden.decide(said(connection, verdict, "ticket 4711"), ADA)
    [decision] = report.decisions
    assert (decision.verdict, decision.rule, decision.who) == (Verdict(verdict), "", ADA)
    assert (decision.before, decision.after) == (PENDING, status)
    assert [outcome.result for outcome in report.outcomes] == [Result.DONE]
    assert (report.status, report.mode, report.scope) == (Status.DONE, "apply", OneTarget(connection.target))
    [shown] = await connections_of(estate, target)
    assert (shown.status, shown.message) == (status, "ticket 4711")

    [row] = await rows_of_answers(estate)
    assert (row["Who"], row["Rule"], row["Said"], row["Run"]) == (ADA, "", "ticket 4711", report.run)
    assert (row["Before"], row["After"], row["Result"]) == ("Pending", str(status), "done")
    assert f'"consumer": "{SPOKE}"' in row["Facts"]
    assert "let me in" not in str(row)
    assert await open_rows(estate) == ()
    run = await estate.hubwarden.run_named(report.run)
    assert run is not None
    assert run.report is not None
    assert run.report["decisions"][0]["who"] == ADA


async def test_it_is_announced_with_who(found: Founding, azure: Azure) -> None:
    """One event, whose data has the object id and no word."""
    estate = await announcing(found, azure)
    _, connection = await waiting(estate)
    await estate.hubwarden.decide(said(connection, "reject", "ticket 4711"), ADA)
    await estate.sweep()
    [event] = [each for each in await told(estate) if each["subject"] == str(connection.id)]
    assert event["type"] == "Hubwarden.Connection.Rejected"
    assert (event["data"]["who"], event["data"]["rule"], event["data"]["after"]) == (ADA, None, "Rejected")
    assert "4711" not in str(event)


@pytest.mark.parametrize(
    ("reason", "description"),
    [
        ("", "Approved by Hubwarden (contoso): decided by a person"),
        ("\u202e\x00 \n", "Approved by Hubwarden (contoso): decided by a person"),
        ("see\u200b \x1b[31mticket\r\n", "see [31mticket"),
        ("x" * LONGEST_REASON, "x" * 140),
        ("\N{BRICK}" * 100, "\N{BRICK}" * 70),
    ],
)
async def test_the_description_is_what_can_be_seen_and_azure_takes(
    found: Founding, reason: str, description: str
) -> None:
    """Azure takes 140 UTF-16 units, and some providers no empty text (approval notes); it names no person."""
    estate = await guarded(found)
    target, connection = await waiting(estate)
    await estate.hubwarden.decide(said(connection, reason=reason), ADA)
    [shown] = await connections_of(estate, target)
    assert shown.message == description


@pytest.mark.parametrize("then", ["approve", "reject", "hold"])
@pytest.mark.parametrize(("verdict", "status"), [("approve", APPROVED), ("reject", REJECTED)])
async def test_neither_the_policy_nor_the_limits_bind_a_person(
    found: Founding, then: str, verdict: str, status: Any
) -> None:
    """Law 9: the limits of an hour are for rules; and what people decide uses nothing of them up."""
    estate = await found(approvals={"rules": [{**OWN, "then": then}], "limits": {"approve": 0, "reject": 0}})
    target, connection = await waiting(estate)
    await decided(estate, connection, verdict)
    assert await statuses(estate, target) == [status]
    counted = [await estate.hubwarden.rooms.tally.within_hour(each, estate.time.now()) for each in COUNTED.values()]
    assert [each.total() for each in counted] == [0, 0]


async def test_what_follows_is_looked_at_by_a_look_of_its_own(found: Founding) -> None:
    """The record is written by the work item's look, as after an answer by rule; the item holds no verdict."""
    sent: list[str] = []

    class Noted(WorkQueue):
        async def send(self, item: Any, **named: Any) -> None:
            sent.append(item.to_json())
            await super().send(item, **named)

    estate = await guarded(found)
    rooms = estate.hubwarden.rooms
    estate.hubwarden.rooms = replace(rooms, work=Noted(rooms.account))
    _, connection = await waiting(estate)
    await decided(estate, connection)
    [text] = sent
    assert str(connection.endpoint) in text
    assert not [word for word in ("approve", ADA, "verdict") if word in text]
    assert connection.endpoint is not None
    await estate.look(str(connection.endpoint))
    assert await estate.addresses("t1") == ["10.1.0.4"]


async def test_a_consumer_outside_the_estate_is_answered_and_not_looked_at(found: Founding) -> None:
    estate = await guarded(found)
    target = await target_of(estate, STORAGE)
    await of_subscription(estate, target, STRANGER)
    [connection] = await connections_of(estate, target)
    await decided(estate, connection)
    assert await statuses(estate, target) == [APPROVED]
    assert (await estate.hubwarden.queued())[0] == 0


# What is refused, before anything is written.


async def refused(estate: Estate, connection: Connection, error: type[Exception], text: str) -> None:
    """It is refused with that reason, and leaves no trace."""
    before = len(await writes(estate))
    for verdict in ("approve", "reject"):
        with pytest.raises(error, match=text):
            await decided(estate, connection, verdict)
    assert len(await writes(estate)) == before
    assert await open_rows(estate) == ()
    assert await rows_of_answers(estate) == []
    assert (await estate.hubwarden.runs(9))[0] == []


@pytest.mark.parametrize(
    ("status", "text"),
    [("Approved", "waits no longer: it is Approved"), ("Rejected", "must delete the endpoint and create it anew")],
)
async def test_an_answer_that_stands_is_told(found: Founding, status: str, text: str) -> None:
    """Azure takes no rejection back (approval notes)."""
    estate = await guarded(found)
    _, connection = await waiting(estate)
    await by_hand(estate, connection, status)
    await refused(estate, connection, NotDecidedError, text)


async def test_one_that_is_gone_is_told(found: Founding) -> None:
    estate = await guarded(found)
    _, connection = await waiting(estate)
    await estate.delete_endpoint(str(connection.endpoint))
    await refused(estate, connection, NotDecidedError, "is not there")


async def test_one_that_somebody_is_answering_is_told(found: Founding) -> None:
    """Approval notes: an answered connection may still show Pending, and that it is Updating."""
    estate = await guarded(found)
    _, connection = await waiting(estate, VAULT)
    await estate.azure.hold_operations()
    body = {"properties": {"privateLinkServiceConnectionState": {"status": "Rejected", "description": "no"}}}
    assert (await estate.azure.arm("PUT", str(connection.id), body)).status in (200, 202)
    await refused(estate, connection, NotDecidedError, "Azure is at work on it|Azure is at work on")


async def test_a_target_that_is_not_the_estates_is_refused(found: Founding) -> None:
    estate = await guarded(found)
    await estate.azure.subscription(STRANGER, tenant=TENANT)
    target = resource_id(STRANGER, "rg", STORAGE, "t1")
    connection = connection_at(target)
    await estate.forget_calls()
    await refused(estate, connection, InputError, "not part of the estate")
    assert [call for call in await estate.calls() if "t1" in call] == []


@pytest.mark.parametrize(
    "target_type", ["Microsoft.Attestation/attestationProviders", "Microsoft.Synapse/privateLinkHubs"]
)
async def test_a_provider_that_is_not_answered_is_refused(found: Founding, target_type: str) -> None:
    estate = await guarded(found)
    connection = connection_at(resource_id(SPOKE, "rg-spoke", target_type, "a1"))
    await refused(estate, connection, InputError, "are not answered by this version")


def connection_at(target: str) -> Connection:
    """One that nobody has looked at."""
    read = ResourceId.parse(f"{target}/privateEndpointConnections/c1")
    return Connection(read, None, (), PENDING, "", settled=True)


async def test_in_mode_plan_nobody_decides(found: Founding) -> None:
    estate = await guarded(found, mode="plan")
    _, connection = await waiting(estate)
    await estate.forget_calls()
    await refused(estate, connection, PlanOnlyError, "mode: plan")
    assert await estate.calls() == []


async def test_with_storage_down_nothing_is_answered(found: Founding) -> None:
    """Law 12."""
    estate = await guarded(found)
    target, connection = await waiting(estate)
    nobody = StorageAccount(
        connection_string="DefaultEndpointsProtocol=http;AccountName=test;AccountKey=dGVzdA==;"
        "QueueEndpoint=http://127.0.0.1:9/test;TableEndpoint=http://127.0.0.1:9/test;"
    )
    rooms = replace(estate.hubwarden.rooms, decisions=Decisions(nobody))
    with pytest.raises(LedgerUnavailableError):
        await decide(rooms, said(connection), ADA)
    await nobody.close()
    assert await writes(estate) == []
    assert await statuses(estate, target) == [PENDING]


# Others at the same time.


@pytest.mark.parametrize("verdicts", [("approve", "approve"), ("approve", "reject")])
async def test_of_two_people_at_once_one_wins_and_the_other_is_told(found: Founding, verdicts: tuple[str, str]) -> None:
    """One answer at a time: the other is told who decides, or that it was answered, and writes nothing."""
    estate = await guarded(found)
    target, connection = await waiting(estate)
    came = await asyncio.gather(
        *(decided(estate, connection, verdict, who) for verdict, who in zip(verdicts, (ADA, BEN), strict=True)),
        return_exceptions=True,
    )
    reports = [each for each in came if isinstance(each, Report)]
    done = [each for each in reports if [outcome.result for outcome in each.outcomes] == [Result.DONE]]
    [report] = done
    [decision] = report.decisions
    [other] = [each for each in came if each is not report]
    if isinstance(other, Report):
        assert [(each.result, "waits no longer" in each.error) for each in other.outcomes] == [(Result.RACED, True)]
    else:
        assert isinstance(other, NotDecidedError)
        told_of = (decision.who, f"is {decision.verdict.status}", "somebody else answers")
        assert any(each in str(other) for each in told_of), other
    assert len(await writes(estate)) == 1
    assert await statuses(estate, target) == [decision.verdict.status]
    rows = {row["Result"]: row["Who"] for row in await rows_of_answers(estate)}
    assert rows.pop("done") == decision.who
    assert set(rows) <= {"raced"}


@pytest.mark.parametrize("status", ["Approved", "Rejected"])
async def test_a_person_who_is_faster_at_the_resource_stands(found: Founding, status: str) -> None:
    """Law 10: read just before; in between somebody answered in the portal."""
    estate = await guarded(found)
    target, connection = await waiting(estate)
    meanwhile(estate, lambda: by_hand(estate, connection, status))
    report = await decided(estate, connection, "reject" if status == "Approved" else "approve")
    [outcome] = report.outcomes
    assert (outcome.result, f"it is {status}" in outcome.error) == (Result.RACED, True)
    assert await writes(estate) == []
    [shown] = await connections_of(estate, target)
    assert (shown.status, shown.message) == (status, "by hand")
    assert [(row["Result"], row["Who"]) for row in await rows_of_answers(estate)] == [("raced", ADA)]


async def test_whose_connection_is_meant_may_be_said(found: Founding) -> None:
    """Some providers name a connection after its endpoint, so that its id says nothing of who asks now."""
    estate = await guarded(found)
    target, connection = await waiting(estate)
    theirs = str(connection.endpoint).replace(SPOKE, HUB)
    with pytest.raises(NotDecidedError, match=f"but of {connection.endpoint}"):
        await estate.hubwarden.decide(Ruling.read(str(connection.id), "approve", "", theirs), ADA)
    with pytest.raises(InputError, match="not the id of a private endpoint"):
        Ruling.read(str(connection.id), "approve", "", target)
    [shown] = await connections_of(estate, target)
    assert (shown.status, await open_rows(estate)) == (PENDING, ())
    meant = Ruling.read(str(connection.id), "approve", "", str(connection.endpoint).upper())
    report = await estate.hubwarden.decide(meant, ADA)
    assert [outcome.result for outcome in report.outcomes] == [Result.DONE]


async def test_one_made_anew_for_another_endpoint_is_not_answered(found: Founding) -> None:
    """Deleted and made anew under the same name between the decision and the write."""
    estate = await guarded(found)
    target, connection = await waiting(estate)
    shown = (await estate.azure.arm("GET", str(connection.id))).body
    shown["properties"]["privateEndpoint"]["id"] += "-other"
    meanwhile(estate, lambda: estate.azure.put(shown))
    [outcome] = (await decided(estate, connection)).outcomes
    assert (outcome.result, "is another's now" in outcome.error) == (Result.RACED, True)
    assert await writes(estate) == []
    assert await statuses(estate, target) == [PENDING]


async def test_what_azure_is_at_work_on_is_followed_and_nobody_else_decides_meanwhile(found: Founding) -> None:
    """Approval notes, "response lags": the person is told that it is under way; the work queue follows it."""
    estate = await guarded(found, {**OWN, "then": "reject"})
    target, connection = await waiting(estate, SERVER)
    await estate.azure.sim("POST", "settings", {"operationMs": 60_000})
    report = await decided(estate, connection)
    assert report.outcomes == ()
    [held] = report.plan.held
    assert (held.reason, held.waits, f"person {ADA}" in held.detail) == (HeldReason.NOT_READY, True, True)
    [row] = await open_rows(estate)
    assert (row.who, bool(row.taken_at)) == (ADA, True)
    assert (await estate.hubwarden.queued())[0] == 1

    with pytest.raises(NotDecidedError):
        await decided(estate, connection, "reject", BEN)
    [still] = (await estate.hubwarden.run(Pending())).decisions
    assert (still.verdict, still.who, still.rule) == (Verdict.APPROVE, ADA, "")
    await estate.azure.advance(60)
    [outcome] = (await estate.hubwarden.run(OneTarget(connection.target))).outcomes
    assert outcome.result is Result.DONE
    assert await statuses(estate, target) == [APPROVED]
    assert len(await writes(estate)) == 1
    assert [(row["Result"], row["Who"]) for row in await rows_of_answers(estate)] == [("done", ADA)]


async def test_who_answers_already_is_told(found: Founding) -> None:
    """Another answer is open: whose it is, and what it says."""
    estate = await guarded(found)
    target, connection = await waiting(estate)
    rooms = estate.hubwarden.rooms
    elsewhere = Decision(connection_at(f"{target}-2"), Verdict.APPROVE, "own", "")
    await rooms.decisions.intend([elsewhere], rooms.now() - 1, lasts=600.0)
    await rooms.decisions.intend([Decision(connection, Verdict.REJECT, "strangers", "")], rooms.now(), lasts=600.0)
    with pytest.raises(NotDecidedError, match="reject by rule strangers is under way"):
        await decided(estate, connection)
    assert await statuses(estate, target) == [PENDING]
    estate.time.seconds += 601
    await decided(estate, connection)
    assert await statuses(estate, target) == [APPROVED]


async def test_an_answer_that_ends_while_it_is_asked_whose_it_is(found: Founding) -> None:
    class Ending(Decisions):
        async def intend(self, decisions: Iterable[Decision], *_: Any, **__: Any) -> tuple[None, ...]:
            return tuple(None for _ in decisions)

    estate = await guarded(found)
    _, connection = await waiting(estate)
    rooms = replace(estate.hubwarden.rooms, decisions=Ending(estate.hubwarden.rooms.account))
    with pytest.raises(NotDecidedError, match="somebody else answers"):
        await decide(rooms, said(connection), ADA)


# Crashes and failures.


async def test_killed_between_its_word_and_its_deed_it_is_one_row_and_who_is_kept(
    found: Founding, tmp_path: Path
) -> None:
    """The sweep does not give the answer in the person's place: it closes the row, and the connection waits."""
    estate = await guarded(found)
    target, connection = await waiting(estate)
    read = fault("GET", str(connection.id), skip=1, delayMs=60_000)
    await estate.azure.sim("POST", "faults", read)
    running = asyncio.create_task(decided(estate, connection))
    await estate.until(lambda: open_rows(estate))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await estate.azure.sim("DELETE", "faults")
    await restarted(estate, tmp_path)
    estate.time.seconds += 601
    await estate.sweep()
    await estate.sweep()
    assert await open_rows(estate) == ()
    assert [(row["Result"], row["Who"]) for row in await rows_of_answers(estate)] == [("failed", ADA)]
    assert await statuses(estate, target) == [PENDING]
    await decided(estate, connection)
    assert [(row["Result"], row["Who"]) for row in await rows_of_answers(estate)] == [("done", ADA)]


async def test_killed_between_its_deed_and_the_closing_it_is_one_row_and_one_event(
    found: Founding, azure: Azure, tmp_path: Path
) -> None:
    class Failing(Decisions):
        async def close(self, *_given: object, **_named: object) -> None:
            raise LedgerUnavailableError("storage went down")

    topic = {"topic": topic_of(azure)}
    estate = await guarded(found, events=topic)
    target, connection = await waiting(estate)
    rooms = estate.hubwarden.rooms
    estate.hubwarden.rooms = replace(rooms, decisions=Failing(rooms.account))
    [outcome] = (await decided(estate, connection)).outcomes
    assert outcome.result is Result.DONE
    await restarted(estate, tmp_path, events=topic)
    estate.time.seconds += 601
    await estate.sweep()
    await estate.sweep()
    assert [(row["Result"], row["Who"]) for row in await rows_of_answers(estate)] == [("done", ADA)]
    ids = {(each["type"], each["id"]) for each in await told(estate) if "Approved" in each["type"]}
    assert len(ids) == 1
    assert await statuses(estate, target) == [APPROVED]


@pytest.mark.parametrize("when", ["before", "after"])
async def test_without_a_clear_answer_it_failed_and_the_same_person_may_say_it_again(
    found: Founding, when: str
) -> None:
    """What was taken all the same is told as that; and either way there is one row."""
    estate = await guarded(found)
    target, connection = await waiting(estate)
    fails = fault("PUT", "/privateEndpointConnections/", status=500, code="InternalServerError", when=when)
    await estate.azure.sim("POST", "faults", fails)
    report = await decided(estate, connection)
    assert report.status is Status.FAILED
    [row] = await open_rows(estate)
    assert (row.who, row.held_until) == (ADA, 0.0)
    if when == "before":
        assert (await decided(estate, connection)).status is Status.DONE
    else:
        with pytest.raises(NotDecidedError, match="it is Approved"):
            await decided(estate, connection)
        estate.time.seconds += 601
        await estate.sweep()
    assert await statuses(estate, target) == [APPROVED]
    assert [(row["Result"], row["Who"]) for row in await rows_of_answers(estate)] == [("done", ADA)]


async def test_what_cannot_be_handed_on_is_left_to_the_sweep(found: Founding) -> None:
    """The answer was given: that the queue is down does not undo it."""

    class Silent(WorkQueue):
        async def send(self, *_given: object, **_named: object) -> None:
            raise LedgerUnavailableError("the queue is down")

    estate = await guarded(found)
    target, connection = await waiting(estate)
    rooms = estate.hubwarden.rooms
    report = await decide(replace(rooms, work=Silent(rooms.account)), said(connection), ADA)
    assert (report.status, await statuses(estate, target)) == (Status.DONE, [APPROVED])
    await estate.azure.advance(60)
    await estate.sweep()
    assert await estate.addresses("t1") == ["10.1.0.4"]
