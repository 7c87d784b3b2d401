"""Time as the simulator sees it, in one place so that it can be steered: it runs as usual, and can be put forward."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(slots=True, eq=False)
class _Timer:
    due: float
    action: Callable[[], None]
    handle: asyncio.TimerHandle


class Clock:
    """The time, and things to do later."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._timers: set[_Timer] = set()

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time() + self._ahead

    def moment(self) -> datetime:
        """The same as a date with a zone."""
        return datetime.fromtimestamp(self.now(), UTC)

    async def sleep(self, seconds: float) -> None:
        """Waits, or lets others go first if there is nothing to wait for."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        waiter = asyncio.get_running_loop().create_future()
        self.call_later(seconds, lambda: None if waiter.done() else waiter.set_result(None))
        await waiter

    def call_later(self, seconds: float, action: Callable[[], None]) -> None:
        """Does the action after that time, unless the clock is stopped before."""
        loop = asyncio.get_running_loop()
        timer: _Timer = _Timer(self.now() + seconds, action, loop.call_later(seconds, lambda: self._ring(timer)))
        self._timers.add(timer)

    def advance(self, seconds: float) -> None:
        """Puts the clock forward; what is due by then happens now, in the order in which it is due."""
        self._ahead += seconds
        loop, now = asyncio.get_running_loop(), self.now()
        for timer in sorted(self._timers, key=lambda timer: timer.due):
            timer.handle.cancel()
            if timer.due <= now:
                self._ring(timer)
            else:
                timer.handle = loop.call_later(timer.due - now, self._ring, timer)

    def stop(self) -> None:
        """Forgets everything that was to be done later."""
        for timer in self._timers:
            timer.handle.cancel()
        self._timers.clear()

    def _ring(self, timer: _Timer) -> None:
        self._timers.discard(timer)
        timer.action()
