"""Coverage for people's eyes: as a table, as CSV and as JSON."""

from __future__ import annotations

from typing import Any

from hubwarden.model.coverage import Coverage, Measured, SubscriptionCoverage
from hubwarden.report.columns import as_csv, fitted, printable
from hubwarden.report.times import written_seconds

COLUMNS = ("subscription", "finding", "leads to", "detail")


def coverage_text(coverage: Coverage) -> str:
    """A line for each subscription, and how many there are of each finding."""
    rows = [_cells(each, ", ") for each in coverage.subscriptions]
    lines = [*fitted(COLUMNS, rows), coverage.summary]
    return "\n".join(map(printable, lines))


def coverage_csv(coverage: Coverage) -> str:
    """The same as CSV; several destinations are joined by `;`."""
    return as_csv(COLUMNS, (_cells(each, ";") for each in coverage.subscriptions))


def coverage_data(coverage: Coverage) -> dict[str, Any]:
    """The same, with the number of subscriptions of every finding."""
    return {
        "value": [
            {
                "subscription": each.subscription,
                "finding": each.finding.value,
                "leadsTo": list(each.leads_to),
                "detail": each.detail,
            }
            for each in coverage.subscriptions
        ],
        "counts": {finding.value: count for finding, count in coverage.counts.items()},
    }


def measured_data(measured: Measured) -> dict[str, Any]:
    """The last measurement: when, the number of every finding, and the worst of them."""
    return {
        "measuredAt": written_seconds(measured.at),
        "counts": {finding.value: count for finding, count in measured.counts.items()},
        "worst": [
            {"subscription": each.subscription, "finding": each.finding.value, "detail": each.detail}
            for each in measured.worst
        ],
    }


def _cells(each: SubscriptionCoverage, separator: str) -> tuple[str, ...]:
    return (each.subscription, each.finding.value, separator.join(each.leads_to), each.detail)
