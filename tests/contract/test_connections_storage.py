"""Connections of storage accounts: answered at once, and not every answer is taken."""

from __future__ import annotations

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.storage.models import PrivateEndpointConnection

from simulator.world import Change
from tests.azure import Azure
from tests.contract.owners import ENDPOINT, connections, decide, state


async def test_the_stock_client_approves_on_a_storage_account(
    azure: Azure, account: str, changes: list[Change]
) -> None:
    """Azure, a synchronous 200; a write of the target's child only (behaviour reference section 1.2)."""
    await azure.endpoint("pe1", account, manual=True, message="let me in")
    client = await azure.storage()
    changes.clear()

    (waiting,) = [each async for each in client.private_endpoint_connections.list("rg-spoke", "st1")]
    assert waiting.name is not None
    assert waiting.private_endpoint is not None
    assert waiting.private_endpoint.id == ENDPOINT
    state_then = waiting.private_link_service_connection_state
    assert state_then is not None
    assert (state_then.status, state_then.description, state_then.action_required) == ("Pending", "let me in", "None")
    state_then.status, state_then.description = "Approved", "by policy"
    approved = await client.private_endpoint_connections.put("rg-spoke", "st1", waiting.name, waiting)

    assert approved.provisioning_state == "Succeeded"
    assert approved.private_link_service_connection_state is not None
    assert approved.private_link_service_connection_state.status == "Approved"
    read = await client.private_endpoint_connections.get("rg-spoke", "st1", waiting.name)
    assert read.private_link_service_connection_state is not None
    assert read.private_link_service_connection_state.description == "by policy"
    assert await state(azure) == {"status": "Approved", "description": "by policy", "actionsRequired": "None"}
    assert [(change.operation, change.resource_id) for change in changes] == [
        ("Microsoft.Storage/storageAccounts/privateEndpointConnections/write", waiting.id)
    ]


@pytest.mark.parametrize(
    ("before", "after", "status"),
    [
        ("Approved", "Approved", 400),
        ("Rejected", "Approved", 400),
        ("Approved", "Rejected", 200),
        ("Rejected", "Rejected", 200),
    ],
)
async def test_a_storage_account_refuses_to_approve_twice(
    azure: Azure, account: str, before: str, after: str, status: int
) -> None:
    """Azure, storage answers 400 to Approved and Rejected becoming Approved (behaviour reference section 4.3)."""
    await azure.endpoint("pe1", account, manual=True)
    (connection,) = await connections(azure, account)
    assert await decide(azure, connection, before) == 200

    assert await decide(azure, connection, after) == status

    assert (await state(azure))["status"] == (after if status == 200 else before)


async def test_the_stock_client_sees_the_refusal(azure: Azure, account: str) -> None:
    """Azure, a rejected connection cannot be approved any more (behaviour reference section 4.3)."""
    await azure.endpoint("pe1", account, manual=True)
    (connection,) = await connections(azure, account)
    await decide(azure, connection, "Rejected")
    wanted = PrivateEndpointConnection(
        {"properties": {"privateLinkServiceConnectionState": {"status": "Approved", "description": "x"}}}
    )

    with pytest.raises(HttpResponseError) as raised:
        await (await azure.storage()).private_endpoint_connections.put("rg-spoke", "st1", connection["name"], wanted)

    assert raised.value.status_code == 400
