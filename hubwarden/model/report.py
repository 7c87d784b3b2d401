"""What a run was asked, and what came of it: Scope, Outcome and Report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hubwarden.model.plan import Change, Plan
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
    look_again: bool = False
    """Whether something is left that the work queue should look at again."""
    retry_after: float | None = None
    """How many seconds Azure asked us to wait, where it did."""

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """The outcomes that are failures."""
        return tuple(outcome for outcome in self.outcomes if outcome.result is Result.FAILED)

    @property
    def status(self) -> Status:
        """Done, partial when some changes failed, failed when all did."""
        if not self.failed:
            return Status.DONE
        return Status.FAILED if len(self.failed) == len(self.outcomes) else Status.PARTIAL
