"""What the contract tests start from: a spoke, perhaps a hub, an ear for changes, an Event Grid with a webhook."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from tests.azure import SPOKE
from tests.contract.event_grid import Grid, Webhook

if TYPE_CHECKING:
    from simulator.server import Simulator
    from simulator.world import Change
    from tests.azure import Azure


@pytest.fixture
async def account(azure: Azure) -> str:
    """A storage account in a spoke."""
    return await azure.spoke()


@pytest.fixture
async def estate(azure: Azure) -> Azure:
    """Two subscriptions, a spoke and a hub; the spoke is under management groups and in a tenant of its own."""
    await azure.spoke()
    await azure.hub()
    await azure.subscription(SPOKE, managementGroups=["corp", "root"], tenant="t-1")
    return azure


@pytest.fixture
def changes(simulator: Simulator) -> list[Change]:
    """The changes from now on."""
    seen: list[Change] = []
    simulator.world.listeners.append(seen.append)
    return seen


@pytest.fixture
async def webhook() -> AsyncIterator[Webhook]:
    """A webhook on loopback that agrees and takes everything."""
    hook = Webhook()
    application = web.Application()
    application.router.add_post("/hook", hook.answer)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hook.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook?code=the-system-key&functionName=events"
    yield hook
    if hook.hold is not None:
        hook.hold.set()
    await runner.cleanup()


@pytest.fixture
async def grid() -> AsyncIterator[Grid]:
    """An Event Grid whose hours pass in a blink."""
    grid = Grid()
    await grid.events.start()
    yield grid
    await grid.events.stop()
