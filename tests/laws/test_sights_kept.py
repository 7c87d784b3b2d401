"""The ledger's rows about since when connections wait: who was first is right, and what a newer version wrote stays."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from hubwarden.ledger.sights import SIGHT_FORMAT, SIGHTS_TABLE, Seen, Sight, Sights
from hubwarden.ledger.storage import StorageAccount
from hubwarden.model.resource_id import ResourceId
from tests.azure import SPOKE, resource_id

ONE, OTHER = (
    ResourceId.parse(resource_id(SPOKE, "rg", "Microsoft.Storage/storageAccounts", name)) for name in ("st1", "st2")
)
PE = ResourceId.parse(resource_id(SPOKE, "rg", "Microsoft.Network/privateEndpoints", "pe1"))


@pytest.fixture
async def account(storage: str) -> AsyncIterator[StorageAccount]:
    """An empty storage account."""
    account = StorageAccount(connection_string=storage)
    yield account
    await account.close()


def sight(target: ResourceId = ONE, name: str = "c1", first: float = 100.0, endpoint: ResourceId | None = PE) -> Sight:
    return Sight(ResourceId.parse(f"{target}/privateEndpointConnections/{name}"), endpoint, first)


async def kept(account: StorageAccount) -> list[Sight]:
    """What the ledger has, by name of the connection."""
    return sorted((await Sights(account).all()).known.values(), key=lambda each: str(each.connection))


async def test_what_is_noted_is_read_as_it_was(account: StorageAccount) -> None:
    """An empty ledger has none; a connection without an endpoint is one like any other."""
    sights = Sights(account)
    assert await sights.all() == Seen()
    nobodys = sight(name="c2", endpoint=None)
    await sights.note([sight(), nobodys])
    assert await kept(account) == [sight(), nobodys]
    assert (await sights.all()).of(sight().connection, PE) == sight()
    assert (await sights.all()).of(sight().connection, None) is None, "another endpoint's is another sight"


async def test_one_target_is_read_by_itself(account: StorageAccount) -> None:
    sights = Sights(account)
    await sights.note([sight(), sight(OTHER)])
    assert list((await sights.of_targets([ONE, ONE])).known.values()) == [sight()]
    assert len((await sights.of_targets([ONE, OTHER])).known) == 2
    assert await sights.of_targets([]) == Seen()


async def test_who_was_first_is_right_and_the_others_of_the_transaction_are_noted(account: StorageAccount) -> None:
    """Two instances see the same at once; more than one transaction takes."""
    sights = Sights(account)
    await sights.note([sight(first=100.0)])
    many = [sight(name=f"n{number:03d}", first=200.0) for number in range(120)]
    await sights.note([*many, sight(first=200.0)])
    assert await kept(account) == [sight(first=100.0), *many]


async def test_one_of_two_instances_raises_it(account: StorageAccount) -> None:
    sights = Sights(account)
    await sights.note([sight(), sight(name="c2")])
    stored = await kept(account)
    assert await sights.raise_again(stored[:1], 500.0) == [replace(stored[0], raised=500.0)]
    assert await sights.raise_again(stored, 501.0) == [replace(stored[1], raised=501.0)]
    assert [each.raised for each in await kept(account)] == [500.0, 501.0]


async def test_what_changed_meanwhile_is_not_forgotten(account: StorageAccount) -> None:
    sights = Sights(account)
    await sights.note([sight(), sight(name="c2")])
    stored = await kept(account)
    await sights.raise_again(stored[:1], 500.0)
    await sights.forget(stored)
    [left] = await kept(account)
    assert left.connection == stored[0].connection
    await sights.forget(stored)
    await sights.forget_answered(left.connection, left.endpoint)
    await sights.forget_answered(left.connection, left.endpoint)
    assert await kept(account) == []


async def test_what_a_newer_version_wrote_is_neither_read_nor_changed(account: StorageAccount) -> None:
    sights = Sights(account)
    await sights.note([sight()])
    table = account.table(SIGHTS_TABLE).client
    [row] = [dict(each) async for each in table.list_entities()]
    await table.upsert_entity({**row, "Format": SIGHT_FORMAT + 1})
    seen = await sights.all()
    assert seen == Seen({}, frozenset({sight().name}))
    await sights.note([sight(first=7.0)])
    [left] = [dict(each) async for each in table.list_entities()]
    assert (left["Format"], left["FirstSeen"]) == (SIGHT_FORMAT + 1, 100.0)
