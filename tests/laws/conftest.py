"""What the tests of the laws start from.

Input: a simulator with a hub and a spoke, stock clients, a storage account of one's own in Azurite. Observed: the
records in the hub, the Reports, the requests. Nothing of the product is replaced but the clock. Hubwarden has the roles
of infra and no other rights, but for tests with the marker `every_right`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hubwarden.runtime import Runtime
from simulator.azurite import Azurite
from tests.azure import Azure
from tests.estate import IDENTITY, Estate, config, found_estate
from tests.rights import grant
from tests.storage import next_account

Founding = Callable[..., Awaitable[Estate]]


@pytest.fixture
async def found(
    request: pytest.FixtureRequest, azure: Azure, tmp_path: Path, azurite: Azurite
) -> AsyncIterator[Founding]:
    """Founds the estate with settings of the test's own; afterwards, law 11 is checked of everything that happened."""
    opened: list[Estate] = []
    roles = request.node.get_closest_marker("every_right") is None

    async def founded(**changes: Any) -> Estate:
        estate = await found_estate(azure, next_account(azurite), tmp_path, roles=roles, **changes)
        opened.append(estate)
        return estate

    yield founded
    for estate in opened:
        await estate.hubwarden.close()
    settled = [hub for estate in opened for hub in estate.hubwarden.rooms.rules.hubs.values()]
    await only_records_were_written(azure, and_zones=any(hub.creates_zones for hub in settled))


@pytest.fixture
async def estate(found: Founding) -> Estate:
    """The estate with the default settings."""
    return await found()


async def restarted(estate: Estate, directory: Path, /, **changes: Any) -> None:
    """Hubwarden starts anew, perhaps with other settings, on the same ledger."""
    await estate.hubwarden.close()
    settled = config(directory, estate.azure.url, estate.connection_string, **changes)
    if estate.roles:
        await grant(estate.azure, settled, IDENTITY)
    estate.hubwarden = Runtime.build(settled, now=estate.time.now, sleep=estate.time.sleep)


def invocation(trace: str = "") -> SimpleNamespace:
    """What the worker tells a door of its invocation, as far as doors ask: its traceparent."""
    return SimpleNamespace(trace_context=SimpleNamespace(trace_parent=trace))


async def note_by_hand(estate: Estate, name: str = "st1") -> None:
    """Somebody notes something at a record of ours: its etag is another then."""
    record = await estate.record(name)
    assert record is not None
    record["properties"]["metadata"]["note"] = "seen"
    assert (await estate.azure.arm("PUT", record["id"], {"properties": record["properties"]})).status == 200


async def readdress(estate: Estate, endpoint: str, *addresses: str) -> None:
    """The endpoint's interface gets other addresses."""
    interface = (await estate.azure.arm("GET", endpoint)).body["properties"]["networkInterfaces"][0]["id"]
    document = (await estate.azure.arm("GET", interface)).body
    for each, address in zip(document["properties"]["ipConfigurations"], addresses, strict=True):
        each["properties"]["privateIPAddress"] = address
    await estate.azure.put(document)


async def only_records_were_written(azure: Azure, *, and_zones: bool = False) -> None:
    """Law 11: whatever happened, Hubwarden wrote nothing but record sets, and answers to connections.

    With `createZones`, and only then, it also puts zones and their links, and never deletes one.
    """
    for each in await azure.requests():
        if each["principal"] == IDENTITY and each["method"] != "GET":
            path = each["path"].lower()
            is_record = "/privatednszones/" in path and ("/a/" in path or "/aaaa/" in path)
            is_answer = "/privateendpointconnections/" in path and each["method"] in ("PUT", "PATCH")
            is_zone = and_zones and each["method"] == "PUT" and "/privatednszones/" in path
            assert is_record or is_answer or is_zone, each


@pytest.fixture
async def azurite_down(estate: Estate, tmp_path: Path, azure: Azure) -> str:
    """The estate's Hubwarden finds nobody at its storage's address."""
    nobody = (
        "DefaultEndpointsProtocol=http;AccountName=test;AccountKey=dGVzdA==;"
        "QueueEndpoint=http://127.0.0.1:9/test;TableEndpoint=http://127.0.0.1:9/test;"
    )
    await estate.hubwarden.close()
    estate.hubwarden = Runtime.build(config(tmp_path, azure.url, nobody), now=estate.time.now, sleep=estate.time.sleep)
    return nobody
