"""What the tests of the doors start from: one `up` for all of them, and in it a spoke of each test's own.

After each test everything has come to rest, and no message lies in the poison queue that the test did not expect. At
the end nothing of any person is in the whole output.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import count
from typing import Any

import pytest

from tests.doors import prepared_shell
from tests.doors.local_azure import (
    PATIENCE,
    PERSONAL,
    SPOKES,
    RemoteAzure,
    Spoke,
    Storage,
    Up,
    found_hub,
    found_spoke,
    traces,
)

Founding = Callable[..., Awaitable[Spoke]]
SignIn = Callable[..., Awaitable[None]]
_number = count()


@pytest.fixture(scope="session", autouse=True)
def shells() -> Iterator[None]:
    """What the shell's commands were forked from ends with the tests."""
    yield
    prepared_shell.end()


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """The `up`, started with the first test that needs it."""
    up = Up(tmp_path_factory.mktemp("doors"))
    try:
        yield up
    finally:
        assert up.stop() == 0
    assert traces("".join(up.lines)) == []


@pytest.fixture(scope="session")
def up(running: Up) -> Up:
    """The `up`, with the hub in it."""
    with pytest.MonkeyPatch.context() as patch:
        _as_a_person(running, patch)
        asyncio.run(found_hub(running.variables))
    return running


def _as_a_person(up: Up, patch: pytest.MonkeyPatch) -> None:
    """The stock credential finds that identity endpoint."""
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER"):
        patch.setenv(name, up.variables[name])


@pytest.fixture
async def azure(up: Up, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RemoteAzure]:
    """The driver of its simulator."""
    _as_a_person(up, monkeypatch)
    async with RemoteAzure(up.variables) as azure:
        yield azure


@pytest.fixture
async def found(up: Up, azure: RemoteAzure) -> AsyncIterator[Founding]:
    """Founds a spoke; afterwards all is at rest, and nothing was lost."""
    storage = Storage(up.variables["AzureWebJobsStorage"])

    async def founded(*, silent: bool = False) -> Spoke:
        number = next(_number)
        spoke = Spoke(
            up, azure, SPOKES[number], f"st{number}", up.variables["APP_URL"], storage, up.lines, len(up.lines)
        )
        await found_spoke(azure, spoke.subscription, spoke.account, silent=silent)
        await azure.sim("DELETE", "requests")
        return spoke

    yield founded
    await azure.sim("DELETE", "faults")
    await azure.settle(PATIENCE)
    assert await storage.poison() == []
    assert await storage.count() == 0


@pytest.fixture
async def spoke(found: Founding) -> Spoke:
    """A spoke whose events Event Grid delivers."""
    return await found()


@pytest.fixture
async def silent(found: Founding) -> Spoke:
    """A spoke that tells nothing: only what the test sends reaches the app."""
    return await found(silent=True)


@pytest.fixture
async def sign_in(silent: Spoke) -> AsyncIterator[SignIn]:
    """Signs a person in at the app, with these roles and groups; afterwards nobody is."""

    async def signed_in(**principal: Any) -> None:
        await silent.azure.sim("POST", "settings", {"principal": {"name": PERSONAL["name"], **principal}})

    yield signed_in
    await silent.azure.sim("POST", "settings", {"principal": None})
