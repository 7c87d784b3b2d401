"""A request and its answer as every room with an address sees them, and the table that finds the room.

aiohttp stays in server.py: what lives here can be read, and tested, without it.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from simulator.world import Caller, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was asked; `query` has its keys in lower case, `values` what the path's placeholders stood for."""

    world: World
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    base_url: str
    body: Any = None
    caller: Caller = field(default_factory=lambda: Caller(""))
    values: Mapping[str, str] = field(default_factory=dict)
    actions: list[str] = field(default_factory=list)
    """What a role must permit for this request, as ARM's gateway notes it down while it looks."""

    @property
    def api_version(self) -> str:
        """The api-version asked for; empty if none was."""
        return self.query.get("api-version", "")


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered; a body of None is an empty one."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Request], Reply | Awaitable[Reply]]


class Router:
    """Finds a handler by method and path, without regard to case (behaviour reference section 10, point 1).

    A pattern's `{name}` stands for one segment, `{name:A|B}` for one of those words. The first match wins.
    """

    def __init__(self) -> None:
        self._routes: dict[tuple[str, int], list[tuple[re.Pattern[str], Handler]]] = {}

    def add(self, method: str, pattern: str, handler: Handler) -> None:
        """Adds a route after those already there."""
        self._routes.setdefault((method, pattern.count("/")), []).append((_expression(pattern), handler))

    def find(self, request: Request) -> tuple[Handler, Request] | None:
        """The handler, and the request with its path's values; None if nobody knows such a request."""
        path = request.path.rstrip("/")
        for pattern, handler in self._routes.get((request.method, path.count("/")), []):
            if match := pattern.fullmatch(path):
                return handler, replace(request, path=path, values=match.groupdict())
        return None


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    """Compiled once in a process, however many simulators there are in it."""
    expression = re.sub(r"\\{(\w+)(?::([^}]*))?\\}", _group, re.escape(pattern).replace("\\|", "|"))
    return re.compile(expression, re.IGNORECASE)


def _group(match: re.Match[str]) -> str:
    return f"(?P<{match.group(1)}>{match.group(2) or '[^/]+'})"
