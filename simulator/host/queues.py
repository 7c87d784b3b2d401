"""The host's storage queues: triggers that poll them, and outputs that are put into them.

The rules are those of the Storage Queues extension (behaviour reference section 8.4): batches, a lease that is renewed
while a message is in hand, five attempts, then `<queue>-poison`.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

from simulator.host.activity import Activity
from simulator.host.settings import QueueSettings
from simulator.host.worker import AppError, Function, FunctionFailedError, resolve
from simulator.worker_protocol import TypedData

log = logging.getLogger(__name__)

LEASE_SECONDS = 600  # so long a message stays away when its host is lost
SHORTEST_PAUSE, LONGEST_PAUSE = 0.01, 0.1  # the platform backs off up to a minute, only to save transactions
# A storage account on loopback is there or it is not: the SDK's default of a minute would only hide it.
RETRY: Mapping[str, Any] = {"retry_total": 2, "initial_backoff": 0.1, "increment_base": 0.1, "random_jitter_range": 0}

Invoke = Callable[[Function, TypedData, Mapping[str, TypedData]], Awaitable[object]]


def connection_string(name: str | None) -> str:
    """The storage connection that a binding names, from the app settings.

    Raises AppError if there is none: identity-based connections need https and a tenant, which Azurite has not.
    """
    name = name or "AzureWebJobsStorage"
    for setting in (f"AzureWebJobs{name}", name):
        if os.environ.get(setting):
            return os.environ[setting]
    raise AppError(f"connection '{name}': no app setting '{name}' holds a connection string")


class Queues:
    """The queues of an app, each opened once."""

    def __init__(self, settings: QueueSettings) -> None:
        self.settings = settings
        self._clients: dict[tuple[str | None, str], QueueClient] = {}
        # The SDK's request lines belong to the app's own calls, not to the host's polling.
        self._quiet = logging.getLogger(f"{__name__}.requests")
        self._quiet.setLevel(logging.WARNING)

    def open(self, connection: str | None, queue: str) -> QueueClient:
        """The client of one queue, which need not exist yet."""
        key = (connection, resolve(queue))
        if key not in self._clients:
            self._clients[key] = QueueClient.from_connection_string(
                connection_string(connection), key[1], logger=self._quiet, **RETRY
            )
        return self._clients[key]

    async def put(self, connection: str | None, queue: str, value: TypedData) -> None:
        """Sends what an output binding was set to: one message, or each item of a list."""
        client = self.open(connection, queue)
        for body in _bodies(value):
            await self.send(client, self.encode(body))

    async def send(self, client: QueueClient, content: str) -> None:
        """Sends one message; the queue is made if it is missing, as the extension does for outputs and poison."""
        try:
            await client.send_message(content)
        except ResourceNotFoundError:
            try:
                await client.create_queue()
            except ResourceExistsError:
                log.debug("%s was made by another host meanwhile", client.queue_name)
            await client.send_message(content)

    def encode(self, body: bytes) -> str:
        """The body as the extension writes it into a message."""
        return base64.b64encode(body).decode() if self.settings.base64 else body.decode()

    def decode(self, content: str) -> bytes:
        """The body of a message that somebody else wrote.

        Raises binascii.Error if it is not base64 although messages here are.
        """
        return base64.b64decode(content, validate=True) if self.settings.base64 else content.encode()

    async def close(self) -> None:
        """Closes all clients."""
        await asyncio.gather(*(client.close() for client in self._clients.values()))


class QueueListener:
    """Polls one queue and invokes its function for each message; `lease` is in seconds."""

    def __init__(self, function: Function, queues: Queues, invoke: Invoke, activity: Activity, lease: int) -> None:
        self.function = function
        self.connection: str | None = function.trigger.get("connection")
        self.client = queues.open(self.connection, function.trigger["queueName"])
        # Held while messages are on their way from the queue to being counted: who takes it sees no message between.
        self.receiving = asyncio.Lock()
        self._poison = queues.open(self.connection, f"{self.client.queue_name}-poison")
        self._queues = queues
        self._invoke = invoke
        self._activity = activity
        self._lease = lease
        self._in_hand: set[asyncio.Task[None]] = set()
        self._stopping = False

    def stop(self) -> None:
        """Takes no more messages; those in hand go on."""
        self._stopping = True

    async def run(self) -> None:
        """Polls until stopped; never to be cancelled, for a batch on its way would be lost until its lease ends."""
        settings = self._queues.settings
        pause = SHORTEST_PAUSE
        longest = max(SHORTEST_PAUSE, min(LONGEST_PAUSE, settings.max_polling_interval.total_seconds()))
        while not self._stopping:
            if len(self._in_hand) > settings.new_batch_threshold:
                await asyncio.wait(self._in_hand, return_when=asyncio.FIRST_COMPLETED)
                continue
            pause = SHORTEST_PAUSE if await self._receive() else min(pause * 2, longest)
            await asyncio.sleep(pause)

    async def _receive(self) -> int:
        async with self.receiving:
            try:
                messages = await self._batch()
            except ResourceNotFoundError:
                return 0  # the extension makes no trigger queue, it waits for one
            except AzureError as error:
                self._fault(f"queue '{self.client.queue_name}' cannot be read: {error}")
                return 0
            for message in messages:
                task = asyncio.create_task(self._handle(message))
                self._in_hand.add(task)
                task.add_done_callback(self._in_hand.discard)
            if messages:
                await asyncio.sleep(0)  # lets each task count its message before the lock is let go
            return len(messages)

    async def _batch(self) -> list[QueueMessage]:
        pages = self.client.receive_messages(
            messages_per_page=self._queues.settings.batch_size, visibility_timeout=self._lease
        ).by_page()
        async for page in pages:
            return [message async for message in page]
        return []

    async def _handle(self, message: QueueMessage) -> None:
        with self._activity.piece():
            try:
                await self._take(message)
            except AzureError as error:
                # The message comes back when its lease ends.
                self._fault(f"message {message.id} of '{self.client.queue_name}' could not be settled: {error}")

    async def _take(self, message: QueueMessage) -> None:
        name, count, most = self.client.queue_name, message.dequeue_count or 1, self._queues.settings.max_dequeue_count
        if count > most:  # its last attempt ended with the host, which could not say so
            await self._give_up(message, f"message {message.id} of '{name}' was taken {count} times")
            return
        try:
            body = self._queues.decode(message.content)
        except binascii.Error:
            await self._give_up(message, f"message {message.id} of '{name}' is not base64")
            return
        failure, message = await self._attempt(message, body)
        if failure is not None:
            self._fault(f"function '{self.function.name}' failed on message {message.id}, attempt {count}: {failure}")
            if count >= most:
                await self._give_up(message, f"message {message.id} of '{name}' failed {count} times")
                return
            seconds = int(self._queues.settings.visibility_timeout.total_seconds())
            await self.client.update_message(message, visibility_timeout=seconds)
            return
        await self.client.delete_message(message)

    async def _attempt(self, message: QueueMessage, body: bytes) -> tuple[FunctionFailedError | None, QueueMessage]:
        """Runs the function; how it failed, if it did, and the message with the receipt that settles it now."""
        ended, failure = asyncio.Event(), None
        keeping = asyncio.create_task(self._keep(message, ended))
        try:
            await self._invoke(self.function, _text(body), _metadata(message, body))
        except FunctionFailedError as error:
            failure = error
        finally:
            ended.set()
        return failure, await keeping

    async def _keep(self, message: QueueMessage, ended: asyncio.Event) -> QueueMessage:
        """Renews the lease when half of it is over, as the extension does, until the attempt has ended."""
        while not ended.is_set():
            try:
                await asyncio.wait_for(ended.wait(), self._lease / 2)
            except TimeoutError:
                message = await self.client.update_message(message, visibility_timeout=self._lease)
        return message

    async def _give_up(self, message: QueueMessage, why: str) -> None:
        self._fault(f"{why}: moved to '{self._poison.queue_name}'")
        await self._queues.send(self._poison, message.content)
        await self.client.delete_message(message)

    def _fault(self, text: str) -> None:
        log.warning("%s", text)
        self._activity.errors.append(text)


def _bodies(value: TypedData) -> list[bytes]:
    if value.bytes is not None:
        return [value.bytes]
    if value.json is None:
        return [(value.string or "").encode()]
    found = json.loads(value.json)
    return [_body(item) for item in (found if isinstance(found, list) else [found])]


def _body(item: object) -> bytes:
    # A func.QueueMessage arrives as {"id", "body"}; the extension sends its body.
    if isinstance(item, dict) and set(item) == {"id", "body"}:
        item = item["body"]
    return (item if isinstance(item, str) else json.dumps(item)).encode()


def _text(body: bytes) -> TypedData:
    try:
        return TypedData(string=body.decode())
    except UnicodeDecodeError:
        return TypedData(bytes=body)


def _metadata(message: QueueMessage, body: bytes) -> dict[str, TypedData]:
    return {
        "Id": TypedData(string=message.id),
        "PopReceipt": TypedData(string=message.pop_receipt or ""),
        "DequeueCount": TypedData(json=json.dumps(message.dequeue_count)),
        "InsertionTime": _time(message.inserted_on),
        "ExpirationTime": _time(message.expires_on),
        "NextVisibleTime": _time(message.next_visible_on),
        "QueueTrigger": _text(body),
    }


def _time(moment: datetime | None) -> TypedData:
    return TypedData(json=json.dumps(moment.isoformat() if moment else None))
