"""Policy: who may connect, as the owner wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from hubwarden.model.connection import Verdict
from hubwarden.model.expression import Expression, Regex
from hubwarden.model.facts import FACTS, Side
from hubwarden.model.glob import Glob
from hubwarden.model.note import Note
from hubwarden.model.resource_id import fold


class Within(StrEnum):
    """Where a consumer can be asked to be."""

    ESTATE = "estate"
    TENANT = "tenant"


Tags = tuple[tuple[str, Glob], ...]
"""Names of tags with what their values must be like."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What to answer where all conditions hold; an empty one is no condition. All are compared without case."""

    name: str
    then: Verdict
    note: Note | None = None
    """What stands in the description of a connection that is answered; None for the words that are usual."""
    consumer_subscriptions: tuple[str, ...] = ()
    consumer_management_groups: tuple[str, ...] = ()
    consumer_within: Within | None = None
    consumer_foreign: bool = False
    """Whether the consumer must be known to be in another tenant."""
    managed_by: tuple[str, ...] = ()
    """The types of which one resource of the estate's must show that it has this connection made."""
    consumer_resource_groups: tuple[Glob, ...] = ()
    consumer_endpoints: tuple[Glob, ...] = ()
    consumer_locations: tuple[str, ...] = ()
    consumer_tags: Tags = ()
    target_types: tuple[str, ...] = ()
    target_subscriptions: tuple[str, ...] = ()
    target_management_groups: tuple[str, ...] = ()
    target_resource_groups: tuple[Glob, ...] = ()
    target_names: tuple[Glob, ...] = ()
    target_locations: tuple[str, ...] = ()
    target_tags: Tags = ()
    groups: tuple[str, ...] = ()
    """The groups that are allowed: all of the connection's must be among them."""
    message: Regex | None = None
    """What must be found in the request's message."""
    older_than: float | None = None
    """Seconds for which the connection must have been waiting."""
    cel: Expression | None = None

    @property
    def facts(self) -> frozenset[str]:
        """The facts that its conditions ask about, by the names in FACTS."""
        asked = {
            "consumer.subscription": self.consumer_subscriptions,
            "consumer.managementGroups": self.consumer_management_groups,
            "consumer.inEstate": self.consumer_within is Within.ESTATE,
            "consumer.tenancy": self.consumer_foreign or self.managed_by or self.consumer_within is Within.TENANT,
            "consumer.resourceGroup": self.consumer_resource_groups,
            "consumer.name": self.consumer_endpoints,
            "consumer.location": self.consumer_locations,
            "consumer.tags": self.consumer_tags,
            "target.type": self.target_types,
            "target.subscription": self.target_subscriptions,
            "target.managementGroups": self.target_management_groups,
            "target.resourceGroup": self.target_resource_groups,
            "target.name": self.target_names,
            "target.location": self.target_locations,
            "target.tags": self.target_tags,
            "groups": self.groups,
            "message": self.message,
            "age": self.older_than,
        }
        by_cel = self.cel.names if self.cel else frozenset[str]()
        return by_cel | {name for name, condition in asked.items() if condition}

    @property
    def knows_the_consumer(self) -> bool:
        """Whether a condition asks what Azure shows of the consumer, and not only what the consumer says of itself."""
        return Side.CONSUMER in self._sides

    @property
    def asks_the_consumer(self) -> bool:
        """Whether a condition asks anything about the consumer, be it the consumer's own words."""
        return not self._sides.isdisjoint((Side.CONSUMER, Side.OWN_WORDS))

    @property
    def asks_the_target(self) -> bool:
        """Whether a condition asks what is connected to."""
        return Side.TARGET in self._sides

    @property
    def is_limited(self) -> bool:
        """Whether there is a connection that cannot match, however long it waits."""
        return bool(self.facts - {"age"})

    @property
    def _sides(self) -> frozenset[Side]:
        return frozenset(FACTS[name].side for name in self.facts)

    def covers(self, other: Rule) -> bool:
        """Whether whatever the other rule matches matches this one, too: each condition here is no narrower there."""
        return self.breadth.covers(other.breadth)

    @property
    def breadth(self) -> Breadth:
        """What decides how much it matches, ready to be compared with many others."""
        lists = (
            self.consumer_subscriptions,
            self.consumer_management_groups,
            self.managed_by,
            self.consumer_resource_groups,
            self.consumer_endpoints,
            self.consumer_locations,
            self.target_types,
            self.target_subscriptions,
            self.target_management_groups,
            self.target_resource_groups,
            self.target_names,
            self.target_locations,
            self.groups,
        )
        tagged = ((side, *tag) for side, tags in enumerate((self.consumer_tags, self.target_tags)) for tag in tags)
        return Breadth(
            self,
            {place: frozenset(fold(str(each)) for each in listed) for place, listed in enumerate(lists) if listed},
            frozenset((side, fold(name), value) for side, name, value in tagged),
        )


@dataclass(frozen=True, slots=True)
class Breadth:
    """How much a rule matches: its lists and tags folded, by what they are about; none is no condition."""

    rule: Rule
    lists: Mapping[int, frozenset[str]]
    tags: frozenset[tuple[int, str, Glob]]

    def covers(self, other: Breadth) -> bool:
        """Whether whatever the other one's rule matches matches this one's, too."""
        mine, theirs = self.rule, other.rule
        return (
            all(place in other.lists and other.lists[place] <= listed for place, listed in self.lists.items())
            and self.tags <= other.tags
            and mine.consumer_within in (None, theirs.consumer_within, theirs.consumer_within and Within.TENANT)
            and mine.consumer_foreign <= theirs.consumer_foreign
            and mine.message in (None, theirs.message)
            and mine.cel in (None, theirs.cel)
            and (mine.older_than or 0) <= (theirs.older_than or 0)
        )


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """The owner's rules in order: the first that matches wins, and what no rule matches is held.

    One is equal to itself only, so that what was made ready of it is found at once, however many rules it has.
    """

    rules: tuple[Rule, ...] = ()

    @property
    def managers(self) -> frozenset[str]:
        """The types of resource, in lower case, that its rules name in managedBy."""
        return frozenset(fold(each) for rule in self.rules for each in rule.managed_by)
