"""Facts: what is known of a connection that asks, and the names by which an owner's rules speak of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from hubwarden.model.endpoint import Tenancy
from hubwarden.model.resource_id import ResourceId, fold

Value = str | bool | float | tuple[str, ...] | Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Facts:
    """What a rule can ask about a connection; None, like an unknown tenancy, is not known and never stands for no."""

    consumer: str | None
    """The subscription of the endpoint that asks; None where the connection shows no endpoint that can be named."""
    target_type: str
    target_subscription: str
    in_estate: bool | None = None
    """Whether the settings name the consumer's subscription as one that is served."""
    tenancy: Tenancy = Tenancy.UNKNOWN
    """Whose the consumer's subscription is."""
    groups: tuple[str, ...] | None = None
    consumer_management_groups: tuple[str, ...] | None = None
    """The names of all above the consumer's subscription."""
    managers: tuple[ResourceId, ...] | None = None
    """The estate's resources that themselves show a pending managed endpoint to this target and group."""
    consumer_resource_group: str | None = None
    consumer_name: str | None = None
    consumer_location: str | None = None
    consumer_tags: Mapping[str, str] | None = None
    target_management_groups: tuple[str, ...] | None = None
    target_resource_group: str | None = None
    target_name: str | None = None
    target_location: str | None = None
    target_tags: Mapping[str, str] | None = None
    message: str | None = None
    """The consumer's own words."""
    age: float | None = None
    """Seconds since the connection was first seen waiting."""

    @property
    def in_our_estate(self) -> bool | None:
        """A subscription of the estate that went to another tenant is a stranger's, though the settings name it."""
        return all_of((self.in_estate, self.is_of(Tenancy.OURS)))

    def is_of(self, tenancy: Tenancy) -> bool | None:
        """Whether the consumer's subscription is theirs; None while nobody knows whose it is."""
        return None if self.tenancy is Tenancy.UNKNOWN else self.tenancy is tenancy


def all_of(values: Iterable[bool | None]) -> bool | None:
    """False if one is, else None if one is, else True (three-valued logic as Kleene's)."""
    unknown = False
    for value in values:
        if value is False:
            return False
        unknown = unknown or value is None
    return None if unknown else True


class Kind(Enum):
    """What a fact is made of."""

    TEXT = "text"
    LIST = "list of text"
    TAGS = "tags"
    TRUTH = "true or false"
    DURATION = "duration"


class Side(Enum):
    """Whom a fact is about, and who says so."""

    CONSUMER = "what Azure shows of the consumer"
    OWN_WORDS = "what the consumer says of itself"
    TARGET = "the target"
    REQUEST = "the request"


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact by its name; `read` gives it of Facts, None where it is not known."""

    kind: Kind
    side: Side
    read: Callable[[Facts], Value | None]


def _folded(text: str | None) -> str | None:
    return None if text is None else fold(text)


def _each_folded(texts: tuple[str, ...] | None) -> tuple[str, ...] | None:
    return None if texts is None else tuple(map(fold, texts))


def _by_folded_name(tags: Mapping[str, str] | None) -> Mapping[str, str] | None:
    return None if tags is None else {fold(name): value for name, value in tags.items()}


def _tenancy(facts: Facts) -> str | None:
    return None if facts.tenancy is Tenancy.UNKNOWN else facts.tenancy.value


_WHO, _SAYS, _TARGET = Side.CONSUMER, Side.OWN_WORDS, Side.TARGET

FACTS: Mapping[str, Fact] = {
    "consumer.subscription": Fact(Kind.TEXT, _WHO, lambda facts: _folded(facts.consumer)),
    "consumer.managementGroups": Fact(Kind.LIST, _WHO, lambda facts: _each_folded(facts.consumer_management_groups)),
    "consumer.inEstate": Fact(Kind.TRUTH, _WHO, lambda facts: facts.in_our_estate),
    "consumer.tenancy": Fact(Kind.TEXT, _WHO, _tenancy),
    "consumer.resourceGroup": Fact(Kind.TEXT, _SAYS, lambda facts: _folded(facts.consumer_resource_group)),
    "consumer.name": Fact(Kind.TEXT, _SAYS, lambda facts: _folded(facts.consumer_name)),
    "consumer.location": Fact(Kind.TEXT, _SAYS, lambda facts: _folded(facts.consumer_location)),
    "consumer.tags": Fact(Kind.TAGS, _SAYS, lambda facts: _by_folded_name(facts.consumer_tags)),
    "target.type": Fact(Kind.TEXT, _TARGET, lambda facts: fold(facts.target_type)),
    "target.subscription": Fact(Kind.TEXT, _TARGET, lambda facts: fold(facts.target_subscription)),
    "target.managementGroups": Fact(Kind.LIST, _TARGET, lambda facts: _each_folded(facts.target_management_groups)),
    "target.resourceGroup": Fact(Kind.TEXT, _TARGET, lambda facts: _folded(facts.target_resource_group)),
    "target.name": Fact(Kind.TEXT, _TARGET, lambda facts: _folded(facts.target_name)),
    "target.location": Fact(Kind.TEXT, _TARGET, lambda facts: _folded(facts.target_location)),
    "target.tags": Fact(Kind.TAGS, _TARGET, lambda facts: _by_folded_name(facts.target_tags)),
    "groups": Fact(Kind.LIST, Side.REQUEST, lambda facts: _each_folded(facts.groups)),
    "message": Fact(Kind.TEXT, _SAYS, lambda facts: facts.message),
    "age": Fact(Kind.DURATION, Side.REQUEST, lambda facts: facts.age),
}
"""Every fact that `cel` and `note` can name, in lower case but for the message and the values of tags."""
