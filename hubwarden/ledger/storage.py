"""The connection to Azure Storage: clients for the tables and the work queue, made once."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import HttpResponseError, ResourceExistsError
from azure.data.tables import TableEntity, UpdateMode
from azure.data.tables.aio import TableClient, TableServiceClient
from azure.storage.queue import TextBase64EncodePolicy
from azure.storage.queue.aio import QueueServiceClient

from hubwarden.errors import InputError, RacedError
from hubwarden.ledger.failures import translated
from hubwarden.ledger.throttling import CountingTransport
from hubwarden.model.work import WORK_QUEUE

# The SDKs would try for a minute and more; a door has 20 seconds, and its caller tries again. One has a backoff factor,
# the other a first backoff.
_PATIENCE: dict[str, Any] = {
    "retry_total": 2,
    "retry_backoff_factor": 0.2,
    "initial_backoff": 0,
    "increment_base": 1,
    "random_jitter_range": 0,
}
_TIMEOUTS = {"connection_timeout": 5, "read_timeout": 10}

IN_ONE_TRANSACTION = 100
"""Operations; Azure Tables takes no more."""

Operation = tuple[Any, ...]
"""One part of a transaction, as the SDK takes it."""

Answer = TypeVar("Answer")
Thing = TypeVar("Thing")

log = logging.getLogger(__name__)


def in_transactions(things: Sequence[Thing], most: int = IN_ONE_TRANSACTION) -> Iterator[Sequence[Thing]]:
    """All of them in their order, as many together as fit into one transaction, or `most`."""
    for start in range(0, len(things), most):
        yield things[start : start + most]


def read_all(rows: Iterable[TableEntity], read: Callable[[TableEntity], Thing]) -> list[Thing]:
    """What can be read of some rows. What no version of ours writes so is left alone, and told of.

    A row that an older version took, or that a hand has changed, must not end every run that comes upon it.
    """
    found: list[Thing] = []
    for row in rows:
        try:
            found.append(read(row))
        except (InputError, KeyError, TypeError, ValueError, AttributeError) as error:
            log.error("ledger: row %s cannot be read: %r", row.get("RowKey", ""), error)
    return found


class Table:
    """One table of the account; it is made when it is first found missing.

    Whatever `doing` says is what the errors tell of. Raises LedgerUnavailableError when storage does not do its part.
    """

    def __init__(self, client: TableClient) -> None:
        self.client = client

    async def run(self, operation: Callable[[], Awaitable[Answer]]) -> Answer:
        """Runs an operation on the table, making the table first if that is what it lacks."""
        return await _making("TableNotFound", self.client.create_table, operation)

    async def row(self, partition: str, row: str, doing: str, *, columns: Sequence[str] = ()) -> TableEntity | None:
        """One row, or some columns of it; None where there is none, or not even a table yet."""
        try:
            with translated(doing):
                return await self.client.get_entity(partition, row, select=list(columns) or None)
        except RacedError:
            return None

    async def rows(
        self,
        asked: str,
        parameters: dict[str, Any],
        doing: str,
        *,
        columns: Sequence[str] = (),
        most: int | None = None,
    ) -> list[TableEntity]:
        """The rows that a query finds, a thousand to a request, in the order of their keys; at most so many."""

        async def query() -> list[TableEntity]:
            found: list[TableEntity] = []
            async for row in self.client.query_entities(asked, parameters=parameters, select=list(columns) or None):
                found.append(row)
                if len(found) == most:
                    break
            return found

        with translated(doing):
            return await self.run(query)

    async def every_row(self, doing: str) -> list[TableEntity]:
        """All rows that there are, a thousand to a request."""

        async def query() -> list[TableEntity]:
            return [row async for row in self.client.list_entities()]

        with translated(doing):
            return await self.run(query)

    async def put(self, row: Mapping[str, Any], doing: str) -> None:
        """Writes a row, whatever stood there before."""
        with translated(doing):
            await self.run(lambda: self.client.upsert_entity(row, UpdateMode.REPLACE))

    async def put_all(self, rows: Sequence[Mapping[str, Any]], doing: str) -> None:
        """Writes rows of one partition, whatever stood there before, as many at once as may be."""
        for some in in_transactions(rows):
            if len(some) == 1:  # the common case, and a transaction of one would cost twice as much
                await self.put(some[0], doing)
                continue
            puts = [("upsert", row, {"mode": UpdateMode.REPLACE}) for row in some]
            with translated(doing):
                await self.run(partial(self.client.submit_transaction, puts))

    async def transact(self, operations: Sequence[Operation], doing: str) -> set[int]:
        """Does all that it can, as much at once as may be; gives the places of what somebody else was faster with."""
        late: set[int] = set()
        for batch in in_transactions(list(enumerate(operations))):
            late |= await self._late(batch, doing)
        return late

    async def _late(self, batch: Sequence[tuple[int, Operation]], doing: str) -> set[int]:
        """One that is refused fails its transaction: then each is tried by itself."""
        try:
            with translated(doing):
                await self.run(partial(self.client.submit_transaction, [operation for _, operation in batch]))
        except RacedError:
            if len(batch) == 1:
                return {place for place, _ in batch}
            return {place for each in batch for place in await self._late([each], doing)}
        return set()

    async def delete(self, partition: str, rows: Collection[str], doing: str) -> None:
        """Deletes rows of a partition; one that is gone already is fine."""
        if len(rows) == 1:
            with translated(doing):
                await self.client.delete_entity(partition, *rows)
        else:
            await self.transact([("delete", {"PartitionKey": partition, "RowKey": row}) for row in rows], doing)


class StorageAccount:
    """The account that `HUBWARDEN_STORAGE*` names; its tables and its queue are made when first found missing.

    It is reached by a connection string, or by the addresses of its services and a credential.
    """

    def __init__(
        self,
        *,
        connection_string: str = "",
        table_uri: str = "",
        queue_uri: str = "",
        credential: AsyncTokenCredential | None = None,
    ) -> None:
        of_tables, of_queues = _options("table"), _options("queue")
        if connection_string:
            self._tables = TableServiceClient.from_connection_string(connection_string, **of_tables)
            self._queues = QueueServiceClient.from_connection_string(connection_string, **of_queues)
        else:
            assert credential is not None
            self._tables = TableServiceClient(endpoint=table_uri, credential=credential, **of_tables)
            self._queues = QueueServiceClient(account_url=queue_uri, credential=credential, **of_queues)
        # The Functions host reads base64 unless host.json says otherwise.
        self.work = self._queues.get_queue_client(WORK_QUEUE, message_encode_policy=TextBase64EncodePolicy())
        self.poison = self._queues.get_queue_client(f"{WORK_QUEUE}-poison")
        """Where the Functions host puts what failed five times."""

    def table(self, name: str) -> Table:
        """A table of the account, be it there yet or not."""
        return Table(self._tables.get_table_client(name))

    async def with_work(self, operation: Callable[[], Awaitable[Answer]]) -> Answer:
        """Runs an operation on the queue, making the queue first if that is what it lacks."""
        return await _making("QueueNotFound", self.work.create_queue, operation)

    async def close(self) -> None:
        """Ends all connections."""
        await self._tables.close()
        await self._queues.close()


def _options(service: str) -> dict[str, Any]:
    return {**_PATIENCE, "transport": CountingTransport(service, **_TIMEOUTS)}


async def _making(
    missing: str, make: Callable[[], Awaitable[object]], operation: Callable[[], Awaitable[Answer]]
) -> Answer:
    try:
        return await operation()
    except HttpResponseError as error:
        if getattr(error, "error_code", None) != missing:
            raise
    with suppress(ResourceExistsError):  # another instance was faster
        await make()
    return await operation()
