"""The records that documents would want, as a table, as CSV and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hubwarden.model.plan import Held, Want
from hubwarden.model.resource_id import ResourceId
from hubwarden.report.columns import as_csv, fitted, printable

COLUMNS = ("endpoint", "zone", "name", "type", "addresses", "reason", "unconfirmed")


@dataclass(frozen=True, slots=True)
class NameRow:
    """A record that an endpoint would want, or one of its names, or the endpoint itself, held back."""

    endpoint: ResourceId
    zone: str = ""
    name: str = ""
    type: str = ""
    addresses: tuple[str, ...] = ()
    reason: str = ""
    detail: str = ""
    confirmed: bool = True
    """Whether a document of a network interface shows the name; what is held needs none."""

    @classmethod
    def of(cls, endpoint: ResourceId, what: Want | Held, *, confirmed: bool = True) -> NameRow:
        """The row of a want, or of what is held."""
        key = what.key
        zone, name, kind = (key.zone.name, key.name, key.type.value) if key else ("", "", "")
        if isinstance(what, Held):
            return cls(endpoint, zone, name or what.name, kind, reason=what.reason.value, detail=what.detail)
        addresses = tuple(str(address) for address in what.addresses)
        return cls(endpoint, zone, name, kind, addresses, confirmed=confirmed)


def names_text(rows: Iterable[NameRow]) -> str:
    """Aligned columns, and beneath them why what is held is held."""
    rows = list(rows)
    lines = fitted(COLUMNS, [[printable(cell) for cell in _cells(row, ", ")] for row in rows]) or ["no endpoints"]
    lines += [
        f"{row.reason}: {printable(f'{row.name} for ' if row.name else '')}{row.endpoint}: {printable(row.detail)}"
        for row in rows
        if row.detail
    ]
    return "\n".join(lines)


def names_csv(rows: Iterable[NameRow]) -> str:
    """A row for each; addresses are joined by `;`."""
    return as_csv(COLUMNS, (_cells(row, ";") for row in rows))


def names_data(rows: Iterable[NameRow]) -> dict[str, Any]:
    """An object for each, with the columns as its keys; what is empty is null."""
    return {"value": [_data(row) for row in rows]}


def _data(row: NameRow) -> dict[str, Any]:
    return {
        "endpoint": str(row.endpoint),
        "zone": row.zone or None,
        "name": row.name or None,
        "type": row.type or None,
        "addresses": list(row.addresses),
        "reason": row.reason or None,
        "unconfirmed": not row.confirmed,
    }


def _cells(row: NameRow, separator: str) -> Sequence[str]:
    unconfirmed = "" if row.confirmed else "unconfirmed"
    return (str(row.endpoint), row.zone, row.name, row.type, separator.join(row.addresses), row.reason, unconfirmed)
