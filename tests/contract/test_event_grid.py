"""Event Grid as the simulator plays it: who is told of what, after which handshake."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from aiohttp import web
from azure.eventgrid import EventGridEvent

from simulator.event_subscriptions import SUBSCRIPTIONS, TOPICS, EventGridError
from simulator.event_subscriptions import webhook as to
from simulator.world import Subscription
from tests.contract.event_grid import ALL, ENDPOINT, SUB, WRITE, Grid, Webhook
from tests.contract.function_apps import messages, put

UNKNOWN = {"advancedFilters": [{"operatorType": "NumberIn", "key": "data.x", "values": [1]}]}


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


async def test_only_the_event_grid_schema_is_delivered(grid: Grid, webhook: Webhook) -> None:
    """Section 1.4: what was asked for in CloudEvents must not come in another shape."""
    grid.subscribe(to(webhook.url))
    (document,) = grid.world.documents(SUBSCRIPTIONS)
    document["properties"]["eventDeliverySchema"] = "CloudEventSchemaV1_0"
    grid.change()
    reason = "the delivery schema CloudEventSchemaV1_0 is not simulated"
    assert grid.events.undelivered() == [f"event subscription 'events': {reason}"]


APP = f"/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.Web/sites/app"
ACCOUNT = f"/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/st1"
QUEUE = {"resourceId": ACCOUNT, "queueName": "looks"}


@pytest.mark.parametrize(
    ("kind", "properties", "reason"),
    [
        ("EventHub", {}, "the destination EventHub is not simulated, only WebHook, AzureFunction, StorageQueue"),
        ("WebHook", {}, "its destination lacks 'endpointUrl'"),
        ("StorageQueue", {"resourceId": ACCOUNT}, "its destination lacks 'queueName'"),
        ("StorageQueue", QUEUE, "there is no storage account for the queue 'looks'"),
        ("StorageQueue", {**QUEUE, "resourceId": "st1"}, "'st1' is not a resource id."),
        ("AzureFunction", {"resourceId": f"{APP}/functions/Gone"}, "no function 'Gone' that takes events is running"),
    ],
)
async def test_a_destination_that_is_not_there_is_heard_of(
    grid: Grid, kind: str, properties: Mapping[str, Any], reason: str
) -> None:
    """Section 1.6: what can be sent to; another destination would be a silent loss."""
    grid.subscribe({"endpointType": kind, "properties": properties})
    grid.change()
    assert grid.events.undelivered() == [f"event subscription 'events': {reason}"]


async def test_a_function_is_reached_without_its_key_and_without_a_handshake(grid: Grid, webhook: Webhook) -> None:
    """Section 8.3: destination AzureFunction names the function by its id; Azure knows its address."""
    grid.events.destinations.functions = {"events": webhook.url}
    grid.subscribe({"endpointType": "AzureFunction", "properties": {"resourceId": f"{APP}/functions/EVENTS"}})
    grid.change()
    await grid.rest()
    assert (webhook.handshakes, len(webhook.events)) == (0, 1)


async def test_a_function_whose_host_is_gone_is_tried_later(grid: Grid) -> None:
    """Section 1.6: a refused connection is no answer."""
    grid.events.destinations.functions = {"events": "http://127.0.0.1:9/hook"}
    function = {"endpointType": "AzureFunction", "properties": {"resourceId": f"{APP}/functions/events"}}
    grid.subscribe(function, maxDeliveryAttempts=2)
    grid.change()
    await grid.rest()
    (letter,) = grid.events.dead_letters
    assert (letter["deliveryAttempts"], letter["lastDeliveryOutcome"]) == (2, "GenericError")
    assert [each["status"] for each in grid.log.entries()] == [None, None]


async def test_a_queue_gets_one_event_in_base64(grid: Grid, storage: str) -> None:
    """Sections 1.6 and 8.4: a storage queue is a destination; its trigger reads base64; the log knows the queue."""
    grid.events.destinations.storage = storage
    grid.subscribe({"endpointType": "StorageQueue", "properties": QUEUE})
    await put(storage, "looks")
    grid.change()
    await grid.rest()
    (text,) = await messages(storage, "looks")
    event = EventGridEvent.from_json(text)
    assert (event.subject.lower(), event.data["operationName"]) == (ENDPOINT.lower(), WRITE)
    assert [(each["path"], each["status"]) for each in grid.log.entries()] == [("/looks/messages", 201)]


async def test_a_queue_that_is_missing_is_tried_later(grid: Grid, storage: str) -> None:
    """Section 1.6: an Azure resource that answers 404 is tried again, after 5 minutes or more."""
    grid.events.destinations.storage = storage
    grid.subscribe({"endpointType": "StorageQueue", "properties": QUEUE}, maxDeliveryAttempts=2)
    grid.change()
    await grid.rest()
    (letter,) = grid.events.dead_letters
    assert (letter["deliveryAttempts"], letter["lastDeliveryOutcome"]) == (2, "NotFound")


async def test_a_storage_account_that_does_not_answer_is_tried_later(grid: Grid) -> None:
    """Section 1.6: a socket error is no answer."""
    place = "QueueEndpoint=http://127.0.0.1:9/a;"
    grid.events.destinations.storage = f"DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;{place}"
    grid.subscribe({"endpointType": "StorageQueue", "properties": QUEUE}, maxDeliveryAttempts=2)
    grid.change()
    await grid.rest()
    (letter,) = grid.events.dead_letters
    assert (letter["deliveryAttempts"], letter["lastDeliveryOutcome"]) == (2, "GenericError")


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
