"""The catalogue of zones for people's eyes: as a table, as CSV and as JSON."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from hubwarden.catalog import Row, Trait
from hubwarden.model.dns_name import DnsName
from hubwarden.report.columns import aligned, as_csv

COLUMNS = ("type", "group", "zone", "suffix", "notes")

Zones = Collection[DnsName] | None
"""The zones of a hub; None where nobody asked for a hub."""


def zones_text(rows: Iterable[Row], there: Zones) -> str:
    """A line for each row; with a hub's zones, a column says which of them exist there."""
    return "\n".join(aligned(_columns(there), [_cells(row, there, ", ") for row in rows]))


def zones_csv(rows: Iterable[Row], there: Zones) -> str:
    """The same as CSV; several zones are joined by `;`."""
    return as_csv(_columns(there), (_cells(row, there, ";") for row in rows))


def zones_data(rows: Iterable[Row], there: Zones) -> dict[str, Any]:
    """The same with each row's traits; `exists` lists the zones of that row that there are."""
    return {"value": [_data(row, there) for row in rows]}


def _columns(there: Zones) -> tuple[str, ...]:
    return COLUMNS if there is None else (*COLUMNS, "exists")


def _cells(row: Row, there: Zones, separator: str) -> list[str]:
    cells = [row.type, row.group, row.zone, row.suffix, row.notes]
    return cells if there is None else [*cells, _exists(row, there, separator)]


def _exists(row: Row, there: Collection[DnsName], separator: str) -> str:
    found = row.zone_pattern.among(there)
    if not found:
        return "no"
    return separator.join(str(zone) for zone in found) if row.zone_pattern.placeholders else "yes"


def _data(row: Row, there: Zones) -> dict[str, Any]:
    data: dict[str, Any] = dict(zip(COLUMNS, _cells(row, None, ""), strict=True))
    data["traits"] = [trait.value for trait in Trait if trait in row.traits]
    if there is not None:
        data["exists"] = [str(zone) for zone in row.zone_pattern.among(there)]
    return data
