"""Rows of the ledger that no version writes so: an older one took them, or a hand changed them.

None of them stops a run (law 13), and each is left alone.
"""

from __future__ import annotations

from typing import Any

import pytest

from hubwarden.ledger.claims import CLAIMS_TABLE, NAMES_TABLE
from hubwarden.ledger.decisions import DECISIONS_TABLE
from hubwarden.ledger.outbox import OUTBOX_TABLE, State
from hubwarden.ledger.runs import RUNS_TABLE
from hubwarden.ledger.sights import SIGHTS_TABLE
from hubwarden.ledger.tally import TALLY_TABLE
from hubwarden.model.endpoint import ConnectionStatus
from hubwarden.model.plan import HeldReason
from hubwarden.model.report import Status
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import OneGroup, Pending, group_id
from tests.azure import SPOKE
from tests.estate import Estate
from tests.laws.conftest import Founding
from tests.laws.test_approvals import OWN, STORAGE, asked, connections_of, guarded, statuses, target_of

APPROVED, PENDING = ConnectionStatus.APPROVED, ConnectionStatus.PENDING
NO_ID = f"/subscriptions/{SPOKE}/resourceGroups/rg with a blank/providers/X/y/z"
KEY = NO_ID.replace("/", "|")
ODD: list[tuple[str, dict[str, Any]]] = [
    (CLAIMS_TABLE, {"PartitionKey": KEY, "RowKey": "x", "Format": 1}),
    (NAMES_TABLE, {"PartitionKey": "x", "RowKey": KEY}),
    (DECISIONS_TABLE, {"PartitionKey": "open", "RowKey": "x", "Format": 1}),
    (DECISIONS_TABLE, {"PartitionKey": "open", "RowKey": "x", "Format": 1, "Connection": NO_ID, "HeldUntil": 0.0}),
    (SIGHTS_TABLE, {"PartitionKey": "waiting", "RowKey": "x", "Format": 1, "Connection": NO_ID, "Endpoint": ""}),
    (TALLY_TABLE, {"PartitionKey": "withheld", "RowKey": "x", "Zone": NO_ID, "Name": "x", "Type": "A"}),
    (OUTBOX_TABLE, {"PartitionKey": "outbox", "RowKey": "event-0", "Format": 1, "State": "due", "Kind": "Other"}),
    (RUNS_TABLE, {"PartitionKey": "runs", "RowKey": "0", "Format": 1, "Scope": "{"}),
]


async def put(estate: Estate, table: str, row: dict[str, Any]) -> None:
    rows = estate.hubwarden.rooms.account.table(table)
    await rows.put(row, "a test")


@pytest.mark.parametrize(("table", "row"), ODD, ids=lambda each: each if isinstance(each, str) else "")
async def test_a_row_that_cannot_be_read_stops_no_run_and_stays(
    found: Founding, caplog: pytest.LogCaptureFixture, table: str, row: dict[str, Any]
) -> None:
    estate = await guarded(found, OWN)
    target = await target_of(estate, STORAGE)
    endpoint = await asked(estate, target)
    await put(estate, table, row)
    await estate.hubwarden.run(Pending())
    assert await statuses(estate, target) == [APPROVED]
    assert (await estate.sweep()).status is Status.DONE
    assert await estate.addresses("t1")
    rooms = estate.hubwarden.rooms
    assert await rooms.outbox.of(State.DUE, most=10) == []
    assert not await rooms.tally.withheld()
    assert len((await estate.hubwarden.runs(10))[0]) == 2
    assert await rooms.account.table(table).row(row["PartitionKey"], row["RowKey"], "a test") or table == NAMES_TABLE
    await estate.hubwarden.run(OneGroup(group_id(str(ResourceId.parse(endpoint).parent))))
    assert await estate.addresses("t1")
    assert ("cannot be read" in caplog.text) == (table != NAMES_TABLE)


async def test_a_connection_whose_open_answer_cannot_be_read_waits_and_holds_only_itself(found: Founding) -> None:
    """Nobody knows what was to be answered, so nothing is (law 10)."""
    estate = await guarded(found, OWN)
    odd, fine = await target_of(estate, STORAGE, "odd"), await target_of(estate, STORAGE, "fine")
    await asked(estate, odd, "pe-odd")
    await asked(estate, fine, "pe-fine")
    decisions = estate.hubwarden.rooms.decisions
    report = await estate.hubwarden.run(Pending(), applies=False)
    [decision] = [each for each in report.decisions if each.connection.target == ResourceId.parse(odd)]
    await decisions.intend([decision], estate.time.now(), lasts=0.0)
    [row] = await estate.hubwarden.rooms.account.table(DECISIONS_TABLE).every_row("a test")
    await put(estate, DECISIONS_TABLE, {**row, "Verdict": "perhaps"})
    report = await estate.hubwarden.run(Pending())
    assert [each.reason for each in report.plan.held] == [HeldReason.NOT_READY]
    assert (await statuses(estate, odd), await statuses(estate, fine)) == ([PENDING], [APPROVED])
    assert [each.id.name for each in await connections_of(estate, odd)] == [decision.connection.id.name]


async def test_a_claim_without_a_format_leaves_its_endpoint_alone(found: Founding) -> None:
    """Like one that a newer version wrote: its endpoint is held, and the others are served."""
    estate = await found()
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.storage_account("st1"))
    await estate.look(endpoint)
    claims = estate.hubwarden.rooms.account.table(CLAIMS_TABLE)
    [row] = await claims.every_row("a test")
    await put(estate, CLAIMS_TABLE, {key: value for key, value in row.items() if key != "Format"})
    await estate.azure.endpoint("pe2", await estate.azure.storage_account("st2"))
    report = await estate.sweep()
    assert [(each.reason, each.endpoint) for each in report.plan.held] == [
        (HeldReason.UNCERTAIN, ResourceId.parse(endpoint))
    ]
    assert await estate.addresses("st1")
    assert await estate.addresses("st2")
