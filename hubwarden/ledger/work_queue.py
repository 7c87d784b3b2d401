"""The work queue: what a door hands on instead of doing it itself."""

from __future__ import annotations

import math

from azure.storage.queue.aio import QueueClient

from hubwarden.errors import RacedError
from hubwarden.ledger.failures import translated
from hubwarden.ledger.storage import StorageAccount
from hubwarden.model.work import WorkItem

_FOR_EVER = -1  # an item outlives any outage: Azure's default would drop it after seven days
_LONGEST_DELAY = 7 * 86400  # Azure hides a message for seven days at the most


class WorkQueue:
    """The queue `hubwarden-work`."""

    def __init__(self, account: StorageAccount) -> None:
        self._account = account

    async def send(self, item: WorkItem, *, delay: float = 0) -> None:
        """Puts an item into the queue, to be seen after `delay` seconds; Azure counts whole seconds, and so do we.

        Raises LedgerUnavailableError: what was to be handed on was not.
        """
        hidden = min(math.floor(delay), _LONGEST_DELAY)
        text = item.to_json()
        with translated(f"handing on {item.scope}"):
            await self._account.with_work(
                lambda: self._account.work.send_message(text, visibility_timeout=hidden, time_to_live=_FOR_EVER)
            )

    async def lengths(self) -> tuple[int, int]:
        """About how many items there are in the queue, and how many in its poison queue, which people look after."""
        return await _length(self._account.work), await _length(self._account.poison)


async def _length(queue: QueueClient) -> int:
    try:
        with translated(f"counting {queue.queue_name}"):
            return (await queue.get_queue_properties()).approximate_message_count or 0
    except RacedError:
        return 0  # there is no such queue yet
