"""WorkItem: what is handed on through the work queue. It says where to look again, never what to do."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Self, TypeGuard

from hubwarden.errors import InputError, NewerFormatError
from hubwarden.model.scope import Scope, scope_data, to_scope

WORK_QUEUE = "hubwarden-work"
"""The queue of work items, which takes events as well."""

WORK_FORMAT = 1
LARGEST = 64 * 1024
"""Characters; Azure's own limit for a queue message is 64 KiB."""
LATEST = 1e11
"""Seconds since 1970, some three thousand years on."""


@dataclass(frozen=True, slots=True)
class Cause:
    """What brought a look about, for those who watch; no look depends on it."""

    trace: str = ""
    """A traceparent (W3C Trace Context), as it came: it may be none."""
    at: float = 0.0
    """When it happened, in seconds since 1970, where it was an event that says so; else 0."""
    again: bool = False
    """Whether the look follows up an earlier one."""


@dataclass(frozen=True, slots=True)
class WorkItem:
    """A scope to look at again, and when it is due in seconds since 1970.

    `attempt` says which follow-up of an earlier look it is; 0 is a look of its own.
    """

    scope: Scope
    attempt: int
    due: float
    trace: str = ""
    """The traceparent of what caused it (W3C Trace Context)."""
    run: str = ""
    """The run in the ledger that was promised to whoever asked; what it may do is written there, never here."""
    since: float = 0.0
    """When the event happened that caused it, in seconds since 1970; 0 where none did."""

    @property
    def cause(self) -> Cause:
        """What brought it about."""
        return Cause(self.trace, self.since, self.attempt > 0)

    def to_json(self) -> str:
        """As a queue message."""
        return json.dumps(
            {
                "version": WORK_FORMAT,
                "scope": scope_data(self.scope),
                "attempt": self.attempt,
                "due": round(self.due, 3),
                "trace": self.trace,
                "run": self.run,
                "since": round(self.since, 3),
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads a queue message. Raises NewerFormatError for a newer version, InputError for what is no work item."""
        try:
            body = json.loads(text) if len(text) <= LARGEST else None
        except (ValueError, RecursionError):
            body = None
        version = body.get("version") if isinstance(body, dict) else None
        if not isinstance(body, dict) or not _is_whole(version) or version < 1:
            # Not quoted: whatever got into the queue may hold what no log may.
            raise InputError(f"a message of {len(text)} characters is no work item")
        if version > WORK_FORMAT:
            raise NewerFormatError(f"a work item of format {str(version)[:20]}; this version knows {WORK_FORMAT}")
        attempt, due, trace, run = (body.get(key) for key in ("attempt", "due", "trace", "run"))
        if not _is_whole(attempt) or attempt < 0:
            raise InputError("a work item has an attempt, from 0")
        if not _is_moment(due):
            raise InputError("a work item's 'due' is in seconds since 1970")
        since = body.get("since")
        return cls(
            scope=to_scope(body.get("scope")),
            attempt=attempt,
            due=float(due),
            trace=trace if isinstance(trace, str) else "",
            run=run if isinstance(run, str) else "",
            since=float(since) if _is_moment(since) else 0.0,
        )


def _is_moment(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < LATEST


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
