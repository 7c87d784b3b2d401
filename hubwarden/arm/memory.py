"""What Azure has answered, remembered: what several want to know at once is asked for once."""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

About = TypeVar("About")
Value = TypeVar("Value")


def for_good() -> float:
    """How long an answer lasts that is never asked for again."""
    return math.inf


class Memory(Generic[About, Value]):
    """Answers, each with when it came; `now` gives seconds, only differences count."""

    def __init__(self, now: Callable[[], float] = lambda: 0.0) -> None:
        self._now = now
        self._known: dict[About, tuple[Value, float]] = {}
        self._asking: defaultdict[About, asyncio.Lock] = defaultdict(asyncio.Lock)

    def known(self, about: About) -> Value | None:
        """What was answered last, however long ago."""
        value, _ = self._known.get(about, (None, 0.0))
        return value

    async def recall(
        self, about: About, ask: Callable[[], Awaitable[Value]], lasts: Callable[[], float] = for_good
    ) -> Value:
        """The answer, asked for anew where the last one is as old as it `lasts` (seconds). Raises what `ask` raises."""
        async with self._asking[about]:
            if about not in self._known or self._now() - self._known[about][1] >= lasts():
                self._known[about] = (await ask(), self._now())
            return self._known[about][0]

    def forget(self) -> None:
        """The next question is asked, whatever it is about."""
        self._known.clear()
