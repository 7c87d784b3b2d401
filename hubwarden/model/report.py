"""What a run was asked, and what came of it: Scope, Outcome and Report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hubwarden.model.dns_name import DnsName
from hubwarden.model.endpoint import Endpoint, Gone
from hubwarden.model.plan import Change, Claim, Plan, Want
from hubwarden.model.record import Standing
from hubwarden.model.resource_id import ResourceId


@dataclass(frozen=True, slots=True)
class OneEndpoint:
    """A scope: look at this private endpoint.

    `thorough` reads every record that is claimed or wanted, as a person who asks expects; without it, what the
    claims remember is believed for a while, which is what makes a repeated event cost one call.
    """

    endpoint: ResourceId
    thorough: bool = False


Scope = OneEndpoint


class Result(StrEnum):
    """How one change ended."""

    DONE = "done"
    RACED = "raced"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one change; a failed write is never only a log line."""

    change: Change
    result: Result
    error: str = ""
    temporary: bool = False
    """Whether trying again by itself may help."""
    retry_after: float | None = None
    """Seconds that Azure asked us to wait, where it did."""


class Status(StrEnum):
    """How a run ended: all of it done, some of it, or none."""

    DONE = "done"
    FAILED = "failed"
    PARTIAL = "partial"


@dataclass(frozen=True, slots=True)
class Report:
    """What was seen, planned and done in one run."""

    run: str
    scope: Scope
    mode: str
    started_at: datetime
    finished_at: datetime
    plan: Plan
    outcomes: tuple[Outcome, ...] = ()
    watch: bool = False
    """Whether one more look is due although nothing is left: a creation may be under way that this look overtook."""

    @property
    def unfinished(self) -> tuple[Outcome, ...]:
        """The outcomes that leave something to do: failed, or raced and not put right by the second look."""
        right = {outcome.change.key for outcome in self.outcomes if outcome.result is Result.DONE}
        right.update(self.plan.unchanged)
        still = {change.key for change in self.plan.changes}
        return tuple(
            outcome
            for outcome in self.outcomes
            if outcome.change.key not in right and (outcome.result is Result.FAILED or outcome.change.key in still)
        )

    @property
    def look_again(self) -> bool:
        """Whether something is left that may change soon by itself, or may work at another try."""
        return bool(self.unfinished) or any(held.waits for held in self.plan.held)

    @property
    def status(self) -> Status:
        """Done, partial when some changes failed, failed when all did."""
        if not self.unfinished:
            return Status.DONE
        any_done = any(outcome.result is Result.DONE for outcome in self.outcomes)
        return Status.PARTIAL if any_done else Status.FAILED


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is seen, wanted, held and owned for one endpoint, and what the next run would do about it."""

    endpoint: ResourceId
    seen: Endpoint | Gone
    wants: tuple[Want, ...]
    claims: tuple[Claim, ...]
    standing: Standing
    plan: Plan


@dataclass(frozen=True, slots=True)
class NameExplanation:
    """Which records may answer a name in the hubs' zones, and the explanation of each endpoint that owns one."""

    name: DnsName
    standing: Standing
    endpoints: tuple[Explanation, ...]
