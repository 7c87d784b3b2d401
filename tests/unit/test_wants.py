"""What an endpoint asks for: the records of every service, and what is held back where it asks for more."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any

import pytest

from hubwarden.arm.endpoints import to_endpoint
from hubwarden.catalog import Catalogue, Row, Trait, catalogue
from hubwarden.dns.wants import MOST_NAMES, Wishes, wishes
from hubwarden.model.dns_name import DnsName
from hubwarden.model.endpoint import ConnectionStatus, Endpoint, EndpointName, NameSource, Tenancy
from hubwarden.model.hub import HubZones
from hubwarden.model.plan import Held, HeldReason, MissingZone
from hubwarden.model.record import RecordType
from hubwarden.model.resource_id import ResourceId
from tests.unit.given import (
    BLOB,
    BLOB_ZONE,
    PRIVATE,
    SPOKE,
    TARGET,
    addresses,
    document,
    endpoint,
    hub,
    key,
    name,
    target,
)

PUBLIC = catalogue("public")
ALL_ZONES = tuple(dict.fromkeys(row.zone for row in PUBLIC.rows if "{" not in row.zone))


def wished(
    seen: Endpoint,
    *,
    hubs: Sequence[HubZones] = (hub(*ALL_ZONES),),
    rows: Catalogue = PUBLIC,
    tenancy: Tenancy = Tenancy.OURS,
    foreign: bool = False,
    shared: frozenset[ResourceId] = frozenset(),
) -> Wishes:
    return wishes(
        seen,
        tenancy=tenancy,
        hubs=hubs,
        catalogue=rows,
        networks=PRIVATE,
        publishes_foreign_targets=foreign,
        shared=shared,
    )


def written(wish: Wishes) -> list[tuple[str, list[str]]]:
    """The wanted records as `name type` and addresses."""
    return [(str(want.key), [str(address) for address in want.addresses]) for want in wish.wants]


def only_held(wish: Wishes) -> Held:
    assert wish.wants == ()
    [held] = wish.held
    return held


SERVICES = {
    "storage": ("Microsoft.Storage/storageAccounts", "blob", ["{}.blob.core.windows.net"], "blob.core.windows.net"),
    "storage, second region": (
        "Microsoft.Storage/storageAccounts",
        "blob_secondary",
        ["{}-secondary.blob.core.windows.net"],
        "blob.core.windows.net",
    ),
    "key vault": ("Microsoft.KeyVault/vaults", "vault", ["{}.vault.azure.net"], "vaultcore.azure.net"),
    "sql": ("Microsoft.Sql/servers", "sqlServer", ["{}.database.windows.net"], "database.windows.net"),
    "cosmos": (
        "Microsoft.DocumentDB/databaseAccounts",
        "Sql",
        ["{}.documents.azure.com", "{}-westus.documents.azure.com"],
        "documents.azure.com",
    ),
    "registry": (
        "Microsoft.ContainerRegistry/registries",
        "registry",
        ["{}.azurecr.io", "{}.eastus.data.azurecr.io"],
        "azurecr.io",
    ),
    "web app": (
        "Microsoft.Web/sites",
        "sites",
        ["{}.azurewebsites.net", "{}.scm.azurewebsites.net"],
        "azurewebsites.net",
    ),
    "slot of a web app": (
        "Microsoft.Web/sites",
        "sites-staging",
        ["{}-staging.azurewebsites.net", "{}-staging.scm.azurewebsites.net"],
        "azurewebsites.net",
    ),
    "service bus": (
        "Microsoft.ServiceBus/namespaces",
        "namespace",
        ["{}.servicebus.windows.net"],
        "servicebus.windows.net",
    ),
    "event hubs": (
        "Microsoft.EventHub/namespaces",
        "namespace",
        ["{}.servicebus.windows.net"],
        "servicebus.windows.net",
    ),
}


@pytest.mark.parametrize(("kind", "group", "names", "zone"), SERVICES.values(), ids=SERVICES.keys())
def test_every_name_of_a_service_gets_its_record(kind: str, group: str, names: list[str], zone: str) -> None:
    fqdns = [each.format("orders") for each in names]
    seen = endpoint(*(name(each) for each in fqdns), groups=(group.upper(),), **target(kind, "orders"))
    wish = wished(seen)
    suffix = zone if zone != "vaultcore.azure.net" else "vault.azure.net"
    assert written(wish) == [(f"{each.removesuffix(suffix)}privatelink.{zone} A", ["10.1.0.4"]) for each in fqdns]
    assert [want.fqdn for want in wish.wants] == fqdns
    assert wish.held == ()


def test_a_geo_replicated_registry_has_all_its_records_in_one_zone() -> None:
    seen = to_endpoint(document("05_acr_georeplicated"), [document("05b_acr_georeplicated_nic")])
    assert written(wished(seen)) == [
        ("myregistry.privatelink.azurecr.io A", ["10.20.2.6"]),
        ("myregistry.eastus.data.privatelink.azurecr.io A", ["10.20.2.4"]),
        ("myregistry.westus.data.privatelink.azurecr.io A", ["10.20.2.5"]),
    ]


def test_an_endpoint_with_a_zone_group_wants_its_record_like_any_other() -> None:
    seen = to_endpoint(document("19_kv_zone_group_attached"), [document("19b_kv_zone_group_attached_nic")])
    assert written(wished(seen)) == [("kv-zg.privatelink.vaultcore.azure.net A", ["10.20.7.9"])]


def test_both_suffixes_of_a_key_vault_are_one_record_with_all_addresses() -> None:
    seen = endpoint(
        name("orders.vault.azure.net", "10.1.0.5"),
        name("orders.vaultcore.azure.net", "10.1.0.4", "10.1.0.5"),
        groups=("vault",),
        **target("Microsoft.KeyVault/vaults", "orders"),
    )
    wish = wished(seen)
    assert written(wish) == [("orders.privatelink.vaultcore.azure.net A", ["10.1.0.4", "10.1.0.5"])]
    assert wish.wants[0].fqdn == "orders.vault.azure.net"


def test_ipv6_addresses_get_a_record_of_their_own() -> None:
    seen = endpoint(name(BLOB, "fd00::5", "10.1.0.5", "10.1.0.4", "fd00::4"))
    wish = wished(seen)
    assert [(want.key, want.addresses) for want in wish.wants] == [
        (key(), addresses("10.1.0.4", "10.1.0.5")),
        (key(kind=RecordType.AAAA), addresses("fd00::4", "fd00::5")),
    ]


def test_neither_case_nor_a_final_dot_makes_another_record() -> None:
    wish = wished(endpoint(name("Orders.BLOB.core.windows.net."), name(BLOB)))
    assert [(want.key, want.fqdn) for want in wish.wants] == [(key(), BLOB)]


def test_a_wildcard_that_azure_shows_is_published() -> None:
    row = Row(
        "Microsoft.MachineLearningServices/workspaces",
        "amlworkspace",
        "privatelink.api.azureml.ms",
        "api.azureml.ms",
        traits=frozenset({Trait.WILDCARD}),
    )
    seen = endpoint(
        name("*.fb7e.inference.eastus.api.azureml.ms"),
        groups=("amlworkspace",),
        **target("Microsoft.MachineLearningServices/workspaces", "ml"),
    )
    wish = wished(seen, hubs=[hub("privatelink.api.azureml.ms")], rows=Catalogue([row]))
    assert written(wish) == [("*.fb7e.inference.eastus.privatelink.api.azureml.ms A", ["10.1.0.4"])]


# What holds back an endpoint as a whole.


@pytest.mark.parametrize(
    ("changes", "reason", "waits"),
    [
        pytest.param({"settled": False}, HeldReason.NOT_READY, True, id="Azure is at work"),
        pytest.param({"settled": False, "status": ConnectionStatus.PENDING}, HeldReason.NOT_READY, True, id="both"),
        pytest.param({"status": ConnectionStatus.PENDING}, HeldReason.NOT_APPROVED, True, id="pending"),
        pytest.param({"status": ConnectionStatus.REJECTED}, HeldReason.NOT_APPROVED, False, id="rejected"),
        pytest.param({"status": ConnectionStatus.DISCONNECTED}, HeldReason.NOT_APPROVED, False, id="disconnected"),
        pytest.param({"status": ConnectionStatus.UNKNOWN}, HeldReason.NOT_APPROVED, False, id="unknown status"),
        pytest.param({"names": ()}, HeldReason.NOT_READY, True, id="no names yet"),
    ],
)
def test_an_endpoint_is_held_as_a_whole(changes: dict[str, Any], reason: HeldReason, waits: bool) -> None:
    held = only_held(wished(endpoint(**changes)))
    assert (held.reason, held.waits, held.name, held.key) == (reason, waits, "", None)
    assert held.endpoint == endpoint().id
    assert held.detail


def test_a_recorded_pending_request_waits_for_the_targets_owner() -> None:
    held = only_held(wished(to_endpoint(document("04_acr_manual_pending_recorded"), [])))
    assert held.reason is HeldReason.NOT_APPROVED
    assert "registries/testreg000002 has not approved it" in held.detail


def test_more_names_than_any_service_has_are_not_read() -> None:
    most = [name(f"orders.n{number}.blob.core.windows.net") for number in range(MOST_NAMES)]
    assert len(wished(endpoint(*most)).wants) == MOST_NAMES
    held = only_held(wished(endpoint(*most, name(BLOB))))
    assert held.reason is HeldReason.MALFORMED
    assert "501 names" in held.detail


@pytest.mark.parametrize(("tenancy", "foreign"), [(Tenancy.OURS, False), *((each, True) for each in Tenancy)])
def test_a_target_of_ours_is_published_and_any_other_if_the_owner_says_so(tenancy: Tenancy, foreign: bool) -> None:
    wish = wished(endpoint(), tenancy=tenancy, foreign=foreign)
    assert [want.key for want in wish.wants] == [key()]
    assert wish.held == ()


@pytest.mark.parametrize(
    ("tenancy", "waits", "what"),
    [
        pytest.param(Tenancy.FOREIGN, False, "is in another tenant", id="foreign, and so it stays"),
        pytest.param(Tenancy.UNKNOWN, True, "is not known to be in our tenant", id="unknown, which may pass"),
    ],
)
def test_a_target_that_is_not_known_to_be_ours_is_held(tenancy: Tenancy, waits: bool, what: str) -> None:
    held = only_held(wished(endpoint(), tenancy=tenancy))
    assert (held.reason, held.waits, held.key, held.name) == (HeldReason.NAME_NOT_ALLOWED, waits, None, "")
    assert held.detail == f"the target {TARGET} {what}, and records.foreignTargets is hold"


@pytest.mark.parametrize("tenancy", [Tenancy.FOREIGN, Tenancy.UNKNOWN])
def test_whose_the_target_is_matters_only_once_the_endpoint_is_ready(tenancy: Tenancy) -> None:
    assert only_held(wished(endpoint(settled=False), tenancy=tenancy)).reason is HeldReason.NOT_READY
    nowhere = only_held(wished(endpoint(), tenancy=tenancy, hubs=[]))
    assert nowhere.reason is HeldReason.NAME_NOT_ALLOWED


# What holds back one name, and only that one.


def bad_name(bad: EndpointName, **changes: Any) -> Held:
    """What is held for one bad name, beside a good one that is served all the same."""
    seen = endpoint(name(BLOB), bad, **changes)
    wish = wished(seen)
    assert written(wish) == [("orders.privatelink.blob.core.windows.net A", ["10.1.0.4"])]
    [held] = wish.held
    return held


NO_NAME = "is not a DNS name"
NOT_ITS_SUFFIX = "no name of type Microsoft.Storage/storageAccounts, group blob ends so"
BARE_SUFFIX = "the bare suffix of type Microsoft.Storage/storageAccounts, group blob"
WILDCARD = "a wildcard, and type Microsoft.Storage/storageAccounts, group blob has none there"


@pytest.mark.parametrize(
    ("fqdn", "rule"),
    [
        pytest.param("orders.vault.azure.net", NOT_ITS_SUFFIX, id="another service's suffix"),
        pytest.param("orders.dfs.core.windows.net", NOT_ITS_SUFFIX, id="another group's suffix"),
        pytest.param("core.windows.net", NOT_ITS_SUFFIX, id="above the suffix"),
        pytest.param("blob.core.windows.net", BARE_SUFFIX, id="the bare suffix"),
        pytest.param("privatelink.blob.core.windows.net", BARE_SUFFIX, id="the bare zone"),
        pytest.param("*.blob.core.windows.net", WILDCARD, id="everybody's accounts"),
        pytest.param("*.BLOB.core.windows.net.", WILDCARD, id="everybody's, spelt otherwise"),
        pytest.param("*.privatelink.blob.core.windows.net", WILDCARD, id="everybody's in the zone itself"),
        pytest.param("*.orders.blob.core.windows.net", WILDCARD, id="a wildcard under the target's own name"),
        pytest.param("*.core.windows.net", NOT_ITS_SUFFIX, id="a wildcard above the suffix"),
        pytest.param("login.microsoftonline.com", NOT_ITS_SUFFIX, id="no private link name at all"),
        pytest.param("orders.blob.core.windows.net.evil.com", NOT_ITS_SUFFIX, id="the suffix inside"),
        pytest.param("xblob.core.windows.net", NOT_ITS_SUFFIX, id="ends alike within a label"),
        pytest.param("", NO_NAME, id="empty"),
        pytest.param(".", NO_NAME, id="the root"),
        pytest.param("\u00f6rders.blob.core.windows.net", "only ASCII", id="umlaut"),
        pytest.param("\u043erders.blob.core.windows.net", "only ASCII", id="Cyrillic o"),
        pytest.param("orders\u3002blob.core.windows.net", "only ASCII", id="an ideographic full stop"),
        pytest.param("ord\u00aders.blob.core.windows.net", "only ASCII", id="a soft hyphen"),
        pytest.param(f"{'o' * 64}.blob.core.windows.net", "is not a label", id="label too long"),
        pytest.param(f"{'o.' * 130}blob.core.windows.net", "1 to 253 characters", id="name too long"),
        pytest.param("x" * 100_000, "1 to 253 characters", id="100 kB"),
        pytest.param("-orders.blob.core.windows.net", "is not a label", id="a hyphen in front"),
        pytest.param("or ders.blob.core.windows.net", "is not a label", id="space"),
        pytest.param("orders/../x.blob.core.windows.net", "is not a label", id="traversal"),
        pytest.param("@.blob.core.windows.net", "is not a label", id="apex sign"),
        pytest.param("*orders.blob.core.windows.net", "is not a label", id="half a wildcard"),
        pytest.param("x.*.blob.core.windows.net", "is not a label", id="a wildcard in the middle"),
        pytest.param("orders..blob.core.windows.net", "is not a label", id="empty label"),
        pytest.param("orders.blob.core.windows.net\n", "is not a label", id="line end"),
    ],
)
@pytest.mark.parametrize("shown", [True, False], ids=["on the interface", "by its owner only"])
def test_a_hostile_name_holds_back_only_itself_and_says_which_rule_forbids_it(
    fqdn: str, rule: str, shown: bool
) -> None:
    held = bad_name(name(fqdn, source=NameSource.NIC if shown else NameSource.ENDPOINT))
    assert held.reason is HeldReason.NAME_NOT_ALLOWED
    assert held.name == fqdn[:253]
    assert (rule in held.detail) or (not shown and "only the endpoint's owner says so" in held.detail)
    assert not held.waits
    assert len(held.detail) < 400


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("8.8.8.8", id="public"),
        pytest.param("127.0.0.1", id="loopback"),
        pytest.param("169.254.169.254", id="metadata service"),
        pytest.param("168.63.129.16", id="the platform's own"),
        pytest.param("2001:db8::1", id="public IPv6"),
        pytest.param("::ffff:10.0.0.4", id="IPv4 in IPv6"),
        pytest.param("fe80::1", id="link-local"),
    ],
)
def test_an_address_outside_the_allowed_networks_is_not_published(address: str) -> None:
    held = bad_name(name("orders.x.blob.core.windows.net", address))
    assert held.reason is HeldReason.NAME_NOT_ALLOWED
    assert "outside records.addresses" in held.detail


def test_one_bad_address_holds_back_the_whole_name() -> None:
    held = bad_name(name("orders.x.blob.core.windows.net", "10.1.0.5", "8.8.8.8"))
    assert "8.8.8.8" in held.detail


@pytest.mark.parametrize("source", NameSource)
def test_an_address_that_the_interface_does_not_hold_is_not_published(source: NameSource) -> None:
    seen = endpoint(
        name(BLOB, "10.1.0.4", "10.1.0.9", source=source), interface_addresses=frozenset(addresses("10.1.0.4"))
    )
    held = only_held(wished(seen))
    assert held.reason is HeldReason.NAME_NOT_ALLOWED
    assert "does not hold the address 10.1.0.9" in held.detail


def test_a_name_without_an_address_waits() -> None:
    bare = EndpointName("orders.x.blob.core.windows.net", (), NameSource.NIC)
    held = bad_name(bare)
    assert (held.reason, held.waits, held.name) == (HeldReason.NOT_READY, True, bare.fqdn)


@pytest.mark.parametrize(
    "fqdn",
    [
        pytest.param("victim.blob.core.windows.net", id="somebody else's account"),
        pytest.param("orders-westus.blob.core.windows.net", id="only begins like the target"),
        pytest.param("xorders.blob.core.windows.net", id="only ends like the target"),
        pytest.param("x.orders.blob.core.windows.net", id="the target's name in another place"),
        pytest.param("blob.core.windows.net", id="the bare suffix"),
        pytest.param("*.blob.core.windows.net", id="everybody's accounts"),
    ],
)
def test_what_only_the_owner_says_must_carry_the_targets_name(fqdn: str) -> None:
    held = only_held(wished(endpoint(name(fqdn, source=NameSource.ENDPOINT))))
    assert held.reason is HeldReason.NAME_NOT_ALLOWED
    assert held.name == fqdn
    assert "'orders'" in held.detail


@pytest.mark.parametrize("fqdn", ["blob.core.windows.net", "BLOB.core.windows.net."])
@pytest.mark.parametrize("source", NameSource)
def test_a_bare_suffix_is_nobodys_name_not_even_an_accounts_that_is_called_so(fqdn: str, source: NameSource) -> None:
    called_blob = target("Microsoft.Storage/storageAccounts", "blob")
    held = only_held(wished(endpoint(name(fqdn, source=source), **called_blob)))
    assert (held.reason, held.name, held.waits) == (HeldReason.NAME_NOT_ALLOWED, fqdn, False)


def test_an_account_that_is_called_like_its_service_is_published_all_the_same() -> None:
    called_blob = target("Microsoft.Storage/storageAccounts", "blob")
    seen = endpoint(name("blob.blob.core.windows.net", source=NameSource.ENDPOINT), **called_blob)
    assert [want.key for want in wished(seen).wants] == [key("blob")]


def test_an_owner_who_names_two_accounts_gets_only_his_own() -> None:
    held = bad_name(name("victim.blob.core.windows.net", source=NameSource.ENDPOINT))
    assert held.name == "victim.blob.core.windows.net"


def test_what_the_owner_says_is_published_where_it_carries_the_targets_name_in_any_case() -> None:
    seen = endpoint(name("ORDERS.blob.core.windows.net", source=NameSource.ENDPOINT))
    assert [want.key for want in wished(seen).wants] == [key()]


def test_the_regional_names_of_a_recorded_cosmos_account_need_the_interface_to_say_so() -> None:
    recorded = document("01_cosmos_sql_recorded")
    bare = {"properties": {"ipConfigurations": [{"properties": {"privateIPAddress": f"10.0.0.{n}"}} for n in (4, 5)]}}
    wish = wished(to_endpoint(recorded, [bare]))
    assert written(wish) == [("cli-test-cosmosdb-pe-000002.privatelink.documents.azure.com A", ["10.0.0.4"])]
    assert [(held.reason, held.name) for held in wish.held] == [
        (HeldReason.NAME_NOT_ALLOWED, "cli-test-cosmosdb-pe-000002-westus.documents.azure.com")
    ]


@pytest.mark.parametrize(
    ("kind", "group", "fqdn"),
    [
        pytest.param("Microsoft.Kusto/clusters", "cluster", "orders.blob.core.windows.net", id="an account's name"),
        pytest.param("Microsoft.Kusto/clusters", "cluster", "orders.made0up.kusto.windows.net", id="any region"),
        pytest.param("Microsoft.RecoveryServices/vaults", "AzureBackup", "orders.queue.core.windows.net", id="a queue"),
        pytest.param("Microsoft.Compute/diskAccesses", "disks", "orders.blob.core.windows.net", id="by a disk access"),
        pytest.param("Microsoft.Devices/IotHubs", "iotHub", "orders.servicebus.windows.net", id="a service bus"),
        pytest.param(
            "Microsoft.DesktopVirtualization/workspaces", "feed", "orders.wvd.microsoft.com", id="everybody's"
        ),
        pytest.param("Microsoft.EventGrid/topics", "topic", "orders.westeurope-1.eventgrid.azure.net", id="by region"),
    ],
)
def test_a_target_that_is_called_like_anothers_name_does_not_give_it_to_its_owner(
    kind: str, group: str, fqdn: str
) -> None:
    """Section 2: customDnsConfigs is the endpoint's owner's to write, and a vault's name is nobody else's business."""
    changes = {"groups": (group,), **target(kind, "orders")}
    held = only_held(wished(endpoint(name(fqdn, source=NameSource.ENDPOINT), **changes), hubs=[hub()]))
    assert (held.reason, held.name, held.missing) == (HeldReason.NAME_NOT_ALLOWED, fqdn, None)
    assert "only the endpoint's owner says so" in held.detail
    shown = only_held(wished(endpoint(name(fqdn), **changes), hubs=[hub()]))
    assert shown.reason is HeldReason.NO_ZONE, "what the interface shows counts"


@pytest.mark.parametrize(("length", "fits"), [(253, True), (254, False)])
def test_a_name_whose_record_would_be_over_long_is_held(length: int, fits: bool) -> None:
    """The zone is a label longer than the public suffix: no name has more than 253 characters (RFC 1035)."""
    left = "orders." + "x." * 100 + "y" * (length - 207 - len(f".{BLOB_ZONE}"))
    fqdn = f"{left}.blob.core.windows.net"
    wish = wished(endpoint(name(fqdn)))
    assert [len(want.key.fqdn) for want in wish.wants] == [length] * fits
    assert [(held.reason, held.name) for held in wish.held] == [(HeldReason.NAME_NOT_ALLOWED, fqdn)] * (not fits)
    assert all("254 characters" in held.detail for held in wish.held)


@pytest.mark.parametrize(("count", "fits"), [(20, True), (21, False)])
def test_a_record_set_holds_twenty_addresses_and_not_one_more(count: int, fits: bool) -> None:
    many = [str(ipaddress.ip_address("10.1.0.10") + step) for step in range(count)]
    wish = wished(endpoint(name(BLOB, *many), name("orders.x.blob.core.windows.net")))
    assert len(wish.wants) == (2 if fits else 1)
    assert [(held.reason, held.key) for held in wish.held] == ([] if fits else [(HeldReason.TOO_MANY_ADDRESSES, key())])


def test_addresses_are_counted_over_all_names_of_a_record() -> None:
    vault = {"groups": ("vault",), **target("Microsoft.KeyVault/vaults", "orders")}
    one, other = ([f"10.1.{block}.{host}" for host in range(1, 12)] for block in (1, 2))
    wish = wished(endpoint(name("orders.vault.azure.net", *one), name("orders.vaultcore.azure.net", *other), **vault))
    held = only_held(wish)
    assert (held.reason, held.detail) == (HeldReason.TOO_MANY_ADDRESSES, "22 addresses")


# Hubs.


def test_every_hub_that_publishes_the_endpoint_gets_its_record() -> None:
    wish = wished(endpoint(), hubs=[hub(BLOB_ZONE), hub(BLOB_ZONE, called="neu", group="rg-north")])
    assert [(want.hub, want.key.zone.group) for want in wish.wants] == [("weu", "rg-dns"), ("neu", "rg-north")]


def test_a_zone_that_two_hubs_share_gets_one_record() -> None:
    wish = wished(endpoint(), hubs=[hub(BLOB_ZONE), hub(BLOB_ZONE, called="neu")])
    assert [(want.hub, want.key, want.addresses) for want in wish.wants] == [("weu", key(), addresses("10.1.0.4"))]


@pytest.mark.parametrize(
    ("changes", "publishing"),
    [
        pytest.param({"location": "westeurope"}, ["weu"], id="by location"),
        pytest.param({"location": "northeurope"}, ["neu"], id="by the other location"),
    ],
)
def test_an_endpoint_goes_to_the_hub_that_publishes_its_location(
    changes: dict[str, str], publishing: list[str]
) -> None:
    hubs = [hub(BLOB_ZONE, locations=("westeurope",)), hub(BLOB_ZONE, called="neu", locations=("northeurope",))]
    assert [want.hub for want in wished(endpoint(**changes), hubs=hubs).wants] == publishing


@pytest.mark.parametrize(
    "hubs",
    [
        pytest.param([hub(BLOB_ZONE, locations=("northeurope",))], id="another location"),
        pytest.param(
            [hub(BLOB_ZONE, subscriptions=("33333333-3333-4333-8333-333333333333",))], id="another subscription"
        ),
        pytest.param([], id="no hub at all"),
    ],
)
def test_an_endpoint_that_no_hub_publishes_is_held(hubs: list[HubZones]) -> None:
    held = only_held(wished(endpoint(), hubs=hubs))
    assert held.reason is HeldReason.NO_HUB
    assert SPOKE in held.detail


def test_a_hub_without_the_zone_holds_only_itself_back() -> None:
    wish = wished(endpoint(), hubs=[hub("privatelink.dfs.core.windows.net", called="neu"), hub(BLOB_ZONE)])
    assert [(want.hub, want.key) for want in wish.wants] == [("weu", key())]
    [held] = wish.held
    assert (held.reason, held.name) == (HeldReason.NO_ZONE, BLOB)
    assert held.detail == f"hub neu has no zone {BLOB_ZONE}"


TROUBLE = hub(called="neu", group="rg-north", trouble="listing zones: Azure answered 403")


def test_a_hub_whose_zones_could_not_be_listed_is_in_doubt_name_by_name() -> None:
    wish = wished(endpoint(name(BLOB), name("orders.x.blob.core.windows.net")), hubs=[TROUBLE])
    assert wish.wants == ()
    assert [(held.reason, held.name, held.key, held.waits) for held in wish.held] == [
        (HeldReason.UNCERTAIN, fqdn, None, True) for fqdn in (BLOB, "orders.x.blob.core.windows.net")
    ]
    assert {held.detail for held in wish.held} == {
        "the zones of hub neu could not be listed: listing zones: Azure answered 403"
    }


def test_one_hubs_trouble_holds_nothing_back_in_another() -> None:
    for hubs in ([TROUBLE, hub(BLOB_ZONE)], [hub(BLOB_ZONE), TROUBLE]):
        wish = wished(endpoint(), hubs=hubs)
        assert [(want.hub, want.key) for want in wish.wants] == [("weu", key())]
        assert [held.reason for held in wish.held] == [HeldReason.UNCERTAIN]


def test_the_trouble_of_a_hub_that_does_not_publish_the_endpoint_is_none_of_its() -> None:
    elsewhere = hub(called="neu", locations=("northeurope",), trouble="no answer")
    wish = wished(endpoint(), hubs=[elsewhere, hub(BLOB_ZONE)])
    assert ([want.hub for want in wish.wants], wish.held) == (["weu"], ())


def test_zones_that_were_listed_before_the_trouble_are_not_believed() -> None:
    found = only_held(wished(endpoint(), hubs=[hub(BLOB_ZONE, trouble="no answer")]))
    assert found.reason is HeldReason.UNCERTAIN


def test_a_name_that_may_not_be_published_is_held_for_that_even_in_trouble() -> None:
    held = only_held(wished(endpoint(name("orders.vault.azure.net")), hubs=[TROUBLE]))
    assert held.reason is HeldReason.NAME_NOT_ALLOWED


def test_the_most_specific_zone_that_the_hub_has_holds_the_record() -> None:
    kind = "Microsoft.Storage/storageAccounts"
    rows = Catalogue(
        [
            Row(kind, "blob", zone="p.net", suffix="core.windows.net"),
            Row(kind, "blob", zone="blob.p.net", suffix="blob.core.windows.net"),
        ]
    )
    both = wished(endpoint(), rows=rows, hubs=[hub("p.net", "blob.p.net")])
    wide = wished(endpoint(), rows=rows, hubs=[hub("p.net")])
    assert written(both) == [("orders.blob.p.net A", ["10.1.0.4"])]
    assert written(wide) == [("orders.blob.p.net A", ["10.1.0.4"])]


def test_the_most_specific_zone_is_found_over_all_groups_of_an_endpoint() -> None:
    kind = "Microsoft.Storage/storageAccounts"
    rows = Catalogue(
        [
            Row(kind, "web", zone="wide.example", suffix="core.windows.net"),
            Row(kind, "blob", zone="narrow.example", suffix="blob.core.windows.net"),
        ]
    )
    for groups in (("web", "blob"), ("blob", "web")):
        wish = wished(endpoint(groups=groups), rows=rows, hubs=[hub("wide.example", "narrow.example")])
        assert written(wish) == [("orders.narrow.example A", ["10.1.0.4"])]


def test_a_zone_that_holds_a_part_of_a_service_answers_where_somebody_made_it() -> None:
    """Microsoft's table, footnote 3: `scm` is no zone of its own; made all the same, it is the one that answers."""
    seen = endpoint(
        name("orders.azurewebsites.net"),
        name("orders.scm.azurewebsites.net"),
        groups=("sites",),
        **target("Microsoft.Web/sites", "orders"),
    )
    rows = Catalogue(
        [
            Row("Microsoft.Web/sites", "sites", "privatelink.azurewebsites.net", "azurewebsites.net"),
            Row(
                "Microsoft.Web/sites",
                "sites",
                "scm.privatelink.azurewebsites.net",
                "scm.azurewebsites.net",
                traits=frozenset({Trait.PART}),
            ),
        ]
    )
    both = ("privatelink.azurewebsites.net", "scm.privatelink.azurewebsites.net")
    for zones in (both, both[:1]):
        wish = wished(seen, rows=rows, hubs=[hub(*zones)])
        assert {str(want.key) for want in wish.wants} == {
            "orders.privatelink.azurewebsites.net A",
            "orders.scm.privatelink.azurewebsites.net A",
        }
        assert {want.key.zone.name for want in wish.wants} == set(zones)
    lacking = wished(seen, rows=rows, hubs=[hub()])
    assert {held.missing for held in lacking.held} == {MissingZone("weu", DnsName(both[0]), creatable=True)}


@pytest.mark.parametrize(
    ("zone", "traits", "creatable"),
    [
        pytest.param(BLOB_ZONE, frozenset[Trait](), True, id="a zone like any other"),
        pytest.param("privatelink-global.wvd.microsoft.com", frozenset[Trait](), True, id="one of another such label"),
        pytest.param(BLOB_ZONE, frozenset({Trait.NOT_CREATED}), False, id="one that is never to be made"),
        pytest.param(BLOB_ZONE, frozenset({Trait.PART}), False, id="one that is none of its own"),
        pytest.param("core.windows.net", frozenset[Trait](), False, id="one with more names than private links"),
        pytest.param("xprivatelink.windows.net", frozenset[Trait](), False, id="one that is only called alike"),
    ],
)
def test_a_missing_zone_says_whether_it_may_be_made(zone: str, traits: frozenset[Trait], creatable: bool) -> None:
    rows = Catalogue([Row(TARGET.type, "blob", zone, "blob.core.windows.net", traits=traits)])
    held = only_held(wished(endpoint(), rows=rows, hubs=[hub()]))
    assert (held.reason, held.missing) == (HeldReason.NO_ZONE, MissingZone("weu", DnsName(zone), creatable))
    assert ("Hubwarden never makes" in held.detail) is not creatable


# What is peculiar about a service.

SHARED_ROW = Row(
    "Microsoft.Insights/privateLinkScopes",
    "azuremonitor",
    "privatelink.monitor.azure.com",
    "monitor.azure.com",
    traits=frozenset({Trait.SHARED}),
)
SCOPE = target("Microsoft.Insights/privateLinkScopes", "scope")


@pytest.mark.parametrize("source", NameSource)
def test_a_name_that_answers_for_everybody_is_published_only_for_targets_of_records_shared(source: NameSource) -> None:
    """Law 7: Azure Monitor's names carry the name of no scope, so the last scope would take them from all others."""
    seen = endpoint(name("api.monitor.azure.com", source=source), groups=("azuremonitor",), **SCOPE)
    zones, rows = hub("privatelink.monitor.azure.com"), Catalogue([SHARED_ROW])
    held = only_held(wished(seen, hubs=[zones], rows=rows))
    granted = wished(seen, hubs=[zones], rows=rows, shared=frozenset({ResourceId.parse(SCOPE["target_text"].upper())}))
    if source is NameSource.NIC:
        assert (held.reason, held.name) == (HeldReason.SHARED_NAME, "api.monitor.azure.com")
        assert str(SCOPE["target"]) in held.detail
        assert written(granted) == [("api.privatelink.monitor.azure.com A", ["10.1.0.4"])]
    else:
        assert (held.reason, granted.wants) == (HeldReason.NAME_NOT_ALLOWED, ())


def test_records_that_the_service_writes_itself_are_never_written() -> None:
    kind = "Microsoft.ContainerService/managedClusters"
    rows = Catalogue(
        [Row(kind, "management", "privatelink.azmk8s.io", "azmk8s.io", traits=frozenset({Trait.OWN_RECORDS}))]
    )
    seen = endpoint(name("aks-1.azmk8s.io"), groups=("management",), **target(kind, "aks"))
    held = only_held(wished(seen, rows=rows, hubs=[hub("privatelink.azmk8s.io")]))
    assert (held.reason, held.name) == (HeldReason.SERVED_BY_OTHER, "aks-1.azmk8s.io")
    assert "the service writes the records" in held.detail


# Types and groups that the table lacks.

NEW_KIND = target("Contoso.New/things", "orders")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(NEW_KIND, id="a new type"),
        pytest.param({"groups": ("unheard",)}, id="a new group of a known type"),
        pytest.param({"groups": ()}, id="no group"),
    ],
)
def test_a_service_that_the_table_lacks_goes_by_its_suffix_where_the_interface_shows_the_name(
    changes: dict[str, Any],
) -> None:
    assert [want.key for want in wished(endpoint(**changes)).wants] == [key()]
    told = wished(endpoint(name(BLOB, source=NameSource.ENDPOINT), **changes))
    held = only_held(told)
    assert (held.reason, held.name, held.waits) == (HeldReason.UNKNOWN_SERVICE, BLOB, False)
    assert "the interface does not show the name" in held.detail


@pytest.mark.parametrize(
    "fqdn",
    [
        pytest.param("orders.new.contoso.com", id="a suffix of nobody's"),
        pytest.param("blob.core.windows.net", id="a bare suffix"),
        pytest.param("*.blob.core.windows.net", id="a wildcard"),
    ],
)
def test_a_service_whose_suffix_is_unknown_is_listed_name_by_name(fqdn: str) -> None:
    wish = wished(endpoint(name(BLOB), name(fqdn), **NEW_KIND))
    assert [want.key for want in wish.wants] == [key()]
    [held] = wish.held
    assert (held.reason, held.name, held.waits) == (HeldReason.UNKNOWN_SERVICE, fqdn, False)
    assert "type Contoso.New/things, group blob" in held.detail
    assert "catalog.rows can add one" in held.detail


def test_a_service_that_is_unknown_and_shows_no_names_is_listed_and_looked_at_again() -> None:
    held = only_held(wished(endpoint(names=(), **NEW_KIND)))
    assert (held.reason, held.waits, held.name) == (HeldReason.UNKNOWN_SERVICE, True, "")


@pytest.mark.parametrize("fqdn", ["", "x" * 300])
def test_a_hostile_name_of_an_unknown_service_is_held_for_that(fqdn: str) -> None:
    assert only_held(wished(endpoint(name(fqdn), **NEW_KIND))).reason is HeldReason.NAME_NOT_ALLOWED


def test_several_groups_of_one_endpoint_each_bring_their_rows() -> None:
    seen = endpoint(name(BLOB), name("orders.table.core.windows.net"), groups=("BLOB", "table", "unheard"))
    assert written(wished(seen)) == [
        ("orders.privatelink.blob.core.windows.net A", ["10.1.0.4"]),
        ("orders.privatelink.table.core.windows.net A", ["10.1.0.4"]),
    ]
