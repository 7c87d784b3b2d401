"""A policy tried before it decides: on cases that its owner wrote down, on what waits, and beside another policy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hubwarden.approval.decide import judge
from hubwarden.model.judgement import Asking, Case, Change, Comparison, Judged, Rehearsal, Tried
from hubwarden.model.policy import Policy


def rehearse(policy: Policy, cases: Sequence[Case]) -> Rehearsal:
    """Tries a policy on cases; nobody is asked, and nothing is answered."""
    tried = tuple(Tried(case, judge(policy, case.facts)) for case in cases)
    reached = {each.judgement.rule for each in tried}
    return Rehearsal(tried, tuple(rule.name for rule in policy.rules if rule.name not in reached))


def judge_each(policy: Policy, waiting: Iterable[Asking]) -> tuple[Judged, ...]:
    """What a policy says to connections that wait; nobody is asked, and nothing is answered."""
    return tuple(Judged(each, judge(policy, each.facts)) for each in waiting)


def compare(before: Policy, after: Policy, waiting: Sequence[Asking]) -> Comparison:
    """Where another policy would answer otherwise, or by another rule, on the very same facts."""
    both = [Change(each, judge(before, each.facts), judge(after, each.facts)) for each in waiting]
    changes = [each for each in both if each.is_another_verdict or each.before.rule != each.after.rule]
    return Comparison(tuple(changes), len(waiting))
