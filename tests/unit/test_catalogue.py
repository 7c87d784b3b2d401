"""The catalogue: every row of the table, where a name may stand, and an owner's rows over ours."""

from __future__ import annotations

import pytest

from hubwarden.catalog import Catalogue, Place, Row, Trait, catalogue, recommended
from hubwarden.catalog.patterns import Pattern
from hubwarden.errors import InputError
from hubwarden.model.dns_name import DnsName

PUBLIC = catalogue("public")


def row(zone: str, suffix: str, *traits: Trait, kind: str = "Contoso.Things/things", group: str = "thing") -> Row:
    return Row(kind, group, zone, suffix, traits=frozenset(traits))


def places(kind: str, group: str, fqdn: str, within: Catalogue = PUBLIC) -> list[tuple[str, str]]:
    return [(str(place.zone), place.name) for place in within.places(kind, (group,), DnsName.parse(fqdn))]


@pytest.mark.parametrize(
    ("kind", "group", "fqdn", "zone", "name"),
    [
        ("Microsoft.Storage/storageAccounts", "blob", "st.blob.core.windows.net", "blob.core.windows.net", "st"),
        (
            "Microsoft.Storage/storageAccounts",
            "blob_secondary",
            "st-secondary.blob.core.windows.net",
            "blob.core.windows.net",
            "st-secondary",
        ),
        ("Microsoft.Storage/storageAccounts", "table", "st.table.core.windows.net", "table.core.windows.net", "st"),
        ("Microsoft.Storage/storageAccounts", "queue", "st.queue.core.windows.net", "queue.core.windows.net", "st"),
        ("Microsoft.Storage/storageAccounts", "file", "st.file.core.windows.net", "file.core.windows.net", "st"),
        ("Microsoft.Storage/storageAccounts", "web", "st.z6.web.core.windows.net", "web.core.windows.net", "st.z6"),
        ("Microsoft.Storage/storageAccounts", "dfs", "st.dfs.core.windows.net", "dfs.core.windows.net", "st"),
        ("Microsoft.KeyVault/vaults", "vault", "kv.vault.azure.net", "vaultcore.azure.net", "kv"),
        ("Microsoft.KeyVault/vaults", "vault", "kv.vaultcore.azure.net", "vaultcore.azure.net", "kv"),
        ("Microsoft.Sql/servers", "sqlServer", "sql.database.windows.net", "database.windows.net", "sql"),
        (
            "Microsoft.DocumentDB/databaseAccounts",
            "Sql",
            "db-westus.documents.azure.com",
            "documents.azure.com",
            "db-westus",
        ),
        (
            "Microsoft.DocumentDB/databaseAccounts",
            "MongoDB",
            "db.mongo.cosmos.azure.com",
            "mongo.cosmos.azure.com",
            "db",
        ),
        (
            "Microsoft.DocumentDB/databaseAccounts",
            "Table",
            "db.table.cosmos.azure.com",
            "table.cosmos.azure.com",
            "db",
        ),
        ("Microsoft.ContainerRegistry/registries", "registry", "cr.azurecr.io", "azurecr.io", "cr"),
        (
            "Microsoft.ContainerRegistry/registries",
            "registry",
            "cr.eastus.data.azurecr.io",
            "azurecr.io",
            "cr.eastus.data",
        ),
        ("Microsoft.Web/sites", "sites", "app.azurewebsites.net", "azurewebsites.net", "app"),
        ("Microsoft.Web/sites", "sites", "app.scm.azurewebsites.net", "azurewebsites.net", "app.scm"),
        (
            "Microsoft.Web/sites",
            "sites-staging",
            "app-staging.azurewebsites.net",
            "azurewebsites.net",
            "app-staging",
        ),
        (
            "microsoft.web/SITES",
            "Sites-Blue-2",
            "app-blue-2.scm.azurewebsites.net",
            "azurewebsites.net",
            "app-blue-2.scm",
        ),
        ("Microsoft.ServiceBus/namespaces", "namespace", "sb.servicebus.windows.net", "servicebus.windows.net", "sb"),
        ("Microsoft.EventHub/namespaces", "namespace", "eh.servicebus.windows.net", "servicebus.windows.net", "eh"),
    ],
)
def test_the_name_of_a_service_belongs_in_its_zone(kind: str, group: str, fqdn: str, zone: str, name: str) -> None:
    found = PUBLIC.places(kind, (group,), DnsName.parse(fqdn))
    assert recommended(found) == Place(DnsName(f"privatelink.{zone}"), name, found[-1].traits)
    assert all(Trait.PART in place.traits for place in found[:-1])


@pytest.mark.parametrize(
    ("kind", "group", "fqdn"),
    [
        pytest.param("Microsoft.Storage/storageAccounts", "blob", "kv.vault.azure.net", id="another service's suffix"),
        pytest.param("Microsoft.Storage/storageAccounts", "blob", "st.dfs.core.windows.net", id="another group's"),
        pytest.param("Microsoft.Storage/storageAccounts", "vault", "st.blob.core.windows.net", id="an unknown group"),
        pytest.param("Microsoft.Storage/other", "blob", "st.blob.core.windows.net", id="an unknown type"),
        pytest.param("Microsoft.Web/sites", "site-x", "app.azurewebsites.net", id="a group that is no slot's"),
        pytest.param("Microsoft.Web/sites", "xsites-staging", "app.azurewebsites.net", id="a group that ends alike"),
        pytest.param("Microsoft.Web/sites", "sitesstaging", "app.azurewebsites.net", id="a slot without its hyphen"),
        pytest.param("Microsoft.Storage/storageAccounts", "blob-x", "st.blob.core.windows.net", id="no slots here"),
        pytest.param("Microsoft.KeyVault/vaults", "vault", "kv.xvault.azure.net", id="ends alike within a label"),
        pytest.param("Microsoft.KeyVault/vaults", "vault", "kv.vault.azure.net.evil.com", id="the suffix inside"),
    ],
)
def test_a_name_that_is_not_the_services_belongs_nowhere(kind: str, group: str, fqdn: str) -> None:
    assert places(kind, group, fqdn) == []


def test_types_and_groups_are_compared_without_case() -> None:
    assert PUBLIC.knows("microsoft.documentdb/DATABASEACCOUNTS", "sql")
    assert places("MICROSOFT.SQL/servers", "SQLSERVER", "sql.database.windows.net")
    assert not PUBLIC.knows("Microsoft.Storage/storageAccounts", "registry")
    assert not PUBLIC.knows("Microsoft.Storage", "blob")


def test_the_longest_suffix_fixes_the_private_name_and_every_zone_that_holds_it_is_a_place() -> None:
    rows = [row("p.net", "net"), row("deep.p.net", "deep.net"), row("other.example", "example.net")]
    found = places("Contoso.Things/things", "thing", "x.deep.net", Catalogue(rows))
    assert found == [("deep.p.net", "x"), ("p.net", "x.deep")]


@pytest.mark.parametrize("groups", [("thing", "other"), ("other", "thing")])
def test_the_most_specific_suffix_over_all_groups_comes_first(groups: tuple[str, ...]) -> None:
    rows = [
        row("p.net", "net"),
        row("deep.example.p.net", "deep.example.net"),
        row("example.p.net", "example.net", group="other"),
    ]
    found = Catalogue(rows).places("Contoso.Things/things", groups, DnsName("x.deep.example.net"))
    assert [str(place.zone) for place in found] == ["deep.example.p.net", "example.p.net", "p.net"]


def test_a_group_without_a_row_takes_nothing_from_those_beside_it() -> None:
    found = PUBLIC.places("Microsoft.Web/sites", ("unheard", "SITES"), DnsName("app.azurewebsites.net"))
    assert found == (Place(DnsName("privatelink.azurewebsites.net"), "app"),)
    assert PUBLIC.places("Microsoft.Web/sites", (), DnsName("app.azurewebsites.net")) == ()


def test_the_slots_of_a_web_app_are_known_whatever_they_are_called() -> None:
    assert PUBLIC.knows("Microsoft.Web/sites", "sites-staging")
    assert PUBLIC.knows("microsoft.web/Sites", "SITES-Blue-2")
    assert not PUBLIC.knows("Microsoft.Web/sites", "staging")


def test_an_owners_row_for_one_slot_stands_over_the_row_for_all() -> None:
    own = catalogue("public", [row("s.com", "azurewebsites.net", kind="Microsoft.Web/sites", group="sites-blue")])
    blue = places("Microsoft.Web/sites", "sites-Blue", "app-blue.azurewebsites.net", own)
    green = places("Microsoft.Web/sites", "sites-green", "app-green.azurewebsites.net", own)
    assert (blue, green) == ([("s.com", "app-blue")], [("privatelink.azurewebsites.net", "app-green")])


def test_a_bare_suffix_stands_nowhere() -> None:
    assert places("Contoso.Things/things", "thing", "a.net", Catalogue([row("z.net", "a.net")])) == []


def test_an_owners_row_replaces_ours_for_the_same_suffix_and_stands_beside_it_for_another() -> None:
    vault = {"kind": "microsoft.keyvault/VAULTS", "group": "Vault"}
    own = catalogue("public", [row("kv.contoso.com", "VAULT.azure.net", **vault), row("y.com", "kv.x.com", **vault)])
    assert places("Microsoft.KeyVault/vaults", "vault", "a.vault.azure.net", own) == [("kv.contoso.com", "a")]
    assert places("Microsoft.KeyVault/vaults", "vault", "a.kv.x.com", own) == [("y.com", "a")]
    assert places("Microsoft.KeyVault/vaults", "vault", "a.vaultcore.azure.net", own) == [
        ("privatelink.vaultcore.azure.net", "a")
    ]
    assert len(own.rows) == len(PUBLIC.rows) + 1


def test_one_owners_rows_are_not_in_another_catalogue() -> None:
    catalogue("public", [row("x.com", "kv.x.com")])
    assert not catalogue("public").knows("Contoso.Things/things", "thing")


def test_looking_everywhere_finds_each_place_once_whatever_the_service() -> None:
    found = PUBLIC.everywhere(DnsName.parse("ns.servicebus.windows.net"))
    assert found == (Place(DnsName("privatelink.servicebus.windows.net"), "ns"),)
    assert PUBLIC.everywhere(DnsName.parse("www.contoso.com")) == ()


def test_a_bare_suffix_is_nobodys_name_not_even_under_a_wider_row() -> None:
    rows = [row("wide.example", "core.windows.net"), row("b.example", "blob.core.windows.net")]
    assert places("Contoso.Things/things", "thing", "blob.core.windows.net", Catalogue(rows)) == []
    assert places("Contoso.Things/things", "thing", "a.blob.core.windows.net", Catalogue(rows))


def test_a_wildcard_right_under_a_suffix_is_nobodys_name_not_even_under_a_wider_row() -> None:
    rows = Catalogue([row("wide.example", "core.windows.net"), row("b.example", "blob.core.windows.net")])
    things = ("Contoso.Things/things", "thing")
    assert places(*things, "*.blob.core.windows.net", rows) == []
    assert places(*things, "*.core.windows.net", rows) == []
    assert places(*things, "*.orders.blob.core.windows.net", rows) == []


@pytest.mark.parametrize(
    ("fqdn", "records"),
    [
        pytest.param(
            "orders.blob.core.windows.net", ["orders.privatelink.blob.core.windows.net"], id="several rows, one zone"
        ),
        pytest.param("orders.vault.azure.net", ["orders.privatelink.vaultcore.azure.net"], id="one suffix of two"),
        pytest.param("orders.vaultcore.azure.net", ["orders.privatelink.vaultcore.azure.net"], id="the other"),
        pytest.param("app.scm.azurewebsites.net", ["app.scm.privatelink.azurewebsites.net"], id="several labels"),
        pytest.param("blob.core.windows.net", [], id="a bare suffix: the zone's own name is no record of ours"),
        pytest.param("www.contoso.com", [], id="no service's"),
    ],
)
def test_a_public_name_has_these_records(fqdn: str, records: list[str]) -> None:
    assert list(PUBLIC.records_of(DnsName(fqdn))) == records


def test_a_name_may_have_records_in_every_zone_of_an_owners_rows() -> None:
    own = Catalogue([row("a.example", "example.net"), row("b.example", "deep.example.net"), row("c.example", "net")])
    assert own.records_of(DnsName("x.deep.example.net")) == (
        "x.b.example",
        "x.deep.a.example",
        "x.deep.example.c.example",
    )
    assert own.records_of(DnsName("deep.example.net")) == ("deep.a.example", "deep.example.c.example")


KINDS = {"cr": ("Microsoft.ContainerRegistry/registries", "registry"), "web": ("Microsoft.Web/sites", "sites")}


@pytest.mark.parametrize(
    ("service", "fqdn", "expected"),
    [
        (
            "cr",
            "reg.westeurope.data.azurecr.io",
            [("westeurope.data.privatelink.azurecr.io", "reg"), ("privatelink.azurecr.io", "reg.westeurope.data")],
        ),
        ("cr", "reg.azurecr.io", [("privatelink.azurecr.io", "reg")]),
        (
            "web",
            "app.scm.azurewebsites.net",
            [("scm.privatelink.azurewebsites.net", "app"), ("privatelink.azurewebsites.net", "app.scm")],
        ),
        ("web", "app.azurewebsites.net", [("privatelink.azurewebsites.net", "app")]),
    ],
)
def test_a_zone_that_is_none_of_its_own_holds_the_record_where_somebody_made_it(
    service: str, fqdn: str, expected: list[tuple[str, str]]
) -> None:
    kind, group = KINDS[service]
    assert places(kind, group, fqdn) == expected
    found = PUBLIC.places(kind, (group,), DnsName(fqdn))
    assert str(recommended(found).zone) == expected[-1][0]


def test_a_zone_of_an_owners_row_that_is_the_only_one_is_recommended_whatever_it_is() -> None:
    found = Catalogue([row("p.net", "x.net", Trait.PART)]).places(
        "Contoso.Things/things", ("thing",), DnsName("a.x.net")
    )
    assert recommended(found) == Place(DnsName("p.net"), "a", frozenset({Trait.PART}))


def test_a_static_web_app_with_a_partition_stands_in_that_partitions_zone_only() -> None:
    app = ("Microsoft.Web/staticSites", "staticSites")
    assert places(*app, "x.azurestaticapps.net") == [("privatelink.azurestaticapps.net", "x")]
    assert places(*app, "x.1.azurestaticapps.net") == [("privatelink.1.azurestaticapps.net", "x")]
    assert places(*app, "x.westeurope.1.azurestaticapps.net") == [("privatelink.1.azurestaticapps.net", "x.westeurope")]
    assert places(*app, "1.azurestaticapps.net") == []


@pytest.mark.parametrize(
    ("fqdn", "expected"),
    [
        ("st.privatelink.blob.core.windows.net", [("privatelink.blob.core.windows.net", "st")]),
        ("ST.PrivateLink.Blob.Core.Windows.Net.", [("privatelink.blob.core.windows.net", "st")]),
        ("privatelink.blob.core.windows.net", []),
        ("*.privatelink.blob.core.windows.net", []),
        ("st.privatelink.queue.core.windows.net", []),
    ],
)
def test_a_name_that_lies_in_the_zone_already_is_its_own_private_name(
    fqdn: str, expected: list[tuple[str, str]]
) -> None:
    assert places("Microsoft.Storage/storageAccounts", "blob", fqdn) == expected


def test_the_apex_is_a_name_where_the_row_says_so() -> None:
    rows = Catalogue([row("privatelink.x.net", "x.net", Trait.APEX), row("privatelink.y.net", "y.net")])
    things = ("Contoso.Things/things", "thing")
    assert places(*things, "x.net", rows) == [("privatelink.x.net", "@")]
    assert places(*things, "privatelink.x.net", rows) == [("privatelink.x.net", "@")]
    assert places(*things, "y.net", rows) == []
    assert rows.names_of(DnsName("privatelink.x.net"), "@") == (DnsName("x.net"), DnsName("privatelink.x.net"))
    assert rows.names_of(DnsName("privatelink.y.net"), "@") == ()
    assert rows.records_of(DnsName("x.net")) == ("privatelink.x.net",)


def test_a_wildcard_is_a_name_where_the_row_says_so_and_never_right_under_the_suffix() -> None:
    rows = Catalogue([row("privatelink.x.net", "x.net", Trait.WILDCARD)])
    things = ("Contoso.Things/things", "thing")
    assert places(*things, "*.a.x.net", rows) == [("privatelink.x.net", "*.a")]
    assert places(*things, "*.x.net", rows) == []


def test_groups_that_are_free_text_are_all_one_services_but_a_named_one_comes_first() -> None:
    san = "Microsoft.ElasticSan/elasticSans"
    assert PUBLIC.knows(san, "volumegroup")
    assert places(san, "Orders-Volumes", "es-1.z44.blob.storage.azure.net") == [
        ("privatelink.blob.core.windows.net", "es-1.z44")
    ]
    own = catalogue("public", [row("s.com", "blob.storage.azure.net", kind=san, group="orders")])
    assert places(san, "ORDERS", "es-1.z44.blob.storage.azure.net", own) == [("s.com", "es-1.z44")]
    assert places(san, "other", "es-1.z44.blob.storage.azure.net", own) == [
        ("privatelink.blob.core.windows.net", "es-1.z44")
    ]


def test_of_two_rows_with_one_zone_that_of_the_names_suffix_says_what_is_peculiar() -> None:
    rows = Catalogue([row("z.net", "a.net"), row("z.net", "b.net", Trait.SHARED)])
    [mine] = rows.places("Contoso.Things/things", ("thing",), DnsName("x.a.net"))
    [shared] = rows.places("Contoso.Things/things", ("thing",), DnsName("x.b.net"))
    assert (set(mine.traits), set(shared.traits)) == (set(), {Trait.SHARED})


def anywhere(fqdn: str, within: Catalogue = PUBLIC) -> list[tuple[str, str]]:
    return [(str(place.zone), place.name) for place in within.anywhere(DnsName.parse(fqdn))]


@pytest.mark.parametrize(
    ("fqdn", "expected"),
    [
        pytest.param(
            "new.blob.core.windows.net",
            [("privatelink.blob.core.windows.net", "new")],
            id="a suffix that shared names have, too",
        ),
        pytest.param(
            "new.eastus.kusto.windows.net", [("privatelink.eastus.kusto.windows.net", "new")], id="placeholder"
        ),
        pytest.param("new.privatelink.redis.azure.net", [("privatelink.redis.azure.net", "new")], id="private already"),
        pytest.param(
            "a.scm.azurewebsites.net",
            [("scm.privatelink.azurewebsites.net", "a"), ("privatelink.azurewebsites.net", "a.scm")],
            id="several zones",
        ),
        pytest.param(
            "orders.database.windows.net",
            [("privatelink.database.windows.net", "orders")],
            id="a label that might stand for another row's placeholder",
        ),
        pytest.param(
            "orders.0123abcd.database.windows.net",
            [("privatelink.0123abcd.database.windows.net", "orders")],
            id="a label that does",
        ),
        pytest.param("westeurope.kusto.windows.net", [], id="nothing in front of a placeholder"),
        pytest.param("api.monitor.azure.com", [], id="shared, not even by the shorter azure.com"),
        pytest.param("management.azure.com", [], id="a zone that is never created"),
        pytest.param("new.eastus.azmk8s.io", [], id="a service that writes its own"),
        pytest.param("adf.azure.com", [], id="an apex"),
        pytest.param("blob.core.windows.net", [], id="a bare suffix"),
        pytest.param("*.new.api.azureml.ms", [], id="a wildcard"),
        pytest.param("login.contoso.com", [], id="no service's"),
    ],
)
def test_a_type_that_the_table_lacks_is_found_by_the_longest_suffix_in_plain_cases(
    fqdn: str, expected: list[tuple[str, str]]
) -> None:
    assert anywhere(fqdn) == expected


def test_a_row_whose_zone_and_suffix_hold_other_placeholders_is_refused() -> None:
    with pytest.raises(InputError, match=r"must hold the same placeholders; \{partitionId\}, \{regionName\} stands"):
        row("privatelink.{regionName}.x.net", "{partitionId}.x.net")


def test_the_two_spellings_of_the_region_are_one_row() -> None:
    spelled = row("p.{region}.x.net", "{region}.X.net"), row("q.{regionName}.x.net", "{regionName}.x.net")
    [left] = Catalogue(spelled).rows
    assert left.zone == "q.{regionName}.x.net"


@pytest.mark.parametrize(
    ("zone", "record", "names"),
    [
        ("privatelink.westeurope.kusto.windows.net", "adx", ["adx.westeurope.kusto.windows.net"]),
        ("privatelink.vaultcore.azure.net", "kv", ["kv.vault.azure.net", "kv.vaultcore.azure.net"]),
        ("privatelink.azurecr.io", "reg.eastus.data", ["reg.eastus.data.azurecr.io"]),
        ("eastus.data.privatelink.azurecr.io", "reg", ["reg.eastus.data.azurecr.io"]),
        ("privatelink.queue.core.windows.net", "@", []),
        ("x.privatelink.queue.core.windows.net", "st", []),
        ("svc.contoso.com", "orders", []),
    ],
)
def test_a_record_may_serve_these_public_names_and_its_own(zone: str, record: str, names: list[str]) -> None:
    own = [f"{record}.{zone}"] if names else []
    assert [str(name) for name in PUBLIC.names_of(DnsName(zone), record)] == [*names, *own]


def test_the_cost_of_a_look_up_does_not_grow_with_the_table() -> None:
    """The rows that are compared are those of the name's own labels, however many there are."""
    few, many = PUBLIC, catalogue("public", [row(f"p.x{n}.net", f"x{n}.net", group=f"g{n}") for n in range(2000)])
    name = DnsName("st.queue.core.windows.net")
    assert compared(few, name) == compared(many, name) > 0


def compared(services: Catalogue, name: DnsName) -> int:
    """How many rows a look-up over the whole cloud compares with a name."""
    count = 0

    def counted(self: Pattern, name: DnsName) -> tuple[str, dict[str, str]] | None:
        nonlocal count
        count += 1
        return match(self, name)

    match = Pattern.match
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Pattern, "match", counted)
        assert services.anywhere(name)
    return count
