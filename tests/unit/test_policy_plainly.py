"""The policy that is made ready once decides as a plain one does, which asks every rule everything each time."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from hubwarden.approval.conditions import conditions
from hubwarden.approval.decide import judge
from hubwarden.approval.prepared import PreparedRule, prepared
from hubwarden.model.connection import Verdict
from hubwarden.model.endpoint import Tenancy
from hubwarden.model.facts import Facts
from hubwarden.model.glob import Glob
from hubwarden.model.policy import Policy, Rule, Within
from tests.unit.test_policy import KNOWN, POLICIES, STORAGE, VAULT, known_in_part

Known = bool | None


def plainly(policy: Policy, facts: Facts) -> tuple[Verdict, str]:
    """The verdict and the rule, as the page about the policy says it."""
    for rule in policy.rules:
        values = asked(rule, facts)
        if False in values:
            continue
        if None in values:
            return Verdict.HOLD, rule.name
        if rule.then is Verdict.APPROVE and not known_of_the_consumer(rule):
            return Verdict.HOLD, "?"
        return rule.then, rule.name
    return Verdict.HOLD, ""


def known_of_the_consumer(rule: Rule) -> bool:
    """Whether a condition, cel left aside, asks what Azure shows of the consumer: then its own words do not suffice."""
    return bool(
        rule.consumer_subscriptions
        or rule.consumer_management_groups
        or rule.consumer_within
        or rule.consumer_foreign
        or rule.managed_by
    )


def asked(rule: Rule, facts: Facts) -> list[Known]:
    """What each condition comes to, without looking at whether the rule has it."""
    whose = None if facts.tenancy is Tenancy.UNKNOWN else facts.tenancy
    ours = None if whose is None else whose is Tenancy.OURS
    values: list[Known] = [
        one_of(facts.consumer, rule.consumer_subscriptions),
        some_of(facts.consumer_management_groups, rule.consumer_management_groups),
        True if rule.consumer_within is not Within.TENANT else ours,
        True if rule.consumer_within is not Within.ESTATE else both(facts.in_estate, ours),
        True if not rule.consumer_foreign else None if whose is None else whose is Tenancy.FOREIGN,
        True if not rule.managed_by else managed(whose, facts, rule),
        like(facts.consumer_resource_group, rule.consumer_resource_groups),
        like(facts.consumer_name, rule.consumer_endpoints),
        one_of(facts.consumer_location, rule.consumer_locations),
        tagged(facts.consumer_tags, rule.consumer_tags),
        one_of(facts.target_type, rule.target_types),
        one_of(facts.target_subscription, rule.target_subscriptions),
        some_of(facts.target_management_groups, rule.target_management_groups),
        like(facts.target_resource_group, rule.target_resource_groups),
        like(facts.target_name, rule.target_names),
        one_of(facts.target_location, rule.target_locations),
        tagged(facts.target_tags, rule.target_tags),
        True if not rule.groups else None if facts.groups is None else all_in(facts.groups, rule.groups),
        True if rule.older_than is None else None if facts.age is None else facts.age > rule.older_than,
        True
        if rule.message is None
        else None
        if facts.message is None
        else bool(re.search(str(rule.message), facts.message)),
        True if rule.cel is None else rule.cel.holds(facts),
    ]
    return values


def managed(whose: Tenancy | None, facts: Facts, rule: Rule) -> Known:
    by_one = len(facts.managers or ()) == 1
    return both(
        None if whose is None else whose is Tenancy.MICROSOFT,
        facts.managers[0].type in rule.managed_by if by_one and facts.managers else None,
    )


def both(one: Known, other: Known) -> Known:
    return False if False in (one, other) else None if None in (one, other) else True


def one_of(text: str | None, listed: Iterable[str]) -> Known:
    listed = [each.lower() for each in listed]
    return True if not listed else None if text is None else text.lower() in listed


def some_of(texts: Iterable[str] | None, listed: Iterable[str]) -> Known:
    listed = {each.lower() for each in listed}
    return True if not listed else None if texts is None else bool(listed & {each.lower() for each in texts})


def all_in(texts: tuple[str, ...], listed: Iterable[str]) -> bool:
    return len(texts) > 0 and {each.lower() for each in texts} <= {each.lower() for each in listed}


def like(name: str | None, globs: tuple[Glob, ...]) -> Known:
    return True if not globs else None if name is None else any(is_like(name, glob) for glob in globs)


def is_like(name: str, glob: Glob) -> bool:
    return fnmatch.fnmatchcase(name.lower(), str(glob).replace("[", "[[]"))


def tagged(tags: Mapping[str, str] | None, wanted: Iterable[tuple[str, Glob]]) -> Known:
    wanted = list(wanted)
    if not wanted or tags is None:
        return None if wanted else True
    shown = {name.lower(): value for name, value in tags.items()}
    return all(name.lower() in shown and is_like(shown[name.lower()], glob) for name, glob in wanted)


@settings(max_examples=500)
@given(POLICIES, known_in_part())
def test_a_policy_that_is_made_ready_decides_as_a_plain_one(policy: Policy, facts: tuple[Facts, Facts]) -> None:
    for each in facts:
        verdict, rule = plainly(policy, each)
        judged = judge(policy, each)
        if rule == "?":  # whether an approval rests on the consumer's own words alone has tests of its own
            assert judged.verdict in (Verdict.APPROVE, Verdict.HOLD)
        else:
            assert (judged.verdict, judged.rule) == (verdict, rule)


@given(POLICIES, known_in_part())
def test_a_rule_matches_as_all_of_its_conditions_say(policy: Policy, facts: tuple[Facts, Facts]) -> None:
    for rule in policy.rules:
        values = asked(rule, facts[1])
        found = PreparedRule.of(rule).matches(facts[1])
        assert found is (False if False in values else None if None in values else True)


@given(st.permutations([STORAGE.upper(), VAULT.lower(), "Microsoft.Sql/servers"]))
def test_rules_for_other_types_change_nothing_of_the_order(types: list[str]) -> None:
    """The first that matches wins, whichever types the others are for."""
    for_all = Rule("all", Verdict.HOLD, groups=("dfs",))
    rules = [Rule(kind, Verdict.REJECT, target_types=(kind,)) for kind in types]
    policy = Policy((rules[0], for_all, rules[1], Rule("late", Verdict.HOLD, target_types=(STORAGE,)), rules[2]))
    known = [Facts(None, kind, KNOWN.target_subscription, groups=groups) for kind in types for groups in ((), ("dfs",))]
    for facts in known:
        assert (judge(policy, facts).verdict, judge(policy, facts).rule) == plainly(policy, facts)


def test_a_policy_is_made_ready_once() -> None:
    policy = Policy((Rule("r", Verdict.HOLD, target_types=(STORAGE,)),))
    assert prepared(policy) is prepared(policy)
    assert prepared(Policy(policy.rules)) is not prepared(policy)


def test_what_a_rule_does_not_ask_is_no_condition() -> None:
    assert list(conditions(Rule("r", Verdict.HOLD))) == []
