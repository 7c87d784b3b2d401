"""Finds the rows that a name may belong to by the name's own labels, so that the table's size costs nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hubwarden.catalog.patterns import Pattern
from hubwarden.catalog.rows import Row
from hubwarden.model.dns_name import APEX, DnsName


@dataclass(frozen=True, slots=True)
class Match:
    """A row that a name matches, its zone and its suffix with what the placeholders stand for, and what is left."""

    row: Row
    zone: DnsName
    suffix: DnsName
    left: str
    """What is left of the name in front of the matching end; `@` for nothing."""
    length: tuple[int, int]
    """The labels of the matching end, and how many of them are no placeholders."""

    @property
    def private_name(self) -> DnsName:
        """The full name of the record."""
        return self.zone if self.left == APEX else DnsName(f"{self.left}.{self.zone}")


class Index:
    """The rows of a service, or of a whole cloud, by the plain labels in which their suffixes and zones end."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._suffixes: dict[str, list[Row]] = {}
        self._zones: dict[str, list[Row]] = {}
        for row in rows:
            self._suffixes.setdefault(row.suffix_pattern.tail, []).append(row)
            self._zones.setdefault(row.zone_pattern.tail, []).append(row)

    def by_suffix(self, name: DnsName) -> list[Match]:
        """The rows in whose suffix a name ends."""
        rows = (row for end in _ends(name) for row in self._suffixes.get(end, ()))
        return [match for row in rows if (match := _match(row, row.suffix_pattern, name))]

    def by_zone(self, name: DnsName) -> list[Match]:
        """The rows in whose zone a name lies."""
        rows = (row for end in _ends(name) for row in self._zones.get(end, ()))
        return [match for row in rows if (match := _match(row, row.zone_pattern, name))]


def _match(row: Row, end: Pattern, name: DnsName) -> Match | None:
    found = end.match(name)
    if found is None:
        return None
    left, values = found
    labels = len(end.labels)
    zone, suffix = row.zone_pattern.filled(values), row.suffix_pattern.filled(values)
    return Match(row, zone, suffix, left, (labels, labels - len(values)))


def _ends(name: DnsName) -> Iterator[str]:
    """Every end of a name, the longest first."""
    text, start = name.text, 0
    while start >= 0:
        yield text[start:] if start else text
        start = text.find(".", start) + 1 or -1
