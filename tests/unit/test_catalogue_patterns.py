"""Placeholders: which labels each stands for, and what is no pattern at all."""

from __future__ import annotations

import pytest

from hubwarden.catalog.patterns import KINDS, Pattern, geo_codes
from hubwarden.errors import InputError
from hubwarden.model.dns_name import DnsName


def left(pattern: str, name: str) -> str | None:
    found = Pattern.parse(pattern).match(DnsName.parse(name))
    return found and found[0]


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("{regionName}.kusto.windows.net", "adx.westeurope.kusto.windows.net", "adx"),
        ("{regionName}.kusto.windows.net", "ingest-adx.eastus2.kusto.windows.net", "ingest-adx"),
        ("{regionName}.kusto.windows.net", "a.b.westeurope.kusto.windows.net", "a.b"),
        ("{regionName}.kusto.windows.net", "westeurope.kusto.windows.net", "@"),
        ("{regionName}.kusto.windows.net", "adx.west-europe.kusto.windows.net", None),
        ("{regionName}.kusto.windows.net", "kusto.windows.net", None),
        ("{regionName}.kusto.windows.net", "windows.net", None),
        ("{regionName}.kusto.windows.net", "adx.westeurope.kusto.windows.com", None),
        ("{regionName}.kusto.windows.net", "*.kusto.windows.net", None),
        ("{regionName}.kusto.windows.net", "adx.privatelink.kusto.windows.net", None),
        ("{regionCode}.backup.windowsazure.com", "v-id.we.backup.windowsazure.com", "v-id"),
        ("{regionCode}.backup.windowsazure.com", "v-id.bjb3.backup.windowsazure.com", "v-id"),
        ("{regionCode}.backup.windowsazure.com", "v-id.westeurope.backup.windowsazure.com", None),
        ("{partitionId}.azurestaticapps.net", "app.1.azurestaticapps.net", "app"),
        ("{partitionId}.azurestaticapps.net", "app.12.azurestaticapps.net", "app"),
        ("{partitionId}.azurestaticapps.net", "app.one.azurestaticapps.net", None),
        ("{dnsPrefix}.database.windows.net", "mi.1a2b3c4d.database.windows.net", "mi"),
        ("{dnsPrefix}.database.windows.net", "mi.1a_2b.database.windows.net", None),
        ("{subzone}.privatelink.{regionName}.azmk8s.io", "c.6a-f5.privatelink.eastus.azmk8s.io", "c"),
        ("{subzone}.privatelink.{regionName}.azmk8s.io", "*.privatelink.eastus.azmk8s.io", None),
        ("{subzone}.privatelink.{regionName}.azmk8s.io", "c.6a-f5.private.eastus.azmk8s.io", None),
        ("{regionName}.x.{regionName}.net", "a.one.x.one.net", "a"),
        ("{regionName}.x.{regionName}.net", "a.one.x.two.net", None),
        ("x.net", "a.x.net", "a"),
        ("X.Net.", "a.x.net", "a"),
        ("x.net", "a.xx.net", None),
    ],
)
def test_a_placeholder_is_one_label_of_its_kind_and_the_same_wherever_it_stands(
    pattern: str, name: str, expected: str | None
) -> None:
    assert left(pattern, name) == expected


def test_what_the_placeholders_stand_for_fills_another_pattern() -> None:
    found = Pattern.parse("{regionName}.kusto.windows.net").match(DnsName("adx.eastus.kusto.windows.net"))
    assert found == ("adx", {"{regionName}": "eastus"})
    zone = Pattern.parse("privatelink.{regionName}.kusto.windows.net")
    assert zone.filled(found[1]) == DnsName("privatelink.eastus.kusto.windows.net")


def test_the_tables_two_spellings_of_the_region_are_one() -> None:
    assert Pattern.parse("{region}.prometheus.monitor.azure.com") == Pattern.parse(
        "{regionName}.prometheus.monitor.azure.com"
    )


@pytest.mark.parametrize(
    ("pattern", "tail", "placeholders"),
    [
        ("x.net", "x.net", set()),
        ("{regionName}.x.net", "x.net", {"{regionName}"}),
        ("{subzone}.privatelink.{regionName}.x.net", "x.net", {"{subzone}", "{regionName}"}),
    ],
)
def test_a_pattern_knows_its_placeholders_and_what_follows_the_last(
    pattern: str, tail: str, placeholders: set[str]
) -> None:
    parsed = Pattern.parse(pattern)
    assert (parsed.tail, set(parsed.placeholders), str(parsed)) == (tail, placeholders, pattern)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{regionNames}.x.net", f"'{{regionNames}}', which is no placeholder; there are {', '.join(KINDS)}"),
        ("a{regionName}.x.net", "'a{regionName}', which is no placeholder"),
        ("{REGIONNAME}.x.net", "which is no placeholder"),
        ("*.x.net", "is a wildcard"),
        ("x.{regionName}", "ends in a placeholder"),
        ("{regionName}.", "ends in a placeholder"),
        ("", "is not a DNS name"),
        ("x..net", "is not a DNS name"),
        ("{regionName}..net", "is not a DNS name"),
        ("münchen.net", "is not a DNS name"),
    ],
)
def test_what_is_no_pattern_is_refused_and_told_why(text: str, reason: str) -> None:
    with pytest.raises(InputError) as refused:
        Pattern.parse(text)
    assert reason in str(refused.value)


def test_the_geo_codes_are_microsofts() -> None:
    assert {"we", "ne", "eus2", "wus3", "ugv", "udc", "bjb2", "sdc", "itn"} <= geo_codes()
    assert not {"westeurope", "eastus", ""} & geo_codes()
    assert all(code.isalnum() and code == code.lower() for code in geo_codes())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("privatelink.westeurope.kusto.windows.net", True),
        ("adx.privatelink.westeurope.kusto.windows.net", True),
        ("kusto.windows.net", True),
        ("any-thing.kusto.windows.net", True),
        ("public.westeurope.kusto.windows.net", False),
        ("kusto.windows.com", False),
    ],
)
def test_a_name_touches_an_end_that_it_is_or_lies_under_or_above(name: str, expected: bool) -> None:
    assert Pattern.parse("privatelink.{regionName}.kusto.windows.net").touches(DnsName(name)) is expected


def test_of_many_names_those_are_found_that_are_the_end_itself() -> None:
    names = ["westeurope.x.net", "a.westeurope.x.net", "x.net", "eastus.x.net", "west-1.x.net"]
    found = Pattern.parse("{regionName}.x.net").among(DnsName(name) for name in names)
    assert [str(name) for name in found] == ["eastus.x.net", "westeurope.x.net"]
    assert Pattern.parse("x.net").among([DnsName("x.net"), DnsName("a.x.net")]) == (DnsName("x.net"),)
