"""Properties of names and rows: a name that ends in a row's suffix is recorded, and comes back whole."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hubwarden.catalog import Catalogue, Place, Row, Trait, catalogue
from hubwarden.dns.wants import Wishes, wishes
from hubwarden.model.dns_name import DnsName
from hubwarden.model.endpoint import Endpoint, EndpointName, NameSource, Tenancy
from hubwarden.model.resource_id import ResourceId, fold
from tests.unit.given import PRIVATE, RESOURCES, addresses, endpoint, hub
from tests.unit.services import CLOUDS, lines
from tests.unit.strategies import labels, respelt

# Labels that each kind of placeholder stands for, by Microsoft's table.
VALUES = {
    "{regionName}": ["westeurope", "eastus2", "usgovvirginia"],
    "{region}": ["westeurope", "northeurope"],
    "{regionCode}": ["we", "ne", "eus2"],
    "{dnsPrefix}": ["a1b2c3d4e5f6", "0123456789ab"],
    "{partitionId}": ["1", "27"],
    "{subzone}": ["blue", "9f2c6d1e-1111-4222-8333-444455556666"],
}
# Labels that mean something to some row: a name may hold them anywhere.
TELLING = st.sampled_from(["privatelink", "data", "scm", "dicom", "ts", "service", "we", "1", "westeurope"])
CATALOGUES = {cloud: catalogue(cloud) for cloud in CLOUDS}
TARGET = ResourceId.parse(f"{RESOURCES}/Contoso.Things/things/orders")


@dataclass(frozen=True, slots=True)
class Case:
    """A row with the placeholders of its suffix and zone filled, and what a name has in front of the suffix."""

    cloud: str
    row: Row
    suffix: str
    zone: str
    left: str

    @property
    def fqdn(self) -> str:
        """The whole name."""
        return f"{self.left}.{self.suffix}"

    @property
    def known(self) -> Catalogue:
        """The catalogue of the row's cloud."""
        return CATALOGUES[self.cloud]

    @property
    def group(self) -> str:
        """A group that the row is for."""
        return self.row.group.replace("*", "blue")


def filled(text: str, values: dict[str, str]) -> str:
    return ".".join(values.get(label, label) for label in text.split("."))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Any row of any cloud with a name under its suffix."""
    cloud = draw(st.sampled_from(CLOUDS))
    row = draw(st.sampled_from(CATALOGUES[cloud].rows))
    values = {kind: draw(st.sampled_from(known)) for kind, known in VALUES.items()}
    values["{region}"] = values["{regionName}"]
    left = [fold(label) for label in draw(st.lists(labels | TELLING, min_size=1, max_size=3))]
    if Trait.WILDCARD in row.traits and draw(st.booleans()):
        left.insert(0, "*")
    return Case(cloud, row, filled(row.suffix, values), filled(row.zone, values), ".".join(left))


def values_of(name: str, pattern: str) -> dict[str, str] | None:
    """What the placeholders of a suffix or zone stand for in a name, and under `left` what is in front of it."""
    wanted, found = pattern.split("."), name.split(".")
    left, end = found[: -len(wanted)], found[-len(wanted) :]
    if len(end) < len(wanted) or not all(map(may_stand, wanted, end)):
        return None
    return {**dict(zip(wanted, end, strict=True)), "left": ".".join(left)}


def may_stand(wanted: str, label: str) -> bool:
    """Whether a label is the wanted one, or of the placeholder's kind."""
    return wanted == label or (wanted.startswith("{") and (wanted != "{partitionId}" or label.isdigit()))


def service_rows(known: Catalogue, row: Row) -> list[Row]:
    """The rows of the same type and group."""
    return [each for each in known.rows if each.key[:2] == row.key[:2]]


def wished(
    fqdns: Iterable[str], case: Case, *, target_type: str = "", zones: Iterable[str] = (), source: NameSource
) -> Wishes:
    """What an endpoint of the row's service wants that shows these names, each with an address of its own."""
    shown = tuple(
        EndpointName(fqdn, addresses(f"10.7.0.{number}"), source) for number, fqdn in enumerate(fqdns, start=4)
    )
    target = ResourceId.parse(f"{RESOURCES}/{target_type or case.row.type}/orders")
    seen: Endpoint = endpoint(
        *shown, target=target, target_text=str(target), groups=(case.group,) if not target_type else ("unheard",)
    )
    return wishes(
        seen,
        tenancy=Tenancy.OURS,
        hubs=[hub(*dict.fromkeys(zones or [case.zone]))],
        catalogue=case.known,
        networks=PRIVATE,
        publishes_foreign_targets=False,
        shared=frozenset({target}),
    )


def published(wish: Wishes) -> list[tuple[str, str]]:
    return [(want.key.zone.name, want.key.name) for want in wish.wants]


@given(cases())
@settings(max_examples=400)
def test_a_name_under_a_rows_suffix_goes_to_its_zone_or_a_longer_suffixs_and_comes_back(case: Case) -> None:
    """Design section 3.2: the longest public suffix decides, and the record is what is left of the name.

    A name that lies in a zone already is its own private name; a bare zone or suffix is nobody's. Other services have
    their suffix itself for a name, or write their records themselves and have private names only.
    """
    assume(not {Trait.APEX, Trait.OWN_RECORDS} & case.row.traits)
    places = case.known.places(case.row.type, (case.group,), DnsName.parse(case.fqdn))
    rows = service_rows(case.known, case.row)
    ends = [values_of(case.fqdn, text) for row in rows for text in (row.zone, row.suffix)]
    assert bool(places) is all(end is None or end["left"] not in ("", "*") for end in ends)
    longest = max(len(row.suffix.split(".")) for row in rows if values_of(case.fqdn, row.suffix) is not None)
    for first in places[:1]:
        more_specific = len(first.zone.labels) > len(case.zone.split("."))
        assert str(first.zone) == case.zone or more_specific or longest > len(case.suffix.split("."))
    for place in places:
        joined = {f"{place.name}.{suffix}" for row in rows if (suffix := _suffix_of(place, row))}
        assert case.fqdn in joined | {f"{place.name}.{place.zone}"}
    assert len({f"{place.name}.{place.zone}" for place in places}) <= 1


def _suffix_of(place: Place, row: Row) -> str | None:
    """The public suffix that belongs to a zone, if the row is for that zone."""
    values = values_of(f"x.{place.zone}", row.zone)
    return None if values is None or values["left"] != "x" else filled(row.suffix, values)


@given(cases(), st.data())
@settings(max_examples=200)
def test_neither_case_nor_a_final_dot_changes_what_is_wanted(case: Case, data: st.DataObject) -> None:
    """RFC 4343: names compare without case, and the final dot is no part of them."""
    other = data.draw(respelt(case.fqdn)) + data.draw(st.sampled_from(["", "."]))
    plain, spelt = (wished([fqdn], case, source=NameSource.NIC) for fqdn in (case.fqdn, other))
    assert published(spelt) == published(plain)
    assert [want.fqdn for want in spelt.wants] == [want.fqdn for want in plain.wants]
    assert [held.reason for held in spelt.held] == [held.reason for held in plain.held]


@given(cases(), st.lists(st.lists(labels, min_size=1, max_size=3), min_size=2, max_size=6))
@settings(max_examples=200)
def test_no_two_names_under_one_suffix_become_one_record(case: Case, more: list[list[str]]) -> None:
    assume("privatelink" not in case.left)  # that name and the public one are one private name
    lefts = list(dict.fromkeys([case.left, *(fold(".".join(each)) for each in more)]))
    fqdns = [f"{left}.{case.suffix}" for left in lefts]
    every_zone = {str(place.zone) for fqdn in fqdns for place in _places(case, fqdn)}
    wish = wished(fqdns, case, zones=[case.zone, *sorted(every_zone)], source=NameSource.NIC)
    records = published(wish)
    assert len(records) == len(set(records))
    assert len(records) + len({held.name for held in wish.held}) == len(fqdns)
    assert all(len(want.addresses) == 1 for want in wish.wants)


def _places(case: Case, fqdn: str) -> Iterable[Place]:
    return case.known.places(case.row.type, (case.group,), DnsName.parse(fqdn))


TEXTS = st.text(max_size=300) | st.text("abcxyz-._*@{}/ 01", max_size=80)


@st.composite
def hostile_names(draw: st.DrawFn) -> str:
    """Arbitrary text, names of other services, and both of them glued together."""
    known = st.sampled_from([line.fqdn for cloud in CLOUDS for line in lines(cloud)])
    zones = st.sampled_from([row.zone for row in CATALOGUES["public"].rows])
    return draw(
        TEXTS | known | zones | st.builds("{}.{}".format, TEXTS, known) | st.builds("{}{}".format, TEXTS, zones)
    )


LURES = ("contoso.com", "azure.com", "azure.net", "windows.net", "core.windows.net", "microsoftonline.com", "com")


@given(cases(), st.lists(hostile_names(), min_size=1, max_size=5), st.sampled_from(NameSource), st.booleans())
@settings(max_examples=250)
def test_whatever_an_interface_shows_only_zones_of_its_service_are_written(
    case: Case, fqdns: list[str], source: NameSource, known_type: bool
) -> None:
    """Law 8; a type that the table lacks may use any row's zone, but only for names that the interface shows."""
    rows = service_rows(case.known, case.row) if known_type else list(case.known.rows)
    zones = [*LURES, *(row.zone for row in case.known.rows if "{" not in row.zone), case.zone]
    target_type = "" if known_type else "Contoso.Things/things"
    wish = wished(fqdns, case, target_type=target_type, zones=zones, source=source)
    for zone, name in published(wish):
        assert any((values_of(f"x.{zone}", row.zone) or {}).get("left") == "x" for row in rows)
        assert known_type or source is NameSource.NIC
        assert name != "*"
        assert DnsName.parse(zone if name == "@" else f"{name}.{zone}").text
    assert all(held.detail and held.endpoint for held in wish.held)


@given(cases())
@settings(max_examples=100)
def test_a_name_of_one_service_is_none_of_another_services(case: Case) -> None:
    other = ResourceId.parse(f"{RESOURCES}/Microsoft.KeyVault/vaults/orders")
    assume(fold(case.row.type) != fold(other.type))
    assert case.known.places(other.type, ("vault",), DnsName.parse(case.fqdn)) == ()
