"""May they connect? The rules are tried in order, each with three values: true, false, and not known.

How one rule ends:

    its conditions                         | the rule
    ---------------------------------------+------------------------------------------------
    one is false                           | does not match: the next rule is tried
    none is false, one is not known        | holds the connection, and ends the search
    all are true                           | wins: its verdict is the decision

Nothing matches: the connection is held. So a fact that is not known can only hold, never approve or reject, and what is
known decides the same whatever else comes to be known (three-valued logic as Kleene's, with False, None and True).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hubwarden.model.connection import Connection, Decision, Verdict
from hubwarden.model.endpoint import Tenancy
from hubwarden.model.policy import Facts, Policy, Rule, Within
from hubwarden.model.resource_id import fold


@dataclass(frozen=True, slots=True)
class _Condition:
    """One condition of a rule: whether it holds, None where that is not known; what it asks, and what was found."""

    holds: bool | None
    asks: str
    found: str


def decide(policy: Policy, connection: Connection, facts: Facts) -> Decision:
    """What the policy answers to a connection; the reason names the rule and the facts, and no text of a stranger's."""
    rule = _reached(policy, facts)
    if rule is None:
        return Decision(connection, Verdict.HOLD, "", "no rule matches, and what no rule matches waits for a person")
    conditions = list(_conditions(rule, facts))
    if not all(condition.holds for condition in conditions):
        unknown = ", ".join(condition.asks for condition in conditions if condition.holds is None)
        return Decision(connection, Verdict.HOLD, rule.name, f"rule {rule.name} cannot be judged; not known: {unknown}")
    found = ", ".join(condition.found for condition in conditions) or "it has no conditions"
    return Decision(connection, rule.then, rule.name, f"rule {rule.name}: {found}")


def is_settled(policy: Policy, facts: Facts) -> bool:
    """Whether the facts suffice: no further one could lead to another decision."""
    rule = _reached(policy, facts)
    return rule is None or _matches(rule, facts) is True


def _reached(policy: Policy, facts: Facts) -> Rule | None:
    """The rule at which the search ends: the first that is not known to be false."""
    return next((rule for rule in policy.rules if _matches(rule, facts) is not False), None)


def _matches(rule: Rule, facts: Facts) -> bool | None:
    return _all(condition.holds for condition in _conditions(rule, facts))


def _conditions(rule: Rule, facts: Facts) -> Iterator[_Condition]:
    consumer, target = facts.consumer, facts.target_subscription
    if rule.consumer_subscriptions:
        listed = None if consumer is None else _among(consumer, rule.consumer_subscriptions)
        yield _Condition(listed, "the consumer's subscription", f"the consumer is in subscription {consumer}")
    if rule.consumer_within:
        within = rule.consumer_within
        asks = f"whether the consumer is in the {within}"
        yield _Condition(_is_within(within, facts), asks, f"the consumer is in the {within}")
    if rule.consumer_foreign:
        foreign = _is(facts.tenancy, Tenancy.FOREIGN)
        yield _Condition(foreign, "whether the consumer is in another tenant", "the consumer is in another tenant")
    if rule.target_types:
        found = f"the target is a {facts.target_type}"
        yield _Condition(_among(facts.target_type, rule.target_types), "the target's type", found)
    if rule.target_subscriptions:
        found = f"the target is in subscription {target}"
        yield _Condition(_among(target, rule.target_subscriptions), "the target's subscription", found)
    if rule.groups:
        named = f"the groups are {', '.join(facts.groups or ())}"
        yield _Condition(_are_allowed(facts.groups, rule.groups), "the connection's groups", named)


def _is_within(within: Within, facts: Facts) -> bool | None:
    """A subscription of the estate that went to another tenant is a stranger's, though the settings still name it."""
    ours = _is(facts.tenancy, Tenancy.OURS)
    return ours if within is Within.TENANT else _all((facts.in_estate, ours))


def _is(tenancy: Tenancy, wanted: Tenancy) -> bool | None:
    return None if tenancy is Tenancy.UNKNOWN else tenancy is wanted


def _are_allowed(groups: tuple[str, ...] | None, allowed: tuple[str, ...]) -> bool | None:
    """A connection known to have no groups, as a private link service's, has none that could be allowed."""
    return None if groups is None else bool(groups) and all(_among(group, allowed) for group in groups)


def _among(text: str, listed: tuple[str, ...]) -> bool:
    return fold(text) in map(fold, listed)


def _all(values: Iterable[bool | None]) -> bool | None:
    """False if one is, else None if one is, else True."""
    found = set(values)
    return False if False in found else None if None in found else True
