"""Every service of Microsoft's table in all three clouds: from Azure's documents to the records, as written by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any

import pytest

from hubwarden.arm.endpoints import to_endpoint
from hubwarden.catalog import Catalogue, Row, Trait, catalogue
from hubwarden.dns.wants import Wishes, wishes
from hubwarden.model.endpoint import Tenancy
from hubwarden.model.plan import HeldReason
from hubwarden.model.record import RecordType
from hubwarden.model.resource_id import ResourceId, fold
from tests.unit.given import PRIVATE, hub
from tests.unit.services import CLOUDS, IF_THERE, Line, Service, held_for, lines, services

Record = tuple[str, str, str]

ALL = [service for cloud in CLOUDS for service in services(cloud)]
SHARED = [service for service in ALL if service.first.how == HeldReason.SHARED_NAME]
OWN_RECORDS = [service for service in ALL if service.first.how == HeldReason.SERVED_BY_OTHER]
every_service = pytest.mark.parametrize("service", ALL, ids=str)


def wished(
    service: Service, zones: Iterable[str], *, rows: Catalogue | None = None, shared: Collection[str] = ()
) -> Wishes:
    """What the endpoint asks for in a hub with these zones."""
    return wishes(
        to_endpoint(service.document(), [service.interface()]),
        tenancy=Tenancy.OURS,
        hubs=[hub(*dict.fromkeys(zones))],
        catalogue=rows or catalogue(service.cloud),
        networks=PRIVATE,
        publishes_foreign_targets=False,
        shared=frozenset(ResourceId.parse(each) for each in shared),
    )


def published(wish: Wishes) -> Counter[Record]:
    """Zone, name and address of every record that is asked for."""
    assert all(want.key.type is RecordType.A for want in wish.wants)
    return Counter(
        (want.key.zone.name, want.key.name, str(address)) for want in wish.wants for address in want.addresses
    )


def by_hand(service: Service) -> Counter[Record]:
    """The same as the lines have it, for a target whose shared names are published."""
    return Counter(
        (line.zone, line.record, address)
        for line, address in service.addressed()
        if held_for(line) in (None, HeldReason.SHARED_NAME)
    )


def recommends(line: Line) -> bool:
    """Whether a hub without any zone is told to have this one."""
    return held_for(line) is not HeldReason.SERVED_BY_OTHER and line.how != IF_THERE


def zones_of(found: Iterable[Line]) -> list[str]:
    return [line.zone for line in found]


@every_service
def test_every_name_of_an_endpoint_becomes_the_record_that_was_written_by_hand(service: Service) -> None:
    """Design section 3.2; the zones by Microsoft's table, the record what is left of the name."""
    wish = wished(service, zones_of(service.lines), shared=[service.target])
    assert published(wish) == by_hand(service)
    own = [line for line in service.lines if held_for(line) is HeldReason.SERVED_BY_OTHER]
    assert [(held.reason, held.name) for held in wish.held] == [(held_for(line), line.fqdn) for line in own]


@every_service
def test_beside_all_other_zones_of_the_cloud_the_record_stands_in_the_very_same(service: Service) -> None:
    others = zones_of(line for line in lines(service.cloud) if line.how != IF_THERE)
    wish = wished(service, [*zones_of(service.lines), *others], shared=[service.target])
    assert published(wish) == by_hand(service)


@every_service
def test_a_hub_without_the_zone_is_told_which_one_is_missing(service: Service) -> None:
    """Zones that hold a name only where somebody made them are not asked for: the table's footnotes 1 and 3."""
    wish = wished(service, [], shared=[service.target])
    assert wish.wants == ()
    told = {held.name: held for held in wish.held}
    for line in service.lines:
        held = told[line.fqdn]
        if line.how == HeldReason.SERVED_BY_OTHER:
            assert held.reason is HeldReason.SERVED_BY_OTHER
        else:
            assert held.reason is HeldReason.NO_ZONE
            assert (f"no zone {line.zone}" in held.detail) is recommends(line)


@pytest.mark.parametrize("service", SHARED, ids=str)
def test_names_that_do_not_carry_the_targets_own_name_wait_for_the_owners_word(service: Service) -> None:
    """Law 7: one record answers for everybody, so only targets in records.shared are published."""
    wish = wished(service, zones_of(service.lines))
    assert wish.wants == ()
    assert sorted((held.reason, held.name) for held in wish.held) == sorted(
        (HeldReason.SHARED_NAME, line.fqdn) for line in service.lines
    )


PLAIN = [service for service in ALL if service.first.how == "" and service.first.record != "@"]


@pytest.mark.parametrize("service", PLAIN, ids=str)
def test_of_a_type_that_the_table_lacks_the_suffix_alone_leads_to_the_same_record(service: Service) -> None:
    """A new type of Azure's with names of a known service; a wildcard is never published on the suffix's word."""
    unheard = Service(service.cloud, tuple(replace(line, type="Microsoft.New/things") for line in service.lines))
    wish = wished(unheard, zones_of(service.lines))
    plain = Counter(
        (line.zone, line.record, address) for line, address in service.addressed() if not line.fqdn.startswith("*")
    )
    assert published(wish) == plain
    assert {held.reason for held in wish.held} <= {HeldReason.UNKNOWN_SERVICE}


# Every row and trait of the catalogue is held by what was written by hand.

EVERY_ROW = [(cloud, row) for cloud in CLOUDS for row in catalogue(cloud).rows]
SEEN_IN_WISHES = (Trait.SHARED, Trait.APEX, Trait.WILDCARD, Trait.PART)


def as_written(service: Service, rows: Catalogue) -> bool:
    """Whether an endpoint gets what was written by hand, also where a zone or the owner's word is missing."""
    zones = zones_of(service.lines)
    told = {held.name: held for held in wished(service, [], rows=rows, shared=[service.target]).held}
    unasked = {held.name: held.reason for held in wished(service, zones, rows=rows).held}
    return (
        published(wished(service, zones, rows=rows, shared=[service.target])) == by_hand(service)
        and all(unasked.get(line.fqdn) is held_for(line) for line in service.lines)
        and all((f"no zone {line.zone}" in told[line.fqdn].detail) is recommends(line) for line in service.lines)
    )


def changed(cloud: str, row: Row, **changes: Any) -> Catalogue:
    """The catalogue of a cloud with one row changed."""
    return Catalogue(replace(each, **changes) if each == row else each for each in catalogue(cloud).rows)


def without_own_records(cloud: str) -> list[Row]:
    """The rows of a cloud as if no service wrote its records itself."""
    return [replace(row, traits=row.traits - {Trait.OWN_RECORDS}) for row in catalogue(cloud).rows]


def is_noticed(cloud: str, row: Row, **changes: Any) -> bool:
    """Whether a change of a row takes from some endpoint what was written for it."""
    broken = changed(cloud, row, **changes)
    of_this_type = [service for service in services(cloud) if fold(service.first.type) == fold(row.type)]
    return not all(as_written(service, broken) for service in of_this_type)


@pytest.mark.parametrize(
    ("cloud", "row"),
    [
        pytest.param(cloud, row, id=f"{cloud}-{'-'.join(row.key)}")
        for cloud, row in EVERY_ROW
        if Trait.OWN_RECORDS not in row.traits
    ],
)
def test_no_row_may_have_another_zone_unnoticed(cloud: str, row: Row) -> None:
    """So every row is reached by a line, and no line merely repeats what the catalogue says."""
    assert is_noticed(cloud, row, zone=f"wrong.{row.zone}")


@pytest.mark.parametrize("service", OWN_RECORDS, ids=str)
def test_what_a_service_writes_itself_would_stand_where_it_was_written_by_hand(service: Service) -> None:
    """Were it ours to write: so the rows of these services are held by lines, too, each of them by one."""
    rows = without_own_records(service.cloud)
    written = Counter((line.zone, line.record, address) for line, address in service.addressed())
    zones = zones_of(service.lines)
    assert published(wished(service, zones, rows=Catalogue(rows))) == written
    of_this_type = [row for row in rows if fold(row.type) == fold(service.first.type)]
    moved = [
        Catalogue(replace(each, zone=f"wrong.{each.zone}") if each == row else each for each in rows)
        for row in of_this_type
    ]
    assert any(published(wished(service, zones, rows=each)) != written for each in moved)


@pytest.mark.parametrize(
    ("cloud", "row", "trait"),
    [
        pytest.param(cloud, row, trait, id=f"{cloud}-{'-'.join(row.key)}-{trait}")
        for cloud, row in EVERY_ROW
        for trait in SEEN_IN_WISHES
        if trait in row.traits and Trait.OWN_RECORDS not in row.traits
    ],
)
def test_no_row_may_lose_a_trait_unnoticed(cloud: str, row: Row, trait: Trait) -> None:
    assert is_noticed(cloud, row, traits=row.traits - {trait})


@pytest.mark.parametrize(
    ("cloud", "row", "trait"),
    [
        pytest.param(cloud, row, trait, id=f"{cloud}-{'-'.join(row.key)}-{trait}")
        for cloud, row in EVERY_ROW
        for trait in (Trait.SHARED, Trait.OWN_RECORDS)
        if trait not in row.traits and Trait.OWN_RECORDS not in row.traits
    ],
)
def test_no_row_may_get_a_trait_that_holds_names_back_unnoticed(cloud: str, row: Row, trait: Trait) -> None:
    assert is_noticed(cloud, row, traits=row.traits | {trait})


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_lines_are_whole_names_and_no_patterns(cloud: str) -> None:
    for line in lines(cloud):
        assert line.fqdn
        assert not {"{", "}", "<", ">"} & set(line.fqdn + line.zone + line.record)
        assert line.how in ("", IF_THERE, HeldReason.SHARED_NAME, HeldReason.SERVED_BY_OTHER)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_no_name_is_written_twice_for_one_endpoint(cloud: str) -> None:
    for service in services(cloud):
        assert len({line.fqdn for line in service.lines}) == len(service.lines)
