"""The whole world as JSON: taken, put back into an empty one, and lived on in as if nothing had happened."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simulator import snapshot
from simulator.clock import Clock
from simulator.server import Simulator
from simulator.world import World
from tests.azure import HUB, SPOKE, Azure, resource_id
from tests.contract.owners import ENDPOINT, connections, decide, shown, state

ELSEWHERE = "00000000-0000-0000-0000-0000000000cc"
SQL = resource_id(SPOKE, "rg-spoke", "Microsoft.Sql/servers", "sql1")
SITE = resource_id(SPOKE, "rg-spoke", "Microsoft.Web/sites", "app1")
VAULT = resource_id(SPOKE, "rg-spoke", "Microsoft.KeyVault/vaults", "kv1")
THEIRS = resource_id(ELSEWHERE, "rg", "Microsoft.Storage/storageAccounts", "theirs")
STRANGER = {
    "id": f"{VAULT}/privateEndpointConnections/stranger",
    "name": "stranger",
    "properties": {
        "privateEndpoint": {"id": "/subscriptions/f/resourceGroups/r/providers/Microsoft.Network/privateEndpoints/p"},
        "privateLinkServiceConnectionState": {"status": "Pending", "description": "partner"},
    },
}


async def rich(azure: Azure) -> str:
    """A world with something of everything; the id of its storage account."""
    zone_id = await azure.hub()
    await azure.subscription(HUB, managementGroups=["mg-hub", "mg-root"])
    await azure.subscription(ELSEWHERE, tenant="99999999-9999-9999-9999-999999999999", readable=False)
    account = await azure.spoke()
    await azure.link(zone_id, await azure.vnet("vnet-hub", "rg-hub", HUB))
    await azure.storage_account("st2", services=("blob", "dfs"), auto_approve=[HUB])
    await azure.sim("POST", "settings", {"requestMessageShown": False, "plsFqdns": False, "nicLagMs": 60_000})
    await azure.endpoint("pe1", account)
    await azure.advance(61)
    group = {"privateDnsZoneConfigs": [{"name": "blob", "properties": {"privateDnsZoneId": zone_id}}]}
    await azure.arm("PUT", f"{ENDPOINT}/privateDnsZoneGroups/default", {"properties": group})
    await azure.arm("PUT", f"{zone_id}/A/byhand", {"properties": {"ttl": 5, "aRecords": [{"ipv4Address": "10.9.9.9"}]}})
    for target_id, group_id in ((SQL, "sqlServer"), (SITE, "sites-stage")):
        await azure.put({"id": target_id, "name": target_id.rsplit("/", 1)[-1], "location": "westeurope"})
        await azure.target(target_id, [{"groupId": group_id, "memberName": group_id, "fqdns": [f"{group_id}.example"]}])
        await azure.endpoint(f"pe-{group_id}", target_id, groups=[group_id], manual=True)
    await azure.put(STRANGER, {"id": VAULT, "name": "kv1"})
    await azure.endpoint("pe-theirs", THEIRS, manual=True)
    for name in ("unknown-a", "unknown-b"):
        await azure.endpoint(f"pe-{name}", account, network=name, customDnsConfigs=[{"fqdn": "own.example"}])
    await azure.settle()
    return account


async def test_what_is_loaded_is_what_was_taken(azure: Azure, simulator: Simulator) -> None:
    """A world is worth a rehearsal only if nothing of it is lost: guids, groups, connections, settings, lags."""
    await rich(azure)

    before = await azure.world()
    await azure.sim("POST", "snapshot", {})
    await azure.sim("POST", "snapshot", json.loads(json.dumps(before)))

    assert await azure.world() == before
    assert {each["id"]: each for each in before["subscriptions"]}[HUB]["managementGroups"] == ["mg-hub", "mg-root"]
    assert before["settings"]["nicLagMs"] == 60_000
    assert len(before["subnets"]) == 2
    assert len(before["lagging"]) == 2
    other = World(Clock())
    snapshot.load(other, {**before, "lagging": []})
    assert {**snapshot.taken(other), "lagging": before["lagging"]} == before


@pytest.mark.parametrize("loaded", [True, False])
async def test_life_goes_on(azure: Azure, simulator: Simulator, loaded: bool) -> None:
    """All that can happen in the world that was taken happens in the one that was loaded, and in the same way."""
    account = await rich(azure)
    if loaded:
        before = await azure.world()
        await azure.sim("POST", "snapshot", {})
        await azure.sim("POST", "snapshot", before)

    # Addresses: the next one in a subnet that is known, and in one that nobody told of.
    for network, address in (("vnet-spoke", "10.1.0.8"), ("unknown-b", "10.101.0.5"), ("unknown-c", "10.102.0.4")):
        made = await azure.endpoint(f"pe-in-{network}", account, network=network)
        assert await addresses(azure, made) == [address]
    # Connections: those that wait are answered, also a stranger's and a slot's, and the endpoints follow.
    for target_id in (SQL, VAULT, f"{SITE}/slots/stage"):
        (waiting,) = await shown(azure, target_id) if target_id == VAULT else await connections(azure, target_id)
        assert await decide(azure, waiting, "Approved") in (200, 202)
    for name in ("pe-sqlServer", "pe-sites-stage"):
        assert (await state(azure, ENDPOINT.replace("pe1", name)))["status"] == "Approved"
    # The zone group goes with its endpoint, and leaves what others wrote.
    zone_id = resource_id(HUB, "rg-dns", "Microsoft.Network/privateDnsZones", "privatelink.blob.core.windows.net")
    assert (await azure.arm("GET", f"{zone_id}/A/st1")).status == 200
    await azure.arm("DELETE", ENDPOINT)
    await azure.settle()
    names = [each["name"] for each in (await azure.arm("GET", f"{zone_id}/A")).body["value"]]
    assert names == ["byhand"]
    # Rights: the hidden subscription stays hidden, the target approves whom it did.
    assert (await azure.arm("GET", THEIRS)).status == 401
    await azure.resource_group("rg-spoke", HUB)
    second = account.replace("st1", "st2")
    trusted = await azure.endpoint("pe9", second, groups=["dfs"], manual=True, subscription=HUB)
    assert (await state(azure, trusted))["status"] == "Approved"


async def test_a_copy_of_a_real_target_brings_its_connections(azure: Azure) -> None:
    """Azure, a resource holds its connections; a copy of it has nothing else (behaviour reference section 4.3)."""
    await azure.subscription()
    odd: list[Any] = [{"name": "without an id"}, {"id": f"{SQL}/privateEndpointConnections/c"}, 5]
    copied = {"id": VAULT, "name": "kv1", "properties": {"privateEndpointConnections": [STRANGER, *odd]}}

    await azure.sim("POST", "snapshot", {"subscriptions": [{"id": SPOKE}], "resources": [copied]})

    assert (await azure.arm("GET", VAULT)).body == copied
    assert (await azure.arm("GET", str(STRANGER["id"]))).body == STRANGER
    assert await decide(azure, STRANGER, "Approved") == 200
    first, *others = await shown(azure, VAULT)
    assert first["properties"]["privateLinkServiceConnectionState"]["status"] == "Approved"
    assert others == odd
    assert (await azure.arm("GET", f"{SQL}/privateEndpointConnections/c")).status == 404


@pytest.mark.parametrize("part", ["lagging", "subnets"])
async def test_what_is_no_snapshot_changes_nothing(azure: Azure, part: str) -> None:
    """A mistake in a world file must not leave half a world behind."""
    await azure.subscription()

    answer = await azure.ask("POST", "/_sim/snapshot", {part: [1]})

    assert (answer.status, answer.body["error"]) == (400, f"A snapshot's {part} is a list of strings.")
    assert len((await azure.world())["subscriptions"]) == 1


async def addresses(azure: Azure, endpoint_id: str) -> list[str]:
    """The addresses of an endpoint's interface."""
    endpoint = (await azure.arm("GET", endpoint_id, query={"$expand": "networkInterfaces"})).body["properties"]
    held = endpoint["networkInterfaces"][0]["properties"]["ipConfigurations"]
    return [each["properties"]["privateIPAddress"] for each in held]
