"""Counts what the host has in hand, so that whoever waits for quiet can tell rest from a moment between two steps."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class Activity:
    """What is in hand now, how much there has been, and what went wrong where nobody was told of it."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.total = 0
        self.errors: deque[str] = deque(maxlen=100)
        self._quiet = asyncio.Event()
        self._quiet.set()

    @contextmanager
    def piece(self) -> Iterator[None]:
        """One piece of work, from the moment this host has it until it is done or handed back."""
        self.in_flight += 1
        self.total += 1
        self._quiet.clear()
        try:
            yield
        finally:
            self.in_flight -= 1
            if not self.in_flight:
                self._quiet.set()

    async def quiet(self) -> None:
        """Returns when nothing is in hand."""
        await self._quiet.wait()
