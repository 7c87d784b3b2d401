"""What came of a run: Outcome, Report, and Run, which is how the ledger lists it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from hubwarden.errors import InputError
from hubwarden.model.connection import Decision
from hubwarden.model.plan import Change, Plan
from hubwarden.model.record import RecordKey
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import Scope
from hubwarden.model.zone import ZoneChange


class Result(StrEnum):
    """How one change ended."""

    DONE = "done"
    RACED = "raced"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one change or decision; a failed write is never only a log line."""

    change: Change | ZoneChange | Decision
    result: Result
    error: str = ""
    temporary: bool = False
    """Whether trying again by itself may help."""
    retry_after: float | None = None
    """Seconds that Azure asked us to wait, where it did."""
    locked: bool = False
    """Whether a management lock forbade it: only a person can take that away."""
    etag: str = ""
    """Of the record that was written."""

    @property
    def key(self) -> RecordKey | ResourceId:
        """Which record, which zone or link, or which connection."""
        return self.change.connection.id if isinstance(self.change, Decision) else self.change.key


class Status(StrEnum):
    """How a run stands: under way, or ended with all of it done, some of it, or none."""

    RUNNING = "running"
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
    decisions: tuple[Decision, ...] = ()
    complete: bool = True
    """Whether all of the scope was looked at; a sweep that ran out of time leaves the rest to the next one."""
    watch: bool = False
    """Whether one more look is due although nothing is left: a creation may be under way that this look overtook."""

    @property
    def unfinished(self) -> tuple[Outcome, ...]:
        """The outcomes that leave something to do: failed, or raced and not put right by the second look.

        A connection that somebody else was faster to answer leaves nothing: a person's answer stands.
        """
        right: set[RecordKey | ResourceId] = {o.key for o in self.outcomes if o.result is Result.DONE}
        right.update(self.plan.unchanged)
        still: set[RecordKey | ResourceId] = {change.key for change in (*self.plan.changes, *self.plan.zones)}
        return tuple(
            outcome
            for outcome in self.outcomes
            if outcome.key not in right and (outcome.result is Result.FAILED or outcome.key in still)
        )

    @property
    def retry_after(self) -> float | None:
        """How many seconds Azure asked to wait with what is unfinished, where it did."""
        waits = [outcome.retry_after for outcome in self.unfinished if outcome.retry_after]
        return max(waits, default=None)

    @property
    def look_again(self) -> bool:
        """Whether something is left that may change soon by itself, or may work at another try."""
        return bool(self.unfinished) or not self.complete or any(held.waits for held in self.plan.held)

    @property
    def status(self) -> Status:
        """Done, partial when some changes failed or not all was looked at, failed when all did."""
        if not self.unfinished:
            return Status.DONE if self.complete else Status.PARTIAL
        any_done = any(outcome.result is Result.DONE for outcome in self.outcomes)
        return Status.PARTIAL if any_done else Status.FAILED


_RUN_ID = re.compile(r"\d{8}T\d{9}Z-[0-9a-f]{8}", re.ASCII)


def new_run_id(now: float) -> str:
    """A name for a run that begins now, in seconds since 1970; such names sort by time."""
    moment = datetime.fromtimestamp(now, UTC)
    return f"{moment:%Y%m%dT%H%M%S}{moment.microsecond // 1000:03d}Z-{uuid.uuid4().hex[:8]}"


def run_id(value: str) -> str:
    """Reads the name of a run. Raises InputError for anything else."""
    if not _RUN_ID.fullmatch(value):
        raise InputError(f"{value[:80]!r} is not the name of a run, which looks like 20261122T022000123Z-1a2b3c4d")
    return value


@dataclass(frozen=True, slots=True)
class Run:
    """A run in the ledger: what was asked for, how it stands, and, once it has ended, what is told of it."""

    id: str
    scope: Scope
    mode: str
    status: Status
    started_at: datetime
    finished_at: datetime | None = None
    plan: str = ""
    """The hash of the one plan that a person asked to have applied; empty where any may be."""
    through: frozenset[str] = frozenset()
    """The changes of that plan, by their essence, once it was found to be that one: half done, it has another hash."""
    error: str = ""
    """Why it ended without a Report."""
    report: Mapping[str, Any] | None = None
    """The Report as plain data; None while it is under way, and in lists."""
