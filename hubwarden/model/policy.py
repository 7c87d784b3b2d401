"""Policy: who may connect, as the owner wrote it; and Facts, what is known of a connection that asks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hubwarden.model.connection import Verdict
from hubwarden.model.endpoint import Tenancy


class Within(StrEnum):
    """Where a consumer can be asked to be."""

    ESTATE = "estate"
    TENANT = "tenant"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a rule can ask about a connection; None, like an unknown tenancy, is not known and never stands for no."""

    consumer: str | None
    """The subscription of the endpoint that asks; None where the connection shows no endpoint that can be named."""
    target_type: str
    target_subscription: str
    in_estate: bool | None = None
    """Whether the consumer's subscription is one that the owner serves."""
    tenancy: Tenancy = Tenancy.UNKNOWN
    """Whose the consumer's subscription is."""
    groups: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """What to answer where all conditions hold; an empty one is no condition. All are compared without case."""

    name: str
    then: Verdict
    consumer_subscriptions: tuple[str, ...] = ()
    consumer_within: Within | None = None
    consumer_foreign: bool = False
    """Whether the consumer must be known to be in another tenant."""
    target_types: tuple[str, ...] = ()
    target_subscriptions: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    """The groups that are allowed: all of the connection's must be among them."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The owner's rules in order: the first that matches wins, and what no rule matches is held."""

    rules: tuple[Rule, ...] = ()
