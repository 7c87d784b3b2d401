"""How Event Grid delivers, as the simulator plays it: headers, attempts, dead letters, and what may go wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from simulator import event_retries
from simulator.event_retries import SCHEDULE
from simulator.event_subscriptions import webhook as to
from tests.contract.event_grid import ALL, ENDPOINT, SCALE, SUB, Grid, Webhook


async def test_the_headers_of_a_delivery(grid: Grid, webhook: Webhook) -> None:
    """Section 1.6: type, upper-cased name, count from 0, versions."""
    await grid.events.subscribe(SUB, "events", webhook.url, ALL)
    webhook.statuses = [500]
    grid.change()
    await grid.rest()
    assert [headers["aeg-delivery-count"] for headers in webhook.headers] == ["0", "1"]
    headers = webhook.headers[0]
    assert headers["aeg-event-type"] == "Notification"
    assert headers["aeg-subscription-name"] == "EVENTS"
    assert (headers["aeg-data-version"], headers["aeg-metadata-version"]) == ("2", "1")
    assert headers["Content-Type"].startswith("application/json")


@pytest.mark.parametrize("status", [200, 201, 202, 203, 204])
async def test_success_codes(grid: Grid, webhook: Webhook, status: int) -> None:
    """Section 1.6: these five and no others."""
    await grid.events.subscribe(SUB, "events", webhook.url, ALL)
    webhook.statuses = [status]
    grid.change()
    await grid.rest()
    assert len(webhook.events) == 1
    assert grid.events.dead_letters == []


@pytest.mark.parametrize("status", [205, 302, 404, 408, 429, 500, 503])
async def test_other_codes_are_tried_again(grid: Grid, webhook: Webhook, status: int) -> None:
    """Section 1.6."""
    await grid.events.subscribe(SUB, "events", webhook.url, ALL)
    webhook.statuses = [status]
    grid.change()
    await grid.rest()
    assert [event["id"] for event in webhook.events] == [webhook.events[0]["id"]] * 2


@pytest.mark.parametrize(
    ("status", "outcome"), [(400, "BadRequest"), (401, "Unauthorized"), (403, "Forbidden"), (413, "GenericError")]
)
async def test_final_codes_are_not_tried_again(grid: Grid, webhook: Webhook, status: int, outcome: str) -> None:
    """Section 1.6: dead-lettered at once; the dead letter is the event with five more fields."""
    await grid.events.subscribe(SUB, "events", webhook.url, ALL)
    webhook.statuses = [status]
    grid.change()
    await grid.rest()
    (letter,) = grid.events.dead_letters
    assert len(webhook.events) == 1
    assert letter["id"] == webhook.events[0]["id"]
    assert (letter["deliveryAttempts"], letter["lastDeliveryOutcome"]) == (1, outcome)
    assert letter["publishTime"] <= letter["lastDeliveryAttemptTime"]


async def test_thirty_attempts_are_enough(grid: Grid, webhook: Webhook) -> None:
    """Section 1.6: maxDeliveryAttempts, 30 at most and by default."""
    grid.subscribe(to(webhook.url), maxDeliveryAttempts=3)
    webhook.statuses = [404] * 4
    grid.change()
    await grid.rest()
    (letter,) = grid.events.dead_letters
    assert letter["deadLetterReason"] == "MaxDeliveryAttemptsExceeded"
    assert (letter["deliveryAttempts"], letter["lastDeliveryOutcome"], len(webhook.events)) == (3, "NotFound", 3)


async def test_an_event_dies_when_its_time_is_over(grid: Grid, webhook: Webhook) -> None:
    """Section 1.6: looked at when the next attempt is due, so one attempt may come late."""
    grid.subscribe(to(webhook.url), eventTimeToLiveInMinutes=1)
    webhook.statuses = [500] * 30
    grid.change()
    await grid.rest()
    (letter,) = grid.events.dead_letters
    assert letter["deadLetterReason"] == "TimeToLiveExceeded"
    assert letter["deliveryAttempts"] < 5


async def test_a_slow_webhook_counts_as_a_failure_and_gets_the_event_again(webhook: Webhook) -> None:
    """Section 1.6: 30 s to answer; whoever was only slow gets a duplicate."""
    grid = Grid(timeout=0.2)
    await grid.events.start()
    grid.subscribe(to(webhook.url))  # with no handshake, which would have to be as quick
    webhook.hold = asyncio.Event()
    grid.change()
    await webhook.arrived.wait()
    webhook.arrived.clear()
    await webhook.arrived.wait()
    webhook.hold.set()
    await grid.rest()
    assert len(webhook.events) >= 2
    assert grid.log.entries()[0]["status"] == 408
    await grid.events.stop()


async def test_an_absent_webhook_is_tried_again(grid: Grid, webhook: Webhook) -> None:
    """Section 1.6: a socket error waits its 10 s."""
    grid.subscribe(to(webhook.url), maxDeliveryAttempts=2)
    grid.faults.add({"service": "eventgrid", "reset": True, "times": 2})
    grid.change()
    await grid.rest()
    (letter,) = grid.events.dead_letters
    assert (letter["deliveryAttempts"], letter["lastDeliveryOutcome"], webhook.events) == (2, "GenericError", [])


def test_the_schedule_is_azures() -> None:
    """Section 1.6: 10 s, 30 s, 1 min, 5 min, 10 min, 30 min, 1 h, 3 h, 6 h, then every 12 h."""
    assert SCHEDULE == (10, 30, 60, 300, 600, 1800, 3600, 10800, 21600, 43200)


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        ({"status": 500}, 1),
        ({"status": 500, "when": "after"}, 2),
        ({"reset": True, "when": "after"}, 2),
        ({"delayMs": 1}, 1),
    ],
    ids=["late", "duplicate", "answer lost", "delayed"],
)
async def test_faults_strike_deliveries(grid: Grid, webhook: Webhook, fault: Mapping[str, Any], seen: int) -> None:
    """Section 1.10: delay, duplicates and loss can be asked for; the log tells of each delivery, without its key."""
    await grid.events.subscribe(SUB, "events", webhook.url, ALL)
    grid.faults.add({"service": "eventgrid", "path": "/hook", **fault})
    grid.change()
    await grid.rest()
    assert len(webhook.events) == seen
    assert grid.faults.clear() == []
    assert {(each["service"], each["path"], each["query"]) for each in grid.log.entries()} == {
        ("eventgrid", "/hook", "functionName=events")
    }


async def test_events_can_be_delayed_and_wait_in_the_open(grid: Grid, webhook: Webhook) -> None:
    """Section 1.2: latency is not bounded; what is under way keeps the simulator from being at rest."""
    await grid.events.subscribe(SUB, "events", webhook.url, ALL)
    grid.change_settings(eventDelayMs=60_000)
    grid.change()
    (line,) = grid.events.undelivered()
    assert line.startswith("event Microsoft.Resources.ResourceWriteSuccess of /subscriptions/")
    assert line.endswith("for events, attempt 0")


@pytest.mark.parametrize(
    ("attempts", "status", "in_azure", "seconds"),
    [
        (1, 500, False, 10),
        (1, 0, False, 10),
        (1, 503, False, 30),
        (1, 408, False, 120),
        (1, 404, False, 10),
        (1, 404, True, 300),
        (1, 401, True, 300),
        (3, 408, True, 120),
        (6, 404, True, 1800),
        (9, 500, False, 21_600),
        (29, 500, False, 43_200),
    ],
)
def test_how_long_the_next_attempt_waits(attempts: int, status: int, in_azure: bool, seconds: int) -> None:
    """Section 1.6: the schedule, but never less than the answer asks for; an Azure resource's 401 and 404: 5 min."""
    assert event_retries.pause(attempts, status, in_azure=in_azure) == seconds


@pytest.mark.parametrize(
    ("status", "webhook", "azure"), [(400, 1, 1), (401, 1, 0), (403, 1, 1), (404, 0, 0), (413, 1, 1)]
)
def test_what_is_final(status: int, webhook: int, azure: int) -> None:
    """Section 1.6: 401 is final for a webhook only."""
    assert event_retries.is_final(status, in_azure=False) == bool(webhook)
    assert event_retries.is_final(status, in_azure=True) == bool(azure)


async def test_the_waits_can_be_scaled_while_it_runs(webhook: Webhook) -> None:
    """Sections 1.6 and 1.10: the retry clock, scaled; the steerable clock puts an unscaled one forward."""
    grid = Grid(scale=1.0)
    await grid.events.start()
    await grid.events.subscribe(SUB, "events", webhook.url, ALL)
    webhook.statuses = [500, 500]
    grid.change()
    while [line[-9:] for line in grid.events.undelivered()] != ["attempt 1"]:
        await grid.world.clock.sleep(0.001)
    grid.change_settings(eventRetryScale=SCALE)
    grid.world.clock.advance(9)
    assert [line[-9:] for line in grid.events.undelivered()] == ["attempt 1"]
    grid.world.clock.advance(2)
    await grid.rest()
    assert len(webhook.events) == 3
    await grid.events.stop()


async def test_duplicates(grid: Grid, webhook: Webhook) -> None:
    """Sections 1.6 and 1.10: at least once is more than once; a duplicate that fails is not missed."""
    await grid.events.subscribe(SUB, "events", webhook.url, ALL)
    grid.change_settings(eventDuplicates=2)
    webhook.statuses = [500] * 3
    grid.change()
    await grid.rest()
    assert [event["id"] for event in webhook.events] == [webhook.events[0]["id"]] * 4
    assert grid.events.dead_letters == []


async def test_losses(grid: Grid, webhook: Webhook) -> None:
    """Section 1.10: every Nth event never sets out, counted from when the setting is made; no dead letter tells."""
    await grid.events.subscribe(SUB, "events", webhook.url, ALL)
    for loss, delivered in ((3, 5), (0, 7), (1, 0)):
        grid.change_settings(eventLoss=loss)
        webhook.events.clear()
        for number in range(7):
            grid.change(resource=f"{ENDPOINT}-{number}")
        await grid.rest()
        assert len(webhook.events) == delivered
    subjects = [event["subject"][-1] for event in grid.events.lost]
    assert subjects == [*"25", *"0123456"]
    assert grid.events.dead_letters == []


@pytest.mark.parametrize("count", [2, 5])
async def test_disorder(grid: Grid, webhook: Webhook, count: int) -> None:
    """Sections 1.6 and 1.10: no order; events of one moment come in another order than they happened."""
    await grid.events.subscribe(SUB, "events", webhook.url, ALL)
    grid.change_settings(eventShuffle=True)
    for number in range(count):
        grid.change(resource=f"{ENDPOINT}-{number}")
    await grid.rest()
    order = [event["subject"][-1] for event in webhook.events]
    assert sorted(order) != order
    assert sorted(order) == [str(number) for number in range(count)]
