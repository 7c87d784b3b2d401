"""Judgement: what a policy says about facts; and what comes of trying policies, on cases and on what waits."""

from __future__ import annotations

from dataclasses import dataclass

from hubwarden.model.connection import Verdict
from hubwarden.model.facts import Facts
from hubwarden.model.resource_id import ResourceId, fold


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a policy says about facts: its verdict, the rule (empty where none matched), and why."""

    verdict: Verdict
    rule: str
    reason: str
    note: str = ""


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


@dataclass(frozen=True, slots=True)
class Asking:
    """A connection that waits, and what is known of it."""

    connection: ResourceId
    endpoint: ResourceId | None
    """The consumer's; None where none can be named."""
    facts: Facts


@dataclass(frozen=True, slots=True)
class Judged:
    """A connection that waits, and what a policy says to it."""

    asking: Asking
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class Change:
    """A connection to which two policies do not say the same."""

    asking: Asking
    before: Judgement
    after: Judgement

    @property
    def is_another_verdict(self) -> bool:
        """Whether it would be answered otherwise, and not only by another rule."""
        return self.before.verdict is not self.after.verdict


@dataclass(frozen=True, slots=True)
class Comparison:
    """The connections to which two policies do not say the same, of how many."""

    changes: tuple[Change, ...]
    of: int

    @property
    def other_verdicts(self) -> int:
        """How many would be answered otherwise."""
        return sum(change.is_another_verdict for change in self.changes)
