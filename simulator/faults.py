"""Faults to order: each hits exactly the requests it is meant for, so often as it says, and is spent then."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sized
from dataclasses import dataclass, field
from typing import Any

SERVICES = ("arm", "graph", "identity", "eventgrid", "topic")
# Where a host can be killed in the middle of its request. Storage is not among them: Azurite is a process of its own.
KILLING = ("arm", "graph", "identity", "topic")
_METHODS = ("GET", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "HEAD")
# What a fault can say, with what it must be.
_FIELDS: dict[str, str] = {
    "service": " or ".join(SERVICES),
    "method": "an HTTP method, in upper case; any if absent",
    "path": "a regular expression, searched for in the path without regard to case; any path if absent",
    "skip": "how many such requests to let by first; 0 if absent",
    "times": "how often to strike; 1 if absent",
    "when": "before or after the request is done; before if absent",
    "status": "the status to answer, 400 to 599",
    "code": "the error code to answer",
    "body": "the whole body to answer, instead of an error with that code",
    "retryAfter": "seconds, or any text, for the Retry-After header",
    "delayMs": "how long to wait; 0 if absent",
    "reset": "true to drop the connection",
    "killHost": "the number of an instance of the app, as /_sim/hosts counts them from 0, or true for each",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is to go wrong."""

    service: str
    method: str | None = None
    path: re.Pattern[str] | None = None
    when: str = "before"
    status: int | None = None
    code: str | None = None
    body: Any = None
    retry_after: str | None = None
    delay_ms: int = 0
    reset: bool = False
    kill_hosts: tuple[int, ...] = ()  # the instances to end

    @property
    def drops(self) -> bool:
        """Whether nobody is to get an answer."""
        return self.reset or bool(self.kill_hosts)

    def answer(self) -> tuple[int, Any, dict[str, str]] | None:
        """Status, body and headers to answer with; None if the fault only delays or drops."""
        if self.status is None:
            return None
        code = self.code or ("TooManyRequests" if self.status == 429 else "InternalServerError")
        body = (
            {"error": {"code": code, "message": f"A fault was asked for: {code}."}} if self.body is None else self.body
        )
        return self.status, body, {"Retry-After": self.retry_after} if self.retry_after is not None else {}


@dataclass(slots=True)
class _Loaded:
    fault: Fault
    skip: int
    times: int
    said: Mapping[str, Any] = field(default_factory=dict)


class Faults:
    """The faults that are still to come, in the order in which they were asked for.

    `hosts` are the instances of the app that there are to kill.
    """

    def __init__(self, hosts: Sized = ()) -> None:
        self._hosts = hosts
        self._loaded: list[_Loaded] = []

    def add(self, wanted: Mapping[str, Any]) -> None:
        """Adds one. Raises ValueError, saying what is allowed, if it is not a fault."""
        self._loaded.append(_read(wanted, len(self._hosts)))

    def clear(self) -> list[Mapping[str, Any]]:
        """Forgets those not spent, and tells which they were."""
        unspent = [each.said for each in self._loaded]
        self._loaded.clear()
        return unspent

    def take(self, service: str, method: str, path: str) -> Fault | None:
        """The fault that strikes this request, one time fewer from now on."""
        for loaded in self._loaded:
            fault = loaded.fault
            if fault.service != service or fault.method not in (None, method.upper()):
                continue
            if fault.path is not None and not fault.path.search(path):
                continue
            if loaded.skip:
                loaded.skip -= 1
                continue
            loaded.times -= 1
            if not loaded.times:
                self._loaded.remove(loaded)
            return fault
        return None


def _read(wanted: Mapping[str, Any], hosts: int) -> _Loaded:
    for key in wanted:
        if key not in _FIELDS:
            raise ValueError(f"A fault has no '{key}'. Allowed: {', '.join(_FIELDS)}.")
    for key, is_right in _CHECKS.items():
        if (key in wanted or key == "service") and not is_right(wanted.get(key)):
            raise ValueError(f"A fault's '{key}' cannot be {wanted.get(key)!r}: it is {_FIELDS[key]}.")
    if not any(key in wanted for key in ("status", "delayMs", "reset", "killHost")):
        raise ValueError("A fault needs a status, a delayMs, a reset or a killHost.")
    retry_after = wanted.get("retryAfter")
    fault = Fault(
        service=wanted["service"],
        method=wanted.get("method"),
        path=re.compile(wanted["path"], re.IGNORECASE) if "path" in wanted else None,
        when=wanted.get("when", "before"),
        status=wanted.get("status"),
        code=wanted.get("code"),
        body=wanted.get("body"),
        retry_after=None if retry_after is None else str(retry_after),
        delay_ms=wanted.get("delayMs", 0),
        reset=wanted.get("reset", False),
        kill_hosts=_struck(wanted, hosts) if "killHost" in wanted else (),
    )
    return _Loaded(fault, wanted.get("skip", 0), wanted.get("times", 1), dict(wanted))


def _struck(wanted: Mapping[str, Any], hosts: int) -> tuple[int, ...]:
    service, asked = wanted["service"], wanted["killHost"]
    if service not in KILLING:
        raise ValueError(f"killHost needs a request to {' or '.join(KILLING)}, not to {service}.")
    struck = tuple(range(hosts)) if asked is True else (asked,)
    if not struck or struck[-1] >= hosts:
        raise ValueError(f"killHost cannot be {asked!r}: there are {hosts} hosts, counted from 0.")
    return struck


def _is_count(value: Any, least: int = 0) -> bool:
    return type(value) is int and value >= least


def _is_expression(value: Any) -> bool:
    try:
        re.compile(value)
    except (re.error, TypeError):
        return False
    return True


_CHECKS: dict[str, Callable[[Any], bool]] = {
    "service": lambda value: value in SERVICES,
    "method": lambda value: value in _METHODS,
    "path": _is_expression,
    "skip": _is_count,
    "times": lambda value: _is_count(value, 1),
    "when": lambda value: value in ("before", "after"),
    "status": lambda value: _is_count(value, 400) and value < 600,
    "code": lambda value: isinstance(value, str),
    "retryAfter": lambda value: _is_count(value) or isinstance(value, str),
    "delayMs": _is_count,
    "reset": lambda value: type(value) is bool,
    "killHost": lambda value: value is True or _is_count(value),
}
