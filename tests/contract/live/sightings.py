"""What a check looks for, which ways it may be, what was seen, and the page that tells it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tests.contract.live.estate import AzureEstate


class NotSeenError(Exception):
    """The check could not look, and why: nothing is wrong, and nothing is known."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Which way it is, in the words of the check's `ways`, and what exactly was answered."""

    way: str
    detail: str = ""


Look = Callable[[AzureEstate], Awaitable[Seen]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A look at one thing that no source states.

    `ways` are all that the product is made for, each with the value of the simulator's switch that makes it so (None
    where there is no switch); without ways the look itself asserts what the product relies on, and tells what it saw.
    """

    rule: str
    section: str
    believed: str
    version: str
    switch: str
    ways: Mapping[str, Any]
    look: Look

    async def observe(self, estate: AzureEstate) -> Seen:
        """What is so here. AssertionError for what neither way covers; NotSeenError where it could not be looked at."""
        seen = await self.look(estate)
        if self.ways:
            told = f"{self.rule} (behaviour reference section {self.section})"
            assert seen.way in self.ways, f"{told}: {seen.way}, {seen.detail}: none of {list(self.ways)}"
        return Seen(seen.way, estate.place.plain(seen.detail))


def observes(
    rule: str,
    *,
    section: str,
    believed: str,
    version: str,
    switch: str = "",
    ways: Mapping[str, Any] | Sequence[str] = (),
) -> Callable[[Look], Check]:
    """Makes a check of a look; its name is the function's."""
    which = ways if isinstance(ways, Mapping) else dict.fromkeys(ways)
    return lambda look: Check(
        rule=rule, section=section, believed=believed, version=version, switch=switch, ways=which, look=look
    )


@dataclass(slots=True)
class Sightings:
    """What a run saw, in the order of the looking."""

    where: str
    """Region and ARM endpoint."""
    day: date
    seen: list[tuple[Check, Seen]] = field(default_factory=list)

    def page(self) -> str:
        """The page as Markdown."""
        rows = [_row(check, seen, self.day) for check, seen in self.seen]
        return "\n".join([_HEAD.format(day=self.day.isoformat(), where=self.where), *rows, ""])


_HEAD = """# Seen on Azure

Written by `make contract-live` on {day}, in {where}; [what was never verified](unverified.md) says what
Hubwarden does about each. A row with another way than the believed one is news for that page, and for the default of
the simulator's switch.

| rule | switch | believed | seen | in detail | when | api-version |
| --- | --- | --- | --- | --- | --- | --- |"""


def _row(check: Check, seen: Seen, day: date) -> str:
    switch = f"`{check.switch}`" if check.switch else "none"
    cells = (check.rule, switch, check.believed, seen.way, seen.detail, day.isoformat(), check.version)
    return "| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |"
