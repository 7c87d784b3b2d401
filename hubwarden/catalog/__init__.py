"""Which zone a service's names belong in: a table per cloud, and the look-up. Nothing here knows a hub."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources

from hubwarden.model.dns_name import APEX, DnsName
from hubwarden.model.resource_id import fold


@dataclass(frozen=True, slots=True)
class Row:
    """Names of this target type and group that end in `suffix` belong in `zone`."""

    type: str
    group: str
    zone: DnsName
    suffix: DnsName
    notes: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What an owner's row must repeat to override this one."""
        return (fold(self.type), fold(self.group), self.suffix.text)


@dataclass(frozen=True, slots=True)
class Place:
    """A zone that may hold a name, and what the name is called in it (`@` for the zone's own name)."""

    zone: DnsName
    name: str


class Catalogue:
    """The rows of one cloud, the owner's own over Microsoft's."""

    def __init__(self, rows: Iterable[Row]) -> None:
        by_key = {row.key: row for row in rows}
        self.rows = tuple(by_key.values())
        self._by_service: dict[tuple[str, str], list[Row]] = {}
        for row in self.rows:
            self._by_service.setdefault(row.key[:2], []).append(row)

    def knows(self, target_type: str, group: str) -> bool:
        """Whether there is any row for that type and group, both compared without case."""
        return bool(self._rows(target_type, group))

    def places(self, target_type: str, groups: Iterable[str], fqdn: DnsName) -> tuple[Place, ...]:
        """Where the name may stand, the most specific suffix first; empty when the service may not have the name.

        A bare suffix, or a wildcard right under it, is nobody's name: its record would answer for everybody.
        """
        rows = [row for group in groups for row in self._rows(target_type, group)]
        found = [(row, left) for row in rows if (left := fqdn.relative_to(row.suffix)) is not None]
        if any(left in (APEX, "*") for _, left in found):
            return ()
        found.sort(key=lambda pair: -len(pair[0].suffix.text))
        return tuple(Place(row.zone, left) for row, left in found)

    def _rows(self, target_type: str, group: str) -> list[Row]:
        """A row's group may end in `*`: a web app's slots are `sites-<slot>`."""
        service, wanted = fold(target_type), fold(group)
        exact = self._by_service.get((service, wanted))
        return exact or self._by_service.get((service, f"{wanted.split('-', 1)[0]}-*"), [])

    def records_of(self, name: DnsName) -> tuple[str, ...]:
        """The full names of the records that a public name may have."""
        return tuple(f"{place.name}.{place.zone}" for place in self.everywhere(name) if place.name != APEX)

    def names_of(self, zone: DnsName, record: str) -> tuple[DnsName, ...]:
        """The public names that a record of a zone may serve: the look-up the other way round."""
        suffixes = dict.fromkeys(row.suffix for row in self.rows if row.zone == zone)
        return tuple(DnsName(f"{record}.{suffix}") for suffix in suffixes if record != APEX)

    def everywhere(self, fqdn: DnsName) -> tuple[Place, ...]:
        """Where the name may stand for any service at all: for looking, never for writing."""
        found = {Place(row.zone, left): None for row in self.rows if (left := fqdn.relative_to(row.suffix)) is not None}
        return tuple(found)


def catalogue(cloud: str, own_rows: Iterable[Row] = ()) -> Catalogue:
    """The catalogue of a cloud with an owner's rows over it; a row of theirs replaces ours for the same suffix."""
    return Catalogue((*_published(cloud), *own_rows))


@cache
def _published(cloud: str) -> tuple[Row, ...]:
    text = resources.files(__name__).joinpath(f"{cloud}.csv").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return tuple(
        Row(row["type"], row["group"], DnsName.parse(row["zone"]), DnsName.parse(row["suffix"]), row["notes"])
        for row in csv.DictReader(lines)
    )
