"""Event Grid as the simulator plays it: who is told of what, how it is said, and how often it is tried."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import pytest
from aiohttp import web
from azure.eventgrid import EventGridEvent

from simulator.clock import Clock
from simulator.events import SCHEDULE, SUBSCRIPTIONS, TOPICS, EventGrid, EventGridError
from simulator.faults import Faults
from simulator.request_log import RequestLog
from simulator.world import Caller, Subscription, World

SUB = "aaaaaaaa-0000-0000-0000-000000000001"
ENDPOINT = f"/subscriptions/{SUB}/resourceGroups/rg-app/providers/Microsoft.Network/privateEndpoints/pe1"
WRITE = "Microsoft.Network/privateEndpoints/write"
ALL: Mapping[str, Any] = {}
UNKNOWN = {"advancedFilters": [{"operatorType": "NumberIn", "key": "data.x", "values": [1]}]}
SCALE = 0.0001


class Webhook:
    """A webhook that answers what a test tells it to, and keeps what it was sent."""

    def __init__(self) -> None:
        self.url = ""
        self.handshakes = 0
        self.events: list[dict[str, Any]] = []
        self.headers: list[Mapping[str, str]] = []
        self.statuses: list[int] = []
        self.validation: Callable[[str], web.Response] = lambda code: web.json_response({"validationResponse": code})
        self.arrived = asyncio.Event()
        self.hold: asyncio.Event | None = None

    async def answer(self, request: web.Request) -> web.Response:
        """One request of Event Grid."""
        (event,) = await request.json()
        if request.headers["aeg-event-type"] == "SubscriptionValidation":
            self.handshakes += 1
            assert ":553/" in event["data"]["validationUrl"]
            return self.validation(event["data"]["validationCode"])
        self.events.append(event)
        self.headers.append(request.headers)
        self.arrived.set()
        if self.hold is not None:
            await self.hold.wait()
        return web.Response(status=self.statuses.pop(0) if self.statuses else 202)


@pytest.fixture
async def webhook() -> AsyncIterator[Webhook]:
    """A webhook on loopback that agrees and takes everything."""
    hook = Webhook()
    application = web.Application()
    application.router.add_post("/hook", hook.answer)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hook.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook?code=the-system-key&functionName=events"
    yield hook
    if hook.hold is not None:
        hook.hold.set()
    await runner.cleanup()


class Grid:
    """A world with one subscription, and its Event Grid."""

    def __init__(self, timeout: float = 30.0) -> None:
        self.world = World(Clock())
        self.world.subscriptions[SUB] = Subscription(SUB)
        self.faults, self.log = Faults(), RequestLog()
        self.events = EventGrid(self.world, self.faults, self.log, scale=SCALE, timeout=timeout)

    def change(self, operation: str = WRITE, resource: str = ENDPOINT, *, succeeded: bool = True) -> None:
        """Something happens."""
        self.world.announce(operation, resource, Caller("the-deployer"), succeeded=succeeded)

    async def rest(self) -> None:
        """Returns when nothing is under way; steps aside for what is."""
        while self.events.undelivered():
            await self.world.clock.sleep(0.001)


@pytest.fixture
async def grid() -> AsyncIterator[Grid]:
    """An Event Grid whose hours pass in a blink."""
    grid = Grid()
    await grid.events.start()
    yield grid
    await grid.events.stop()


async def test_a_change_is_one_event_in_the_event_grid_schema(grid: Grid, webhook: Webhook) -> None:
    """Behaviour reference section 1.3: an array with one event, its envelope, and no resource body."""
    await grid.events.subscribe(SUB, "events", webhook.url, ALL)
    grid.change()
    await grid.rest()
    (event,) = webhook.events
    assert EventGridEvent.from_json(json.dumps(event)).event_type == "Microsoft.Resources.ResourceWriteSuccess"
    assert event["topic"] == f"/subscriptions/{SUB}"
    assert event["subject"].lower() == ENDPOINT.lower()
    assert (event["dataVersion"], event["metadataVersion"]) == ("2", "1")
    data = event["data"]
    assert (data["operationName"], data["status"]) == (WRITE, "Succeeded")
    assert data["authorization"]["action"] == WRITE
    assert (data["resourceProvider"], data["resourceUri"]) == ("Microsoft.Network", event["subject"])
    assert data["subscriptionId"] == SUB
    assert data["tenantId"] == grid.world.subscriptions[SUB].tenant
    assert data["claims"]["name"] == "Adelheid Beispiel"


async def test_only_changes_under_the_topics_source_are_told(grid: Grid, webhook: Webhook) -> None:
    """Section 1.1: a system topic has one source, here a subscription; another subscription needs its own."""
    other = SUB.replace("1", "2")
    grid.world.subscriptions[other] = Subscription(other)
    await grid.events.subscribe(SUB, "events", webhook.url, ALL)
    grid.change(resource=ENDPOINT.replace(SUB, other))
    grid.change(resource=ENDPOINT.replace(SUB, "cccccccc-0000-0000-0000-000000000003"))
    grid.change(resource=ENDPOINT.upper())
    await grid.rest()
    assert [event["subject"].lower() for event in webhook.events] == [ENDPOINT.lower()]


async def test_an_event_subscription_without_its_topic_is_told_nothing(grid: Grid, webhook: Webhook) -> None:
    """Section 1.1: the topic is what has a source."""
    grid.events.declare(SUB, "events", webhook.url, ALL)
    (topic,) = grid.world.documents(TOPICS)
    grid.world.store.remove(topic["id"])
    grid.change()
    assert grid.events.undelivered() == []


async def test_a_faulty_filter_stops_a_subscription_and_is_heard_of(grid: Grid, webhook: Webhook) -> None:
    """Whoever waits for quiet must learn that nothing will come."""
    with pytest.raises(EventGridError, match="NumberIn"):
        await grid.events.subscribe(SUB, "events", webhook.url, UNKNOWN)
    grid.events.declare(SUB, "events", webhook.url, UNKNOWN)
    grid.change()
    assert grid.events.undelivered() == ["event subscription 'events': the operator NumberIn is not simulated"]
    grid.events.declare(SUB, "events", webhook.url, ALL)
    assert grid.events.undelivered() == []


async def test_only_webhooks_are_destinations(grid: Grid, webhook: Webhook) -> None:
    """Another destination would be a silent loss."""
    grid.events.declare(SUB, "events", webhook.url, ALL)
    (document,) = grid.world.documents(SUBSCRIPTIONS)
    properties = {**document["properties"], "destination": {"endpointType": "StorageQueue"}}
    grid.world.put({**document, "properties": properties})
    grid.change()
    assert grid.events.undelivered() == ["event subscription 'events': only webhooks are simulated as destinations"]


async def test_the_webhook_is_asked_once_before_the_first_event_and_again_after_an_update(
    grid: Grid, webhook: Webhook
) -> None:
    """Section 1.9: the handshake is made at creation and update."""
    grid.events.declare(SUB, "events", webhook.url, ALL)
    grid.change()
    grid.change()
    await grid.rest()
    assert (webhook.handshakes, len(webhook.events)) == (1, 2)
    grid.events.declare(SUB, "events", webhook.url, {"subjectEndsWith": "pe1"})
    grid.change()
    await grid.rest()
    assert webhook.handshakes == 2


REFUSALS: dict[str, Callable[[str], web.Response]] = {
    "202": lambda code: web.json_response({"validationResponse": code}, status=202),
    "no code": lambda code: web.json_response({"validationResponse": code[1:]}),
    "no json": lambda code: web.Response(text=code),
    "a list": lambda code: web.json_response([code]),
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
async def test_a_webhook_that_does_not_agree_is_sent_nothing(
    grid: Grid, webhook: Webhook, refusal: Callable[[str], web.Response]
) -> None:
    """Section 1.9: only 200 with the code is an answer, 202 is not; asked again once after 5 s."""
    webhook.validation = refusal
    with pytest.raises(EventGridError, match="must answer the validation with 200 and its code") as raised:
        await grid.events.subscribe(SUB, "events", webhook.url, ALL)
    assert "the-system-key" not in str(raised.value)
    assert webhook.handshakes == 2
    assert grid.world.documents(SUBSCRIPTIONS) == []
    grid.events.declare(SUB, "events", webhook.url, ALL)
    grid.change()
    while not any("must answer" in line for line in grid.events.undelivered()):
        await grid.world.clock.sleep(0.001)
    assert webhook.events == []


async def test_a_webhook_that_is_not_there_does_not_agree(grid: Grid) -> None:
    """A refused connection is an answer too."""
    with pytest.raises(EventGridError, match="answered: ClientConnectorError"):
        await grid.events.subscribe(SUB, "events", "http://127.0.0.1:9/hook", ALL)


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
    await grid.events.subscribe(SUB, "events", webhook.url, ALL)
    (document,) = grid.world.documents(SUBSCRIPTIONS)
    document["properties"]["retryPolicy"] = {"maxDeliveryAttempts": 3, "eventTimeToLiveInMinutes": 1440}
    webhook.statuses = [404] * 4
    grid.change()
    await grid.rest()
    (letter,) = grid.events.dead_letters
    assert letter["deadLetterReason"] == "MaxDeliveryAttemptsExceeded"
    assert (letter["deliveryAttempts"], letter["lastDeliveryOutcome"], len(webhook.events)) == (3, "NotFound", 3)


async def test_an_event_dies_when_its_time_is_over(grid: Grid, webhook: Webhook) -> None:
    """Section 1.6: looked at when the next attempt is due, so one attempt may come late."""
    await grid.events.subscribe(SUB, "events", webhook.url, ALL)
    (document,) = grid.world.documents(SUBSCRIPTIONS)
    document["properties"]["retryPolicy"] = {"maxDeliveryAttempts": 30, "eventTimeToLiveInMinutes": 1}
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
    await grid.events.subscribe(SUB, "events", webhook.url, ALL)
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
    await grid.events.subscribe(SUB, "events", webhook.url, ALL)
    (document,) = grid.world.documents(SUBSCRIPTIONS)
    document["properties"]["retryPolicy"] = {"maxDeliveryAttempts": 2}
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
    grid.world.settings = grid.world.settings.changed({"eventDelayMs": 60_000})
    grid.change()
    (line,) = grid.events.undelivered()
    assert line.startswith("event Microsoft.Resources.ResourceWriteSuccess of /subscriptions/")
    assert line.endswith("for events, attempt 0")
