"""The demo's stage: the estate of hubwarden.yaml in the local Azure, and the stock clients of the people in it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Self

import aiohttp
import dns.asyncquery
import dns.message
import dns.rcode
import dns.rdatatype
from azure.core.exceptions import ResourceNotFoundError
from azure.identity.aio import ManagedIdentityCredential
from azure.mgmt.network.aio import NetworkManagementClient
from azure.mgmt.privatedns.aio import PrivateDnsManagementClient
from azure.mgmt.privatedns.models import RecordSet
from azure.mgmt.storage.aio import StorageManagementClient

TENANT = "cccccccc-cccc-4ccc-8ccc-cccccccccccc"
HUB = "11111111-1111-4111-8111-111111111111"
ORDERS = "22222222-2222-4222-8222-222222222222"
BILLING = "33333333-3333-4333-8333-333333333333"
ELSEWHERE = "99999999-9999-4999-8999-999999999999"
BLOB_ZONE = "privatelink.blob.core.windows.net"
REGISTRY_ZONE = "privatelink.azurecr.io"
ZONES = (BLOB_ZONE, REGISTRY_ZONE)


def _id(subscription: str, group: str, kind: str, name: str) -> str:
    return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{kind}/{name}"


HUB_NETWORK = _id(HUB, "rg-hub", "Microsoft.Network/virtualNetworks", "vnet-hub")
ACCOUNT = _id(ORDERS, "rg-app", "Microsoft.Storage/storageAccounts", "stcontosoorders")
REGISTRY = _id(ORDERS, "rg-app", "Microsoft.ContainerRegistry/registries", "acrcontoso")
BILLING_ACCOUNT = _id(BILLING, "rg-app", "Microsoft.Storage/storageAccounts", "stcontosobilling")
_LOOK = 0.002  # seconds between two looks of somebody who watches
_SCOPES = ["https://management.azure.com/.default"]


@dataclass(frozen=True, slots=True)
class Watched:
    """What a client saw that kept asking: its last answer, and when things happened (seconds of one clock)."""

    answer: str
    delivered: float
    resolvable: float


class Scene:
    """The clients, each a stock one."""

    def __init__(self, variables: Mapping[str, str], session: aiohttp.ClientSession) -> None:
        self._variables = variables
        self._session = session

    @classmethod
    async def open(cls, stack: AsyncExitStack, variables: Mapping[str, str]) -> Self:
        """Opens the clients; the stack closes them."""
        scene = cls(variables, await stack.enter_async_context(aiohttp.ClientSession()))
        credential = await stack.enter_async_context(ManagedIdentityCredential(client_id="spoke-team"))
        options: dict[str, Any] = {
            "base_url": variables["ARM_ENDPOINT"],
            "credential_scopes": _SCOPES,
            "polling_interval": 0,
        }
        enter = stack.enter_async_context
        scene.network = await enter(NetworkManagementClient(credential, ORDERS, **options))
        scene.dns = await enter(PrivateDnsManagementClient(credential, HUB, **options))
        scene.storage = await enter(StorageManagementClient(credential, BILLING, **options))
        return scene

    network: NetworkManagementClient
    dns: PrivateDnsManagementClient
    storage: StorageManagementClient

    async def build(self) -> None:
        """Subscriptions, networks, targets and empty zones."""
        for subscription in (HUB, ORDERS, BILLING):
            await self.sim(
                "POST", "subscriptions", {"id": subscription, "tenant": TENANT, "managementGroups": ["corp"]}
            )
        await self.sim("POST", "subscriptions", {"id": ELSEWHERE, "tenant": "dddddddd-dddd-4ddd-8ddd-dddddddddddd"})
        await self.sim("POST", "settings", {"latencyMs": 20, "dnsNetwork": HUB_NETWORK})
        groups = [(HUB, "rg-dns"), (HUB, "rg-hub"), (ORDERS, "rg-app"), (BILLING, "rg-app"), (ELSEWHERE, "rg-app")]
        await self._put(*(_group(subscription, name) for subscription, name in groups))
        await self._put(_network(HUB_NETWORK, "10.10.0.0/24"))
        for subscription, prefix in ((ORDERS, "10.20.0.0/24"), (ELSEWHERE, "10.99.0.0/24")):
            await self._put(_network(_id(subscription, "rg-app", "Microsoft.Network/virtualNetworks", "vnet"), prefix))
        await self._put(_target(ACCOUNT), _target(BILLING_ACCOUNT), _target(REGISTRY))
        await self._told(ACCOUNT, ("blob", "blob", "stcontosoorders.blob.core.windows.net", BLOB_ZONE, "203.0.113.10"))
        await self._told(
            BILLING_ACCOUNT, ("blob", "blob", "stcontosobilling.blob.core.windows.net", BLOB_ZONE, "203.0.113.11")
        )
        data = (
            "registry",
            "registry_data_westeurope",
            "acrcontoso.westeurope.data.azurecr.io",
            REGISTRY_ZONE,
            "203.0.113.12",
        )
        await self._told(
            REGISTRY, data, ("registry", "registry", "acrcontoso.azurecr.io", REGISTRY_ZONE, "203.0.113.13")
        )
        for zone in ZONES:
            empty: Any = {"location": "global"}
            await (await self.dns.private_zones.begin_create_or_update("rg-dns", zone, empty)).result()
        await self.create_endpoint("pe-elsewhere", ACCOUNT, "blob", subscription=ELSEWHERE)
        await self.settle()

    # What a spoke team does

    def endpoint_id(self, name: str) -> str:
        """The id of an endpoint in the spoke 'orders'."""
        return _id(ORDERS, "rg-app", "Microsoft.Network/privateEndpoints", name)

    async def create_endpoint(
        self, name: str, target: str, group: str, *, manual: bool = False, subscription: str = ORDERS
    ) -> str:
        """Creates a private endpoint and waits until Azure calls it ready; its id."""
        connection = {"name": name, "properties": {"privateLinkServiceId": target, "groupIds": [group]}}
        kind = "manualPrivateLinkServiceConnections" if manual else "privateLinkServiceConnections"
        subnet = _id(subscription, "rg-app", "Microsoft.Network/virtualNetworks", "vnet") + "/subnets/snet"
        body: Any = {"location": "westeurope", "properties": {"subnet": {"id": subnet}, kind: [connection]}}
        network = self.network
        if subscription != ORDERS:
            credential = ManagedIdentityCredential(client_id="another-company")
            network = NetworkManagementClient(
                credential, subscription, self._variables["ARM_ENDPOINT"], credential_scopes=_SCOPES, polling_interval=0
            )
            async with credential, network:
                poller = await network.private_endpoints.begin_create_or_update("rg-app", name, body)
                return str((await poller.result()).id)
        poller = await network.private_endpoints.begin_create_or_update("rg-app", name, body)
        return str((await poller.result()).id)

    async def delete_endpoint(self, name: str) -> None:
        """Deletes a private endpoint and waits for its end."""
        await (await self.network.private_endpoints.begin_delete("rg-app", name)).result()

    # What the network's owners do

    async def link(self, zone: str, network: str) -> None:
        """Links a zone to a network."""
        body: Any = {
            "location": "global",
            "properties": {"virtualNetwork": {"id": network}, "registrationEnabled": False},
        }
        links = self.dns.virtual_network_links
        await (await links.begin_create_or_update("rg-dns", zone, "hub", body)).result()

    async def record(self, zone: str, name: str) -> RecordSet:
        """An A record as ARM shows it."""
        return await self.dns.record_sets.get("rg-dns", zone, "A", name)

    async def addresses(self, zone: str, name: str) -> list[str] | None:
        """An A record's addresses; None for no record."""
        try:
            record = await self.record(zone, name)
        except ResourceNotFoundError:
            return None
        return [str(each.ipv4_address) for each in record.a_records or ()]

    async def write_by_hand(self, zone: str, name: str, address: str) -> None:
        """Makes a record as a person would."""
        body: Any = {"properties": {"ttl": 3600, "aRecords": [{"ipv4Address": address}]}}
        await self.dns.record_sets.create_or_update("rg-dns", zone, "A", name, body)

    async def delete_by_hand(self, zone: str, name: str) -> None:
        """Deletes a record as a person would."""
        await self.dns.record_sets.delete("rg-dns", zone, "A", name)

    async def approve(self, account: str) -> None:
        """The account's owner approves the one connection that is Pending."""
        connections = self.storage.private_endpoint_connections
        async for connection in connections.list("rg-app", account):
            state = connection.properties.private_link_service_connection_state  # type: ignore[union-attr]
            if state.status == "Pending":
                state.status, state.description = "Approved", "approved by its owner"
                await connections.put("rg-app", account, str(connection.name), connection)

    # What a client in the hub sees

    async def ask(self, name: str) -> str:
        """What the hub's resolver answers: the last address, or the response code."""
        host, port = self._variables["SIM_DNS"].rsplit(":", 1)
        answer = await dns.asyncquery.udp(dns.message.make_query(name, "A"), host, port=int(port), timeout=5)
        addresses = [str(item) for rrset in answer.answer if rrset.rdtype == dns.rdatatype.A for item in rrset]
        return addresses[-1] if addresses else dns.rcode.to_text(answer.rcode())

    async def watch(self, name: str, address: str, seconds: float = 30.0) -> Watched:
        """Asks again and again until the address is there, and notes when the first event was delivered."""
        already = len(await self._deliveries())
        delivered = asyncio.create_task(self._delivery_after(already, seconds))
        end, answer = time.perf_counter() + seconds, ""
        while answer != address and time.perf_counter() < end:
            answer = await self.ask(name)
            await asyncio.sleep(_LOOK)
        resolvable = time.perf_counter()
        return Watched(answer, await delivered, resolvable)

    async def _delivery_after(self, already: int, seconds: float) -> float:
        for _ in range(round(seconds / _LOOK)):
            if len(await self._deliveries()) > already:
                break
            await asyncio.sleep(_LOOK)
        return time.perf_counter()

    async def _deliveries(self) -> list[Any]:
        found: list[Any] = await self.sim("GET", "requests?service=eventgrid")
        return found

    # What is behind the stage

    async def app(self, method: str, route: str, body: Any = None, **query: str) -> Any:
        """Asks Hubwarden's own API, with a function key."""
        url = f"{self._variables['APP_URL']}/api/{route}"
        headers = {"x-functions-key": self._variables["APP_KEY"]}
        async with self._session.request(method, url, json=body, params=query, headers=headers) as response:
            return await response.json()

    async def sim(self, method: str, call: str, body: Any = None) -> Any:
        """A call to the simulator itself."""
        async with self._session.request(method, f"{self._variables['SIM_URL']}/_sim/{call}", json=body) as response:
            response.raise_for_status()
            return await response.json()

    async def settle(self) -> None:
        """Returns when nothing is under way any more."""
        await self.sim("POST", "settle", {"timeout": 30})

    async def _put(self, *documents: dict[str, Any]) -> None:
        await self.sim("POST", "resources", {"resources": list(documents), "emit": False})

    async def _told(self, target: str, *members: tuple[str, str, str, str, str]) -> None:
        keys = ("groupId", "memberName", "fqdns", "zone", "publicAddress")
        told = [
            dict(zip(keys, (group, member, [fqdn], zone, address), strict=True))
            for group, member, fqdn, zone, address in members
        ]
        await self.sim("POST", "targets", {"id": target, "members": told, "autoApprove": []})


def _group(subscription: str, name: str) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/{subscription}/resourceGroups/{name}",
        "name": name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": "westeurope",
    }


def _network(network_id: str, prefix: str) -> dict[str, Any]:
    subnet = {"id": f"{network_id}/subnets/snet", "name": "snet", "properties": {"addressPrefix": prefix}}
    return {
        "id": network_id,
        "name": network_id.rsplit("/", 1)[1],
        "type": "Microsoft.Network/virtualNetworks",
        "location": "westeurope",
        "properties": {"addressSpace": {"addressPrefixes": [prefix]}, "subnets": [subnet]},
    }


def _target(target_id: str) -> dict[str, Any]:
    provider, kind, name = target_id.split("/providers/", 1)[1].split("/")
    return {
        "id": target_id,
        "name": name,
        "type": f"{provider}/{kind}",
        "location": "westeurope",
        "properties": {"provisioningState": "Succeeded", "privateEndpointConnections": []},
    }
