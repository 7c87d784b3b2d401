"""What `approvals` in hubwarden.yaml may say: the grammar of the policy, and what of it may be a slip."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StrictStr, field_validator, model_validator

from hubwarden.config.document import Remark
from hubwarden.config.values import (
    Condition,
    Duration,
    Group,
    Location,
    ManagementGroup,
    Many,
    Part,
    ResourceType,
    RuleName,
    SubscriptionId,
    as_text,
    read_by,
    said_twice,
)
from hubwarden.model.connection import Verdict
from hubwarden.model.expression import Expression, Regex
from hubwarden.model.glob import Glob
from hubwarden.model.note import Note
from hubwarden.model.policy import Policy, Rule, Within
from hubwarden.model.resource_id import fold

MANAGERS = (
    "Microsoft.Cdn/profiles",
    "Microsoft.Dashboard/grafana",
    "Microsoft.DataFactory/factories",
    "Microsoft.Search/searchServices",
    "Microsoft.Synapse/workspaces",
)
"""The types whose resources have endpoints made in networks that Microsoft keeps for them."""

UNREADABLE = "Microsoft.Synapse/workspaces"
"""The one of them that lists its managed endpoints at its own address only (REST reference, Synapse data plane)."""


def _name_glob(glob: Glob) -> Glob:
    if glob.is_anything:
        raise ValueError("every name matches it, so it asks nothing; leave the key out")
    return glob


def _manager(value: str) -> str:
    if fold(value) not in map(fold, MANAGERS):
        raise ValueError(f"{value!r} has no managed endpoints that are known; known are {', '.join(MANAGERS)}")
    return value


AnyGlob = Annotated[Glob, BeforeValidator(read_by(Glob.parse)), as_text(examples=["prod-*"])]
NameGlob = Annotated[Glob, BeforeValidator(lambda value: _name_glob(read_by(Glob.parse)(value))), as_text()]
Tags = Annotated[Mapping[StrictStr, AnyGlob], Field(min_length=1)]
"""Tags that must be there, each with what its value is like."""
MessageRegex = Annotated[Regex, BeforeValidator(read_by(Regex.parse)), as_text()]
Cel = Annotated[Expression, BeforeValidator(read_by(Expression.parse)), as_text()]
NoteText = Annotated[Note, BeforeValidator(read_by(Note.parse)), as_text(maxLength=140)]
Age = Annotated[Duration, Field(gt=0)]


class ApprovalLimitsPart(Part):
    """How many answers an hour may be given by rule."""

    approve: int = Field(50, ge=0)
    reject: int = Field(10, ge=0)


class _Conditions(Part):
    """Conditions by key; one that is there says what it asks."""

    @field_validator("*", mode="before")
    @classmethod
    def _says_something(cls, value: object) -> object:
        if value is None:
            raise ValueError("say what it is, or leave the key out: a condition without a value would be none")
        return value

    @field_validator("tags", check_fields=False)
    @classmethod
    def _tags_differ(cls, tags: Mapping[str, Glob]) -> Mapping[str, Glob]:
        if twice := said_twice(tags):
            raise ValueError(f"{', '.join(twice)} is there twice: Azure compares names of tags without case")
        return tags


class ManagedByPart(_Conditions):
    """The resource of ours that has this connection made, in a network that Microsoft keeps for it."""

    types: Condition[Annotated[ResourceType, BeforeValidator(read_by(_manager))]]
    within: Literal["estate"] = Field(alias="in")


class ConsumerPart(_Conditions):
    """Who asks; every condition that is there must hold."""

    subscriptions: Condition[SubscriptionId] = Field(default_factory=tuple)
    management_groups: Condition[ManagementGroup] = Field(default_factory=tuple)
    within: Literal["estate", "tenant"] | None = Field(None, alias="in")
    foreign: Literal[True] | None = Field(None, description="The consumer is known to be in another tenant.")
    managed_by: ManagedByPart | None = None
    resource_groups: Condition[NameGlob] = Field(default_factory=tuple)
    endpoints: Condition[NameGlob] = Field(default_factory=tuple, description="Names of private endpoints.")
    locations: Condition[Location] = Field(default_factory=tuple)
    tags: Tags = Field(default_factory=dict)


class TargetPart(_Conditions):
    """What is asked for; every condition that is there must hold."""

    types: Condition[ResourceType] = Field(default_factory=tuple)
    subscriptions: Condition[SubscriptionId] = Field(default_factory=tuple)
    management_groups: Condition[ManagementGroup] = Field(default_factory=tuple)
    resource_groups: Condition[NameGlob] = Field(default_factory=tuple)
    names: Condition[NameGlob] = Field(default_factory=tuple)
    locations: Condition[Location] = Field(default_factory=tuple)
    tags: Tags = Field(default_factory=dict)


class WhenPart(_Conditions):
    """The conditions of a rule; all of them must hold."""

    consumer: ConsumerPart = Field(default_factory=ConsumerPart)
    target: TargetPart = Field(default_factory=TargetPart)
    groups: Condition[Group] = Field(default_factory=tuple)
    message: MessageRegex | None = Field(None, description="A regular expression (RE2), found in the message.")
    age: Age | None = Field(None, description="It has been waiting for longer than this.")
    cel: Cel | None = Field(None, description="A CEL expression over the facts, which is true or false.")


class RulePart(Part):
    """One rule of the policy: what to answer when its conditions hold."""

    name: RuleName
    when: WhenPart = Field(default_factory=WhenPart)
    then: Literal["approve", "reject", "hold"]
    note: NoteText | None = Field(None, description="What stands in the description of a connection that is answered.")

    @model_validator(mode="after")
    def _is_careful(self) -> RulePart:
        rule = self.rule()
        if rule.then is Verdict.APPROVE and not rule.asks_the_consumer:
            raise ValueError("a rule that approves says under when.consumer who may connect")
        if rule.then is Verdict.APPROVE and not rule.knows_the_consumer:
            raise ValueError(
                "it would approve whoever says the right words: names, tags, locations and messages are the consumer's "
                "own; a rule that approves also asks subscriptions, managementGroups, in or managedBy under "
                "when.consumer, or a cel asks consumer.subscription, managementGroups, inEstate or tenancy"
            )
        if rule.then is Verdict.REJECT and not rule.is_limited:
            raise ValueError("without a condition it could match everything, and a rejection is final: give it one")
        return self

    def rule(self) -> Rule:
        """The rule, as the rooms know it."""
        when, consumer, target = self.when, self.when.consumer, self.when.target
        return Rule(
            name=self.name,
            then=Verdict(self.then),
            note=self.note,
            consumer_subscriptions=consumer.subscriptions,
            consumer_management_groups=consumer.management_groups,
            consumer_within=Within(consumer.within) if consumer.within else None,
            consumer_foreign=consumer.foreign is True,
            managed_by=consumer.managed_by.types if consumer.managed_by else (),
            consumer_resource_groups=consumer.resource_groups,
            consumer_endpoints=consumer.endpoints,
            consumer_locations=consumer.locations,
            consumer_tags=tuple(consumer.tags.items()),
            target_types=target.types,
            target_subscriptions=target.subscriptions,
            target_management_groups=target.management_groups,
            target_resource_groups=target.resource_groups,
            target_names=target.names,
            target_locations=target.locations,
            target_tags=tuple(target.tags.items()),
            groups=when.groups,
            message=when.message,
            older_than=when.age,
            cel=when.cel,
        )


class ApprovalsPart(Part):
    """Who may connect."""

    default: Literal["hold"] = "hold"
    limits: ApprovalLimitsPart = Field(default_factory=ApprovalLimitsPart)
    remind_after: Duration = Field(
        default_factory=lambda: 172800.0, description="How often a waiting connection is told of again; 0s for never."
    )
    people: Many[str] = ()
    rules: Many[RulePart] = Field((), description="The first rule that matches wins.")

    @field_validator("rules")
    @classmethod
    def _rules_differ(cls, rules: tuple[RulePart, ...]) -> tuple[RulePart, ...]:
        if twice := said_twice(rule.name for rule in rules):
            raise ValueError(f"two rules are called {', '.join(twice)}; every rule has a name of its own")
        return rules

    def policy(self) -> Policy:
        """The policy, as the rooms know it."""
        return Policy(tuple(part.rule() for part in self.rules))


def possible_slips(policy: Policy) -> Iterator[Remark]:
    """What may be meant, and may be a slip: each with its path beneath `approvals`."""
    breadths = [rule.breadth for rule in policy.rules]
    for position, rule in enumerate(policy.rules):
        path = ("rules", position)
        if rule.then is Verdict.APPROVE and not rule.asks_the_target:
            yield path, f"{rule.name!r} approves connections to every kind of target"
        if wider := next((each.rule for each in breadths[:position] if each.covers(breadths[position])), None):
            yield path, f"{rule.name!r} is never reached: whatever it matches, {wider.name!r} matches before it"
        if fold(UNREADABLE) in map(fold, rule.managed_by):
            why = "does not show its managed endpoints through ARM: while the estate has one, every managedBy holds"
            yield (*path, "when", "consumer", "managedBy"), f"{UNREADABLE} {why}"
        if rule.cel and not policy.managers and "microsoft" in rule.cel.texts:
            why = "only what managedBy of some rule asks can prove a tenancy to be 'microsoft', and no rule has it"
            yield (*path, "when", "cel"), why
        if rule.cel and _shouts(rule.cel):
            why = "the facts are in lower case, and a text with capitals is compared as it stands"
            yield (*path, "when", "cel"), f"{why}: it may never be equal"


def _shouts(cel: Expression) -> bool:
    """Whether it compares with capitals, and asks none of the facts that may have them."""
    may = {"message", "consumer.tags", "target.tags"}
    return not may & cel.names and cel.has_capitals
