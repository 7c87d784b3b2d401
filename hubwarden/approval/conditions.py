"""What a rule asks, condition by condition, with three values: true, false, and None for what is not known.

A condition tells what it asks and what was found in words of ours and of the owner's, never in the consumer's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from hubwarden.model.endpoint import Tenancy
from hubwarden.model.facts import Facts, all_of
from hubwarden.model.glob import Glob
from hubwarden.model.policy import Rule, Tags, Within
from hubwarden.model.resource_id import ResourceId, fold


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of a rule: whether it holds, None where that is not known; what it asks, and what was found."""

    holds: bool | None
    asks: str
    found: str


def matches(rule: Rule, facts: Facts) -> bool | None:
    """Whether a rule matches: false if one condition is, else unknown if one is."""
    if rule.target_types and not _among(facts.target_type, rule.target_types):
        return False  # always known, and what most rules of a long policy differ in
    return all_of(condition.holds for condition in conditions(rule, facts))


def conditions(rule: Rule, facts: Facts) -> Iterator[Condition]:
    """The conditions that a rule has, in the order of its keys; what costs most comes last."""
    yield from _about_the_consumer(rule, facts)
    yield from _in_the_consumers_words(rule, facts)
    yield from _about_the_target(rule, facts)
    yield from _about_the_request(rule, facts)


def _about_the_consumer(rule: Rule, facts: Facts) -> Iterator[Condition]:
    if rule.consumer_subscriptions:
        found = f"the consumer is in subscription {facts.consumer}"
        yield Condition(_is_among(facts.consumer, rule.consumer_subscriptions), "the consumer's subscription", found)
    if rule.consumer_management_groups:
        above = _share(facts.consumer_management_groups, rule.consumer_management_groups)
        listed = ", ".join(rule.consumer_management_groups)
        yield Condition(above, "the consumer's management groups", f"the consumer is under one of {listed}")
    if rule.consumer_within:
        within = rule.consumer_within
        asks, found = f"whether the consumer is in the {within}", f"the consumer is in the {within}"
        ours = facts.is_of(Tenancy.OURS) if within is Within.TENANT else facts.in_our_estate
        yield Condition(ours, asks, found)
    if rule.consumer_foreign:
        foreign = facts.is_of(Tenancy.FOREIGN)
        yield Condition(foreign, "whether the consumer is in another tenant", "the consumer is in another tenant")
    if rule.managed_by:
        manager = _managers(rule, facts)
        found = f"it is managed by {', '.join(map(str, manager))}"
        managed = all_of((facts.is_of(Tenancy.MICROSOFT), True if len(manager) == 1 else None))
        yield Condition(managed, "which resource of the estate manages it", found)


def _in_the_consumers_words(rule: Rule, facts: Facts) -> Iterator[Condition]:
    if rule.consumer_resource_groups:
        called = _is_called(facts.consumer_resource_group, rule.consumer_resource_groups)
        yield _named(called, "the consumer's resource group", rule.consumer_resource_groups)
    if rule.consumer_endpoints:
        called = _is_called(facts.consumer_name, rule.consumer_endpoints)
        yield _named(called, "the endpoint's name", rule.consumer_endpoints)
    if rule.consumer_locations:
        there = _is_among(facts.consumer_location, rule.consumer_locations)
        listed = ", ".join(rule.consumer_locations)
        yield Condition(there, "the endpoint's location", f"the endpoint's location is one of {listed}")
    if rule.consumer_tags:
        yield _tagged(facts.consumer_tags, "the endpoint", rule.consumer_tags)


def _about_the_target(rule: Rule, facts: Facts) -> Iterator[Condition]:
    if rule.target_types:
        found = f"the target is a {facts.target_type}"
        yield Condition(_is_among(facts.target_type, rule.target_types), "the target's type", found)
    if rule.target_subscriptions:
        listed = _is_among(facts.target_subscription, rule.target_subscriptions)
        found = f"the target is in subscription {facts.target_subscription}"
        yield Condition(listed, "the target's subscription", found)
    if rule.target_management_groups:
        above = _share(facts.target_management_groups, rule.target_management_groups)
        found = f"the target is under one of {', '.join(rule.target_management_groups)}"
        yield Condition(above, "the target's management groups", found)
    if rule.target_resource_groups:
        called = _is_called(facts.target_resource_group, rule.target_resource_groups)
        yield _named(called, "the target's resource group", rule.target_resource_groups)
    if rule.target_names:
        yield _named(_is_called(facts.target_name, rule.target_names), "the target's name", rule.target_names)
    if rule.target_locations:
        there = _is_among(facts.target_location, rule.target_locations)
        yield Condition(there, "the target's location", f"the target is in {facts.target_location}")
    if rule.target_tags:
        yield _tagged(facts.target_tags, "the target", rule.target_tags)


def _about_the_request(rule: Rule, facts: Facts) -> Iterator[Condition]:
    if rule.groups:
        named = f"the groups are {', '.join(facts.groups or ())}"
        yield Condition(_are_allowed(facts.groups, rule.groups), "the connection's groups", named)
    if rule.older_than is not None:
        waited = None if facts.age is None else facts.age > rule.older_than
        found = f"it has been waiting for more than {rule.older_than:.0f} s"
        yield Condition(waited, "for how long it has been waiting", found)
    if rule.message:
        said = None if facts.message is None else rule.message.matches(facts.message)
        yield Condition(said, "the request's message", f"the message matches {rule.message}")
    if rule.cel:
        yield Condition(rule.cel.holds(facts), "what its cel says", "its cel is true")


def _managers(rule: Rule, facts: Facts) -> list[ResourceId]:
    return [each for each in facts.managers or () if _among(each.type, rule.managed_by)]


def _is_among(text: str | None, listed: tuple[str, ...]) -> bool | None:
    return None if text is None else _among(text, listed)


def _are_allowed(groups: tuple[str, ...] | None, allowed: tuple[str, ...]) -> bool | None:
    """A connection known to have no groups, as a private link service's, has none that could be allowed."""
    return None if groups is None else bool(groups) and all(_among(group, allowed) for group in groups)


def _share(texts: tuple[str, ...] | None, listed: tuple[str, ...]) -> bool | None:
    return None if texts is None else any(_among(text, listed) for text in texts)


def _among(text: str, listed: Iterable[str]) -> bool:
    return fold(text) in map(fold, listed)


def _is_called(name: str | None, globs: tuple[Glob, ...]) -> bool | None:
    return None if name is None else any(glob.matches(name) for glob in globs)


def _named(called: bool | None, whose: str, globs: tuple[Glob, ...]) -> Condition:
    return Condition(called, whose, f"{whose} is like {' or '.join(map(str, globs))}")


def _tagged(tags: Mapping[str, str] | None, whose: str, wanted: Tags) -> Condition:
    """Azure compares the names of tags without case; a value is compared as a glob, also without case."""
    asked = ", ".join(name for name, _ in wanted)
    if tags is None:
        return Condition(None, f"{whose}'s tags", "")
    shown = {fold(name): value for name, value in tags.items()}
    has = all(fold(name) in shown and glob.matches(shown[fold(name)]) for name, glob in wanted)
    return Condition(has, f"{whose}'s tags", f"{whose} is tagged as asked ({asked})")
