"""One Azurite for the whole test run, and in it a storage account for each test that asks."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue.aio import QueueClient

from simulator.azurite import Azurite

ACCOUNTS = tuple(f"account{number}" for number in range(1000))
_unused = itertools.count()


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """The Azurite that all tests share; it starts with the first test that needs it."""
    with Azurite(ACCOUNTS) as azurite:
        yield azurite


def next_account(azurite: Azurite) -> str:
    """The connection string of an account that nobody had before."""
    return azurite.connection_string(ACCOUNTS[next(_unused)])


async def taken(queue: QueueClient) -> list[str]:
    """The visible messages of a queue, taken out of it, as the client reads them; none if there is no such queue."""
    try:
        found = [message async for message in queue.receive_messages(messages_per_page=32)]
    except ResourceNotFoundError:
        return []
    for message in found:
        await queue.delete_message(message)
    return [str(message.content) for message in found]


@pytest.fixture
def storage(azurite: Azurite) -> str:
    """The connection string of an account that no other test has."""
    return next_account(azurite)
