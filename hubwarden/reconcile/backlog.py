"""What waits outside a run: in the work queue, in its poison queue, and in the outbox. It is only measured."""

from __future__ import annotations

import asyncio
import logging

from hubwarden.errors import HubwardenError
from hubwarden.reconcile.rooms import Rooms
from hubwarden.telemetry import measured
from hubwarden.telemetry.collecting import is_collected

WITHIN = 5.0
"""Seconds; whoever measures it has other things to do."""

log = logging.getLogger(__name__)


async def measure_backlog(rooms: Rooms) -> None:
    """Looks at the queues and the outbox, where anybody collects what is measured. To fail is only a warning."""
    if not is_collected():
        return
    try:
        async with asyncio.timeout(WITHIN):
            length, poison = await rooms.work.lengths()
            age = await rooms.work.age(rooms.now())
            undelivered = await rooms.outbox.undelivered() if rooms.announcer else 0
    except (HubwardenError, TimeoutError) as error:
        log.warning("backlog: it is not measured: %s", str(error) or "storage is silent")
        return
    measured.measure_backlog(length=length, age=age, poison=poison, undelivered=undelivered)
