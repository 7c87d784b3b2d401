"""The host's timers: what is due by its schedule runs, one run of a timer at a time."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from simulator.host import ncrontab
from simulator.host.worker import Function, resolve
from simulator.worker_protocol import TypedData

log = logging.getLogger(__name__)


def tick() -> TypedData:
    """What a timer function is given when it is started now (behaviour reference section 8.4)."""
    info = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": None, "IsPastDue": False}
    return TypedData(json=json.dumps(info))


class Timer:
    """One timer function and when it is due."""

    def __init__(self, function: Function, start: Callable[[Function, TypedData], Awaitable[None]]) -> None:
        self.function = function
        self.schedule = ncrontab.parse(resolve(str(function.trigger["schedule"])))
        self.schedule.after(datetime.now(UTC))  # one that never comes due is refused here, when the host starts
        self._start = start

    async def run(self) -> None:
        """Starts the function whenever it is due, until cancelled; at once too if it asks for `runOnStartup`."""
        if self.function.trigger.get("runOnStartup"):
            await self._start(self.function, tick())
        while True:
            now = datetime.now(UTC)
            due = self.schedule.after(now)
            log.info("timer '%s' is next due at %s", self.function.name, due.isoformat())
            await asyncio.sleep((due - now).total_seconds())
            await self._start(self.function, tick())
