"""Where events go: webhooks, functions of the running app, and queues of the running storage account."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import aiohttp
from azure.core.exceptions import AzureError, HttpResponseError
from azure.core.pipeline.transport import AioHttpTransport
from azure.storage.queue.aio import QueueClient

from simulator import ids
from simulator.documents import Document
from simulator.event_subscriptions import EventGridError, name_of


class Kind(Enum):
    """The endpoint types that are simulated."""

    WEBHOOK = "WebHook"
    FUNCTION = "AzureFunction"
    QUEUE = "StorageQueue"

    @classmethod
    def _missing_(cls, value: object) -> None:
        raise ValueError(f"the destination {value} is not simulated, only {', '.join(each.value for each in cls)}")


@dataclass(frozen=True, slots=True)
class Destination:
    """One place; `address` is a URL or the name of a queue."""

    kind: Kind
    address: str

    @property
    def path(self) -> str:
        """What faults and the log know it by; a queue has the path that its messages are posted to."""
        return f"/{self.address}/messages" if self.kind is Kind.QUEUE else urlsplit(self.address).path

    @property
    def query(self) -> str:
        """Its query without the key in it, which must not get into a log."""
        return urlencode([(name, value) for name, value in parse_qsl(urlsplit(self.address).query) if name != "code"])

    @property
    def in_azure(self) -> bool:
        """Whether it is an Azure resource, which Event Grid asks for no handshake and tries longer (section 1.6)."""
        return self.kind is not Kind.WEBHOOK


class Destinations:
    """Finds and reaches them.

    `functions` has the webhook of each function that takes events, by its name; `storage` is the connection string of
    the storage account that stands for every one. `timeout` is how many seconds a webhook may take.
    """

    def __init__(self, timeout: float) -> None:
        self.functions: Mapping[str, str] = {}
        self.storage = ""
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._session: aiohttp.ClientSession | None = None
        self._to_queues: aiohttp.ClientSession | None = None
        self._queues: dict[str, QueueClient] = {}

    async def open(self) -> None:
        """Must be called before anything is sent."""
        self._session = aiohttp.ClientSession(timeout=self._timeout)
        # Azurite drops a connection after 5 s at rest: a message into one just then would look like no connection.
        self._to_queues = aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True))

    async def close(self) -> None:
        """Closes the connections."""
        for queue in self._queues.values():
            await queue.close()
        for session in (self._session, self._to_queues):
            assert session is not None
            await session.close()

    def find(self, document: Document) -> Destination:
        """Where an event subscription sends to.

        Raises EventGridError if that is not simulated, or not there.
        """
        wanted = document["properties"]["destination"]
        try:
            kind = Kind(wanted.get("endpointType"))
            return Destination(kind, self._address(kind, wanted.get("properties") or {}))
        except KeyError as missing:
            raise _faulty(document, f"its destination lacks {missing}") from missing
        except (ValueError, LookupError) as error:
            raise _faulty(document, str(error)) from error

    def _address(self, kind: Kind, properties: Mapping[str, Any]) -> str:
        if kind is Kind.WEBHOOK:
            return str(properties["endpointUrl"])
        if kind is Kind.QUEUE:
            ids.parse(properties["resourceId"])
            if not self.storage:
                raise LookupError(f"there is no storage account for the queue '{properties['queueName']}'")
            return str(properties["queueName"])
        function = ids.parse(properties["resourceId"]).name
        urls = {name.lower(): url for name, url in self.functions.items()}
        if function.lower() not in urls:
            raise LookupError(f"no function '{function}' that takes events is running")
        return urls[function.lower()]

    async def send(self, destination: Destination, headers: Mapping[str, str], event: Mapping[str, Any]) -> int:
        """Sends one event; the status, 408 for none in time, 0 if there was no connection."""
        if destination.kind is Kind.QUEUE:
            return await self._enqueue(destination.address, event)
        try:
            status, _ = await self.post(destination.address, headers, [event])
        except TimeoutError:
            return 408
        except aiohttp.ClientError:
            return 0
        return status

    async def post(self, url: str, headers: Mapping[str, str], body: object) -> tuple[int, bytes]:
        """One request to a webhook: the status and the body.

        Raises TimeoutError or aiohttp.ClientError.
        """
        assert self._session is not None
        everything = {"Content-Type": "application/json; charset=utf-8", **headers}
        async with self._session.post(url, data=json.dumps(body).encode(), headers=everything) as response:
            return response.status, await response.read()

    async def _enqueue(self, name: str, event: Mapping[str, Any]) -> int:
        """A queue gets the event by itself, as base64, which is what a queue trigger reads (section 8.4)."""
        if name not in self._queues:
            # Event Grid tries again by its own schedule.
            self._queues[name] = QueueClient.from_connection_string(
                self.storage,
                name,
                retry_total=0,
                transport=AioHttpTransport(session=self._to_queues, session_owner=False),
            )
        try:
            await self._queues[name].send_message(base64.b64encode(json.dumps(event).encode()).decode())
        except HttpResponseError as error:
            return error.status_code or 0
        except AzureError:
            return 0
        return 201


def _faulty(document: Document, why: str) -> EventGridError:
    return EventGridError(f"event subscription '{name_of(document)}': {why}")
