"""A policy made ready to be asked about many connections: what depends on the policy alone is done once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from hubwarden.approval.conditions import Condition, conditions
from hubwarden.model.facts import Facts, all_of
from hubwarden.model.policy import Policy, Rule
from hubwarden.model.resource_id import fold, folded

_REMEMBERED = 4
"""Policies: that of the settings, and those that are tried beside it."""


@dataclass(frozen=True, slots=True)
class PreparedRule:
    """A rule with its conditions."""

    rule: Rule
    conditions: tuple[Condition, ...]

    @classmethod
    def of(cls, rule: Rule) -> Self:
        return cls(rule, tuple(conditions(rule)))

    def matches(self, facts: Facts) -> bool | None:
        """Whether the rule matches: false if one condition is, else unknown if one is."""
        return all_of(condition.holds(facts) for condition in self.conditions)


@dataclass(frozen=True, slots=True)
class PreparedPolicy:
    """The rules in their order, told apart by the type of target, which is always known, and most rules differ in."""

    of_type: Mapping[str, tuple[PreparedRule, ...]]
    """For each type that a rule names, in lower case: the rules that ask for it, or for none."""
    of_others: tuple[PreparedRule, ...]

    @classmethod
    def of(cls, policy: Policy) -> Self:
        rules = [(PreparedRule.of(rule), folded(rule.target_types)) for rule in policy.rules]
        named = frozenset[str]().union(*(types for _, types in rules))
        of_type = {kind: tuple(each for each, types in rules if not types or kind in types) for kind in named}
        return cls(of_type, tuple(each for each, types in rules if not types))

    def reached(self, facts: Facts) -> PreparedRule | None:
        """The rule at which the search ends: the first that is not known to be false."""
        rules = self.of_type.get(fold(facts.target_type), self.of_others)
        return next((each for each in rules if each.matches(facts) is not False), None)


@lru_cache(_REMEMBERED)
def prepared(policy: Policy) -> PreparedPolicy:
    """The policy made ready, once for as long as it is used."""
    return PreparedPolicy.of(policy)
