"""May they connect? The rules are tried in order, each with three values: true, false, and not known.

How one rule ends:

    its conditions                         | the rule
    ---------------------------------------+------------------------------------------------
    one is false                           | does not match: the next rule is tried
    none is false, one is not known        | holds the connection, and ends the search
    all are true                           | wins: its verdict is the decision

Nothing matches: the connection is held. So a fact that is not known can only hold, never approve or reject, and what is
known decides the same whatever else comes to be known (three-valued logic as Kleene's, with False, None and True).
One thing more is asked of a rule that approves: that it would not approve on the consumer's own words alone, be it
because what it asks of the consumer is true of any stranger.
"""

from __future__ import annotations

from dataclasses import replace

from hubwarden.approval.prepared import PreparedRule, prepared
from hubwarden.model.connection import Connection, Decision, Verdict
from hubwarden.model.endpoint import Tenancy
from hubwarden.model.facts import FACTS, Facts
from hubwarden.model.judgement import Judgement
from hubwarden.model.policy import Policy

_NOBODYS = "ffffffff-ffff-ffff-ffff-ffffffffffff"
"""The id of no subscription."""


def decide(policy: Policy, connection: Connection, facts: Facts) -> Decision:
    """What the policy answers to a connection; the reason names the rule and the facts, and no text of a stranger's.

    The note may have such texts, as its rule asks: it goes to the connection, and nowhere else.
    """
    judged = judge(policy, facts)
    return Decision(connection, judged.verdict, judged.rule, judged.reason, note=judged.note, facts=facts)


def judge(policy: Policy, facts: Facts) -> Judgement:
    """What the policy says about facts, whosever they are."""
    reached = prepared(policy).reached(facts)
    if reached is None:
        return Judgement(Verdict.HOLD, "", "no rule matches, and what no rule matches waits for a person")
    rule, asked = reached.rule, reached.conditions
    if unknown := ", ".join(condition.asks for condition in asked if condition.holds(facts) is None):
        return Judgement(Verdict.HOLD, rule.name, f"rule {rule.name} cannot be judged; not known: {unknown}")
    if rule.then is Verdict.APPROVE and _believes_anybody(reached, facts):
        why = f"rule {rule.name} would approve on the consumer's own words alone"
        return Judgement(Verdict.HOLD, rule.name, why)
    found = ", ".join(condition.found(facts) for condition in asked) or "it has no conditions"
    note = rule.note.told(facts) if rule.note else ""
    return Judgement(rule.then, rule.name, f"rule {rule.name}: {found}", note)


def open_questions(policy: Policy, facts: Facts) -> frozenset[str]:
    """The facts, by the names in FACTS, that are not known and could lead to another decision; none when it is settled.

    What a rule further down asks is not among them: it may never be reached.
    """
    reached = prepared(policy).reached(facts)
    if reached is None or reached.matches(facts) is True:
        return frozenset()
    return frozenset(name for name in reached.rule.facts if FACTS[name].read(facts) is None)


def _believes_anybody(reached: PreparedRule, facts: Facts) -> bool:
    """Whether the rule would match a stranger who says the same, of whom nobody has heard, be it of another tenant.

    Only a cel can: `consumer.inEstate || message.contains("please")` is true of whoever says please, and so are
    `consumer.subscription != "" && message.contains("please")` and the same with `consumer.tenancy != "microsoft"`.
    Whoever writes `foreign` means strangers, and says so.
    """
    rule = reached.rule
    means_strangers = rule.consumer_foreign or (rule.cel is not None and Tenancy.FOREIGN in rule.cel.texts)
    stranger = replace(facts, consumer=_NOBODYS, consumer_management_groups=(), in_estate=False, managers=())
    whose = (Tenancy.UNKNOWN,) if means_strangers else (Tenancy.UNKNOWN, Tenancy.FOREIGN)
    return any(reached.matches(replace(stranger, tenancy=tenancy)) is True for tenancy in whose)
