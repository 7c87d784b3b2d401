"""Generated histories: whatever teams, people and faults do, in whatever order, and whichever events are lost or late.

A look at each endpoint afterwards makes everything right, and another one changes nothing (laws 1 to 6 and 11).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hubwarden.errors import HubwardenError
from hubwarden.model.plan import HeldReason
from simulator.authority import Authority
from simulator.azurite import Azurite
from tests.azure import SPOKE, Azure, resource_id
from tests.estate import Estate, found_estate
from tests.laws.conftest import only_records_were_written
from tests.storage import next_account

HISTORIES = int(os.environ.get("HISTORIES", "25"))
"""How many are lived through; `make laws N=500` sets it."""

NAMES = ("pe1", "pe2")

STEPS = st.one_of(
    st.tuples(
        st.sampled_from(
            ["create", "create_manual", "approve", "reject", "delete", "look", "look", "look", "look_hard"]
        ),
        st.sampled_from(NAMES),
    ),
    st.tuples(
        st.sampled_from(["edit", "erase", "squat", "age", "fail_writes", "fail_deletions", "hide", "mend"]), st.just("")
    ),
)


class History:
    """An estate to which things happen; it remembers what a stranger wrote last."""

    def __init__(self, estate: Estate, account: str) -> None:
        self.estate = estate
        self.account = account
        self.strangers_etag: str | None = None

    async def happens(self, step: str, name: str) -> None:
        """One step; what cannot happen now does not."""
        acts: dict[str, Callable[[], Awaitable[object]]] = {
            "create": lambda: self._create(name, manual=False),
            "create_manual": lambda: self._create(name, manual=True),
            "approve": lambda: self._answer(name, "Approved"),
            "reject": lambda: self._answer(name, "Rejected"),
            "delete": lambda: self.estate.azure.arm("DELETE", endpoint_id(name)),
            "look": lambda: self._look(name, thorough=False),
            "look_hard": lambda: self._look(name, thorough=True),
            "edit": self._edit,
            "erase": self._erase,
            "squat": self._squat,
            "age": lambda: self.estate.time.sleep(901),
            "fail_writes": lambda: self._fault("PUT", "/A/", 500, "InternalServerError"),
            "fail_deletions": lambda: self._fault("DELETE", "/A/", 409, "AnotherOperationInProgress"),
            "hide": lambda: self._fault("GET", "/privateEndpoints/", 403, "AuthorizationFailed"),
            "mend": lambda: self.estate.azure.sim("DELETE", "faults"),
        }
        if step in ("edit", "erase", "squat"):  # a fault is meant for Hubwarden, not for people
            await acts["mend"]()
        await acts[step]()
        await self.estate.azure.settle()

    async def _create(self, name: str, *, manual: bool) -> None:
        if (await self.estate.azure.arm("GET", endpoint_id(name))).status != 200:
            with suppress(AssertionError):  # a fault may hide that it is there
                await self.estate.azure.endpoint(name, self.account, manual=manual)

    async def _answer(self, name: str, status: str) -> None:
        listed = await self.estate.azure.arm("GET", f"{self.account}/privateEndpointConnections")
        for connection in listed.body["value"]:
            if connection["properties"]["privateEndpoint"]["id"].endswith(name):
                connection["properties"]["privateLinkServiceConnectionState"]["status"] = status
                await self.estate.azure.arm("PUT", connection["id"], connection)

    async def _look(self, name: str, *, thorough: bool) -> None:
        with suppress(HubwardenError):
            await self.estate.look(endpoint_id(name), thorough=thorough)

    async def _edit(self) -> None:
        record = await self.estate.record()
        if record and "hubwarden" in record["properties"].get("metadata", {}):
            metadata = record["properties"]["metadata"]
            await self.estate.write_by_hand(addresses=["10.8.8.8"], **metadata)

    async def _erase(self) -> None:
        if await self.estate.record():
            await self.estate.delete_by_hand()
            self.strangers_etag = None

    async def _squat(self) -> None:
        await self.estate.write_by_hand(owner="somebody")
        record = await self.estate.record()
        assert record is not None
        self.strangers_etag = record["etag"]

    async def _fault(self, method: str, path: str, status: int, code: str) -> None:
        fault = {"service": "arm", "method": method, "path": path, "times": 4, "when": "before", "status": status}
        await self.estate.azure.sim("POST", "faults", {**fault, "code": code})


def endpoint_id(name: str) -> str:
    """The id of one of the endpoints."""
    return resource_id(SPOKE, "rg-spoke", "Microsoft.Network/privateEndpoints", name)


async def check(history: History) -> None:
    """Everybody looks once more, and what then stands is judged."""
    estate = history.estate
    await estate.azure.sim("DELETE", "faults")
    estate.time.seconds += 3600
    for _ in range(2):  # a survivor takes a name over at its own next look
        for name in NAMES:
            await estate.look(endpoint_id(name))
    reports = {name: await estate.look(endpoint_id(name), thorough=True) for name in NAMES}
    assert not any(report.plan.changes for report in reports.values()), "a look after the last changes nothing"
    record = await estate.record()
    if history.strangers_etag:
        assert record is not None
        assert record["etag"] == history.strangers_etag, "a stranger's record was touched"
        return
    wanted = {name: address for name in NAMES if (address := await approved_address(estate, name))}
    if record is None:
        assert not wanted
        return
    owner = record["properties"]["metadata"]["hubwarden_endpoint"].rsplit("/", 1)[1]
    (address,) = (each["ipv4Address"] for each in record["properties"]["aRecords"])
    assert wanted.get(owner) == address, "a record of ours that its endpoint does not want"
    for loser in set(wanted) - {owner}:
        assert [held.reason for held in reports[loser].plan.held] == [HeldReason.CONTESTED]


async def approved_address(estate: Estate, name: str) -> str | None:
    """The address that the endpoint's name should have, read from its interface; None where it should have none."""
    answer = await estate.azure.arm("GET", endpoint_id(name), query={"$expand": "networkInterfaces"})
    if answer.status != 200:
        return None
    properties = answer.body["properties"]
    lists = ("privateLinkServiceConnections", "manualPrivateLinkServiceConnections")
    (connection,) = [each for key in lists for each in properties[key]]
    if connection["properties"]["privateLinkServiceConnectionState"]["status"] != "Approved":
        return None
    configuration: dict[str, Any] = properties["networkInterfaces"][0]["properties"]["ipConfigurations"][0]
    return str(configuration["properties"]["privateIPAddress"])


@settings(max_examples=HISTORIES, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(STEPS, min_size=3, max_size=14))
def test_any_history_ends_right(
    steps: list[tuple[str, str]], authority: Authority, azurite: Azurite, tmp_path: Path
) -> None:
    asyncio.run(lived(steps, authority, azurite, tmp_path))


async def lived(steps: list[tuple[str, str]], authority: Authority, azurite: Azurite, directory: Path) -> None:
    """One history, in a world of its own."""
    from simulator.server import Simulator

    async with Simulator(authority) as simulator:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in simulator.environment().items():
                patch.setenv(name, value)
            async with Azure(simulator.url) as azure:
                storage = next_account(azurite)
                async with await found_estate(azure, storage, directory) as estate:
                    await azure.sim("POST", "settings", {"operationMs": 0})
                    account = resource_id(SPOKE, "rg-spoke", "Microsoft.Storage/storageAccounts", "st1")
                    history = History(estate, account)
                    for step, name in steps:
                        await history.happens(step, name)
                    await check(history)
                    await only_records_were_written(azure)
