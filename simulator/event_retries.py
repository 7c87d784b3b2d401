"""When Event Grid tries a delivery again, and when it gives up (behaviour reference section 1.6)."""

from __future__ import annotations

from collections.abc import Mapping

SUCCESS = frozenset({200, 201, 202, 203, 204})
# Azure, a webhook's 401 is an answer; a destination in Azure may get its rights later.
FINAL: Mapping[bool, frozenset[int]] = {True: frozenset({400, 403, 413}), False: frozenset({400, 401, 403, 413})}
# Seconds until the second attempt, the third, and so on; the last one repeats.
SCHEDULE = (10, 30, 60, 300, 600, 1800, 3600, 10_800, 21_600, 43_200)
SHORTEST: Mapping[int, int] = {408: 120, 503: 30}
SHORTEST_IN_AZURE: Mapping[int, int] = {**SHORTEST, 401: 300, 404: 300}
_OUTCOMES = {400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 408: "TimedOut", 503: "Busy"}


def outcome(status: int) -> str:
    """What a dead letter calls such an answer; 0 stands for no connection."""
    return _OUTCOMES.get(status, "GenericError")


def is_final(status: int, *, in_azure: bool) -> bool:
    """Whether another attempt would be in vain; `in_azure` is a destination that is a resource, not a webhook."""
    return status in FINAL[in_azure]


def pause(attempts: int, status: int, *, in_azure: bool) -> int:
    """Seconds from the last of so many attempts to the next one, without Azure's jitter."""
    shortest = SHORTEST_IN_AZURE if in_azure else SHORTEST
    return max(SCHEDULE[min(attempts, len(SCHEDULE)) - 1], shortest.get(status, 10))
