"""What the contract tests of Private Link start from: a spoke with an account, and an ear for changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from simulator.server import Simulator
    from simulator.world import Change
    from tests.azure import Azure


@pytest.fixture
async def account(azure: Azure) -> str:
    """A storage account in a spoke."""
    return await azure.spoke()


@pytest.fixture
def changes(simulator: Simulator) -> list[Change]:
    """The changes from now on."""
    seen: list[Change] = []
    simulator.world.listeners.append(seen.append)
    return seen
