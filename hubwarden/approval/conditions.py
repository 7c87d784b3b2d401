"""What a rule asks, condition by condition, with three values: true, false, and None for what is not known.

A condition tells what it asks and what was found in words of ours and of the owner's, never in the consumer's own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from hubwarden.model.endpoint import Tenancy
from hubwarden.model.facts import Facts, all_of
from hubwarden.model.glob import Glob
from hubwarden.model.policy import Rule, Tags, Within
from hubwarden.model.resource_id import fold, folded


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of a rule, made ready to be asked of any facts: what is the same for all of them is done before."""

    asks: str
    holds: Callable[[Facts], bool | None]
    """Whether it holds; None where that is not known."""
    found: Callable[[Facts], str]
    """What was found of facts of which it holds."""


def conditions(rule: Rule) -> Iterator[Condition]:
    """The conditions that a rule has, in the order of its keys; what costs most comes last."""
    yield from _about_the_consumer(rule)
    yield from _in_the_consumers_words(rule)
    yield from _about_the_target(rule)
    yield from _about_the_request(rule)


def _about_the_consumer(rule: Rule) -> Iterator[Condition]:
    if rule.consumer_subscriptions:
        yield Condition(
            "the consumer's subscription",
            _is_among(lambda facts: facts.consumer, rule.consumer_subscriptions),
            lambda facts: f"the consumer is in subscription {facts.consumer}",
        )
    if rule.consumer_management_groups:
        yield Condition(
            "the consumer's management groups",
            _share(lambda facts: facts.consumer_management_groups, rule.consumer_management_groups),
            _always(f"the consumer is under one of {', '.join(rule.consumer_management_groups)}"),
        )
    if rule.consumer_within is Within.TENANT:
        yield Condition(
            "whether the consumer is in the tenant",
            lambda facts: facts.is_of(Tenancy.OURS),
            _always("the consumer is in the tenant"),
        )
    if rule.consumer_within is Within.ESTATE:
        yield Condition(
            "whether the consumer is in the estate",
            lambda facts: facts.in_our_estate,
            _always("the consumer is in the estate"),
        )
    if rule.consumer_foreign:
        yield Condition(
            "whether the consumer is in another tenant",
            lambda facts: facts.is_of(Tenancy.FOREIGN),
            _always("the consumer is in another tenant"),
        )
    if rule.managed_by:
        yield _managed(rule.managed_by)


def _in_the_consumers_words(rule: Rule) -> Iterator[Condition]:
    if rule.consumer_resource_groups:
        yield _named(
            "the consumer's resource group", lambda facts: facts.consumer_resource_group, rule.consumer_resource_groups
        )
    if rule.consumer_endpoints:
        yield _named("the endpoint's name", lambda facts: facts.consumer_name, rule.consumer_endpoints)
    if rule.consumer_locations:
        yield Condition(
            "the endpoint's location",
            _is_among(lambda facts: facts.consumer_location, rule.consumer_locations),
            _always(f"the endpoint's location is one of {', '.join(rule.consumer_locations)}"),
        )
    if rule.consumer_tags:
        yield _tagged("the endpoint", lambda facts: facts.consumer_tags, rule.consumer_tags)


def _about_the_target(rule: Rule) -> Iterator[Condition]:
    if rule.target_types:
        yield Condition(
            "the target's type",
            _is_among(lambda facts: facts.target_type, rule.target_types),
            lambda facts: f"the target is a {facts.target_type}",
        )
    if rule.target_subscriptions:
        yield Condition(
            "the target's subscription",
            _is_among(lambda facts: facts.target_subscription, rule.target_subscriptions),
            lambda facts: f"the target is in subscription {facts.target_subscription}",
        )
    if rule.target_management_groups:
        yield Condition(
            "the target's management groups",
            _share(lambda facts: facts.target_management_groups, rule.target_management_groups),
            _always(f"the target is under one of {', '.join(rule.target_management_groups)}"),
        )
    if rule.target_resource_groups:
        yield _named(
            "the target's resource group", lambda facts: facts.target_resource_group, rule.target_resource_groups
        )
    if rule.target_names:
        yield _named("the target's name", lambda facts: facts.target_name, rule.target_names)
    if rule.target_locations:
        yield Condition(
            "the target's location",
            _is_among(lambda facts: facts.target_location, rule.target_locations),
            lambda facts: f"the target is in {facts.target_location}",
        )
    if rule.target_tags:
        yield _tagged("the target", lambda facts: facts.target_tags, rule.target_tags)


def _about_the_request(rule: Rule) -> Iterator[Condition]:
    if rule.groups:
        yield Condition(
            "the connection's groups",
            _are_allowed(rule.groups),
            lambda facts: f"the groups are {', '.join(facts.groups or ())}",
        )
    if rule.older_than is not None:
        least = rule.older_than
        yield Condition(
            "for how long it has been waiting",
            lambda facts: None if facts.age is None else facts.age > least,
            _always(f"it has been waiting for more than {least:.0f} s"),
        )
    if rule.message:
        asked = rule.message
        yield Condition(
            "the request's message",
            lambda facts: None if facts.message is None else asked.matches(facts.message),
            _always(f"the message matches {asked}"),
        )
    if rule.cel:
        yield Condition("what its cel says", rule.cel.holds, _always("its cel is true"))


def _managed(types: Iterable[str]) -> Condition:
    """With none or two it is not known which resource manages it; what one manages, no other does.

    Whoever is known to be of our own tenant, or of another company's, is managed by none.
    """
    listed = folded(types)

    def by_one(facts: Facts) -> bool | None:
        [first, *others] = facts.managers or (None,)
        return None if first is None or others else fold(first.type) in listed

    return Condition(
        "which resource of the estate manages it",
        lambda facts: all_of((facts.is_of(Tenancy.MICROSOFT), by_one(facts))),
        lambda facts: f"it is managed by {', '.join(map(str, facts.managers or ()))}",
    )


def _is_among(read: Callable[[Facts], str | None], some: Iterable[str]) -> Callable[[Facts], bool | None]:
    listed = folded(some)

    def holds(facts: Facts) -> bool | None:
        text = read(facts)
        return None if text is None else fold(text) in listed

    return holds


def _are_allowed(groups: Iterable[str]) -> Callable[[Facts], bool | None]:
    """A connection known to have no groups, as a private link service's, has none that could be allowed."""
    allowed = folded(groups)

    def holds(facts: Facts) -> bool | None:
        return None if facts.groups is None else bool(facts.groups) and folded(facts.groups) <= allowed

    return holds


def _share(read: Callable[[Facts], Collection[str] | None], some: Iterable[str]) -> Callable[[Facts], bool | None]:
    listed = folded(some)

    def holds(facts: Facts) -> bool | None:
        texts = read(facts)
        return None if texts is None else not listed.isdisjoint(folded(texts))

    return holds


def _named(whose: str, read: Callable[[Facts], str | None], globs: tuple[Glob, ...]) -> Condition:
    def holds(facts: Facts) -> bool | None:
        name = read(facts)
        return None if name is None else any(glob.matches(name) for glob in globs)

    return Condition(whose, holds, _always(f"{whose} is like {' or '.join(map(str, globs))}"))


def _tagged(whose: str, read: Callable[[Facts], Mapping[str, str] | None], tags: Tags) -> Condition:
    """Azure compares the names of tags without case; a value is compared as a glob, also without case."""
    wanted = [(fold(name), glob) for name, glob in tags]

    def holds(facts: Facts) -> bool | None:
        shown = read(facts)
        if shown is None:
            return None
        values = {fold(name): value for name, value in shown.items()}
        return all(name in values and glob.matches(values[name]) for name, glob in wanted)

    asked = ", ".join(name for name, _ in tags)
    return Condition(f"{whose}'s tags", holds, _always(f"{whose} is tagged as asked ({asked})"))


def _always(found: str) -> Callable[[Facts], str]:
    return lambda _: found
