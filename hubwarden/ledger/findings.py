"""What coverage found when it was measured last, so that any instance tells of it: one row, replaced each time."""

from __future__ import annotations

import json
from typing import Any

from hubwarden.ledger.storage import StorageAccount
from hubwarden.model.coverage import Finding, Measured, SubscriptionCoverage

FINDINGS_TABLE = "hubwardenfindings"
FINDINGS_FORMAT = 1
_PARTITION, _ROW = "coverage", "last"


class Findings:
    """The row in its table. Raises LedgerUnavailableError when storage does not do its part."""

    def __init__(self, account: StorageAccount) -> None:
        self._findings = account.table(FINDINGS_TABLE)

    async def note(self, measured: Measured) -> None:
        """Stores what was found, in place of what was found before, whoever wrote that."""
        row = {
            "PartitionKey": _PARTITION,
            "RowKey": _ROW,
            "Format": FINDINGS_FORMAT,
            "At": measured.at,
            "Counts": json.dumps({finding.value: count for finding, count in measured.counts.items()}),
            "Worst": json.dumps([[each.subscription, each.finding.value, each.detail] for each in measured.worst]),
        }
        await self._findings.put(row, "storing what coverage found")

    async def last(self) -> Measured | None:
        """What was found last; None where nothing was yet, or where a newer Hubwarden has written it."""
        row = await self._findings.row(_PARTITION, _ROW, "reading what coverage found")
        return _to_measured(row) if row and row["Format"] <= FINDINGS_FORMAT else None


def _to_measured(row: Any) -> Measured:
    return Measured(
        at=float(row["At"]),
        counts={Finding(finding): count for finding, count in json.loads(row["Counts"]).items()},
        worst=tuple(
            SubscriptionCoverage(subscription, Finding(finding), detail)
            for subscription, finding, detail in json.loads(row["Worst"])
        ),
    )
