"""Event subscriptions as ARM documents: how they are made, what they ask for, and how long to try."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulator import event_filters, ids
from simulator.documents import Document
from simulator.world import World

SUBSCRIPTIONS = "Microsoft.EventGrid/systemTopics/eventSubscriptions"
TOPICS = "Microsoft.EventGrid/systemTopics"
# Azure, the most there can be, and what there is by default (behaviour reference section 1.6).
MAX_ATTEMPTS, TIME_TO_LIVE_MINUTES = 30, 1440
SCHEMA = "EventGridSchema"


class EventGridError(Exception):
    """An event subscription cannot work: its filter or destination is not simulated, or its webhook refused."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long an event is tried: whichever ends first (behaviour reference section 1.6)."""

    attempts: int
    time_to_live: int  # seconds


def topic(subscription: str) -> Document:
    """The system topic of a subscription (behaviour reference section 1.1)."""
    properties = {
        "provisioningState": "Succeeded",
        "source": f"/subscriptions/{subscription}",
        "topicType": "Microsoft.Resources.Subscriptions",
    }
    return {**_document(_topic_id(subscription), TOPICS, properties), "location": "global"}


def event_subscription(
    subscription: str, name: str, destination: Mapping[str, Any], wanted: Mapping[str, Any]
) -> Document:
    """An event subscription under that topic; `destination` is as in ARM, with endpointType and properties."""
    properties = {
        "provisioningState": "Succeeded",
        "destination": dict(destination),
        "filter": dict(wanted),
        "eventDeliverySchema": SCHEMA,
        "retryPolicy": {"maxDeliveryAttempts": MAX_ATTEMPTS, "eventTimeToLiveInMinutes": TIME_TO_LIVE_MINUTES},
    }
    return _document(f"{_topic_id(subscription)}/eventSubscriptions/{name}", SUBSCRIPTIONS, properties)


def webhook(url: str) -> dict[str, Any]:
    """The destination that is a webhook."""
    return {"endpointType": "WebHook", "properties": {"endpointUrl": url}}


def name_of(document: Document) -> str:
    """What the event subscription is called."""
    return ids.parse(document["id"]).name


def covers(world: World, document: Document, resource_id: str) -> bool:
    """Whether the resource lies under the source of the event subscription's topic."""
    found = world.document(ids.parse(document["id"]).parent)
    return found is not None and f"{ids.key(resource_id)}/".startswith(f"{ids.key(found['properties']['source'])}/")


def filter_of(document: Document) -> event_filters.Filter:
    """Which events it asks for. Raises EventGridError, also if it wants them in a schema that is not simulated."""
    try:
        if (schema := document["properties"].get("eventDeliverySchema") or SCHEMA) != SCHEMA:
            raise event_filters.FilterError(f"the delivery schema {schema} is not simulated")
        return event_filters.read(document["properties"].get("filter") or {})
    except event_filters.FilterError as error:
        raise EventGridError(f"event subscription '{name_of(document)}': {error}") from error


def patience_of(document: Document) -> Patience:
    """Its retry policy, or the default one."""
    policy = document["properties"].get("retryPolicy") or {}
    minutes = policy.get("eventTimeToLiveInMinutes") or TIME_TO_LIVE_MINUTES
    return Patience(policy.get("maxDeliveryAttempts") or MAX_ATTEMPTS, minutes * 60)


def _topic_id(subscription: str) -> str:
    return f"/subscriptions/{subscription}/resourceGroups/rg-events/providers/{TOPICS}/subscription-events"


def _document(resource_id: str, resource_type: str, properties: Mapping[str, Any]) -> Document:
    name = ids.parse(resource_id).name
    return {"id": resource_id, "name": name, "type": resource_type, "properties": dict(properties)}
