"""WorkItem: what is handed on through the work queue. It says where to look again, never what to do."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Self

from hubwarden.errors import InputError, NewerFormatError
from hubwarden.model.report import OneEndpoint, Scope
from hubwarden.model.resource_id import ResourceId

WORK_FORMAT = 1
LARGEST = 64 * 1024
"""Characters; Azure's own limit for a queue message is 64 KiB."""


@dataclass(frozen=True, slots=True)
class WorkItem:
    """A scope to look at again, which try this is (from 1), and when it is due in seconds since 1970."""

    scope: Scope
    attempt: int
    due: float
    trace: str = ""
    """The traceparent of what caused it (W3C Trace Context)."""

    def to_json(self) -> str:
        """As a queue message."""
        return json.dumps(
            {
                "version": WORK_FORMAT,
                "scope": {"endpoint": str(self.scope.endpoint), "thorough": self.scope.thorough},
                "attempt": self.attempt,
                "due": round(self.due, 3),
                "trace": self.trace,
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads a queue message. Raises NewerFormatError for a newer version, InputError for what is no work item."""
        try:
            body = json.loads(text) if len(text) <= LARGEST else None
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict) or not isinstance(body.get("version"), int):
            raise InputError(f"not a work item: {text[:80]!r}")
        if body["version"] > WORK_FORMAT:
            raise NewerFormatError(f"a work item of format {body['version']}; this version knows {WORK_FORMAT}")
        scope = body.get("scope")
        if not isinstance(scope, dict):
            raise InputError("a work item has a scope")
        return cls(
            scope=OneEndpoint(ResourceId.parse(scope.get("endpoint")), scope.get("thorough") is True),
            attempt=int(_number(body, "attempt")),
            due=_number(body, "due"),
            trace=str(body.get("trace") or ""),
        )


def _number(body: dict[str, Any], key: str) -> float:
    value = body.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise InputError(f"a work item's {key!r} is a number")
    return value
