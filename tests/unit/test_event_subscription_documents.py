"""Event subscriptions as ARM documents, in the shapes that Microsoft's REST reference shows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from hubwarden.arm.event_subscriptions import to_event_subscription, to_topic
from hubwarden.errors import InputError
from hubwarden.model.event_subscription import Condition, EventFilter
from hubwarden.model.resource_id import ResourceId

SPOKE = "00000000-0000-0000-0000-0000000000aa"
TOPIC = f"/subscriptions/{SPOKE}/resourceGroups/rg/providers/Microsoft.EventGrid/systemTopics/changes"
ACCOUNT = f"/subscriptions/{SPOKE}/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/st1"
QUEUE = {"endpointType": "StorageQueue", "properties": {"resourceId": ACCOUNT, "queueName": "hubwarden-work"}}


def topic(**properties: Any) -> dict[str, Any]:
    """The document of a subscription's system topic."""
    told = {"source": f"/subscriptions/{SPOKE}", "topicType": "Microsoft.Resources.Subscriptions", **properties}
    return {"id": TOPIC, "name": "changes", "properties": told}


def subscription(**properties: Any) -> dict[str, Any]:
    """The document of an event subscription."""
    return {"id": f"{TOPIC}/eventSubscriptions/e", "name": "e", "properties": {"destination": QUEUE, **properties}}


def test_a_topic_is_known_by_its_source_and_type() -> None:
    found = to_topic(topic(provisioningState="Succeeded"), SPOKE.upper())
    assert found is not None
    assert (found.id, found.state) == (ResourceId.parse(TOPIC), "Succeeded")
    assert to_topic(topic(source=f"/subscriptions/{SPOKE}/resourceGroups/rg"), SPOKE) is None
    assert to_topic(topic(topicType="Microsoft.ResourceNotifications.Resources"), SPOKE) is None
    shouted = to_topic(topic(source=f"/SUBSCRIPTIONS/{SPOKE}/", topicType="microsoft.resources.SUBSCRIPTIONS"), SPOKE)
    assert shouted is not None
    assert shouted.state == ""


@pytest.mark.parametrize(
    "properties", [{"destination": QUEUE}, {"deliveryWithResourceIdentity": {"destination": QUEUE}}]
)
def test_a_destination_may_be_reached_with_an_identity(properties: dict[str, Any]) -> None:
    """`destination` is null then (REST reference, DeliveryWithResourceIdentity)."""
    found = to_event_subscription(subscription(**{"destination": None, **properties}))
    assert (found.destination.resource, found.destination.queue) == (ResourceId.parse(ACCOUNT), "hubwarden-work")
    assert str(found.destination) == f"{ACCOUNT} queue hubwarden-work"


@pytest.mark.parametrize(
    ("destination", "shown"),
    [
        (
            {"endpointType": "WebHook", "properties": {"endpointBaseUrl": "https://x.example/a"}},
            "WebHook https://x.example/a",
        ),
        ({"endpointType": "EventHub", "properties": {"resourceId": "/subscriptions/s"}}, "EventHub /subscriptions/s"),
        ({"endpointType": "AzureFunction", "properties": {"resourceId": "nothing"}}, "AzureFunction nothing"),
        ({"endpointType": "NamespaceTopic"}, "NamespaceTopic"),
        (None, ""),
    ],
)
def test_what_is_no_function_or_queue_is_shown_as_it_is(destination: dict[str, Any] | None, shown: str) -> None:
    found = to_event_subscription(subscription(destination=destination)).destination
    assert found.resource is None
    assert str(found) == shown


def test_a_filter_is_read_whole() -> None:
    found = to_event_subscription(
        subscription(
            filter={
                "includedEventTypes": ["Microsoft.Resources.ResourceWriteSuccess"],
                "subjectBeginsWith": "/subscriptions/",
                "subjectEndsWith": "x",
                "advancedFilters": [
                    {"operatorType": "StringIn", "key": "data.operationName", "values": ["a", "b"]},
                    {"operatorType": "NumberGreaterThan", "key": "data.number", "value": 3},
                    {"operatorType": "IsNotNull", "key": "data.status"},
                ],
            }
        )
    )
    assert found.filter == EventFilter(
        event_types=frozenset({"microsoft.resources.resourcewritesuccess"}),
        begins_with="/subscriptions/",
        ends_with="x",
        conditions=(
            Condition("StringIn", "data.operationName", ("a", "b")),
            Condition("NumberGreaterThan", "data.number"),
            Condition("IsNotNull", "data.status"),
        ),
    )


@pytest.mark.parametrize("told", [None, {}, {"includedEventTypes": None}, {"includedEventTypes": ["All"]}])
def test_no_filter_asks_for_everything(told: dict[str, Any] | None) -> None:
    assert to_event_subscription(subscription(filter=told)).filter == EventFilter()


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        (None, None),
        ("2026-05-01T00:00:00Z", datetime(2026, 5, 1, tzinfo=UTC)),
        ("2026-05-01T00:00:00.1234567Z", datetime(2026, 5, 1, microsecond=123456, tzinfo=UTC)),
        ("2026-05-01T00:00:00", datetime(2026, 5, 1, tzinfo=UTC)),
    ],
)
def test_when_it_expires(text: str | None, moment: datetime | None) -> None:
    found = to_event_subscription(subscription(expirationTimeUtc=text, provisioningState="Succeeded"))
    assert (found.name, found.state, found.expires) == ("e", "Succeeded", moment)


@pytest.mark.parametrize(
    "document",
    [
        {"id": TOPIC},
        subscription(expirationTimeUtc="tomorrow"),
        subscription(filter={"advancedFilters": [{"values": []}]}),
        subscription(destination="there"),
        {"id": "x", "properties": None, "name": "e"},
    ],
)
def test_another_shape_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        to_event_subscription(document)


@pytest.mark.parametrize("document", [{"id": TOPIC}, {**topic(), "id": 3}, {**topic(), "properties": []}])
def test_another_shape_of_a_topic_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        to_topic(document, SPOKE)
