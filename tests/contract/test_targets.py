"""The resources that endpoints point at: written through ARM, and what their deletion does to their consumers."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.network.models import PrivateLinkService

from simulator.world import Change
from tests.azure import SPOKE, Azure, endpoint_request, resource_id
from tests.contract.owners import ENDPOINT, decide, shown, state, target

VAULT = resource_id(SPOKE, "rg-spoke", "Microsoft.KeyVault/vaults", "kv1")
SLOT = resource_id(SPOKE, "rg-spoke", "Microsoft.Web/sites", "t1") + "/slots/stage"


async def test_a_target_is_written_as_told(azure: Azure, account: str, changes: list[Change]) -> None:
    """Azure, any resource has PUT and GET; the simulator knows no provider's own rules (reference section 10)."""
    body = {"location": "westeurope", "sku": {"name": "standard"}, "properties": {"enableRbac": True}}
    changes.clear()

    told = await azure.arm("PUT", VAULT, body)

    assert told.status == 200
    assert told.body == {
        "id": VAULT,
        "name": "kv1",
        "type": "Microsoft.KeyVault/vaults",
        **body,
        "properties": {"enableRbac": True, "provisioningState": "Succeeded", "privateEndpointConnections": []},
    }
    assert (await azure.arm("GET", VAULT)).body == told.body
    assert [(each.operation, each.resource_id) for each in changes] == [("Microsoft.KeyVault/vaults/write", VAULT)]


async def test_a_targets_connections_are_not_its_owners_to_write(azure: Azure, account: str) -> None:
    """Azure, the resource only shows its connections (behaviour reference section 4.3)."""
    await azure.endpoint("pe1", account)
    before = await shown(azure, account)

    body: dict[str, Any] = {"location": "westeurope", "properties": {"privateEndpointConnections": [], "new": 1}}
    told = await azure.arm("PUT", account.upper().replace("/SUBSCRIPTIONS", "/subscriptions"), body)

    assert told.body["id"] == account
    assert told.body["properties"]["new"] == 1
    assert await shown(azure, account) == before


async def test_deleting_a_target_disconnects_its_endpoints(azure: Azure, account: str, changes: list[Change]) -> None:
    """Azure, the endpoints stay, Disconnected; nothing points there any more (behaviour reference section 2.2)."""
    await azure.endpoint("pe1", account)
    waiting = await azure.endpoint("pe2", account, manual=True)
    changes.clear()

    assert (await azure.arm("DELETE", account)).status == 200

    for endpoint_id in (ENDPOINT, waiting):
        assert (await state(azure, endpoint_id))["status"] == "Disconnected"
    assert [each.operation for each in changes] == ["Microsoft.Storage/storageAccounts/delete"]
    assert (await azure.arm("GET", account)).status == 404
    assert (await azure.arm("GET", f"{account}/privateEndpointConnections")).status == 404
    assert (await azure.arm("DELETE", account)).status == 204
    refused = await azure.arm("PUT", f"{ENDPOINT}3", endpoint_request(account))
    assert refused.body["error"]["code"] == "InvalidResourceReference"


@pytest.mark.parametrize("deleted", [SLOT, SLOT.rsplit("/", 2)[0]])
async def test_with_a_target_goes_what_lies_beneath(azure: Azure, deleted: str) -> None:
    """Azure, a site's slots go with it, and a slot by itself (approval table, Microsoft.Web/sites/slots)."""
    site_id = await target(azure, "Microsoft.Web/sites", group="sites-stage")
    await azure.put({"id": SLOT, "name": "stage", "properties": {}})
    await azure.endpoint("pe1", site_id, groups=["sites-stage"])
    assert (await state(azure))["status"] == "Approved"

    assert (await azure.arm("DELETE", deleted)).status == 200

    assert (await state(azure))["status"] == "Disconnected"


async def test_the_stock_client_makes_a_service_with_an_alias(azure: Azure, account: str) -> None:
    """Azure, the alias is the service's name, a guid and the region (behaviour reference section 4.1)."""
    services = (await azure.network()).private_link_services
    wanted = PrivateLinkService({"location": "westeurope", "properties": {"fqdns": ["a.contoso.com"]}})

    made = await (await services.begin_create_or_update("rg-spoke", "pls1", wanted)).result()
    again = await (await services.begin_create_or_update("rg-spoke", "pls1", wanted)).result()

    assert made.alias is not None
    assert made.alias.startswith("pls1.")
    assert made.alias.endswith(".westeurope.azure.privatelinkservice")
    assert (again.alias, again.fqdns) == (made.alias, ["a.contoso.com"])


@pytest.mark.parametrize("manual", [True, False])
async def test_a_service_with_connections_stays(azure: Azure, account: str, manual: bool) -> None:
    """Azure, reject or remove its connections first; the code is unverified (behaviour reference section 4.1)."""
    services = (await azure.network()).private_link_services
    wanted = PrivateLinkService({"location": "westeurope", "properties": {}})
    made = await (await services.begin_create_or_update("rg-spoke", "pls1", wanted)).result()
    assert made.id is not None
    await azure.endpoint("pe1", made.id, groups=[], manual=manual)
    (connection,) = await shown(azure, made.id)

    with pytest.raises(HttpResponseError) as raised:
        await services.begin_delete("rg-spoke", "pls1")
    assert raised.value.status_code == 409
    await decide(azure, connection, "Rejected")
    await (await services.begin_delete("rg-spoke", "pls1")).result()

    assert (await azure.arm("GET", made.id)).status == 404
    assert (await state(azure))["status"] == "Disconnected"
