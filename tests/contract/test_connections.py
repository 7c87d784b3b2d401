"""The target's side: who waits, approval, rejection and removal, and what the consumer's endpoint shows of it."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.world import Change
from tests.azure import HUB, SPOKE, Azure
from tests.contract.owners import ENDPOINT, connections, decide, state

NAME = "st1.blob.core.windows.net"


async def test_an_automatic_connection_is_approved_at_once(azure: Azure, account: str) -> None:
    """Azure, Auto-Approved for a caller with the right to it (behaviour reference section 2.2)."""
    await azure.endpoint("pe1", account)

    assert await state(azure) == {"status": "Approved", "description": "Auto-Approved", "actionsRequired": "None"}
    (connection,) = await connections(azure, account)
    assert connection["properties"]["privateLinkServiceConnectionState"]["status"] == "Approved"


@pytest.mark.parametrize(("listed", "status"), [([SPOKE.upper()], "Approved"), (["*"], "Approved"), ([HUB], "Pending")])
async def test_a_manual_connection_waits_unless_the_target_knows_the_subscription(
    azure: Azure, account: str, listed: list[str], status: str
) -> None:
    """Azure, manual requests may be auto-approved by subscription (behaviour reference sections 2.2, 4.1)."""
    await azure.storage_account(auto_approve=listed)

    await azure.endpoint("pe1", account, manual=True)

    assert (await state(azure))["status"] == status


async def test_names_come_with_the_approval(azure: Azure, account: str) -> None:
    """Azure, an endpoint shows its names after approval and a fresh GET (behaviour reference section 2.2)."""
    await azure.endpoint("pe1", account, manual=True)
    before = (await azure.arm("GET", ENDPOINT)).body
    (connection,) = await connections(azure, account)

    await decide(azure, connection, "Approved")

    after = (await azure.arm("GET", ENDPOINT, query={"$expand": "networkInterfaces"})).body
    assert before["properties"]["customDnsConfigs"] == []
    assert [each["fqdn"] for each in after["properties"]["customDnsConfigs"]] == [NAME]
    (configuration,) = after["properties"]["networkInterfaces"][0]["properties"]["ipConfigurations"]
    assert configuration["properties"]["privateLinkConnectionProperties"]["fqdns"] == [NAME]
    assert after["etag"] != before["etag"]
    await decide(azure, connection, "Rejected")
    assert (await azure.arm("GET", ENDPOINT)).body["properties"]["customDnsConfigs"] == []


async def test_the_interface_may_lag_behind_the_approval(azure: Azure, account: str) -> None:
    """Azure, Approved and no names on the interface yet (behaviour reference section 2.6)."""
    await azure.sim("POST", "settings", {"nicLagMs": 60_000})
    await azure.endpoint("pe1", account, manual=True)
    (connection,) = await connections(azure, account)
    await decide(azure, connection, "Approved")

    async def shown() -> list[str]:
        endpoint = (await azure.arm("GET", ENDPOINT, query={"$expand": "networkInterfaces"})).body
        (configuration,) = endpoint["properties"]["networkInterfaces"][0]["properties"]["ipConfigurations"]
        found: list[str] = configuration["properties"]["privateLinkConnectionProperties"]["fqdns"]
        return found

    assert await shown() == []
    await azure.advance(61)
    assert await shown() == [NAME]


@pytest.mark.parametrize("status", ["Pending", "approve", None])
async def test_only_two_answers_are_known(azure: Azure, account: str, status: str | None) -> None:
    """Azure, an owner approves or rejects (behaviour reference section 4.3)."""
    await azure.endpoint("pe1", account, manual=True)
    (connection,) = await connections(azure, account)

    wrong: list[Any] = [{"status": status}, {"status": "Approved", "description": 1}, status, [], None]
    for each in wrong:
        body = {"properties": {"privateLinkServiceConnectionState": each}}
        assert (await azure.arm("PUT", connection["id"], body)).status == 400


async def test_the_target_shows_its_connections_too(azure: Azure, account: str) -> None:
    """Azure, the target's own document holds its connections (behaviour reference section 4.3)."""
    await azure.endpoint("pe1", account, manual=True)
    await azure.endpoint("pe2", account, manual=True)
    first, second = await connections(azure, account)
    await decide(azure, first, "Approved")

    shown = (await azure.arm("GET", account)).body["properties"]["privateEndpointConnections"]

    assert {each["id"]: each["properties"]["privateLinkServiceConnectionState"]["status"] for each in shown} == {
        first["id"]: "Approved",
        second["id"]: "Pending",
    }
    await azure.arm("DELETE", second["id"])
    shown = (await azure.arm("GET", account)).body["properties"]["privateEndpointConnections"]
    assert [each["id"] for each in shown] == [first["id"]]


async def test_removing_a_connection_disconnects_the_endpoint(
    azure: Azure, account: str, changes: list[Change]
) -> None:
    """Azure, the endpoint stays, Disconnected (behaviour reference section 2.2)."""
    await azure.endpoint("pe1", account)
    (connection,) = await connections(azure, account)
    changes.clear()
    client = await azure.storage()

    await client.private_endpoint_connections.delete("rg-spoke", "st1", connection["name"])

    assert (await state(azure))["status"] == "Disconnected"
    assert await connections(azure, account) == []
    assert [change.operation for change in changes] == [
        "Microsoft.Storage/storageAccounts/privateEndpointConnections/delete"
    ]
    assert (await azure.arm("DELETE", connection["id"])).status == 204
    assert (await azure.arm("PUT", connection["id"], {"properties": {}})).status == 404
    assert (await azure.arm("DELETE", ENDPOINT)).status == 202


@pytest.mark.parametrize("shown", [True, False])
async def test_the_request_message(azure: Azure, account: str, shown: bool) -> None:
    """Azure, whether the owner sees the message as description is unverified, so a switch (reference section 4.2)."""
    await azure.sim("POST", "settings", {"requestMessageShown": shown})

    await azure.endpoint("pe1", account, manual=True, message="let me in")

    (connection,) = await connections(azure, account)
    description = connection["properties"]["privateLinkServiceConnectionState"]["description"]
    assert description == ("let me in" if shown else "")
    manual = (await azure.arm("GET", ENDPOINT)).body["properties"]["manualPrivateLinkServiceConnections"]
    assert manual[0]["properties"]["requestMessage"] == "let me in"


async def test_a_target_nobody_knows_has_no_connections(azure: Azure, account: str) -> None:
    """Azure, a child needs its target (behaviour reference section 3.8)."""
    missing = f"{account}x/privateEndpointConnections"

    for method, path in (
        ("GET", missing),
        ("GET", f"{missing}/c"),
        ("PUT", f"{missing}/c"),
        ("DELETE", f"{missing}/c"),
    ):
        assert (await azure.arm(method, path, {} if method == "PUT" else None)).status == 404
