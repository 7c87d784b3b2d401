"""The data files: every row of the three clouds reads, is consistent in itself, and has the traits it needs."""

from __future__ import annotations

import csv
import re
from importlib import resources

import pytest

from hubwarden.catalog import Catalogue, Row, Trait, catalogue
from hubwarden.catalog.patterns import lines_of
from hubwarden.catalog.rows import CLOUDS
from hubwarden.model.dns_name import DnsName

CATALOGUES = {cloud: catalogue(cloud) for cloud in CLOUDS}
ROWS = [(cloud, row) for cloud, services in CATALOGUES.items() for row in services.rows]
SAMPLES = {
    "{regionName}": "westeurope",
    "{regionCode}": "we",
    "{dnsPrefix}": "1a2b3c",
    "{partitionId}": "3",
    "{subzone}": "6a-f5",
}
every_row = pytest.mark.parametrize(("cloud", "row"), ROWS, ids=lambda each: "-".join(getattr(each, "key", [each])))

UNLIKE = {
    ("microsoft.keyvault/vaults", "vault"): "names end in vault, the zone in vaultcore",
    ("microsoft.purview/accounts", "portal"): "names end in purview, the zone in purviewstudio",
    ("microsoft.desktopvirtualization/workspaces", "global"): "the zone begins with privatelink-global",
    ("microsoft.elasticsan/elasticsans", "*"): "as the table has it",
    ("microsoft.signalrservice/signalr", "signalr"): "China: the zone has no label service",
}
"""Rows whose zone is not their suffix with the label privatelink in it."""


def text_of(cloud: str) -> str:
    return resources.files("hubwarden.catalog").joinpath(f"{cloud}.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize("cloud", CLOUDS)
def test_every_line_of_a_data_file_is_a_row_of_its_own(cloud: str) -> None:
    lines = list(csv.DictReader(lines_of(text_of(cloud))))
    assert all(None not in line and None not in line.values() for line in lines)
    assert len(CATALOGUES[cloud].rows) == len(lines), "two rows have the same type, group and suffix"


@pytest.mark.parametrize(("cloud", "least"), [("public", 133), ("usgov", 77), ("china", 48)])
def test_a_data_file_names_its_source_and_its_date_and_has_every_row_of_it(cloud: str, least: int) -> None:
    head = text_of(cloud).partition("type,")[0]
    assert "Microsoft Learn" in head
    assert re.search(r"read 20\d\d-\d\d", head)
    assert len(CATALOGUES[cloud].rows) >= least


@every_row
def test_a_zone_is_the_suffix_with_privatelink_in_it(cloud: str, row: Row) -> None:
    labels = row.zone_pattern.labels
    assert [label for label in labels if label.startswith("privatelink")], "no private link zone"
    if row.key[:2] not in UNLIKE:
        without = tuple(label for label in labels if label != "privatelink")
        assert without == tuple(label for label in row.suffix_pattern.labels if label != "privatelink")


def test_every_exception_is_one() -> None:
    unlike = {
        row.key[:2]
        for _, row in ROWS
        if set(row.zone_pattern.labels) - {"privatelink"} != set(row.suffix_pattern.labels) - {"privatelink"}
    }
    assert unlike == set(UNLIKE)


@every_row
def test_a_name_under_the_suffix_stands_in_the_rows_zone_and_leads_back_to_the_name(cloud: str, row: Row) -> None:
    services, group = CATALOGUES[cloud], row.group.replace("*", "x")
    name = DnsName(f"orders-1.{row.suffix_pattern.filled(SAMPLES)}")
    zone = row.zone_pattern.filled(SAMPLES)
    [place] = [place for place in services.places(row.type, (group,), name) if place.zone == zone]
    assert name in services.names_of(zone, place.name)
    assert place.traits == row.traits
    private = DnsName(f"{place.name}.{zone}")
    assert place in services.places(row.type, (group,), private), "a private name is its own"
    assert private.text in services.records_of(name)


@every_row
def test_the_bare_suffix_is_nobodys_name_but_where_the_row_says_so(cloud: str, row: Row) -> None:
    places = CATALOGUES[cloud].places(row.type, (row.group,), row.suffix_pattern.filled(SAMPLES))
    assert ["@"] * (Trait.APEX in row.traits) == [place.name for place in places][:1]


@every_row
def test_a_wildcard_right_under_a_suffix_is_nobodys_name(cloud: str, row: Row) -> None:
    wildcard = DnsName(f"*.{row.suffix_pattern.filled(SAMPLES)}")
    assert CATALOGUES[cloud].places(row.type, (row.group,), wildcard) == ()


@every_row
def test_a_wildcard_stands_only_where_the_service_has_them(cloud: str, row: Row) -> None:
    wildcard = DnsName(f"*.orders.{row.suffix_pattern.filled(SAMPLES)}")
    places = CATALOGUES[cloud].places(row.type, (row.group,), wildcard)
    assert bool(places) == (Trait.WILDCARD in row.traits)


def having(services: Catalogue, trait: Trait) -> set[str]:
    return {f"{row.type.rpartition('/')[2]} {row.group}" for row in services.rows if trait in row.traits}


def test_what_is_peculiar_about_services_is_marked() -> None:
    public = CATALOGUES["public"]
    assert having(public, Trait.SHARED) == {
        "privateLinkHubs Web",
        "factories portal",
        "accounts portal",
        "workspaces browser_authentication",
        "workspaces global",
        "privateLinkScopes hybridcompute",
        "privateLinkScopes azuremonitor",
        "resourceManagementPrivateLinks ResourceManagement",
    }
    assert having(public, Trait.APEX) == {"factories portal", "managedClusters management"}
    assert having(public, Trait.WILDCARD) == {
        "workspaces amlworkspace",
        "managedEnvironments managedEnvironments",
        "managedEnvironments managedEnvironment",
    }
    assert having(public, Trait.NOT_CREATED) == {
        "privateLinkScopes azuremonitor",
        "resourceManagementPrivateLinks ResourceManagement",
    }
    assert having(public, Trait.PART) == {
        "registries registry",
        "sites sites",
        "sites sites-*",
        "managedClusters management",
    }
    assert having(public, Trait.OWN_RECORDS) == {"managedClusters management"}
    assert {"clusters cluster", "vaults AzureBackup", "diskAccesses disks"} <= having(public, Trait.ASSIGNED)
    assert not {"storageAccounts blob", "vaults vault", "servers sqlServer"} & having(public, Trait.ASSIGNED)
    assert "databaseAccounts Sql" in having(public, Trait.SILENT)


@pytest.mark.parametrize("cloud", ["usgov", "china"])
def test_a_services_traits_are_the_same_in_every_cloud(cloud: str) -> None:
    for trait in Trait:
        known = {row.key[:2] for row in CATALOGUES["public"].rows}
        mine = {row.key[:2] for row in CATALOGUES[cloud].rows if trait in row.traits and row.key[:2] in known}
        theirs = {row.key[:2] for row in CATALOGUES["public"].rows if trait in row.traits}
        there = {row.key[:2] for row in CATALOGUES[cloud].rows}
        assert mine == theirs & there - ({("microsoft.web/sites", "sites"), ("microsoft.web/sites", "sites-*")} - mine)
