"""How many requests Azure takes, of whom, and in what time (behaviour reference sections 5.2, 6.2 and 6.3).

With the setting `quotas` off nothing is counted, and every answer says what is left after a first request.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass, field

from simulator.clock import Clock
from simulator.refusals import By, Refusal
from simulator.wire import Request


@dataclass(frozen=True, slots=True)
class _Quota:
    """So many requests at once, and so many more each second; a window without those starts anew when it is over."""

    name: str
    requests: int
    per_second: float = 0.0
    window: float = 0.0  # seconds


_READS = _Quota("reads", 250, per_second=25)
_WRITES = _Quota("writes", 200, per_second=10)
_DELETES = _Quota("deletes", 200, per_second=10)
_BY_METHOD = {"GET": _READS, "HEAD": _READS, "DELETE": _DELETES}
_VERBS = {"reads": "read", "writes": "write", "deletes": "delete"}
# Azure, of all principals together a subscription takes so many times as many.
_GLOBAL = 15

_FIVE_MINUTES = 300.0
_NETWORK_READS = _Quota("Microsoft.Network GET", 10_000, window=_FIVE_MINUTES)
_NETWORK_WRITES = _Quota("Microsoft.Network PUT and DELETE", 1_000, window=_FIVE_MINUTES)
_DNS_READS = _Quota("private DNS GET", 500, window=_FIVE_MINUTES)
# Azure, recordings show how many are left after the first; in what time they count is unverified.
_DNS_WRITES = _Quota("private DNS PUT and DELETE", 12_000, window=_FIVE_MINUTES)
_DNS = ("privatednszones", "privatednsoperationstatuses", "privatednsoperationresults")
_GRAPH = _Quota("Resource Graph", 15, window=5.0)

_REMAINING = "x-ms-ratelimit-remaining"


@dataclass(slots=True)
class _Count:
    """What is left of a quota, and since when."""

    left: float
    since: float

    def refill(self, quota: _Quota, now: float) -> None:
        if quota.per_second:
            self.left = min(quota.requests, self.left + (now - self.since) * quota.per_second)
            self.since = now
        elif now - self.since >= quota.window:
            self.left, self.since = quota.requests, now

    def wait(self, quota: _Quota, now: float) -> float:
        """Seconds until another request is taken."""
        return (1 - self.left) / quota.per_second if quota.per_second else self.since + quota.window - now


@dataclass(slots=True)
class Admission:
    """Whether a request is taken, and what its answer says of the quotas; a provider's header replaces ARM's."""

    refusal: Refusal | None = None
    headers: dict[str, str] = field(default_factory=dict)
    provider_headers: dict[str, str] = field(default_factory=dict)

    def shown(self, *, by_gateway: bool) -> dict[str, str]:
        """Azure, an answer of the gateway knows nothing of the provider's quota."""
        return self.headers if by_gateway or not self.provider_headers else self.provider_headers


class Quotas:
    """Counts the requests, by the simulator's clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counts: dict[tuple[Hashable, _Quota], _Count] = {}

    def admit_query(self, request: Request) -> Admission:
        """A query of Resource Graph: fifteen in five seconds for each principal (behaviour reference section 5.2)."""
        left, wait = self._take(request, [(request.caller.principal, _GRAPH)])
        count = self._counts.get((request.caller.principal, _GRAPH))
        resets = _GRAPH.window if count is None else count.since + _GRAPH.window - self._clock.now()
        admission = Admission()
        admission.headers = {
            f"{_REMAINING}-tenant-resource-requests": str(left[0]),
            "x-ms-user-quota-remaining": str(left[0]),
            "x-ms-user-quota-resets-after": f"00:00:{max(1, math.ceil(resets)):02}",
        }
        if wait is not None:
            shown = math.ceil(wait) if request.world.settings.graph_retry_after else None
            message = "Client application has been throttled and should not attempt to repeat the request."
            admission.refusal = Refusal("RateLimiting", message, retry_after=shown)
        return admission

    def admit(self, request: Request) -> Admission:
        """A request to ARM: a bucket for the caller, one for all callers, and the provider's own."""
        quota, caller = _BY_METHOD.get(request.method, _WRITES), request.caller.principal
        parts = request.path.strip("/").lower().split("/")
        subscription = parts[1] if parts[0] == "subscriptions" and len(parts) > 1 else ""
        every = _Quota(f"global {quota.name}", quota.requests * _GLOBAL, quota.per_second * _GLOBAL)
        places: list[tuple[Hashable, _Quota]] = [((subscription, caller), quota)]
        if subscription:
            places.append((subscription, every))
        if own := _of_provider(parts, request.method):
            places.append((subscription, own))
        left, wait = self._take(request, places)
        scope = "subscription" if subscription else "tenant"
        admission = Admission(headers={f"{_REMAINING}-{scope}-{quota.name}": str(left[0])})
        if subscription:
            admission.headers[f"{_REMAINING}-subscription-global-{quota.name}"] = str(left[1])
        if own:
            admission.provider_headers = {f"{_REMAINING}-subscription-resource-requests": str(left[-1])}
        if wait is not None:
            exhausted = [place for place, remaining in zip(places, left, strict=True) if remaining == 0]
            admission.refusal = _throttled(request, subscription, quota, wait, by_provider=own == exhausted[0][1])
        return admission

    def _take(self, request: Request, places: list[tuple[Hashable, _Quota]]) -> tuple[list[int], float | None]:
        """One request of each quota, or of none if one is exhausted: what is left, and how long to wait then."""
        if not request.world.settings.quotas:
            self._counts.clear()
            return [quota.requests - 1 for _, quota in places], None
        now = self._clock.now()
        counts = [self._counts.setdefault(place, _Count(place[1].requests, now)) for place in places]
        for count, (_, quota) in zip(counts, places, strict=True):
            count.refill(quota, now)
        waits = [count.wait(quota, now) for count, (_, quota) in zip(counts, places, strict=True) if count.left < 1]
        if not waits:
            for count in counts:
                count.left -= 1
        return [math.floor(count.left) for count in counts], max(waits, default=None)


def _of_provider(parts: list[str], method: str) -> _Quota | None:
    """The quota that the provider of the resource asked for has besides ARM's (behaviour reference section 6.3)."""
    if "microsoft.network" not in parts:
        return None
    reads = method in ("GET", "HEAD")
    resource_type = parts[parts.index("microsoft.network") + 1 :][:1]
    if resource_type and resource_type[0] in _DNS:
        return _DNS_READS if reads else _DNS_WRITES
    return _NETWORK_READS if reads else _NETWORK_WRITES


def _throttled(request: Request, subscription: str, quota: _Quota, wait: float, *, by_provider: bool) -> Refusal:
    """The 429 of ARM as seen in production; those of a provider and of the tenant are unverified (section 6.1)."""
    seconds = max(1, math.ceil(wait))
    retry_after = seconds if request.world.settings.throttle_retry_after else None
    if by_provider:
        message = "The request was throttled by the provider: too many requests for this subscription."
        by = By.PRIVATE_DNS if "/privatedns" in request.path.lower() else By.PROVIDER
        return Refusal("TooManyRequests", message, by=by, retry_after=retry_after)
    scope = "subscription" if subscription else "tenant"
    message = (
        f"Number of '{_VERBS[quota.name]}' requests for {scope} '{subscription}' actor '{request.caller.principal}' "
        f"exceeded. Please try again after '{seconds}' seconds."
    )
    return Refusal(f"{scope.capitalize()}RequestsThrottled", message, by=By.GATEWAY, retry_after=retry_after)
