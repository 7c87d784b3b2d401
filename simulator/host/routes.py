"""Finds the HTTP function for a request, by ASP.NET's route templates as far as an app here may use them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from simulator.host.worker import AppError, Function

SEGMENT = re.compile(r"\{(?P<rest>\*?)(?P<name>\w+)(?::(?P<kind>\w+))?\}")
KINDS = {"int": r"-?\d+", "guid": r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "alpha": r"[a-z]+"}


@dataclass(frozen=True, slots=True)
class Route:
    """One HTTP function's address."""

    function: Function
    pattern: re.Pattern[str]
    methods: frozenset[str]
    order: tuple[int, ...]


class Routes:
    """All HTTP functions of an app; the most literal template wins."""

    def __init__(self, functions: Iterable[Function], prefix: str) -> None:
        routes = [_route(function, prefix) for function in functions if function.kind == "httpTrigger"]
        self._routes = sorted(routes, key=lambda route: route.order)

    def match(self, method: str, path: str) -> tuple[Function, Mapping[str, str]] | None:
        """The function for this request and its route parameters; none also where only the method differs, for the
        platform answers 404 there."""
        for route in self._routes:
            found = route.pattern.fullmatch(path)
            if found and (not route.methods or method in route.methods):
                return route.function, {name: unquote(value) for name, value in found.groupdict().items()}
        return None


def _route(function: Function, prefix: str) -> Route:
    template = str(function.trigger.get("route") or function.name).strip("/")
    segments = [*(part for part in prefix.split("/") if part), *template.split("/")]
    pattern, order = "", []
    for segment in segments:
        rank, expression = _segment(function, segment)
        order.append(rank)
        pattern += f"/{expression}"
    methods = frozenset(str(method).upper() for method in function.trigger.get("methods") or ())
    return Route(function, re.compile(pattern, re.IGNORECASE), methods, tuple(order))


def _segment(function: Function, segment: str) -> tuple[int, str]:
    """How late this segment is tried, and its expression."""
    found = SEGMENT.fullmatch(segment)
    if found is None:
        if "{" in segment:
            raise AppError(f"function '{function.name}': the route segment '{segment}' is not simulated")
        return 0, re.escape(segment)
    name, kind = found["name"], found["kind"]
    if found["rest"]:
        return 3, f"(?P<{name}>.*)"
    if kind is None:
        return 2, f"(?P<{name}>[^/]+)"
    if kind not in KINDS:
        raise AppError(f"function '{function.name}': the route constraint '{kind}' is not simulated")
    return 1, f"(?P<{name}>{KINDS[kind]})"
