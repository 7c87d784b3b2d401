"""A DNS server on loopback that resolves as a virtual network with the linked private zones does, over UDP and TCP."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdatatype

from simulator.resolution import resolve
from simulator.world import World

log = logging.getLogger(__name__)

PLAIN_UDP = 512
PORT_ATTEMPTS = 20


class DnsServer:
    """Answers with what the world says at that moment."""

    def __init__(self, world: World) -> None:
        self.port = 0
        self._world = world
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    @property
    def address(self) -> str:
        """Where it listens, as host:port."""
        return f"127.0.0.1:{self.port}"

    async def start(self, port: int = 0) -> None:
        """Listens on one port for both; a free one by default."""
        for attempt in range(PORT_ATTEMPTS):
            self._tcp = await asyncio.start_server(self._converse, "127.0.0.1", port)
            self.port = self._tcp.sockets[0].getsockname()[1]
            try:
                self._udp, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                    lambda: _Datagrams(self), local_addr=("127.0.0.1", self.port)
                )
                return
            except OSError:
                # Somebody has that port for UDP; a free one was asked for, so another will do.
                self._tcp.close()
                if port or attempt == PORT_ATTEMPTS - 1:
                    raise

    async def stop(self) -> None:
        """Closes both, and every connection."""
        assert self._udp is not None
        assert self._tcp is not None
        self._udp.close()
        self._tcp.close()
        for writer in self._connections.values():
            writer.close()
        await asyncio.gather(*self._connections, self._tcp.wait_closed())

    def respond(self, wire: bytes, *, udp: bool) -> bytes | None:
        """The response to one query; None for what is no query at all."""
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException as error:
            log.info("dns: not a query: %s", type(error).__name__)
            return None
        response = dns.message.make_response(query, recursion_available=True)
        if query.opcode() != dns.opcode.QUERY or len(query.question) != 1:
            response.set_rcode(dns.rcode.NOTIMP)
            return response.to_wire()
        question = query.question[0]
        answer = resolve(self._world, question.name.to_text(), dns.rdatatype.to_text(question.rdtype))
        response.set_rcode(answer.rcode)
        response.answer.extend(answer.records)
        response.authority.extend(answer.authority)
        if not udp:
            return response.to_wire()
        return response.to_wire(max_size=max(query.payload, PLAIN_UDP), prefer_truncation=True)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self._connections[task] = writer
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                while True:
                    length = int.from_bytes(await reader.readexactly(2))
                    response = self.respond(await reader.readexactly(length), udp=False)
                    if response is None:
                        return
                    writer.write(len(response).to_bytes(2) + response)
                    await writer.drain()
        finally:
            del self._connections[task]
            writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: DnsServer) -> None:
        self._server = server
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, sender: tuple[str, int]) -> None:
        assert self._transport is not None
        response = self._server.respond(data, udp=True)
        if response is not None:
            self._transport.sendto(response, sender)
