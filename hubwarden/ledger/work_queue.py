"""The work queue: what a door hands on instead of doing it itself."""

from __future__ import annotations

import math

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
        with translated(f"handing on {item.scope.endpoint}"):
            await self._account.with_work(
                lambda: self._account.work.send_message(text, visibility_timeout=hidden, time_to_live=_FOR_EVER)
            )
