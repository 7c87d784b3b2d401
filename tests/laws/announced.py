"""What the laws about announcements start from: an estate with a topic, and what the topic took."""

from __future__ import annotations

from typing import Any

from tests.azure import Azure
from tests.estate import Estate
from tests.laws.conftest import Founding

REGISTERED, WITHDRAWN = "Hubwarden.Record.Registered", "Hubwarden.Record.Withdrawn"
APPROVED, REJECTED = "Hubwarden.Connection.Approved", "Hubwarden.Connection.Rejected"
WAITING, FAILED, HELD = "Hubwarden.Connection.Held", "Hubwarden.Connection.Failed", "Hubwarden.Record.Held"


def topic_of(azure: Azure) -> str:
    """The endpoint of a custom topic of the local Azure."""
    return f"{azure.url}/topics/estate/api/events"


async def announcing(found: Founding, azure: Azure, **changes: Any) -> Estate:
    """An estate that announces."""
    return await found(events={"topic": topic_of(azure)}, **changes)


async def told(estate: Estate) -> list[dict[str, Any]]:
    """The events that the topic took, in their order."""
    return [each["event"] for each in await estate.azure.sim("GET", "topics")]


async def kinds(estate: Estate) -> list[str]:
    """The types of what the topic took, in their order."""
    return [each["type"] for each in await told(estate)]


async def topic_fails(estate: Estate, **fault: Any) -> None:
    """From now on, or so many times, the topic does not do its part."""
    await estate.azure.sim("POST", "faults", {"service": "topic", "status": 503, "times": 1000, **fault})


async def topic_recovers(estate: Estate) -> None:
    """All faults are over."""
    await estate.azure.sim("DELETE", "faults")
