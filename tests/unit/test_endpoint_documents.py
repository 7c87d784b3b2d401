"""From Azure's documents to our values: endpoints with their interfaces, and record sets."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from hubwarden.arm.endpoints import to_endpoint
from hubwarden.arm.zones import to_record_set
from hubwarden.errors import InputError
from hubwarden.model.endpoint import ConnectionStatus, Endpoint, EndpointName, NameSource
from hubwarden.model.record import Keeper, RecordSet, RecordType
from hubwarden.model.resource_id import ResourceId
from tests.unit.given import ENDPOINT, addresses, document, key, owner

NIC, OWNER_SAYS = NameSource.NIC, NameSource.ENDPOINT


def shown(seen: Endpoint) -> list[tuple[str, list[str], NameSource]]:
    return [(each.fqdn, [str(address) for address in each.addresses], each.source) for each in seen.names]


def interface(*configurations: tuple[str | None, list[str] | None]) -> dict[str, Any]:
    """An interface with one configuration for each address and the names that Azure put beside it."""
    return {
        "properties": {
            "ipConfigurations": [
                {"properties": {"privateIPAddress": address, "privateLinkConnectionProperties": {"fqdns": fqdns}}}
                for address, fqdns in configurations
            ]
        }
    }


def with_connection(**changes: Any) -> dict[str, Any]:
    """The key vault's document with something else in its connection."""
    changed = document("11_key_vault")
    changed["properties"]["privateLinkServiceConnections"][0]["properties"].update(changes)
    return changed


def test_a_recorded_endpoint_is_read_whole() -> None:
    recorded = document("01_cosmos_sql_recorded")
    account = "databaseAccounts/cli-test-cosmosdb-pe-000002"
    seen = to_endpoint(recorded, [interface(("10.0.0.4", None), ("10.0.0.5", []))])
    assert str(seen.id) == recorded["id"]
    assert (seen.guid, seen.location) == ("95b70f74-7d34-469d-ac32-9ddc10eeed5f", "eastus")
    assert seen.target is not None
    assert str(seen.target) == seen.target_text
    assert seen.target_text.endswith(f"Microsoft.DocumentDB/{account}")
    assert (seen.groups, seen.status) == (("Sql",), ConnectionStatus.APPROVED)
    assert (seen.manual, seen.settled) == (False, True)
    assert shown(seen) == [
        ("cli-test-cosmosdb-pe-000002.documents.azure.com", ["10.0.0.4"], OWNER_SAYS),
        ("cli-test-cosmosdb-pe-000002-westus.documents.azure.com", ["10.0.0.5"], OWNER_SAYS),
    ]
    assert seen.interface_addresses == frozenset(addresses("10.0.0.4", "10.0.0.5"))


def test_a_recorded_manual_request_is_pending_and_shows_no_names() -> None:
    recorded = document("04_acr_manual_pending_recorded")
    seen = to_endpoint(recorded, recorded["properties"]["networkInterfaces"])
    assert (seen.status, seen.manual, seen.settled) == (ConnectionStatus.PENDING, True, True)
    assert (seen.groups, seen.names, seen.interface_addresses) == (("registry",), (), frozenset())


def test_names_come_from_the_interface_however_many_configurations_it_has() -> None:
    seen = to_endpoint(document("05_acr_georeplicated"), [document("05b_acr_georeplicated_nic")])
    assert shown(seen) == [
        ("myregistry.azurecr.io", ["10.20.2.6"], NIC),
        ("myregistry.eastus.data.azurecr.io", ["10.20.2.4"], NIC),
        ("myregistry.westus.data.azurecr.io", ["10.20.2.5"], NIC),
    ]


def test_an_endpoint_with_a_zone_group_shows_its_name_on_the_interface_only() -> None:
    whole = document("19_kv_zone_group_attached")
    assert to_endpoint(whole, whole["properties"]["networkInterfaces"]).names == ()
    seen = to_endpoint(whole, [document("19b_kv_zone_group_attached_nic")])
    assert shown(seen) == [("kv-zg.vault.azure.net", ["10.20.7.9"], NIC)]


@pytest.mark.parametrize(
    ("called", "fqdns"),
    [
        ("07_aml_workspace", 4),
        ("11_key_vault", 1),
        ("13_webapp_with_scm", 2),
        ("15_pls_manual_approved_empty_dns", 0),
    ],
)
def test_what_the_owner_can_write_is_believed_of_nothing_without_an_interface(called: str, fqdns: int) -> None:
    whole = document(called)
    bare = to_endpoint(whole, whole["properties"]["networkInterfaces"])
    beside = to_endpoint(whole, [interface(("10.20.7.4", None))])
    assert bare.names == ()
    assert [each.source for each in beside.names] == [OWNER_SAYS] * fqdns


def test_the_interface_outvotes_what_the_owner_wrote() -> None:
    whole = document("11_key_vault")
    whole["properties"]["customDnsConfigs"] = [{"fqdn": "victim.vault.azure.net", "ipAddresses": ["10.20.7.4"]}]
    seen = to_endpoint(whole, [interface(("10.20.7.4", ["kv-hub.vault.azure.net"]))])
    assert shown(seen) == [("kv-hub.vault.azure.net", ["10.20.7.4"], NIC)]


def test_one_name_on_several_configurations_has_all_their_addresses() -> None:
    seen = to_endpoint(
        document("11_key_vault"),
        [
            interface(("10.0.0.10", ["a.vault.azure.net"]), ("10.0.0.9", ["a.vault.azure.net", "b.vault.azure.net"])),
            interface(("10.0.0.2", ["a.vault.azure.net"])),
        ],
    )
    assert shown(seen) == [
        ("a.vault.azure.net", ["10.0.0.2", "10.0.0.9", "10.0.0.10"], NIC),
        ("b.vault.azure.net", ["10.0.0.9"], NIC),
    ]


def test_an_interface_over_ipv6_is_read_like_any_other() -> None:
    seen = to_endpoint(document("11_key_vault"), [interface(("fd00::4", ["a.vault.azure.net"]))])
    assert seen.names == (EndpointName("a.vault.azure.net", addresses("fd00::4"), NIC),)


def test_both_families_on_one_name_are_ordered_by_family_whoever_shows_them() -> None:
    both = ["fd00::10", "10.0.0.10", "fd00::9", "10.0.0.9", "10.0.0.10"]
    in_order = ["10.0.0.9", "10.0.0.10", "fd00::9", "fd00::10"]
    whole = document("11_key_vault")
    whole["properties"]["customDnsConfigs"] = [{"fqdn": "a.vault.azure.net", "ipAddresses": both}]
    on_interface = to_endpoint(whole, [interface(*((address, ["a.vault.azure.net"]) for address in both))])
    on_endpoint = to_endpoint(whole, [interface(*((address, None) for address in both))])
    assert shown(on_interface) == [("a.vault.azure.net", in_order, NIC)]
    assert shown(on_endpoint) == [("a.vault.azure.net", in_order, OWNER_SAYS)]


@pytest.mark.parametrize("address", ["", None, "not yet", "10.0.0.256", 4])
def test_an_interface_without_an_address_shows_its_names_all_the_same(address: Any) -> None:
    seen = to_endpoint(document("11_key_vault"), [interface((address, ["a.vault.azure.net"]))])
    assert shown(seen) == [("a.vault.azure.net", [], NIC)]
    assert seen.interface_addresses == frozenset()


@pytest.mark.parametrize(
    ("status", "read"),
    [
        ("Approved", ConnectionStatus.APPROVED),
        ("APPROVED", ConnectionStatus.APPROVED),
        ("pending", ConnectionStatus.PENDING),
        ("Rejected", ConnectionStatus.REJECTED),
        ("Disconnected", ConnectionStatus.DISCONNECTED),
        ("Timeout", ConnectionStatus.UNKNOWN),
        ("", ConnectionStatus.UNKNOWN),
        (None, ConnectionStatus.UNKNOWN),
    ],
)
def test_a_status_is_read_without_case_and_no_other_is_guessed(status: str | None, read: ConnectionStatus) -> None:
    changed = with_connection(privateLinkServiceConnectionState={"status": status})
    assert to_endpoint(changed, []).status is read


@pytest.mark.parametrize(
    ("state", "settled"),
    [("Succeeded", True), ("succeeded", True), ("Updating", False), ("Failed", False), ("", False), (None, False)],
)
def test_only_a_succeeded_endpoint_is_settled(state: str | None, settled: bool) -> None:
    changed = document("11_key_vault")
    changed["properties"]["provisioningState"] = state
    assert to_endpoint(changed, []).settled is settled


@pytest.mark.parametrize(
    "target", ["pls-partner.6a3bd0a6-7c95-4b2a-9f1c-1d2e3f405060.westeurope.azure.privatelinkservice", "", None, "/x/y"]
)
def test_a_target_that_is_no_resource_id_is_kept_as_text(target: str | None) -> None:
    seen = to_endpoint(with_connection(privateLinkServiceId=target), [])
    assert seen.target is None
    assert seen.target_text == (target or "")


def _without(whole: dict[str, Any], value: Any, *absent: str) -> dict[str, Any]:
    changed = deepcopy(whole)
    for name in absent:
        if value == "absent":
            del changed["properties"][name]
        else:
            changed["properties"][name] = value
    return changed


@pytest.mark.parametrize("empty", ["absent", None, []])
def test_azure_shows_an_empty_list_in_three_ways(empty: Any) -> None:
    lists = ("privateLinkServiceConnections", "manualPrivateLinkServiceConnections", "customDnsConfigs")
    seen = to_endpoint(_without(document("11_key_vault"), empty, *lists), [interface(("10.0.0.4", None))])
    assert (seen.groups, seen.names, seen.target, seen.target_text) == ((), (), None, "")
    assert (seen.status, seen.manual) == (ConnectionStatus.UNKNOWN, False)


@pytest.mark.parametrize(
    "bare",
    [{}, {"properties": None}, {"properties": {}}, {"properties": {"privateLinkServiceConnections": [{}]}}],
    ids=["nothing", "null", "empty", "an empty connection"],
)
def test_an_endpoint_that_shows_nothing_is_read_as_not_settled(bare: dict[str, Any]) -> None:
    seen = to_endpoint(
        {"id": str(ENDPOINT), **bare}, [{}, {"properties": None}, {"properties": {"ipConfigurations": None}}]
    )
    assert seen == Endpoint(
        ENDPOINT,
        "",
        "",
        None,
        "",
        (),
        ConnectionStatus.UNKNOWN,
        False,
        False,
        names=(),
        interface_addresses=frozenset(),
    )


@pytest.mark.parametrize("wrong", ["kv-hub.vault.azure.net", {"0": "kv-hub.vault.azure.net"}])
@pytest.mark.parametrize("where", ["fqdns", "ipAddresses", "groupIds"])
def test_a_text_where_a_list_belongs_is_refused_and_not_read_letter_by_letter(where: str, wrong: Any) -> None:
    shown, held = document("11_key_vault"), interface(("10.0.0.4", None))
    if where == "fqdns":
        link = held["properties"]["ipConfigurations"][0]["properties"]
        link["privateLinkConnectionProperties"] = {"fqdns": wrong}
    elif where == "ipAddresses":
        shown["properties"]["customDnsConfigs"][0]["ipAddresses"] = wrong
    else:
        shown["properties"]["privateLinkServiceConnections"][0]["properties"]["groupIds"] = wrong
    with pytest.raises(InputError, match=f"{where} is no list"):
        to_endpoint(shown, [held])


@pytest.mark.parametrize("bad", [None, "", "pe", 5, "/subscriptions/x"])
def test_an_endpoint_without_an_id_of_its_own_is_refused(bad: Any) -> None:
    with pytest.raises(InputError):
        to_endpoint({**document("11_key_vault"), "id": bad}, [])


# Record sets.

RECORDED: dict[str, Any] = {
    "id": str(key().zone) + "/A/orders",
    "name": "orders",
    "type": "Microsoft.Network/privateDnsZones/A",
    "etag": "70c849bf-9e98-4b4a-9f75-b2447b938fcc",
    "properties": {
        "metadata": owner().to_metadata(),
        "fqdn": "orders.privatelink.blob.core.windows.net.",
        "ttl": 10,
        "aRecords": [{"ipv4Address": "10.1.0.10"}, {"ipv4Address": "10.1.0.9"}],
        "isAutoRegistered": False,
    },
}


def record_set(**changes: Any) -> RecordSet:
    return to_record_set(key(), {**RECORDED, "properties": {**RECORDED["properties"], **changes}})


def test_a_record_set_is_read_whole() -> None:
    assert to_record_set(key(), RECORDED) == RecordSet(
        key(), addresses("10.1.0.9", "10.1.0.10"), 10, "70c849bf-9e98-4b4a-9f75-b2447b938fcc", Keeper.HUBWARDEN, owner()
    )


def test_an_aaaa_record_set_has_its_addresses_under_another_name() -> None:
    aaaa = key(kind=RecordType.AAAA)
    properties = {"ttl": 10, "aaaaRecords": [{"ipv6Address": "fd00::4"}], "aRecords": [{"ipv4Address": "10.1.0.4"}]}
    assert to_record_set(aaaa, {"etag": "e", "properties": properties}).addresses == addresses("fd00::4")


@pytest.mark.parametrize("metadata", [None, {}])
def test_a_record_set_without_metadata_is_unmarked(metadata: Any) -> None:
    seen = record_set(metadata=metadata)
    assert (seen.keeper, seen.owner) == (Keeper.UNMARKED, None)


def test_a_record_set_whose_creator_is_null_is_unmarked() -> None:
    assert record_set(metadata={"creator": None}).keeper is Keeper.UNMARKED


def test_a_record_set_of_a_zone_group_is_its_own() -> None:
    assert record_set(metadata={"creator": "created by private endpoint x"}).keeper is Keeper.ZONE_GROUP


@pytest.mark.parametrize(("registered", "keeper"), [(True, Keeper.AUTO_REGISTRATION), (None, Keeper.HUBWARDEN)])
def test_an_auto_registered_record_set_says_so(registered: bool | None, keeper: Keeper) -> None:
    assert record_set(isAutoRegistered=registered).keeper is keeper


@pytest.mark.parametrize("bare", [{}, {"properties": None}, {"properties": {"aRecords": None}}])
def test_a_record_set_that_shows_nothing_is_nobodys_and_empty(bare: dict[str, Any]) -> None:
    assert to_record_set(key(), bare) == RecordSet(key(), (), 0, "", Keeper.UNMARKED)


def test_an_id_in_a_mark_is_compared_without_case() -> None:
    shouted = {**owner().to_metadata(), "hubwarden_endpoint": str(ENDPOINT).upper()}
    mark = record_set(metadata=shouted).owner
    assert mark is not None
    assert mark.endpoint == ENDPOINT
    assert isinstance(mark.endpoint, ResourceId)
