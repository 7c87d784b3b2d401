"""Real hosts, real events, and what can happen to them: killed at a write, two at once, news doubled, mixed up or lost.

A sweep follows, as the timer would start it; then everything is as it should be, and a second sweep changes nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from simulator import ids, snapshot
from simulator.clock import Clock
from simulator.host_process import HostProcess
from simulator.up import PLATFORM
from simulator.world import World
from tests.doors.local_azure import Spoke
from tests.estate import record_id
from tests.laws.truth import addresses_of, living, mark_of

PATIENCE = 90.0
"""Seconds: a host starts, and takes up what was left, on a machine that has other things to do."""


@pytest.fixture
async def two_hosts(spoke: Spoke, tmp_path: Path) -> AsyncIterator[Spoke]:
    """The spoke's app on a second host, too: both work off one queue over one storage account."""
    keys = ("APP_KEY", "APP_SYSTEM_KEY", "APP_MASTER_KEY", "AzureWebJobsStorage")
    variables = {name: spoke.up.variables[name] for name in (*PLATFORM, *keys)}
    variables["HUBWARDEN_CONFIG"] = str(spoke.up.config)
    host = HostProcess("second", spoke.up.app, variables, echo=spoke.lines.append)
    try:
        host.start()
        yield spoke
    finally:
        assert host.stop() == 0


async def is_dead(spoke: Spoke) -> bool:
    """Whether nobody answers where the app was."""
    try:
        async with spoke.azure.session.get(f"{spoke.url}/api/health", timeout=aiohttp.ClientTimeout(1)):
            return False
    except TimeoutError:
        return False  # it died while it was asked
    except aiohttp.ClientError:
        return True


async def starts(spoke: Spoke) -> None:
    """The host is up again, and answers: only then is Event Grid's next attempt worth its while."""
    await spoke.azure.sim("POST", "hosts/0", {"do": "start"})

    async def is_up() -> bool:
        return not await is_dead(spoke)

    await spoke.until(is_up, PATIENCE)


async def is_told(spoke: Spoke) -> bool:
    """Whether Event Grid is rid of its events, when its next attempt is due."""
    await spoke.azure.advance(900)
    return (await spoke.azure.ask("POST", "/_sim/settle", {"timeout": 1})).status == 200


@pytest.fixture(autouse=True)
async def up_again(spoke: Spoke) -> AsyncIterator[None]:
    """Whatever became of the test, the next one finds a host that answers, and no event on its way."""
    yield
    if await is_dead(spoke):
        await spoke.azure.sim("DELETE", "faults")
        await starts(spoke)
    await spoke.until(lambda: is_told(spoke), PATIENCE)


async def is_swept(spoke: Spoke) -> None:
    """A sweep, and one more."""
    headers = {"x-functions-key": spoke.up.variables["APP_MASTER_KEY"]}
    etag = ""
    for _ in range(2):
        etag = (await spoke.azure.arm("GET", record_id(spoke.account))).body.get("etag", "")
        async with spoke.azure.session.post(f"{spoke.url}/admin/functions/sweep", headers=headers, json={}) as answer:
            assert answer.status == 202
        await spoke.settle()
    after = (await spoke.azure.arm("GET", record_id(spoke.account))).body.get("etag", "")
    assert after == etag, "law 1: a second sweep changes nothing"


async def is_right(spoke: Spoke) -> None:
    """Laws 2 and 7: the account's name is one of the endpoints' that want it, and nobody's if none does."""
    world = World(Clock())
    snapshot.load(world, await spoke.azure.world())
    wanting = [each for each in living(world, spoke.subscription) if each.wants(spoke.account)]
    record = world.document(record_id(spoke.account))
    mark = mark_of(record)
    assert bool(record) == bool(wanting)
    holders = [each for each in wanting if mark and mark.names(each)]
    assert [each.addresses[spoke.account] for each in holders] == [addresses_of(record)] * bool(wanting)
    for endpoint in wanting:
        assert await spoke.storage.claims(endpoint.id) == [f"{spoke.account}.blob.core.windows.net"]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_what_a_host_left_that_was_killed_at_a_write_is_finished(spoke: Spoke, method: str, when: str) -> None:
    """The write is done or not, and nobody ever hears which; Event Grid tells the next host again, or it is swept."""
    endpoint = spoke.endpoint_id("pe1")
    if method == "DELETE":
        await spoke.endpoint()
        assert await spoke.addresses() == ["10.1.0.4"]
    path = f"/A/{spoke.account}$"
    await spoke.fault(method=method, path=path, when=when, killHost=0, times=1)
    if method == "PUT":
        await spoke.endpoint(wait=False)
    else:
        assert (await spoke.azure.arm("DELETE", endpoint)).status == 202

    await spoke.until(lambda: is_dead(spoke), PATIENCE)
    await starts(spoke)
    await spoke.until(lambda: is_told(spoke), PATIENCE)
    await is_swept(spoke)
    await is_right(spoke)


@pytest.mark.parametrize("told", [{"eventDuplicates": 2, "eventShuffle": True}, {"eventLoss": 2}, {"eventLoss": 1}])
async def test_two_hosts_and_news_that_come_often_late_or_never(two_hosts: Spoke, told: dict[str, int | bool]) -> None:
    """A name goes from endpoint to endpoint while two hosts hear of it; section 1.6: at least once, in no order."""
    spoke = two_hosts
    await spoke.azure.sim("POST", "settings", told)
    first, second, third = [await spoke.endpoint(name, wait=False) for name in ("pe1", "pe2", "pe3")]
    await spoke.settle()
    assert (await spoke.azure.arm("DELETE", first)).status == 202
    await spoke.azure.answer(second, spoke.account_id, "Rejected")
    await spoke.endpoint("pe4")
    await spoke.azure.sim("POST", "settings", {"eventDuplicates": 0, "eventShuffle": False, "eventLoss": 0})
    await is_swept(spoke)
    await is_right(spoke)
    world = World(Clock())
    snapshot.load(world, await spoke.azure.world())
    assert [each.id for each in living(world, spoke.subscription) if each.wants(spoke.account)] == [
        ids.key(third),
        ids.key(spoke.endpoint_id("pe4")),
    ]
