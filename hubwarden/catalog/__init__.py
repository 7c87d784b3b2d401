"""Which zone a service's names belong in: a table per cloud, and the look-up. Nothing here knows a hub."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from hubwarden.catalog.index import Index, Match
from hubwarden.catalog.rows import Row, Trait, published
from hubwarden.model.dns_name import APEX, DnsName
from hubwarden.model.resource_id import fold

__all__ = ["Catalogue", "Place", "Row", "Trait", "catalogue", "recommended"]

_NOT_BY_SUFFIX = frozenset({Trait.SHARED, Trait.NOT_CREATED, Trait.OWN_RECORDS})
"""Rows that a name alone, without its type and group, never leads to."""


@dataclass(frozen=True, slots=True)
class Place:
    """A zone that may hold a name, and what the name is called in it (`@` for the zone's own name)."""

    zone: DnsName
    name: str
    traits: frozenset[Trait] = frozenset()


class Catalogue:
    """The rows of one cloud, the owner's own over Microsoft's."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = tuple({row.key: row for row in rows}.values())
        by_service: dict[tuple[str, str], list[Row]] = {}
        for row in self.rows:
            by_service.setdefault(row.key[:2], []).append(row)
        self._services = {service: Index(of_service) for service, of_service in by_service.items()}
        self._cloud = Index(self.rows)

    def knows(self, target_type: str, group: str) -> bool:
        """Whether there is any row for that type and group, both compared without case."""
        return self._service(target_type, group) is not None

    def places(self, target_type: str, groups: Iterable[str], fqdn: DnsName) -> tuple[Place, ...]:
        """All zones of the service that hold the name's private name, the most specific zone first.

        The longest suffix fixes the private name; a name that lies in one of the service's zones already is its own.
        Empty when the service may not have the name: a bare suffix is nobody's but with APEX, a wildcard is nobody's
        but with WILDCARD, and one right under a suffix is nobody's at all, for its record would answer for everybody.
        """
        return _places([index for group in groups if (index := self._service(target_type, group))], fqdn, _may_have)

    def anywhere(self, fqdn: DnsName) -> tuple[Place, ...]:
        """The same for a type that the table lacks: by the longest suffix of the whole cloud, in plain cases only."""
        return _places([self._cloud], fqdn, _may_have_unasked)

    def everywhere(self, fqdn: DnsName) -> tuple[Place, ...]:
        """Where the name may stand for any service at all: for looking, never for writing."""
        found = self._cloud.by_zone(fqdn) or self._cloud.by_suffix(fqdn)
        return tuple(dict.fromkeys(Place(match.zone, match.left) for match in found))

    def records_of(self, name: DnsName) -> tuple[str, ...]:
        """The full names of the records that a public name may have."""
        found = self._cloud.by_zone(name) or self._cloud.by_suffix(name)
        return tuple(dict.fromkeys(match.private_name.text for match in found if _is_a_name(match)))

    def names_of(self, zone: DnsName, record: str) -> tuple[DnsName, ...]:
        """The public names that a record of a zone may serve, then its own: the look-up the other way round."""
        names = [
            record_name
            for match in self._cloud.by_zone(zone)
            if match.left == APEX and (record != APEX or Trait.APEX in match.row.traits)
            for record_name in (_joined(record, match.suffix), _joined(record, match.zone))
        ]
        return tuple(sorted(dict.fromkeys(names), key=lambda name: name == _joined(record, zone)))

    def _service(self, target_type: str, group: str) -> Index | None:
        """A row's group may end in `*`: a web app's slots are `sites-<slot>`, an Elastic SAN's are free text."""
        service, wanted = fold(target_type), fold(group)
        for each in (wanted, f"{wanted.partition('-')[0]}-*", "*"):
            if index := self._services.get((service, each)):
                return index
        return None


def catalogue(cloud: str, own_rows: Iterable[Row] = ()) -> Catalogue:
    """The catalogue of a cloud with an owner's rows over it; a row of theirs replaces ours for the same suffix."""
    return Catalogue((*published(cloud), *own_rows))


def recommended(places: Sequence[Place]) -> Place:
    """The place whose zone there should be: the first that is a zone of its own by Microsoft's table."""
    return next((place for place in places if Trait.PART not in place.traits), places[0])


def _joined(record: str, zone: DnsName) -> DnsName:
    return zone if record == APEX else DnsName(f"{record}.{zone}")


def _is_a_name(match: Match) -> bool:
    return match.left != APEX or Trait.APEX in match.row.traits


def _is_a_name_of_another(match: Match, found: Sequence[Match]) -> bool:
    """Whether a name is all suffix to this row only because its first label may be a DNS prefix as well.

    `orders.database.windows.net` is a server under `database.windows.net`, not the prefix of managed instances.
    """
    spent = match.row.suffix.startswith("{dnsPrefix}") and match.left == APEX
    return spent and any(other.length[0] == match.length[0] - 1 for other in found)


def _may_have(match: Match) -> bool:
    wildcard = match.left.startswith("*")
    return _is_a_name(match) and match.left != "*" and (not wildcard or Trait.WILDCARD in match.row.traits)


def _may_have_unasked(match: Match) -> bool:
    return not _NOT_BY_SUFFIX & match.row.traits and match.left != APEX and not match.left.startswith("*")


def _places(indexes: Sequence[Index], fqdn: DnsName, may_have: Callable[[Match], bool]) -> tuple[Place, ...]:
    found = [match for index in indexes for match in index.by_zone(fqdn)]
    private = fqdn if found else None
    if not found:
        ending = [match for index in indexes for match in index.by_suffix(fqdn)]
        found = [match for match in ending if not _is_a_name_of_another(match, ending)]
    longest = max((match.length for match in found), default=None)
    named = [match for match in found if match.length == longest and may_have(match)]
    if not named:
        return ()
    private = private or named[0].private_name
    zones = [match for index in indexes for match in index.by_zone(private) if may_have(match)]
    # Of two rows with one zone, that of the name's own suffix says what is peculiar about the name.
    zones.sort(key=lambda match: (-len(match.zone.labels), match.row not in [each.row for each in named]))
    by_zone: dict[DnsName, Match] = {}
    for match in zones:
        by_zone.setdefault(match.zone, match)
    return tuple(Place(match.zone, match.left, match.row.traits) for match in by_zone.values())
