"""Every request that reached the simulator's services, for tests that count calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Entry:
    """One request; `status` stays None while it is under way, and when its connection was dropped."""

    n: int
    service: str
    method: str
    path: str
    query: str
    api_version: str
    principal: str = ""
    actions: Sequence[str] = ()
    """What a role had to permit for it, with the rights on other resources that it needs."""
    status: int | None = None
    ms: float = 0.0


class RequestLog:
    """The requests in the order in which they came."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._last = 0

    def begin(self, service: str, method: str, path: str, query: str, api_version: str) -> Entry:
        """Notes that a request has come; the caller fills in the rest when it is answered."""
        self._last += 1
        entry = Entry(self._last, service, method, path, query, api_version)
        self._entries.append(entry)
        return entry

    def entries(self, service: str | None = None) -> list[dict[str, Any]]:
        """The requests as JSON, perhaps only those to one service."""
        return [
            {
                "n": each.n,
                "service": each.service,
                "method": each.method,
                "path": each.path,
                "query": each.query,
                "apiVersion": each.api_version,
                "principal": each.principal,
                "actions": list(each.actions),
                "status": each.status,
                "ms": each.ms,
            }
            for each in self._entries
            if service in (None, each.service)
        ]

    def clear(self) -> None:
        """Forgets them."""
        self._entries.clear()
