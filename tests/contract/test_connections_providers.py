"""What differs from provider to provider when a connection is answered: one test per peculiarity."""

from __future__ import annotations

from typing import Any

import pytest

from tests.azure import SPOKE, Azure, resource_id
from tests.contract.owners import (
    ENDPOINT,
    answer,
    asked,
    connections,
    decide,
    read,
    shown,
    state,
    target,
)

SQL = "Microsoft.Sql/servers"
COSMOS = "Microsoft.DocumentDB/databaseAccounts"
VAULT = "Microsoft.KeyVault/vaults"
BATCH = "Microsoft.Batch/batchAccounts"
SITE = "Microsoft.Web/sites"
DESCRIBED = [
    SQL,
    "Microsoft.Sql/managedInstances",
    "Microsoft.DBforMySQL/servers",
    "Microsoft.DBforPostgreSQL/servers",
    "Microsoft.DBforMariaDB/servers",
    "Microsoft.HybridCompute/privateLinkScopes",
    "Microsoft.Devices/IotHubs",
    "Microsoft.DigitalTwins/digitalTwinsInstances",
    "microsoft.insights/privateLinkScopes",
]


@pytest.mark.parametrize("resource_type", DESCRIBED)
async def test_some_need_a_description(azure: Azure, resource_type: str) -> None:
    """Azure, 400 where it is null or not there (approval notes, "description null")."""
    waiting = await asked(azure, resource_type)
    bare = {"properties": {"privateLinkServiceConnectionState": {"status": "Approved"}}}

    for told in (await answer(azure, waiting, "Approved", None), await azure.arm("PUT", waiting["id"], bare)):
        assert told.status == 400
        expected = "InvalidResourceIdSegment" if "Sql" in resource_type else "BadRequest"
        assert told.body["error"]["code"] == expected
        assert "privateLinkServiceConnectionState" in told.body["error"]["message"]
    assert (await state(azure))["status"] == "Pending"
    assert (await answer(azure, waiting, "Approved", "by policy")).status in (201, 202)


async def test_others_need_none(azure: Azure) -> None:
    """Azure, azure-cli sends null when none is given (approval notes, "description null")."""
    waiting = await asked(azure, VAULT)

    assert (await answer(azure, waiting, "Approved", None)).status == 200
    await azure.settle()
    assert (await state(azure))["status"] == "Approved"


@pytest.mark.parametrize(("status", "word"), [("Approved", "Approving"), ("Rejected", "Rejecting")])
@pytest.mark.parametrize("resource_type", [SQL, "Microsoft.Sql/managedInstances"])
async def test_sql_has_words_of_its_own(azure: Azure, resource_type: str, status: str, word: str) -> None:
    """Azure, Approving, Rejecting, Dropping, Ready, and no Succeeded (approval notes, "provisioningState")."""
    waiting = await asked(azure, resource_type)
    assert await read(azure, waiting) == ("Pending", "Ready")
    await azure.hold_operations()

    await answer(azure, waiting, status)

    assert await read(azure, waiting) == ("Pending", word)
    await azure.end_operations()
    assert await read(azure, waiting) == (status, "Ready")
    assert (await azure.arm("DELETE", waiting["id"])).status == 202
    assert await read(azure, waiting) == (status, "Dropping")
    await azure.end_operations()
    assert (await azure.arm("GET", waiting["id"])).body["error"]["code"] == "ResourceNotFound"
    assert (await state(azure))["status"] == "Disconnected"


async def test_cosmos_does_not_take_back_a_rejection(azure: Azure) -> None:
    """Azure, 400 with these words; approving twice is taken (approval notes, "after rejection")."""
    waiting = await asked(azure, COSMOS, group="Sql")
    for _ in range(2):
        assert await decide(azure, waiting, "Approved") == 202
    await decide(azure, waiting, "Rejected")

    told = await answer(azure, waiting, "Approved")

    assert told.status == 400
    assert told.body["error"]["message"] == "Approving rejected private endpoint connections is not supported"
    assert (await state(azure))["status"] == "Rejected"


async def test_cosmos_names_connections_after_the_endpoint(azure: Azure) -> None:
    """Azure, the endpoint's name, and one group (approval notes, "Cosmos DB"); a second of that name gets another."""
    waiting = await asked(azure, COSMOS, group="Sql")
    target_id = waiting["id"].rsplit("/", 2)[0]
    await azure.resource_group("rg-other")
    await azure.endpoint("pe1", target_id, groups=["Sql"], manual=True, group="rg-other")

    first, second = await shown(azure, target_id)

    assert first["name"] == "pe1"
    assert first["properties"]["groupId"] == "Sql"
    assert "groupIds" not in first["properties"]
    assert second["name"].startswith("pe1.")


@pytest.mark.parametrize("resource_type", [VAULT, "Microsoft.KeyVault/managedHSMs"])
async def test_key_vault_says_when_to_look_again(azure: Azure, resource_type: str) -> None:
    """Azure, 200 with Retry-After and Azure-AsyncOperation, and an etag (approval notes, "Key Vault")."""
    waiting = await asked(azure, resource_type)

    told = await answer(azure, waiting, "Approved")

    assert (told.status, told.headers["Retry-After"]) == (200, "1")
    assert told.headers["Azure-AsyncOperation"]
    assert told.body["properties"]["provisioningState"] == "Updating"
    await azure.settle()
    after = (await azure.arm("GET", waiting["id"])).body
    assert after["etag"] != waiting["etag"]
    assert after["properties"]["provisioningState"] == "Succeeded"


async def test_batch_is_patched(azure: Azure) -> None:
    """Azure, PATCH with an optional If-Match (approval notes, "Batch")."""
    waiting = await asked(azure, BATCH)

    assert (await answer(azure, waiting, "Approved")).body["error"]["code"] == "MethodNotAllowed"
    stale = await answer(azure, waiting, "Approved", method="PATCH", headers={"If-Match": 'W/"stale"'})
    assert (stale.status, stale.body["error"]["code"]) == (412, "PreconditionFailed")
    told = await answer(azure, waiting, "Approved", method="PATCH", headers={"If-Match": waiting["etag"]})
    assert told.status == 202
    await azure.settle()
    assert (await state(azure))["status"] == "Approved"
    assert (await answer(azure, waiting, "Rejected", method="PATCH", headers={"If-Match": "*"})).status == 202
    await azure.settle()
    assert (await answer(azure, waiting, "Approved", method="PATCH")).status == 202


@pytest.mark.parametrize(("taken", "status"), [(True, 202), (False, 405)])
async def test_whether_batch_takes_a_put(azure: Azure, taken: bool, status: int) -> None:
    """Azure, azure-cli puts where the SDK patches; unverified, so a switch (approval notes, "Batch")."""
    await azure.sim("POST", "settings", {"patchedByPut": taken})

    waiting = await asked(azure, BATCH)

    assert (await answer(azure, waiting, "Approved")).status == status


async def test_others_are_not_patched(azure: Azure) -> None:
    """Azure, PUT elsewhere (approval table)."""
    waiting = await asked(azure, SQL)

    assert (await answer(azure, waiting, "Approved", method="PATCH")).status == 405


async def test_synapse_hubs_are_not_answered(azure: Azure) -> None:
    """Azure, only GET and list (approval notes, "Synapse hubs")."""
    waiting = await asked(azure, "Microsoft.Synapse/privateLinkHubs")

    assert (await azure.arm("GET", waiting["id"])).body == waiting
    for method in ("PUT", "PATCH"):
        assert (await answer(azure, waiting, "Approved", method=method)).status == 405


@pytest.mark.parametrize("resource_type", ["Microsoft.ServiceBus/namespaces", "Microsoft.EventHub/namespaces"])
async def test_messaging_tells_nothing_of_its_progress(azure: Azure, resource_type: str) -> None:
    """Azure, 202 without an operation, and no action required (approval notes, "Event Hubs, Service Bus")."""
    waiting = await asked(azure, resource_type, group="namespace")
    assert waiting["properties"]["privateLinkServiceConnectionState"] == {
        "status": "Pending",
        "description": "let me in",
    }

    told = await answer(azure, waiting, "Approved")

    assert told.status == 202
    assert not {"Azure-AsyncOperation", "Location", "Retry-After"} & set(told.headers)
    assert told.body["properties"]["privateLinkServiceConnectionState"]["status"] == "Pending"
    await azure.settle()
    assert await read(azure, waiting) == ("Approved", "Succeeded")


@pytest.mark.parametrize(
    ("resource_type", "missing"),
    [("Microsoft.ApiManagement/service", "id"), ("Microsoft.DataFactory/factories", "properties")],
)
@pytest.mark.parametrize("checked", [True, False])
async def test_bodies_of_another_shape(azure: Azure, resource_type: str, missing: str, checked: bool) -> None:
    """Azure, id beside, privateEndpoint within; insisting is unverified, so a switch (approval notes)."""
    await azure.sim("POST", "settings", {"connectionBodiesChecked": checked})
    waiting = await asked(azure, resource_type)
    body: dict[str, Any] = {
        "id": waiting["id"],
        "properties": {
            "privateEndpoint": {"id": ENDPOINT.upper()},
            "privateLinkServiceConnectionState": {"status": "Approved"},
        },
    }
    short = {key: value for key, value in body.items() if key != missing}
    short.setdefault("properties", {"privateLinkServiceConnectionState": {"status": "Approved"}})

    told = await azure.arm("PUT", waiting["id"], short)

    assert (told.status == 400) is checked
    if checked:
        assert (await azure.arm("PUT", waiting["id"], body)).status in (200, 202)
    await azure.settle()
    assert (await state(azure))["status"] == "Approved"


@pytest.mark.parametrize(
    "resource_type",
    [COSMOS, VAULT, SITE, "Microsoft.SignalRService/signalr", "Microsoft.DBforMySQL/flexibleServers"],
)
@pytest.mark.parametrize("listed", [True, False])
async def test_some_show_connections_on_the_resource_only(azure: Azure, resource_type: str, listed: bool) -> None:
    """Azure, azure-cli does not list them, newer SDKs do: unverified, so a switch (approval table, list_supported)."""
    await azure.sim("POST", "settings", {"connectionsListed": listed})
    waiting = await asked(azure, resource_type)
    target_id = waiting["id"].rsplit("/", 2)[0]

    told = await azure.arm("GET", f"{target_id}/privateEndpointConnections")

    if listed:
        assert told.body["value"] == [waiting]
    else:
        assert (told.status, told.body["error"]["code"]) == (405, "MethodNotAllowed")
        assert await shown(azure, target_id) == [waiting]


@pytest.mark.parametrize("resource_type", ["Microsoft.CognitiveServices/accounts", "Microsoft.Databricks/workspaces"])
async def test_some_show_groups(azure: Azure, resource_type: str) -> None:
    """Azure, groupIds on the connection (approval table)."""
    waiting = await asked(azure, resource_type, group="account")

    assert waiting["properties"]["groupIds"] == ["account"]


async def test_recovery_services_spell_the_etag_otherwise(azure: Azure) -> None:
    """Azure, eTag and groupIds (approval table, Microsoft.RecoveryServices/vaults)."""
    waiting = await asked(azure, "Microsoft.RecoveryServices/vaults", group="AzureBackup")

    assert await decide(azure, waiting, "Approved") == 201

    after = (await azure.arm("GET", waiting["id"])).body
    assert "etag" not in after
    assert after["eTag"] != waiting["eTag"]
    assert after["properties"]["groupIds"] == ["AzureBackup"]


async def test_web_sites_show_the_addresses(azure: Azure) -> None:
    """Azure, properties.ipAddresses (approval table, Microsoft.Web/sites)."""
    waiting = await asked(azure, SITE, group="sites")

    assert waiting["properties"]["ipAddresses"] == ["10.1.0.4"]


@pytest.mark.parametrize("on_site", [True, False])
async def test_slots_have_connections_of_their_own(azure: Azure, on_site: bool) -> None:
    """Azure, the endpoint names site and slot's group; where it shows is unverified, so a switch (approval table)."""
    await azure.sim("POST", "settings", {"slotConnectionsOnSite": on_site})
    site_id = await target(azure, SITE, group="sites-Stage")
    slot_id = f"{site_id}/slots/Stage"
    await azure.put({"id": slot_id, "name": "Stage", "properties": {}})
    place = site_id if on_site else slot_id

    await azure.endpoint("pe1", site_id, groups=["sites-Stage"], manual=True)

    (waiting,) = await shown(azure, place)
    if not on_site:
        assert await connections(azure, slot_id) == [waiting]
        assert waiting["type"] == "Microsoft.Web/sites/slots/privateEndpointConnections"
    assert await decide(azure, waiting, "Approved") == 202
    assert (await state(azure))["status"] == "Approved"
    await azure.arm("DELETE", ENDPOINT)
    await azure.settle()
    assert await shown(azure, place) == []


async def test_a_type_that_has_no_connections_is_not_guessed_at(azure: Azure) -> None:
    """Azure has connections to far from everything (behaviour reference section 10)."""
    await azure.spoke()
    network = resource_id(SPOKE, "rg-spoke", "Microsoft.Network/virtualNetworks", "vnet-spoke")

    for method, path in (("GET", ""), ("GET", "/c"), ("PUT", "/c"), ("PATCH", "/c"), ("DELETE", "/c")):
        body: dict[str, Any] | None = {} if method in ("PUT", "PATCH") else None
        assert (await azure.arm(method, f"{network}/privateEndpointConnections{path}", body)).status == 501
    version = await azure.arm("GET", f"{network}/privateEndpointConnections", version="")
    assert version.body["error"]["code"] == "MissingApiVersionParameter"
