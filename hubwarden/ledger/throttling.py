"""The transport of the clients of Azure Storage, which counts what Storage refuses as too many."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from azure.core.pipeline.transport import AioHttpTransport, AsyncHttpResponse, AsyncHttpTransport, HttpRequest

from hubwarden.telemetry.measured import was_throttled

TOO_MANY = frozenset({429, 503})
"""How Storage says so: 503 ServerBusy where an account or a partition is at its limit (Microsoft, "Common REST API
error codes"), 429 from what stands before it."""


class CountingTransport(AsyncHttpTransport[HttpRequest, AsyncHttpResponse]):
    """Azure-core's own transport, with the count: each try of each request goes through it."""

    def __init__(self, service: str, **options: Any) -> None:
        self._transport = AioHttpTransport(**options)
        self._service = service

    async def send(self, request: HttpRequest, **options: Any) -> AsyncHttpResponse:
        """Sends a request, and counts its answer where it is that refusal."""
        response: AsyncHttpResponse = await self._transport.send(request, **options)
        if response.status_code in TOO_MANY:
            was_throttled(self._service)
        return response

    async def open(self) -> None:
        """Opens the connections."""
        await self._transport.open()

    async def close(self) -> None:
        """Ends them."""
        await self._transport.close()

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        """Ends them, whatever came."""
        await self.close()
