"""What every test starts from: a certificate authority the SDKs trust, and a simulator of one's own.

The authority is made while this file is imported, before any test module, because aiohttp reads SSL_CERT_FILE once,
when it is first imported.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Generator
from pathlib import Path
from typing import TYPE_CHECKING

import coverage
import pytest

from simulator.authority import Authority

if TYPE_CHECKING:
    from simulator.server import Simulator
    from tests.azure import Azure

pytest_plugins = ("tests.collected", "tests.storage")

LONG = {
    "test_announced_after_a_crash",
    "test_approval_histories",
    "test_demo",
    "test_histories",
    "test_infra_checkov",
    "test_killed",
    "test_killed_approvals",
    "test_zones_unfinished",
}
"""The modules with tests of half a minute and more, most of which play again and again what others play once."""

_directory = tempfile.TemporaryDirectory(prefix="hubwarden-tests-")
atexit.register(_directory.cleanup)  # and not when pytest ends, which a worker of xdist may not come to
_authority = Authority(Path(_directory.name))
if "--on-azure" not in sys.argv:  # Azure itself is known by the machine's own authorities
    os.environ.update(_authority.environment())


def pytest_addoption(parser: pytest.Parser) -> None:
    """What `make contract-live` says to the tests in contract/live."""
    seen = Path(__file__).parents[1] / "docs" / "seen-on-azure.md"
    parser.addoption(
        "--on-azure", action="store_true", help="run contract/live on the resource group of the environment"
    )
    parser.addoption("--run", default="", help="eight hex digits for the names of what is made there; else by chance")
    parser.addoption("--pause", type=float, default=3.0, help="seconds between two looks there")
    parser.addoption("--seen", default=str(seen), help="where to write what was seen there")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first, so that no worker waits for it at the end; the order is chance's else."""
    items.sort(key=lambda item: item.path.stem not in LONG)


def pytest_collection_finish() -> None:
    """What was imported stays for good, and is not looked through again and again: the SDKs' classes are very many.

    What a test leaves in a cycle is still found, and a warning of it is still an error; only not every 700 objects.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """What long tests reach in this process is not measured: it takes them twice as long, and others reach it."""
    measured = coverage.Coverage.current() if item.path.stem in LONG else None
    if measured is not None:
        measured.stop()
    try:
        return (yield)
    finally:
        if measured is not None:
            measured.start()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI nothing is missing that a test needs, so that a skip there is a failure."""
    report = yield
    if report.skipped and os.environ.get("CI") == "true" and not item.get_closest_marker("maybe_elsewhere"):
        report.outcome, report.longrepr = "failed", f"in CI nothing is skipped: {report.longrepr}"
    return report


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
