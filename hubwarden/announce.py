"""The only room that publishes: announcements go to the custom topic as CloudEvents, with the app's own identity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError
from azure.core.messaging import CloudEvent
from azure.eventgrid.aio import EventGridPublisherClient

from hubwarden.errors import RefusedError, UnavailableError
from hubwarden.model.announcement import Announcement

_NEVER_TAKEN = (400, 413)  # of a wrong format, or too large: the same at every try


class Announcer:
    """The custom topic. What it does not take stays in the outbox, so nothing is tried again here."""

    def __init__(self, topic: str, instance: str, credential: AsyncTokenCredential) -> None:
        self.failed_at = -math.inf
        """When the topic last did not take what it was sent, in seconds since 1970; whoever sends notes it."""
        self._source = f"/hubwarden/{instance}"
        self._client = EventGridPublisherClient(
            topic, credential, retry_total=0, permit_redirects=False, connection_timeout=3, read_timeout=5
        )

    async def publish(self, announcements: Sequence[Announcement]) -> None:
        """Sends them in their order, in one request, which the topic takes or refuses as a whole.

        Raises RefusedError for what it will never take, UnavailableError for everything else, such as a missing right.
        """
        events = [self._event(each) for each in announcements]
        try:
            await self._client.send(events)
        except HttpResponseError as error:
            text = f"the topic answered {error.status_code or 'nothing'}: {_brief(error)}"
            # Without a token the topic was not even asked.
            if error.status_code in _NEVER_TAKEN and not isinstance(error, ClientAuthenticationError):
                raise RefusedError(text) from error
            raise UnavailableError(text) from error
        except AzureError as error:
            raise UnavailableError(f"the topic does not answer: {_brief(error)}") from error

    def _event(self, announcement: Announcement) -> CloudEvent[dict[str, object]]:
        return CloudEvent(
            source=self._source,
            type=announcement.kind.value,
            subject=announcement.subject or None,
            data=dict(announcement.data),
            time=datetime.fromtimestamp(announcement.time, UTC),
            id=announcement.id,
        )

    async def close(self) -> None:
        """Ends its connections."""
        await self._client.close()


def _brief(error: AzureError) -> str:
    return (error.message or type(error).__name__).splitlines()[0][:200]
