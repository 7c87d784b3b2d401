"""Every document of Azure that we have, as it is: what its endpoint asks for, or why it gets nothing, by hand."""

from __future__ import annotations

from typing import Any

import pytest

from hubwarden.arm.connections import to_connection
from hubwarden.arm.endpoints import to_endpoint
from hubwarden.arm.zone_groups import to_zone_group
from hubwarden.catalog import catalogue
from hubwarden.dns.wants import Wishes, wishes
from hubwarden.errors import InputError
from hubwarden.model.endpoint import ConnectionStatus, Endpoint, Tenancy
from hubwarden.model.plan import HeldReason
from tests.unit.given import DOCUMENTS, PRIVATE, document, hub

WORKSPACE = "11111111-2222-3333-4444-555555555555"
ML = "fb7e20a0-8891-458b-b969-55ddb3382f51"

# What each endpoint's names must become, once its interface shows them: zone, record, address.
RECORDS: dict[str, list[tuple[str, str, str]]] = {
    "01_cosmos_sql_recorded": [
        ("privatelink.documents.azure.com", "cli-test-cosmosdb-pe-000002", "10.0.0.4"),
        ("privatelink.documents.azure.com", "cli-test-cosmosdb-pe-000002-westus", "10.0.0.5"),
    ],
    "05_acr_georeplicated": [
        ("privatelink.azurecr.io", "myregistry.eastus.data", "10.20.2.4"),
        ("privatelink.azurecr.io", "myregistry.westus.data", "10.20.2.5"),
        ("privatelink.azurecr.io", "myregistry", "10.20.2.6"),
    ],
    "06_ampls_13_fqdns": [
        ("privatelink.monitor.azure.com", "api", "10.20.3.4"),
        ("privatelink.monitor.azure.com", "global.in.ai", "10.20.3.5"),
        ("privatelink.monitor.azure.com", "profiler", "10.20.3.6"),
        ("privatelink.monitor.azure.com", "live", "10.20.3.7"),
        ("privatelink.monitor.azure.com", "diagservices-query", "10.20.3.8"),
        ("privatelink.monitor.azure.com", "snapshot", "10.20.3.9"),
        ("privatelink.monitor.azure.com", "global.handler.control", "10.20.3.10"),
        ("privatelink.monitor.azure.com", "japaneast-0.in.ai", "10.20.3.11"),
        ("privatelink.monitor.azure.com", "japaneast.livediagnostics", "10.20.3.12"),
        ("privatelink.blob.core.windows.net", "scadvisorcontentpl", "10.20.3.13"),
        ("privatelink.oms.opinsights.azure.com", WORKSPACE, "10.20.3.14"),
        ("privatelink.ods.opinsights.azure.com", WORKSPACE, "10.20.3.15"),
        ("privatelink.agentsvc.azure-automation.net", WORKSPACE, "10.20.3.16"),
    ],
    "07_aml_workspace": [
        ("privatelink.api.azureml.ms", f"{ML}.workspace.eastus", "10.1.0.5"),
        ("privatelink.api.azureml.ms", f"{ML}.workspace.eastus.cert", "10.1.0.5"),
        ("privatelink.notebooks.azure.net", f"ml-myworkspace-eastus-{ML}.eastus", "10.1.0.6"),
        ("privatelink.api.azureml.ms", f"*.{ML}.inference.eastus", "10.1.0.7"),
    ],
    "11_key_vault": [("privatelink.vaultcore.azure.net", "kv-hub", "10.20.7.4")],
    "13_webapp_with_scm": [
        ("privatelink.azurewebsites.net", "web-orders", "10.20.9.4"),
        ("privatelink.azurewebsites.net", "web-orders.scm", "10.20.9.4"),
    ],
    "19_kv_zone_group_attached": [("privatelink.vaultcore.azure.net", "kv-zg", "10.20.7.9")],
}
# What remains of them where the interface shows addresses and no names: names that carry the target's own name.
WITHOUT_NAMES_ON_THE_INTERFACE: dict[str, list[str]] = {
    "01_cosmos_sql_recorded": ["cli-test-cosmosdb-pe-000002"],
    "05_acr_georeplicated": ["myregistry.eastus.data", "myregistry.westus.data", "myregistry"],
    "06_ampls_13_fqdns": [],
    "07_aml_workspace": [],
    "11_key_vault": ["kv-hub"],
    "13_webapp_with_scm": ["web-orders", "web-orders.scm"],
}
NO_RECORDS = {
    "04_acr_manual_pending_recorded": HeldReason.NOT_APPROVED,
    "15_pls_manual_approved_empty_dns": HeldReason.NO_NAMES,
}
INTERFACES = {
    "05b_acr_georeplicated_nic": "05_acr_georeplicated",
    "19b_kv_zone_group_attached_nic": "19_kv_zone_group_attached",
}
NO_ENDPOINTS = {"04b_acr_connections_list_recorded", "04c_acr_approve_put_recorded", "17_spec_dns_zone_group"}


def interface(whole: dict[str, Any], *, names: bool = True) -> dict[str, Any]:
    """The network interface that Azure makes beside such an endpoint (behaviour reference section 2.3)."""
    by_address: dict[str, list[str]] = {}
    for shown in whole["properties"]["customDnsConfigs"]:
        for address in shown["ipAddresses"]:
            by_address.setdefault(address, []).append(shown["fqdn"])
    configurations = [
        {
            "properties": {
                "privateIPAddress": address,
                "privateLinkConnectionProperties": {"fqdns": fqdns if names else []},
            }
        }
        for address, fqdns in by_address.items()
    ]
    return {"properties": {"ipConfigurations": configurations}}


def endpoint_of(called: str, *, names: bool = True) -> Endpoint:
    """The endpoint of a document, beside its own interface document where there is one."""
    own = next((nic for nic, endpoint in INTERFACES.items() if endpoint == called and names), None)
    whole = document(called)
    return to_endpoint(whole, [document(own) if own else interface(whole, names=names)])


def wished(seen: Endpoint, *, shared: bool = True) -> Wishes:
    """What it asks for in a hub with all the zones."""
    zones = {zone for records in RECORDS.values() for zone, _, _ in records}
    return wishes(
        seen,
        tenancy=Tenancy.OURS,
        hubs=[hub(*sorted(zones))],
        catalogue=catalogue("public"),
        networks=PRIVATE,
        publishes_foreign_targets=False,
        shared=frozenset({seen.target} if shared and seen.target else ()),
    )


def published(wish: Wishes) -> list[tuple[str, str, str]]:
    return sorted(
        (want.key.zone.name, want.key.name, str(address)) for want in wish.wants for address in want.addresses
    )


def test_no_document_is_without_an_expectation() -> None:
    told = RECORDS.keys() | NO_RECORDS.keys() | INTERFACES.keys() | NO_ENDPOINTS
    assert {file.stem for file in DOCUMENTS.glob("*.json")} == told


@pytest.mark.parametrize("called", RECORDS)
def test_every_endpoint_gets_the_records_that_were_written_by_hand(called: str) -> None:
    wish = wished(endpoint_of(called))
    assert published(wish) == sorted(RECORDS[called])
    assert wish.held == ()


@pytest.mark.parametrize("called", WITHOUT_NAMES_ON_THE_INTERFACE)
def test_where_only_the_owner_says_so_names_must_carry_the_targets_own(called: str) -> None:
    """Design section 3.2: customDnsConfigs can be written by the endpoint's owner."""
    wish = wished(endpoint_of(called, names=False))
    records = WITHOUT_NAMES_ON_THE_INTERFACE[called]
    assert published(wish) == sorted(record for record in RECORDS[called] if record[1] in records)
    assert {held.reason for held in wish.held} <= {HeldReason.NAME_NOT_ALLOWED}
    assert len(wish.held) + len(records) == len(RECORDS[called])


@pytest.mark.parametrize("called", RECORDS)
def test_no_document_is_believed_without_its_interface(called: str) -> None:
    whole = document(called)
    wish = wished(to_endpoint(whole, whole["properties"]["networkInterfaces"]))
    assert wish.wants == ()
    assert [(held.reason, held.waits) for held in wish.held] == [(HeldReason.NOT_READY, True)]


@pytest.mark.parametrize(("called", "reason"), NO_RECORDS.items())
def test_an_endpoint_that_gets_nothing_is_told_why(called: str, reason: HeldReason) -> None:
    wish = wished(endpoint_of(called))
    assert wish.wants == ()
    assert [held.reason for held in wish.held] == [reason]


def test_a_scope_of_azure_monitor_takes_no_name_from_anybody_unless_the_owner_says_so() -> None:
    """Law 7: thirteen names in five zones, and every one of them answers for all who resolve there."""
    wish = wished(endpoint_of("06_ampls_13_fqdns"), shared=False)
    assert wish.wants == ()
    assert [held.reason for held in wish.held] == [HeldReason.SHARED_NAME] * 13


def test_a_recorded_connection_waits_also_in_the_answer_to_its_approval() -> None:
    """Approval is not done when the PUT is answered: the recorded answer still says Pending."""
    [listed] = document("04b_acr_connections_list_recorded")["value"]
    answered = document("04c_acr_approve_put_recorded")["response"]["body"]
    for shown in (listed, answered):
        connection = to_connection(shown)
        assert connection.status is ConnectionStatus.PENDING
        assert connection.endpoint == endpoint_of("04_acr_manual_pending_recorded").id
        assert connection.target == endpoint_of("04_acr_manual_pending_recorded").target


def test_the_specifications_own_example_of_a_zone_group_has_no_resource_ids() -> None:
    """`subId` is no subscription: an example is no document of Azure's, and is refused as any other shape is."""
    with pytest.raises(InputError, match="subId"):
        to_zone_group(document("17_spec_dns_zone_group"))


@pytest.mark.parametrize("called", sorted(NO_ENDPOINTS))
def test_what_is_no_endpoint_is_refused_as_one(called: str) -> None:
    with pytest.raises(InputError):
        to_endpoint(document(called), [])
