"""Event subscription: how Event Grid tells somebody what happens in a subscription, and what its filter lets through.

What the app must hear of is here as well: every other happening is no business of its function `events`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from hubwarden.model.connection import CONNECTIONS
from hubwarden.model.endpoint import PRIVATE_ENDPOINT
from hubwarden.model.resource_id import ResourceId, fold

FUNCTION = "azurefunction"
QUEUE = "storagequeue"
"""The kinds of destination that can be the app's, as Azure calls them, in lower case."""

_SUCCESS = "Microsoft.Resources.Resource{verb}Success"
_ANY = "%"
"""Stands for a name that nobody can know before: it is in no resource's name, so that no filter asks for it."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One kind of event that the app must hear of, as an event of it reads (behaviour reference section 1.3)."""

    what: str
    event_type: str
    operation: str
    place: str
    """The subject, from the subscription's id on."""

    def texts(self, subscription: str) -> Mapping[str, str]:
        """What a filter may look at, by its key in lower case; all else differs from event to event."""
        subject = f"/subscriptions/{subscription}{self.place}"
        return {
            "eventtype": self.event_type,
            "data.operationname": self.operation,
            "data.status": "Succeeded",
            "subject": subject,
            "data.resourceuri": subject,
        }


def _happening(what: str, verb: str, operation: str, place: str) -> Happening:
    return Happening(what, _SUCCESS.format(verb=verb), operation, place)


_GROUP = f"/resourceGroups/{_ANY}"
_CONNECTION = f"Microsoft.{_ANY}/{_ANY}/{CONNECTIONS}"
_PLACE = f"{_GROUP}/providers/{PRIVATE_ENDPOINT}/{_ANY}"
_TARGET = f"{_GROUP}/providers/Microsoft.{_ANY}/{_ANY}/{_ANY}/{CONNECTIONS}/{_ANY}"
_GROUPS = "Microsoft.Resources/subscriptions/resourceGroups"

HAPPENINGS = (
    _happening("endpoints written", "Write", f"{PRIVATE_ENDPOINT}/write", _PLACE),
    _happening("endpoints deleted", "Delete", f"{PRIVATE_ENDPOINT}/delete", _PLACE),
    *(
        _happening(
            f"zone groups {done}",
            verb,
            f"{PRIVATE_ENDPOINT}/privateDnsZoneGroups/{verb.lower()}",
            f"{_PLACE}/privateDnsZoneGroups/{_ANY}",
        )
        for verb, done in (("Write", "written"), ("Delete", "deleted"))
    ),
    _happening("connections written", "Write", f"{_CONNECTION}/write", _TARGET),
    _happening("connections deleted", "Delete", f"{_CONNECTION}/delete", _TARGET),
    _happening("resource groups deleted", "Delete", f"{_GROUPS}/delete", _GROUP),
    _happening("resources moved", "Action", f"{_GROUPS}/moveResources/action", _GROUP),
)
"""All that the app must hear of: what it takes from events, and what its sweep would else find later."""

_ADMITS: Mapping[str, Callable[[str, str], bool]] = {
    "stringcontains": lambda text, value: value in text,
    "stringbeginswith": lambda text, value: text.startswith(value),
    "stringendswith": lambda text, value: text.endswith(value),
    "stringin": lambda text, value: text == value,
}
_REFUSES = {operator.replace("string", "stringnot"): test for operator, test in _ADMITS.items()}
# Of these, some events have the one text and some the other, so that no sample stands for all.
_VARIED = ("subject", "data.resourceuri")


@dataclass(frozen=True, slots=True)
class Condition:
    """One advanced filter; its values are alternatives (behaviour reference section 1.7)."""

    operator: str
    key: str
    values: tuple[str, ...] = ()

    def admits(self, texts: Mapping[str, str]) -> bool | None:
        """Whether all events with these texts meet it, compared without case; None where that cannot be known."""
        operator, key = fold(self.operator), fold(self.key)
        if key not in texts:
            return None
        text, values = fold(texts[key]), [fold(value) for value in self.values]
        if operator in _ADMITS:
            return any(_ADMITS[operator](text, value) for value in values)
        if operator in _REFUSES and key not in _VARIED:
            return not any(_REFUSES[operator](text, value) for value in values)
        return True if operator == "isnotnull" else None


@dataclass(frozen=True, slots=True)
class EventFilter:
    """What an event subscription asks for; all of it must hold."""

    event_types: frozenset[str] | None = None
    """In lower case; None for all."""
    begins_with: str = ""
    ends_with: str = ""
    conditions: tuple[Condition, ...] = ()

    def admits(self, happening: Happening, subscription: str) -> bool:
        """Whether every event of that kind is let through; what cannot be judged counts as left out."""
        texts = happening.texts(subscription)
        subject = fold(texts["subject"])
        return (
            (self.event_types is None or fold(happening.event_type) in self.event_types)
            and subject.startswith(fold(self.begins_with))
            and subject.endswith(fold(self.ends_with))
            and all(condition.admits(texts) for condition in self.conditions)
        )

    def unjudged(self, subscription: str) -> tuple[str, ...]:
        """The conditions of which nobody can say here what they leave out."""
        texts = HAPPENINGS[0].texts(subscription)
        return tuple(
            f"{condition.key} {condition.operator}" for condition in self.conditions if condition.admits(texts) is None
        )


@dataclass(frozen=True, slots=True)
class Destination:
    """Where events go: `resource` is the function, or the storage account of the `queue`; None for all else."""

    kind: str
    """As Azure spells it."""
    resource: ResourceId | None = None
    queue: str = ""
    address: str = ""
    """What else tells where it leads, such as the base URL of a webhook."""

    def __str__(self) -> str:
        if self.resource is None:
            return f"{self.kind} {self.address}".strip()
        return f"{self.resource} queue {self.queue}" if self.queue else str(self.resource)


@dataclass(frozen=True, slots=True)
class EventSubscription:
    """One event subscription of a system topic."""

    name: str
    state: str
    """provisioningState."""
    expires: datetime | None
    destination: Destination
    filter: EventFilter


@dataclass(frozen=True, slots=True)
class SystemTopic:
    """The system topic of a subscription, with its event subscriptions; Azure has one for each subscription."""

    id: ResourceId
    state: str
    """provisioningState."""
    subscriptions: tuple[EventSubscription, ...] = ()
