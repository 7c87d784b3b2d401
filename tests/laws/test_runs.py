"""The runs in the ledger: the newest first, each with its Report as it was told, none for ever; on a real table."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from typing import Any

import pytest
from azure.data.tables.aio import TableServiceClient

from hubwarden.errors import LedgerUnavailableError, NewerFormatError
from hubwarden.ledger import runs as ledger
from hubwarden.ledger.runs import RUNS_TABLE, Runs
from hubwarden.ledger.storage import StorageAccount
from hubwarden.model.report import Run, Status, new_run_id
from hubwarden.model.scope import Everything, OneTarget
from tests.unit.given import TARGET

NOW = datetime(2026, 11, 22, 2, 20, 0, 123_000, tzinfo=UTC)


def report(**lists: list[Any]) -> dict[str, Any]:
    """A Report as plain data, as far as the ledger knows it."""
    plan = {"hash": "0" * 16, "changes": lists.pop("changes", []), "held": lists.pop("held", []), "unchanged": 3}
    return {"run": "r", "plan": plan, "decisions": [], "outcomes": [], **lists}


def run(minutes: float = 0, **changes: Any) -> Run:
    """A sweep that began so many minutes after the first."""
    began = NOW + timedelta(minutes=minutes)
    whole = Run(new_run_id(began.timestamp()), Everything(), "apply", Status.DONE, began, began, report=report())
    return replace(whole, **changes)


@pytest.fixture
async def account(storage: str) -> AsyncIterator[StorageAccount]:
    """A storage account that has no table yet."""
    account = StorageAccount(connection_string=storage)
    yield account
    await account.close()


@pytest.fixture
def runs(account: StorageAccount) -> Runs:
    """The runs in it: none."""
    return Runs(account)


async def test_a_run_is_read_as_it_was_stored(runs: Runs) -> None:
    promised = run(
        scope=OneTarget(TARGET), mode="plan", status=Status.RUNNING, finished_at=None, plan="abc", report=None
    )
    assert await runs.named(promised.id) is None, "not even the table is there"
    await runs.store(promised)
    assert await runs.named(promised.id) == promised
    ended = replace(promised, status=Status.PARTIAL, finished_at=NOW, error="why", report=report(held=[{"x": "é"}]))
    await runs.store(ended)
    assert await runs.named(promised.id) == ended


async def test_the_newest_runs_come_first_and_page_by_page(runs: Runs) -> None:
    assert await runs.newest(10) == ([], False)
    made = [run(minutes) for minutes in (0, 1, 60, 61, 6_000)]
    for each in random.sample(made, len(made)):
        await runs.store(each)
    newest = [replace(each, report=None) for each in reversed(made)]
    assert await runs.newest(10) == (newest, False)
    assert await runs.newest(2) == (newest[:2], True)
    assert await runs.newest(2, before=newest[1].id) == (newest[2:4], True)
    assert await runs.newest(2, before=newest[3].id) == (newest[4:], False)
    assert await runs.newest(5) == (newest, False)


async def test_old_runs_are_forgotten_some_at_a_time(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "FORGOTTEN_AT_ONCE", 120)
    made = [run(minutes) for minutes in range(150)]
    for each in made:
        await runs.store(each)
    last = made[-1].started_at.timestamp()
    assert [await runs.forget(last) for _ in range(3)] == [120, 29, 0]
    assert await runs.newest(10) == ([replace(made[-1], report=None)], False)


async def test_a_report_of_many_properties_comes_back_whole(runs: Runs) -> None:
    """64 KiB fit in a property: this one needs several, even compressed."""
    big = run(report=report(outcomes=[{"error": token_hex(500)} for _ in range(400)]))
    await runs.store(big)
    assert await runs.named(big.id) == big


async def test_what_is_too_large_for_a_row_is_cut_and_says_so(runs: Runs) -> None:
    """1 MiB fits in a row: what is held goes first, the changes and their outcomes stay as long as they can."""
    held = [{"detail": token_hex(500)} for _ in range(4_000)]
    changes = [{"name": f"n{number}"} for number in range(100)]
    huge = run(report=report(held=held, changes=changes))
    await runs.store(huge)
    found = await runs.named(huge.id)
    assert found is not None
    assert found.report is not None
    kept = found.report["plan"]["held"]
    assert 0 < len(kept) < len(held)
    assert kept == held[: len(kept)]
    assert found.report["leftOut"] == {"held": len(held) - len(kept)}
    assert found.report["plan"]["changes"] == changes


async def test_even_without_anything_held_a_run_finds_room(runs: Runs) -> None:
    huge = run(report=report(outcomes=[{"error": token_hex(500)} for _ in range(3_000)], held=[{"detail": "x"}]))
    await runs.store(huge)
    found = await runs.named(huge.id)
    assert found is not None
    assert found.report is not None
    assert found.report["plan"]["held"] == []
    kept = found.report["outcomes"]
    assert 0 < len(kept) < 3_000
    assert found.report["leftOut"] == {"held": 1, "outcomes": 3_000 - len(kept)}


async def test_what_a_newer_version_has_written_is_left_to_it(runs: Runs, storage: str) -> None:
    old, newer = run(0), run(1)
    for each in (old, newer):
        await runs.store(each)
    async with TableServiceClient.from_connection_string(storage) as service:
        table = service.get_table_client(RUNS_TABLE)
        [first, _] = [row async for row in table.list_entities()]
        await table.upsert_entity({"PartitionKey": first["PartitionKey"], "RowKey": first["RowKey"], "Format": 2})
    with pytest.raises(NewerFormatError, match="format 2"):
        await runs.named(newer.id)
    assert await runs.newest(10) == ([replace(old, report=None)], False)


async def test_the_last_sweep_is_remembered(runs: Runs) -> None:
    assert await runs.last_sweep() == ""
    for each in (run(0), run(1)):
        await runs.store(each)
        await runs.note_sweep(each)
        assert await runs.last_sweep() == each.id
    assert len((await runs.newest(10))[0]) == 2, "the note is no run"


async def test_without_storage_nothing_is_known_and_so_it_says() -> None:
    nobody = "DefaultEndpointsProtocol=http;AccountName=t;AccountKey=dGVzdA==;"
    nobody += "QueueEndpoint=http://127.0.0.1:9/t;TableEndpoint=http://127.0.0.1:9/t;"
    account = StorageAccount(connection_string=nobody)
    runs = Runs(account)
    for question in (runs.named("x"), runs.newest(1), runs.forget(0), runs.store(run()), runs.last_sweep()):
        with pytest.raises(LedgerUnavailableError):
            await question
    await account.close()
