"""What may happen to an event on its way: it is lost, doubled or overtaken (behaviour reference section 1.10)."""

from __future__ import annotations

import asyncio
import random

from simulator.clock import Clock
from simulator.settings import Settings

# How long events are held to be mixed up with those that come after them.
WINDOW_SECONDS = 0.2


class Disorder:
    """Draws on one seed and counts what it sees, so that a run can be repeated."""

    def __init__(self, clock: Clock, seed: int = 0) -> None:
        self._clock = clock
        self._random = random.Random(seed)
        self._seen = 0
        self._held: list[asyncio.Future[None]] = []

    def copies(self, settings: Settings) -> int:
        """How often the next event is sent: not at all if it is one that gets lost."""
        if not settings.event_loss:
            self._seen = 0
        else:
            self._seen += 1
            if self._seen % settings.event_loss == 0:
                return 0
        return 1 + settings.event_duplicates

    async def turn(self) -> None:
        """Returns when it is the caller's turn among all who came within the same window: never first come, first."""
        waiter = asyncio.get_running_loop().create_future()
        self._held.append(waiter)
        if len(self._held) == 1:
            self._clock.call_later(WINDOW_SECONDS, self._release)
        await waiter

    def _release(self) -> None:
        held, self._held = self._held, []
        mixed = self._random.sample(held, len(held))
        for waiter in mixed if mixed != held else reversed(held):
            if not waiter.done():
                waiter.set_result(None)
