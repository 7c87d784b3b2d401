"""The runs, newest first: what was asked for, how it stands, and its Report as it was told."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hubwarden.errors import NewerFormatError
from hubwarden.ledger.storage import StorageAccount, read_all
from hubwarden.model.report import Run, Status, new_run_id
from hubwarden.model.scope import scope_data, to_scope

RUNS_TABLE = "hubwardenruns"
RUN_FORMAT = 1
FORGOTTEN_AT_ONCE = 1000
"""Runs; what is older still goes with the next call."""

_PART = 64 * 1024  # bytes in a property
_ESSENCE = 8  # bytes of a change's essence
_LARGEST = 11 * _PART  # an entity may have 1 MiB, and so, in base64, may a request that holds up nobody else
_RUNS, _NOTES, _LAST_SWEEP = "runs", "notes", "last-sweep"
_LISTED = ["RowKey", "Format", "Scope", "Mode", "Status", "StartedAt", "FinishedAt", "Plan", "Error"]

# Tables give rows in the order of their keys: with its digits turned round, the newest run comes first.
_TURNED = str.maketrans("0123456789abcdef", "fedcba9876543210")
_BEFORE = "PartitionKey eq @runs and RowKey gt @before"


class Runs:
    """The runs in the table. Raises LedgerUnavailableError when storage does not do its part."""

    def __init__(self, account: StorageAccount) -> None:
        self._runs = account.table(RUNS_TABLE)

    async def store(self, run: Run) -> None:
        """Writes a run as it stands, whatever was known of it before."""
        await self._runs.put(_to_row(run), f"storing run {run.id}")

    async def named(self, run: str) -> Run | None:
        """A run with its Report; None for one that is not known, or not any more.

        Raises NewerFormatError for one that a newer Hubwarden has written.
        """
        row = await self._runs.row(_RUNS, _turned(run), f"reading run {run}")
        if row is None:
            return None
        if row["Format"] > RUN_FORMAT:
            raise NewerFormatError(f"run {run} has format {row['Format']}; this version knows {RUN_FORMAT}")
        return _to_run(row)

    async def newest(self, top: int, *, before: str = "") -> tuple[list[Run], bool]:
        """The newest `top` runs, or those that began before a named one; and whether more follow.

        They come without their Reports. Runs that a newer Hubwarden has written are left to it.
        """
        asked = f"{_BEFORE} and Format le @format"
        limits = {"runs": _RUNS, "before": _turned(before), "format": RUN_FORMAT}
        rows = await self._runs.rows(asked, limits, "listing the runs", columns=_LISTED, most=top + 1)
        return read_all(rows[:top], _to_run), len(rows) > top

    async def forget(self, before: float) -> int:
        """Removes runs that began before a moment (seconds since 1970), some at once; how many."""
        first = new_run_id(before).rpartition("-")[0] + "-00000000"  # of all names that a run of that moment may have
        limits, doing = {"runs": _RUNS, "before": _turned(first)}, "forgetting old runs"
        rows = await self._runs.rows(_BEFORE, limits, doing, columns=["RowKey"], most=FORGOTTEN_AT_ONCE)
        await self._runs.delete(_RUNS, [row["RowKey"] for row in rows], doing)
        return len(rows)

    async def note_sweep(self, run: Run) -> None:
        """Remembers the last sweep that looked at everything."""
        entity = {"PartitionKey": _NOTES, "RowKey": _LAST_SWEEP, "Format": RUN_FORMAT, "Run": run.id}
        await self._runs.put(entity, "noting the last sweep")

    async def last_sweep(self) -> str:
        """The name of the last sweep that looked at everything; empty where there was none yet."""
        row = await self._runs.row(_NOTES, _LAST_SWEEP, "reading the last sweep")
        return str(row["Run"]) if row else ""


def _turned(run: str) -> str:
    return run.translate(_TURNED)


def _to_row(run: Run) -> dict[str, Any]:
    packed = _packed(run.report) if run.report is not None else b""
    through = b"".join(bytes.fromhex(essence) for essence in sorted(run.through))
    return {
        "PartitionKey": _RUNS,
        "RowKey": _turned(run.id),
        "Format": RUN_FORMAT,
        "Scope": json.dumps(scope_data(run.scope)),
        "Mode": run.mode,
        "Status": run.status.value,
        "StartedAt": run.started_at.isoformat(),
        "FinishedAt": run.finished_at.isoformat() if run.finished_at else "",
        "Plan": run.plan,
        "Error": run.error,
        **_parts("Report", packed),
        **_parts("Through", through),
    }


def _parts(name: str, whole: bytes) -> dict[str, bytes]:
    """As many properties as it takes."""
    return {f"{name}{start // _PART:02d}": whole[start : start + _PART] for start in range(0, len(whole), _PART)}


def _whole(name: str, row: Mapping[str, Any]) -> bytes:
    return b"".join(row[part] for part in sorted(row) if part.startswith(name))


def _to_run(row: Mapping[str, Any]) -> Run:
    packed, through = _whole("Report", row), _whole("Through", row)
    return Run(
        id=_turned(row["RowKey"]),
        scope=to_scope(json.loads(row["Scope"])),
        mode=row["Mode"],
        status=Status(row["Status"]),
        started_at=datetime.fromisoformat(row["StartedAt"]),
        finished_at=datetime.fromisoformat(row["FinishedAt"]) if row["FinishedAt"] else None,
        plan=row["Plan"],
        through=frozenset(through[start : start + _ESSENCE].hex() for start in range(0, len(through), _ESSENCE)),
        error=row["Error"],
        report=json.loads(zlib.decompress(packed)) if packed else None,
    )


def _packed(report: Mapping[str, Any]) -> bytes:
    """The Report, small enough for one row.

    Where it is too large even compressed, what is warned of is cut first, then what is held, then what was done;
    `leftOut` says how many.
    """
    data: dict[str, Any] = {**report, "plan": dict(report["plan"])}
    left_out: dict[str, int] = {}
    lists = (
        (data["plan"], "warnings"),
        (data["plan"], "held"),
        (data, "outcomes"),
        (data["plan"], "changes"),
        (data, "decisions"),
    )
    while len(packed := zlib.compress(json.dumps(data).encode())) > _LARGEST:
        part, name = next((part, name) for part, name in lists if part.get(name))
        kept = len(part[name]) // 2
        left_out[name] = left_out.get(name, 0) + len(part[name]) - kept
        part[name] = part[name][:kept]
        data["leftOut"] = left_out
    return packed
