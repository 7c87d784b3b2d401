"""What every test starts from: a certificate authority the SDKs trust, and a simulator of one's own.

The authority is made while this file is imported, before any test module, because aiohttp reads SSL_CERT_FILE once,
when it is first imported.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from simulator.authority import Authority

if TYPE_CHECKING:
    from simulator.server import Simulator
    from tests.azure import Azure

pytest_plugins = ("tests.storage",)

_directory = tempfile.TemporaryDirectory(prefix="hubwarden-tests-")
_authority = Authority(Path(_directory.name))
os.environ.update(_authority.environment())


@pytest.fixture(scope="session")
def authority() -> Authority:
    """The authority whose certificate SSL_CERT_FILE names."""
    return _authority


@pytest.fixture
async def simulator(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Simulator]:
    """A fresh, started simulator with an empty world; the stock credential finds its identity endpoint."""
    from simulator.server import Simulator

    async with Simulator(authority) as simulator:
        for name, value in simulator.environment().items():
            monkeypatch.setenv(name, value)
        yield simulator


@pytest.fixture
async def azure(simulator: Simulator) -> AsyncIterator[Azure]:
    """The driver of that simulator: `/_sim` calls, stock clients, builders."""
    from tests.azure import Azure

    async with Azure(simulator.url) as azure:
        yield azure


def pytest_unconfigure() -> None:
    """The authority's file goes with the run."""
    _directory.cleanup()
