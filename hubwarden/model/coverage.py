"""Coverage: whether the app is told of what happens in each subscription of the estate, and if not, why not."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Self

from hubwarden.errors import InputError
from hubwarden.model.event_subscription import (
    FUNCTION,
    HAPPENINGS,
    QUEUE,
    Destination,
    EventSubscription,
    SystemTopic,
)
from hubwarden.model.glob import Glob
from hubwarden.model.resource_id import ResourceId, fold
from hubwarden.model.work import WORK_QUEUE

EVENTS = "events"
"""The app's function that takes events."""

PROVIDER = "Microsoft.EventGrid"
"""What must be registered where events come from."""

NEEDED = (
    "Microsoft.Network/privateEndpoints/read",
    "Microsoft.Network/networkInterfaces/read",
    "Microsoft.EventGrid/systemTopics/read",
    "Microsoft.EventGrid/systemTopics/eventSubscriptions/read",
)
"""What whoever looks must be allowed in a subscription, beside what the questions themselves prove."""

_FUNCTIONS = ("Microsoft.Web/sites/functions", "Microsoft.Web/sites/slots/functions")
_APPS = ("Microsoft.Web/sites", "Microsoft.Web/sites/slots")
_ACCOUNT = "Microsoft.Storage/storageAccounts"
_SUCCEEDED = "succeeded"


class Finding(StrEnum):
    """What was found of a subscription; docs/coverage.md says what mends it."""

    COVERED = "covered"
    NO_SUBSCRIPTION = "no_subscription"
    FAILING = "failing"
    FILTERED = "filtered"
    ELSEWHERE = "elsewhere"
    NOT_REGISTERED = "not_registered"
    NO_RIGHTS = "no_rights"
    UNKNOWN = "unknown"


_GRAVEST_FIRST = (
    Finding.NO_RIGHTS,
    Finding.UNKNOWN,
    Finding.NOT_REGISTERED,
    Finding.NO_SUBSCRIPTION,
    Finding.FAILING,
    Finding.ELSEWHERE,
    Finding.FILTERED,
)
MOST_TOLD, LONGEST_DETAIL = 20, 500
"""Subscriptions, and characters of what there is to say of each, that are kept of a measurement."""


@dataclass(frozen=True, slots=True)
class Ours:
    """Which destinations are this app's; where None, every app's function `events` and every queue of that name."""

    app: ResourceId | None = None
    account: ResourceId | None = None

    def has(self, destination: Destination) -> bool:
        """Whether events that go there come to the app. A webhook does not show which function is behind it."""
        resource = destination.resource
        if resource is None:
            return False
        if fold(destination.kind) == FUNCTION and any(map(resource.is_a, _FUNCTIONS)):
            return fold(resource.name) == EVENTS and self.app in (None, resource.parent)
        return (
            fold(destination.kind) == QUEUE
            and fold(destination.queue) == WORK_QUEUE
            and self.account in (None, resource)
        )


@dataclass(frozen=True, slots=True)
class Permission:
    """Actions that are permitted, but for some; `*` in them is any number of characters."""

    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()

    def allows(self, action: str) -> bool:
        """Whether the action is permitted."""
        return _named(action, self.actions) and not _named(action, self.not_actions)


@dataclass(frozen=True, slots=True)
class SubscriptionCoverage:
    """What was found of one subscription, where its events go, and what there is to say of it."""

    subscription: str
    finding: Finding
    detail: str = ""
    leads_to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was found of every subscription of the estate."""

    subscriptions: tuple[SubscriptionCoverage, ...]

    @property
    def counts(self) -> dict[Finding, int]:
        """How many subscriptions there are of each finding, also of those that were not found."""
        return {finding: sum(each.finding is finding for each in self.subscriptions) for finding in Finding}

    @property
    def summary(self) -> str:
        """The same in a line for people, of those that there are."""
        found = ", ".join(f"{count} {finding}" for finding, count in self.counts.items() if count)
        return found or "no subscription of the estate is shown"

    @property
    def is_whole(self) -> bool:
        """Whether every subscription was found to be covered, and there is one."""
        return bool(self.subscriptions) and all(each.finding is Finding.COVERED for each in self.subscriptions)

    @property
    def is_known(self) -> bool:
        """Whether something was found of every subscription, and there is one."""
        return bool(self.subscriptions) and not self.counts[Finding.UNKNOWN]


@dataclass(frozen=True, slots=True)
class Measured:
    """What was found when coverage was measured: when (seconds since 1970), the numbers, and the worst of them."""

    at: float
    counts: Mapping[Finding, int]
    worst: tuple[SubscriptionCoverage, ...]

    @classmethod
    def of(cls, coverage: Coverage, at: float) -> Self:
        """The worst are at most twenty that are not covered: those first of which the app sees nothing at all."""
        lost = [each for each in coverage.subscriptions if each.finding is not Finding.COVERED]
        worst = sorted(lost, key=lambda each: _GRAVEST_FIRST.index(each.finding))[:MOST_TOLD]
        return cls(at, coverage.counts, tuple(replace(each, detail=each.detail[:LONGEST_DETAIL]) for each in worst))


def app_id(value: object) -> ResourceId:
    """Reads the id of a function app, or of a slot of one. Raises InputError for anything else."""
    app = ResourceId.parse(value)
    if not any(map(app.is_a, _APPS)):
        raise InputError(f"{str(app)[:200]!r} is not the id of a function app, which is {_APPS[0]}")
    return app


def account_id(value: object) -> ResourceId:
    """Reads the id of a storage account. Raises InputError for anything else."""
    account = ResourceId.parse(value)
    if not account.is_a(_ACCOUNT):
        raise InputError(f"{str(account)[:200]!r} is not the id of a storage account, which is {_ACCOUNT}")
    return account


def missing_rights(permissions: Collection[Permission], needed: Collection[str] = NEEDED) -> tuple[str, ...]:
    """The needed actions that no assignment permits; one that forbids them takes them from nobody else's."""
    return tuple(action for action in needed if not any(each.allows(action) for each in permissions))


def judge(subscription: str, topics: Sequence[SystemTopic], ours: Ours, now: float) -> SubscriptionCoverage:
    """What the event subscriptions of a subscription come to; `now` is in seconds since 1970.

    Several may share the work: what one leaves out another may let through.
    """
    every = [(topic, each) for topic in topics for each in topic.subscriptions]
    leads_to = tuple(dict.fromkeys(str(each.destination) for _, each in every))
    own = [(topic, each) for topic, each in every if ours.has(each.destination)]
    troubles = [trouble for topic, each in own if (trouble := _trouble(topic, each, now))]
    well = [each for topic, each in own if not _trouble(topic, each, now)]
    left_out = [each.what for each in HAPPENINGS if not any(one.filter.admits(each, subscription) for one in well)]
    if well and not left_out:
        finding, said = Finding.COVERED, troubles
    elif well:
        finding, said = (
            Finding.FILTERED,
            [f"left out: {', '.join(left_out)}", *_unjudged(subscription, well), *troubles],
        )
    elif troubles:
        finding, said = Finding.FAILING, troubles
    elif every:
        finding, said = Finding.ELSEWHERE, list(_strangers(topics))
    else:
        finding, said = Finding.NO_SUBSCRIPTION, list(_empty(topics))
    return SubscriptionCoverage(subscription, finding, "; ".join(said), leads_to)


def _trouble(topic: SystemTopic, each: EventSubscription, now: float) -> str:
    """Why nothing comes of an event subscription, if so."""
    if fold(topic.state) != _SUCCEEDED:
        return f"the system topic {topic.id.name} is {topic.state or 'without a state'}"
    if fold(each.state) != _SUCCEEDED:
        return f"{topic.id.name}/{each.name} is {each.state or 'without a state'}"
    if each.expires is not None and each.expires <= datetime.fromtimestamp(now, UTC):
        return f"{topic.id.name}/{each.name} expired at {each.expires.isoformat()}"
    return ""


def _unjudged(subscription: str, well: Sequence[EventSubscription]) -> Iterator[str]:
    for each in well:
        if doubts := each.filter.unjudged(subscription):
            yield f"what {each.name} leaves out by {', '.join(doubts)} cannot be judged"


def _strangers(topics: Sequence[SystemTopic]) -> Iterator[str]:
    names = [f"{topic.id.name}/{each.name}" for topic in topics for each in topic.subscriptions]
    yield f"none of {', '.join(names)} leads to the app's function or queue"


def _empty(topics: Sequence[SystemTopic]) -> Iterator[str]:
    if not topics:
        yield "there is no system topic for the subscription"
    for topic in topics:
        yield f"the system topic {topic.id} has no event subscription"


def _named(action: str, patterns: Collection[str]) -> bool:
    return any(Glob(fold(pattern)).matches(action) for pattern in patterns)
