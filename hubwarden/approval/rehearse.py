"""A policy tried on cases that its owner wrote down: what it says to each, and which rules none of them reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hubwarden.approval.decide import Judgement, judge
from hubwarden.model.connection import Verdict
from hubwarden.model.facts import Facts
from hubwarden.model.policy import Policy
from hubwarden.model.resource_id import fold


@dataclass(frozen=True, slots=True)
class Case:
    """Facts, and what the owner expects of them; `rule` is None where any will do."""

    name: str
    facts: Facts
    verdict: Verdict
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class Tried:
    """A case with what the policy says to it."""

    case: Case
    judgement: Judgement

    @property
    def is_as_expected(self) -> bool:
        """Whether verdict and rule are those that the owner expects."""
        wanted, found = self.case, self.judgement
        return found.verdict is wanted.verdict and (wanted.rule is None or fold(found.rule) == fold(wanted.rule))


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The cases in their order, and the rules with which none of them ended."""

    tried: tuple[Tried, ...]
    unexercised: tuple[str, ...]


def rehearse(policy: Policy, cases: Sequence[Case]) -> Rehearsal:
    """Tries a policy on cases; nobody is asked, and nothing is answered."""
    tried = tuple(Tried(case, judge(policy, case.facts)) for case in cases)
    reached = {each.judgement.rule for each in tried}
    return Rehearsal(tried, tuple(rule.name for rule in policy.rules if rule.name not in reached))
