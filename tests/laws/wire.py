"""The wire between Hubwarden and Azure: every request of the SDKs is counted, and at one of them something can happen.

What happens at the n-th request happens there each time: no delay has to be guessed, and nothing is left to chance.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from azure.core.exceptions import ServiceRequestError
from azure.core.pipeline.transport import AioHttpTransport

from tests.estate import SteeredTime


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that happens at the n-th request from now, before it goes out or after its answer."""

    at: int
    after: bool
    do: Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Write:
    """A request to write or delete a record; `status` is None where no answer came."""

    method: str
    name: str
    insists: bool
    status: int | None


@dataclass(slots=True)
class Wire:
    """All requests of this process's SDKs; what they would wait passes at once."""

    time: SteeredTime
    arm: str
    """Where ARM is; everything else is Storage."""
    writes: list[Write] = field(default_factory=list)
    """The writes of records since the list was last emptied."""
    storage_fails: int = 0
    """So many of the next requests to Storage get no answer."""
    _incident: Incident | None = None
    _count: int = 0

    @contextmanager
    def incident(self, incident: Incident | None) -> Iterator[None]:
        """While this lasts, that may happen."""
        self._incident, self._count = incident, 0
        try:
            yield
        finally:
            self._incident = None

    def lay(self, patch: pytest.MonkeyPatch) -> None:
        """From now on every request goes this way."""
        sends = AioHttpTransport.send

        async def send(transport: Any, request: Any, **options: Any) -> Any:
            return await self._sent(lambda: sends(transport, request, **options), request)

        async def sleep(_: Any, seconds: float) -> None:
            await self.time.sleep(seconds)

        patch.setattr(AioHttpTransport, "send", send)
        patch.setattr(AioHttpTransport, "sleep", sleep)

    @property
    def calls(self) -> int:
        """How many requests there were since the incident was ordered."""
        return self._count

    async def _sent(self, send: Callable[[], Awaitable[Any]], request: Any) -> Any:
        is_arm = request.url.startswith(self.arm)
        self._count += 1
        happening = self._incident if self._incident and self._incident.at == self._count else None
        if happening and not happening.after:
            await happening.do()
        if not is_arm and self.storage_fails:
            self.storage_fails -= 1
            raise ServiceRequestError("storage is down")
        status = None
        try:
            answer = await send()
            status = answer.status_code
        finally:
            if is_arm:
                self._note(request, status)
        if happening and happening.after:
            await happening.do()
        return answer

    def _note(self, request: Any, status: int | None) -> None:
        path = unquote(urlsplit(request.url).path)
        if request.method != "GET" and "/A/" in path:
            insists = any(header in request.headers for header in ("If-Match", "If-None-Match"))
            self.writes.append(Write(request.method, path.rpartition("/")[2], insists, status))


def dies(run: asyncio.Task[Any]) -> Callable[[], Awaitable[None]]:
    """The process ends here: nothing of the run goes on."""

    async def die() -> None:
        run.cancel()
        await asyncio.Event().wait()

    return die
