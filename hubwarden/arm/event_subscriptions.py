"""What a subscription shows of its events, and of who may look: rights, registration, system topics.

Sources: Microsoft's REST reference (Permissions - List For Resource Group, whose path there is for a subscription, too;
Providers - Get; System Topics - List By Subscription; System Topic Event Subscriptions - List By System Topic).
"""

from __future__ import annotations

from typing import Any

from hubwarden.arm.documents import Document, id_or_none, to_moment
from hubwarden.arm.failures import shaped, translated
from hubwarden.arm.session import ArmSession
from hubwarden.errors import NotFoundError
from hubwarden.model.coverage import PROVIDER, Permission
from hubwarden.model.event_subscription import (
    FUNCTION,
    QUEUE,
    Condition,
    Destination,
    EventFilter,
    EventSubscription,
    SystemTopic,
)
from hubwarden.model.resource_id import ResourceId, fold

_PERMISSIONS_VERSION = "2022-04-01"
_PROVIDERS_VERSION = "2021-04-01"
_EVENTS_VERSION = "2022-06-15"
_TOPIC_TYPE = "microsoft.resources.subscriptions"


async def permissions_at(session: ArmSession, scope: str) -> tuple[Permission, ...]:
    """What whoever asks may do in a subscription or a resource group, by its id.

    Raises DeniedError, InputError, NotFoundError, TemporaryError.
    """
    path = f"{scope}/providers/Microsoft.Authorization/permissions"
    with translated("listing the permissions at", scope):
        documents = await session.list_all(path, _PERMISSIONS_VERSION)
    with shaped(f"the permissions at {scope}"):
        return tuple(Permission(_texts(each.get("actions")), _texts(each.get("notActions"))) for each in documents)


async def registration_in(session: ArmSession, subscription: str) -> str:
    """The registrationState of Event Grid in a subscription. Raises DeniedError, TemporaryError."""
    with translated(f"reading whether {PROVIDER} is registered in subscription", subscription):
        body = await session.get(f"/subscriptions/{subscription}/providers/{PROVIDER}", _PROVIDERS_VERSION)
    return str(body.get("registrationState") or "")


async def system_topics_of(session: ArmSession, subscription: str) -> tuple[SystemTopic, ...]:
    """The system topics that tell of a subscription, each with its event subscriptions.

    Raises DeniedError, InputError, TemporaryError.
    """
    path = f"/subscriptions/{subscription}/providers/{PROVIDER}/systemTopics"
    with translated("listing the system topics of subscription", subscription):
        documents = await session.list_all(path, _EVENTS_VERSION)
    topics = [topic for each in documents if (topic := to_topic(each, subscription)) is not None]
    return tuple([found for topic in topics if (found := await _with_subscriptions(session, topic)) is not None])


async def _with_subscriptions(session: ArmSession, topic: SystemTopic) -> SystemTopic | None:
    """The topic whole; None for one that has gone meanwhile."""
    try:
        with translated("listing the event subscriptions of", topic.id):
            documents = await session.list_all(f"{topic.id}/eventSubscriptions", _EVENTS_VERSION)
    except NotFoundError as error:
        if error.proves_absence:
            return None
        raise
    return SystemTopic(topic.id, topic.state, tuple(map(to_event_subscription, documents)))


def to_topic(document: Document, subscription: str) -> SystemTopic | None:
    """A system topic that tells of that subscription; None for one that tells of something else.

    Raises InputError for what has another shape than Azure documents.
    """
    with shaped(f"the system topic {str(document.get('id'))[:200]}"):
        properties = document["properties"]
        if fold(str(properties.get("topicType"))) != _TOPIC_TYPE:
            return None
        if fold(str(properties.get("source"))).rstrip("/") != f"/subscriptions/{fold(subscription)}":
            return None
        return SystemTopic(ResourceId.parse(document["id"]), str(properties.get("provisioningState") or ""))


def to_event_subscription(document: Document) -> EventSubscription:
    """The document of an event subscription. Raises InputError for what has another shape than Azure documents."""
    with shaped(f"the event subscription {str(document.get('id'))[:200]}"):
        properties = document["properties"]
        by_identity = properties.get("deliveryWithResourceIdentity") or {}
        return EventSubscription(
            name=str(document["name"]),
            state=str(properties.get("provisioningState") or ""),
            expires=to_moment(properties.get("expirationTimeUtc")),
            destination=_to_destination(properties.get("destination") or by_identity.get("destination") or {}),
            filter=_to_filter(properties.get("filter") or {}),
        )


def _to_destination(document: Document) -> Destination:
    kind, properties = str(document.get("endpointType") or ""), document.get("properties") or {}
    address = str(properties.get("endpointBaseUrl") or properties.get("resourceId") or "")
    if fold(kind) not in (FUNCTION, QUEUE):
        return Destination(kind, address=address)
    resource = id_or_none(properties.get("resourceId"))
    if resource is None:
        return Destination(kind, address=address)
    return Destination(kind, resource, str(properties.get("queueName") or ""))


def _to_filter(document: Document) -> EventFilter:
    types = document.get("includedEventTypes")
    named = None if types is None else frozenset(fold(str(each)) for each in types)
    return EventFilter(
        event_types=None if named is None or "all" in named else named,
        begins_with=str(document.get("subjectBeginsWith") or ""),
        ends_with=str(document.get("subjectEndsWith") or ""),
        conditions=tuple(map(_to_condition, document.get("advancedFilters") or ())),
    )


def _to_condition(document: Document) -> Condition:
    """One advanced filter; those of numbers and truth values have one `value`, which is not judged."""
    return Condition(str(document["operatorType"]), str(document["key"]), _texts(document.get("values")))


def _texts(values: Any) -> tuple[str, ...]:
    return tuple(map(str, values or ()))
