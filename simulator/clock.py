"""Time as the simulator sees it, in one place so that it can be steered: nobody else asks the machine."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime


class Clock:
    """The time, and things to do later."""

    def __init__(self) -> None:
        self._timers: set[asyncio.TimerHandle] = set()

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def moment(self) -> datetime:
        """The same as a date with a zone."""
        return datetime.fromtimestamp(self.now(), UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    def call_later(self, seconds: float, action: Callable[[], None]) -> None:
        """Does the action after that time, unless the clock is stopped before."""

        def ring() -> None:
            self._timers.discard(timer)
            action()

        timer = asyncio.get_running_loop().call_later(seconds, ring)
        self._timers.add(timer)

    def stop(self) -> None:
        """Forgets everything that was to be done later."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
