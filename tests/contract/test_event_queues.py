"""Events that go into queues: a storage account that drops its connections at rest costs no delivery."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from simulator.event_destinations import Destination, Destinations, Kind

ADDED = b"""<?xml version="1.0" encoding="utf-8"?><QueueMessagesList><QueueMessage><MessageId>1</MessageId>
<InsertionTime>Sun, 22 Nov 2026 02:20:00 GMT</InsertionTime>
<ExpirationTime>Sun, 29 Nov 2026 02:20:00 GMT</ExpirationTime>
<PopReceipt>1</PopReceipt><TimeNextVisible>Sun, 22 Nov 2026 02:20:00 GMT</TimeNextVisible>
</QueueMessage></QueueMessagesList>"""


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """One request; nothing where the other side has hung up."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""
    lines = head.decode().lower().split("\r\n")
    [length] = [int(line.partition(":")[2]) for line in lines if line.startswith("content-length:")]
    return head + await reader.readexactly(length)


@pytest.fixture
async def forgetful() -> AsyncIterator[str]:
    """The connection string of a storage account that seems to keep each connection, and drops it when it is used."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await read_request(reader):
            head = f"HTTP/1.1 201 Created\r\nContent-Type: application/xml\r\nContent-Length: {len(ADDED)}\r\n\r\n"
            writer.write(head.encode() + ADDED)
            await writer.drain()
            await read_request(reader)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield f"AccountName=a;AccountKey=YQ==;QueueEndpoint=http://127.0.0.1:{port}/a"


async def test_each_event_has_a_connection_of_its_own(forgetful: str) -> None:
    """Event Grid would come again after 10 s (behaviour reference section 1.6), for nothing that Azure does."""
    destinations = Destinations(timeout=30)
    destinations.storage = forgetful
    await destinations.open()
    try:
        queue = Destination(Kind.QUEUE, "events")
        assert [await destinations.send(queue, {}, {"id": str(number)}) for number in range(3)] == [201] * 3
    finally:
        await destinations.close()
