"""Moments as the API, the events and the Reports write them: UTC, to the millisecond."""

from __future__ import annotations

from datetime import UTC, datetime


def written(moment: datetime) -> str:
    """A moment in UTC, such as 2026-11-22T02:20:00.123Z."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def written_seconds(seconds: float) -> str:
    """A moment in seconds since 1970."""
    return written(datetime.fromtimestamp(seconds, UTC))
