"""The work queue: what a door hands on instead of doing it itself."""

from __future__ import annotations

import base64
import math

from azure.storage.queue.aio import QueueClient

from hubwarden.errors import PermanentError, RacedError
from hubwarden.ledger.failures import translated
from hubwarden.ledger.storage import StorageAccount
from hubwarden.model.work import WorkItem

_FOR_EVER = -1  # an item outlives any outage: Azure's default would drop it after seven days
_LONGEST_DELAY = 7 * 86400  # Azure hides a message for seven days at the most


_PEEKED = 32  # Azure shows no more at a time


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

    async def age(self, now: float) -> float:
        """For how many seconds the oldest item that is due has been waiting, as far as a peek shows: it shows 32.

        What is neither a work item nor readable here, such as an event, waits from when it was put in.
        """
        try:
            with translated("looking into the work queue"):
                shown = await self._account.work.peek_messages(_PEEKED)
        except RacedError:
            return 0.0  # there is no queue yet
        due = (_due(each.content, each.inserted_on.timestamp() if each.inserted_on else now) for each in shown)
        return max((now - each for each in due if each <= now), default=0.0)

    async def lengths(self) -> tuple[int, int]:
        """About how many items there are in the queue, and how many in its poison queue, which people look after."""
        return await _length(self._account.work), await _length(self._account.poison)


async def _length(queue: QueueClient) -> int:
    try:
        with translated(f"counting {queue.queue_name}"):
            return (await queue.get_queue_properties()).approximate_message_count or 0
    except RacedError:
        return 0  # there is no such queue yet


def _due(content: str, put_in: float) -> float:
    try:
        return WorkItem.from_json(base64.b64decode(content).decode(errors="replace")).due
    except (ValueError, PermanentError):
        return put_in
