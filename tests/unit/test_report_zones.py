"""The catalogue for people's eyes: with and without a hub's zones."""

from __future__ import annotations

from hubwarden.catalog import Row, Trait
from hubwarden.model.dns_name import DnsName
from hubwarden.report.zones import zones_csv, zones_data, zones_text

ROWS = (
    Row("A.B/c", "g", "privatelink.x.net", "x.net", "a note, and more", frozenset({Trait.SILENT, Trait.SHARED})),
    Row("A.B/d", "*", "privatelink.{regionName}.y.net", "{regionName}.y.net"),
)
ONE, TWO = DnsName("privatelink.eastus.y.net"), DnsName("privatelink.westeurope.y.net")


def test_without_a_hub_there_are_five_columns() -> None:
    assert zones_csv(ROWS, None).splitlines() == [
        "type,group,zone,suffix,notes",
        'A.B/c,g,privatelink.x.net,x.net,"a note, and more"',
        "A.B/d,*,privatelink.{regionName}.y.net,{regionName}.y.net,",
    ]
    assert zones_text(ROWS, None).splitlines()[0].split() == ["type", "group", "zone", "suffix", "notes"]


def test_with_a_hub_a_column_tells_which_of_the_zones_there_are() -> None:
    def exists(*there: DnsName) -> list[str]:
        return [line.rpartition(",")[2] for line in zones_csv(ROWS, there).splitlines()]

    assert exists() == ["exists", "no", "no"]
    assert exists(DnsName("privatelink.x.net")) == ["exists", "yes", "no"]
    assert exists(TWO, ONE) == ["exists", "no", f"{ONE};{TWO}"]
    assert zones_text(ROWS, (TWO, ONE)).endswith(f"{ONE}, {TWO}")


def test_the_data_has_the_traits_and_what_exists() -> None:
    shared = {"type": "A.B/c", "group": "g", "zone": "privatelink.x.net", "suffix": "x.net"}
    assert zones_data(ROWS, None)["value"][0] == {
        **shared,
        "notes": "a note, and more",
        "traits": ["shared", "silent"],
    }
    assert [row["exists"] for row in zones_data(ROWS, (TWO,))["value"]] == [[], [str(TWO)]]
