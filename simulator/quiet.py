"""Tells whether an app has come to rest: nothing in its queues, nothing in its instances' hands.

Work moves from place to place while one looks. So the queues are looked at before the instances, which hold back their
answer while they are taking messages, and rest is believed only if nothing was begun since the look before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue.aio import QueueClient

from simulator.host_process import HostProcess


class Quiet:
    """What of an app is not at rest; an instance that was killed has nothing in hand."""

    def __init__(self, hosts: Sequence[HostProcess], settings: Mapping[str, str]) -> None:
        self._hosts = hosts
        self._settings = settings
        self._session = aiohttp.ClientSession()
        self._clients: dict[tuple[str, str], QueueClient] = {}
        self._begun: dict[str, tuple[int, int]] = {}

    async def unrest(self) -> list[str]:
        """One line for each thing that goes on, none if all is at rest."""
        waiting = [line for line in await asyncio.gather(*map(self._waiting, self._queues())) if line]
        running = [(host, pid) for host in self._hosts if (pid := host.pid) is not None]
        statuses = await asyncio.gather(*(self._status(host) for host, _ in running))
        begun: dict[str, tuple[int, int]] = {}
        for (host, pid), status in zip(running, statuses, strict=True):
            if status is None:
                waiting.append(f"{host.name} does not answer")
                continue
            begun[host.name] = (pid, status["invocations"]["total"])
            if count := status["invocations"]["inFlight"]:
                waiting.append(f"{count} invocations in {host.name}")
            for queue in status["queues"]:
                self._client(queue["connection"] or "AzureWebJobsStorage", queue["queueName"])
        if begun != self._begun and not waiting:
            waiting.append("invocations have ended since the last look")
        self._begun = begun
        return waiting

    async def close(self) -> None:
        """Closes its connections."""
        await asyncio.gather(self._session.close(), *(client.close() for client in self._clients.values()))

    def _queues(self) -> list[QueueClient]:
        return list(self._clients.values())

    def _client(self, connection: str, queue: str) -> None:
        if (connection, queue) not in self._clients:
            string = self._settings.get(f"AzureWebJobs{connection}") or self._settings[connection]
            self._clients[connection, queue] = QueueClient.from_connection_string(string, queue)

    async def _waiting(self, client: QueueClient) -> str | None:
        try:
            found = await client.peek_messages(max_messages=32)
        except ResourceNotFoundError:
            return None
        return f"{len(found)} messages in queue '{client.queue_name}'" if found else None

    async def _status(self, host: HostProcess) -> dict[str, Any] | None:
        try:
            return await host.status(self._session)
        except aiohttp.ClientError:
            return None
