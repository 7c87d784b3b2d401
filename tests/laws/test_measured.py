"""What is measured of runs is what happened, in exact values; and nobody is named (docs/monitoring.md)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hubwarden.errors import LedgerUnavailableError
from hubwarden.ledger.runs import Runs as LedgerRuns
from hubwarden.ledger.storage import StorageAccount
from hubwarden.ledger.work_queue import WorkQueue
from hubwarden.model.plan import HeldReason
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import Everything, OneEndpoint, Pending
from hubwarden.model.work import Cause
from hubwarden.reconcile import backlog
from tests.azure import BLOB_ZONE
from tests.collected import Collected
from tests.estate import Estate
from tests.house.test_reasons import table
from tests.laws.conftest import Founding
from tests.laws.test_approvals import OWN, asked, guarded
from tests.laws.test_doubt import of_two_names
from tests.laws.test_full_zones import roomy

LONG = 100.0
LATENCY, RUNS, CHANGES, PLANNED = (
    "hubwarden.event_to_record",
    "hubwarden.runs",
    "hubwarden.changes",
    "hubwarden.plan.changes",
)
HELD, HELD_CONNECTIONS, ALERTS = "hubwarden.held.records", "hubwarden.held.connections", "hubwarden.alerts"
RIGHT = "hubwarden.records.right"
WAITING, LONGEST = "hubwarden.waiting.connections", "hubwarden.waiting.longest"
ANSWERS, SWEEPS, THROTTLED = "hubwarden.answers", "hubwarden.sweeps", "hubwarden.throttled"
QUEUE = ("hubwarden.queue.length", "hubwarden.queue.age", "hubwarden.queue.poison", "hubwarden.outbox.undelivered")
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def endpoint_of(estate: Estate, name: str = "pe1", account: str = "st1") -> str:
    return await estate.azure.endpoint(name, await estate.azure.storage_account(account))


async def happened(estate: Estate, endpoint: str, *, ago: float) -> None:
    """An event of so many seconds ago."""
    cause = Cause(TRACE, estate.time.now() - ago)
    await estate.hubwarden.look(OneEndpoint(ResourceId.parse(endpoint)), within=LONG, cause=cause)


@pytest.mark.parametrize(
    ("ago", "took", "in_time"),
    [
        pytest.param(4.0, 4.0, "true", id="in time"),
        pytest.param(10.0, 10.0, "true", id="just in time"),
        pytest.param(10.5, 10.5, "false", id="late"),
        pytest.param(-60.0, 0.0, "true", id="an event that is still to come"),
        pytest.param(10 * 86400.0, 86400.0, "false", id="an event of last week"),
    ],
)
async def test_the_time_from_an_event_to_its_record_is_measured(
    estate: Estate, collected: Collected, ago: float, took: float, in_time: str
) -> None:
    """Event Grid's time is a hint, and is believed within a day only; a withdrawal counts as a creation does."""
    endpoint = await endpoint_of(estate)
    await happened(estate, endpoint, ago=ago)
    assert collected.points(LATENCY) == {(LATENCY, "false", in_time, "put"): took}
    await estate.delete_endpoint(endpoint)
    await happened(estate, endpoint, ago=ago)
    assert collected.points(LATENCY) == {(LATENCY, "false", in_time, "drop"): took}


async def test_a_record_of_a_run_that_is_cut_short_has_its_latency(estate: Estate, collected: Collected) -> None:
    """Whatever keeps the run from its end: the next one finds the record right, and would tell nothing of it."""
    endpoint = await of_two_names(estate)
    stuck = {"service": "arm", "method": "PUT", "path": "/A/st1-b$", "delayMs": 60_000}
    await estate.azure.sim("POST", "faults", stuck)
    run = asyncio.create_task(happened(estate, endpoint, ago=12.0))

    async def is_measured() -> bool:
        return collected.points(LATENCY) == {(LATENCY, "false", "false", "put"): 12.0}

    await estate.until(is_measured)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run


async def test_what_no_event_brought_has_no_latency(estate: Estate, collected: Collected) -> None:
    await estate.look(await endpoint_of(estate))
    points = collected.points()
    assert points[CHANGES, "put", "done"] == 1
    assert [point for point in points if point[0] == LATENCY] == []


async def test_a_write_that_failed_has_no_latency(estate: Estate, collected: Collected) -> None:
    """The record is not there yet: its time is up when a later look has brought it."""
    endpoint = await endpoint_of(estate)
    fault = {"service": "arm", "method": "PUT", "path": "/A/st1$", "status": 403, "times": 1}
    await estate.azure.sim("POST", "faults", fault)
    await happened(estate, endpoint, ago=1.0)
    assert collected.points(LATENCY) == {}
    await happened(estate, endpoint, ago=20.0)
    assert collected.points(LATENCY) == {(LATENCY, "false", "false", "put"): 20.0}


async def test_a_record_that_was_right_has_no_latency(estate: Estate, collected: Collected) -> None:
    """A repeated event brings nothing, however late it comes."""
    endpoint = await endpoint_of(estate)
    await happened(estate, endpoint, ago=1.0)
    await happened(estate, endpoint, ago=1000.0)
    assert collected.counts(LATENCY) == {(LATENCY, "false", "true", "put"): 1}


async def test_runs_and_changes_are_counted_by_how_they_ended(estate: Estate, collected: Collected) -> None:
    endpoint = await endpoint_of(estate)
    fault = {"service": "arm", "method": "PUT", "path": "/A/st1$", "status": 403, "times": 1}
    await estate.azure.sim("POST", "faults", fault)
    await estate.look(endpoint)
    await estate.look(endpoint)
    points = collected.counts(RUNS, CHANGES, PLANNED)
    assert points[RUNS, "endpoint", "failed"] == 1
    assert points[RUNS, "endpoint", "done"] == 1
    assert points[PLANNED, "endpoint"] == 2
    assert {point for point in points if point[0] == CHANGES} == {(CHANGES, "put", "failed"), (CHANGES, "put", "done")}


@pytest.mark.usefixtures("azurite_down")
async def test_a_run_without_an_answer_is_counted(estate: Estate, collected: Collected) -> None:
    endpoint = ResourceId.parse(await endpoint_of(estate))
    with pytest.raises(LedgerUnavailableError):
        await estate.hubwarden.look(OneEndpoint(endpoint), within=LONG)
    assert collected.counts(RUNS) == {(RUNS, "endpoint", "no_answer"): 1}


async def test_a_sweep_tells_what_it_held_by_reason_once(estate: Estate, collected: Collected) -> None:
    """Every reason is told, be it 0, and not again until the next sweep."""
    await endpoint_of(estate)
    await endpoint_of(estate, "pe2", "st2")
    await estate.write_by_hand("st1")
    await estate.sweep()
    points = collected.points(HELD, ALERTS, SWEEPS)
    held = {point[1]: value for point, value in points.items() if point[0] == HELD}
    assert held == {reason.value: int(reason is HeldReason.FOREIGN_CONFLICT) for reason in HeldReason}
    assert points[ALERTS, "foreign_conflict"] == 1
    assert points[(SWEEPS,)] == 1
    assert collected.points(HELD, ALERTS, SWEEPS) == {}


async def test_a_sweep_tells_how_many_records_are_right(estate: Estate, collected: Collected) -> None:
    """Those that it found so, and those that it made so; not one that it holds, or could not write."""
    for number in "123":
        await endpoint_of(estate, f"pe{number}", f"st{number}")
    await estate.write_by_hand("st3")
    fault = {"service": "arm", "method": "PUT", "path": "/A/st2$", "status": 403, "times": 1}
    await estate.azure.sim("POST", "faults", fault)
    told = []
    for _ in range(3):
        await estate.sweep()
        told.append(collected.points(RIGHT))
    assert told == [{(RIGHT,): 1}, {(RIGHT,): 2}, {(RIGHT,): 2}]


async def test_a_sweep_that_was_cut_short_tells_nothing_of_the_estate(estate: Estate, collected: Collected) -> None:
    """What it did not look at is not known."""
    await endpoint_of(estate)
    fault = {"service": "arm", "method": "GET", "path": "/privateEndpoints/pe1$", "status": 500, "times": 1000}
    await estate.azure.sim("POST", "faults", fault)
    report = await estate.sweep()
    assert not report.complete
    assert collected.points(HELD, RIGHT, SWEEPS) == {}


async def test_what_is_over_a_limit_is_an_alert(found: Founding, collected: Collected) -> None:
    estate = await found(records={"limits": {"perZone": 0}})
    endpoint = await endpoint_of(estate)
    await estate.look(endpoint)
    await estate.delete_endpoint(endpoint)
    await estate.look(endpoint)
    assert collected.points(ALERTS) == {(ALERTS, "over_limit"): 1}


async def test_answers_are_counted_by_verdict_and_by_whom(found: Founding, collected: Collected) -> None:
    estate = await guarded(found, OWN)
    await asked(estate, await estate.azure.storage_account("t1"))
    await estate.hubwarden.run(Pending())
    points = collected.points(ANSWERS, WAITING, LONGEST)
    assert points == {(ANSWERS, "policy", "done", "approve"): 1, (WAITING,): 0, (LONGEST,): 0}


async def test_connections_that_wait_are_told_with_the_longest_wait(found: Founding, collected: Collected) -> None:
    estate = await guarded(found)
    target = await estate.azure.storage_account("t1")
    await asked(estate, target)
    await estate.hubwarden.run(Pending())
    estate.time.seconds += 90
    await asked(estate, target, "pe2")
    collected.points()
    await estate.hubwarden.run(Pending())
    assert collected.points(WAITING, LONGEST) == {(WAITING,): 2, (LONGEST,): 90}


async def test_held_connections_are_told_by_reason(found: Founding, collected: Collected) -> None:
    estate = await found(approvals={"rules": [OWN], "limits": {"approve": 0}})
    await asked(estate, await estate.azure.storage_account("t1"))
    await estate.hubwarden.run(Pending())
    told = {point[1]: value for point, value in collected.points(HELD_CONNECTIONS).items()}
    assert told == {reason.value: int(reason is HeldReason.OVER_LIMIT) for reason in HeldReason}


@pytest.mark.parametrize("service", ["arm", "graph"])
async def test_throttled_requests_are_counted_by_service(estate: Estate, collected: Collected, service: str) -> None:
    await endpoint_of(estate)
    path = "/privateEndpoints/pe1$" if service == "arm" else ""
    fault = {"service": service, "path": path, "status": 429, "retryAfter": 0, "times": 2}
    await estate.azure.sim("POST", "faults", fault)
    await estate.sweep()
    assert collected.points(THROTTLED) == {(THROTTLED, service): 2}


@pytest.mark.parametrize("refusal", ["429 Too Many Requests", "503 Server Busy"])
async def test_what_storage_refuses_as_too_many_is_counted_by_service(collected: Collected, refusal: str) -> None:
    """Every try of it; 500 is not among them (Microsoft, "Common REST API error codes" of storage)."""
    answers = iter([refusal, "500 Internal Server Error"] * 9)
    given: list[str] = []

    async def busy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        given.append(next(answers))
        writer.write(f"HTTP/1.1 {given[-1]}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        writer.close()

    async with await asyncio.start_server(busy, "127.0.0.1", 0) as server:
        place = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/test"
        named = f"AccountName=test;AccountKey=dGVzdA==;QueueEndpoint={place};TableEndpoint={place};"
        account = StorageAccount(connection_string=named)
        for asked in (WorkQueue(account).age(0), LedgerRuns(account).last_sweep()):
            with pytest.raises(LedgerUnavailableError):
                await asked
        await account.close()
    points = collected.points(THROTTLED)
    assert {point[1] for point in points} == {"queue", "table"}
    assert sum(points.values()) == given.count(refusal) < len(given)


async def test_zones_are_told_by_how_full_they_are(estate: Estate, collected: Collected) -> None:
    await roomy(estate, 5, "a", "b", "c")
    await estate.sweep()
    fill, fullest = "hubwarden.zone.fill", "hubwarden.zone.fullest"
    assert collected.points(fill, fullest) == {(fill, "weu", BLOB_ZONE): 0.8, (fullest,): 0.8}
    await estate.delete_by_hand("a")
    estate.hubwarden.rooms.estate.forget_zones()
    await estate.sweep()
    assert collected.points(fill, fullest) == {(fullest,): 0.6}, "one that is not nearly full is not told"


async def test_what_waits_in_the_queue_is_measured(estate: Estate, collected: Collected) -> None:
    """An item that is not due yet has no age."""
    runtime = estate.hubwarden
    await runtime.measure_backlog()
    assert collected.points(*QUEUE) == dict.fromkeys([(name,) for name in QUEUE], 0), "there is no queue yet"
    await runtime.later(Everything(), (0.0,))
    estate.time.seconds += 5
    await runtime.later(Pending(), (0.0, 0.9))
    estate.time.seconds += 0.5
    account = runtime.rooms.account
    await account.poison.create_queue()
    await account.poison.send_message("bad")
    await runtime.measure_backlog()
    length, age, poison, outbox = QUEUE
    assert collected.points(*QUEUE) == {(length,): 3, (age,): 5.5, (poison,): 1, (outbox,): 0}


async def test_what_is_no_work_item_waits_from_when_it_was_put_in(estate: Estate, collected: Collected) -> None:
    """As an event that Event Grid has put into the queue; its text is not looked at."""
    account = estate.hubwarden.rooms.account
    await account.work.create_queue()
    await account.work.send_message("{}")
    [message] = await account.work.peek_messages()
    assert message.inserted_on is not None
    estate.time.seconds = message.inserted_on.timestamp() + 7
    await estate.hubwarden.measure_backlog()
    assert collected.points("hubwarden.queue.age") == {("hubwarden.queue.age",): 7}


async def test_what_the_topic_has_not_taken_is_measured(found: Founding, collected: Collected) -> None:
    estate = await found(events={"topic": "https://nowhere.localhost/api/events"})
    await estate.look(await endpoint_of(estate))
    await estate.hubwarden.measure_backlog()
    assert collected.points("hubwarden.outbox.undelivered") == {("hubwarden.outbox.undelivered",): 1}


@pytest.mark.usefixtures("azurite_down", "collected")
async def test_a_backlog_that_is_not_shown_fails_nothing(estate: Estate, caplog: pytest.LogCaptureFixture) -> None:
    await estate.hubwarden.measure_backlog()
    assert "backlog: it is not measured" in caplog.text


@pytest.mark.usefixtures("azurite_down")
async def test_where_nobody_collects_nobody_is_asked(
    estate: Estate, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What costs requests is only looked at for somebody."""
    monkeypatch.setattr(backlog, "is_collected", lambda: False)
    await estate.hubwarden.measure_backlog()
    assert caplog.text == ""


async def test_nobody_is_named(found: Founding, collected: Collected, estate: Estate) -> None:
    """Attributes are those that docs/monitoring.md names, and hold no id, no address and no word of the consumer."""
    guardian = await guarded(found, OWN)
    target = await estate.azure.storage_account("t1")
    endpoint = await asked(guardian, target, message="for Jane Doe")
    await guardian.hubwarden.run(Pending())
    await happened(guardian, endpoint, ago=1.0)
    await guardian.sweep()
    points = collected.points()
    rows: dict[str, Any] = {
        cells[0].strip("`"): {each.strip("`") for each in cells[3].split(", ")} - {"none"}
        for cells in table("monitoring.md", "metric")
    }
    assert len(collected.attributes) > 8
    assert {name: names - rows[name] for name, names in collected.attributes.items() if names - rows[name]} == {}
    told = [text for point in points for text in point]
    assert [text for text in told if "/" in text or "Jane" in text or "10." in text or len(text) > 40] == []
    spans = [f"{span.name} {span.attributes} {span.status.description} {span.events}" for span in collected.spans]
    assert [span for span in spans if "Jane" in span] == []
