"""The driver every test speaks to a simulator through: `/_sim` calls, plain ARM requests, stock clients, and builders.

It is given nothing but the simulator's address, so it drives one in this process and one in another alike.
"""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import aiohttp
from azure.identity.aio import ManagedIdentityCredential
from azure.mgmt.network.aio import NetworkManagementClient
from azure.mgmt.privatedns.aio import PrivateDnsManagementClient
from azure.mgmt.resourcegraph.aio import ResourceGraphClient
from azure.mgmt.storage.aio import StorageManagementClient

SPOKE = "00000000-0000-0000-0000-0000000000aa"
HUB = "00000000-0000-0000-0000-0000000000bb"
BLOB_ZONE = "privatelink.blob.core.windows.net"
_SCOPES = ["https://management.azure.com/.default"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, the headers, and the body, parsed if it is JSON."""

    status: int
    headers: Mapping[str, str]
    body: Any


class Azure:
    """One simulator, as tests see it; closes its clients with itself."""

    def __init__(self, url: str, client_id: str | None = None) -> None:
        self.url = url
        self._client_id = client_id  # of the identity that asks; without one, the app's own
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self.session = await self._open.enter_async_context(aiohttp.ClientSession())
        self.credential = await self._open.enter_async_context(ManagedIdentityCredential(client_id=self._client_id))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()

    # The calls under /_sim

    async def sim(self, method: str, call: str, body: Any = None, **query: str) -> Any:
        """A call that must succeed; its body."""
        answer = await self.ask(method, f"/_sim/{call}", body, query=query)
        assert answer.status < 300, f"{method} /_sim/{call} answered {answer.status}: {answer.body}"
        return answer.body

    async def settle(self, seconds: float = 60) -> None:
        """Returns when nothing is left to do."""
        await self.sim("POST", "settle", {"timeout": seconds})

    async def advance(self, seconds: float) -> None:
        """Puts the clock forward."""
        await self.sim("POST", "clock", {"advance": seconds})

    async def hold_operations(self) -> None:
        """From now on long operations end only when the clock is put forward, by `end_operations`."""
        await self.sim("POST", "settings", {"operationMs": 3_600_000})

    async def end_operations(self) -> None:
        """Lets the long operations that were held end."""
        await self.advance(3_600)

    async def requests(self, service: str = "arm") -> list[dict[str, Any]]:
        """The requests to a service since the log was last emptied."""
        found: list[dict[str, Any]] = await self.sim("GET", "requests", service=service)
        return found

    async def world(self) -> dict[str, Any]:
        """Everything there is."""
        picture: dict[str, Any] = await self.sim("GET", "snapshot")
        return picture

    # Requests as the wire has them

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Answer:
        """Any request, to a path or a whole address."""
        url = path if path.startswith("https://") else f"{self.url}{path}"
        # A file, because aiohttp warns of a large body that is bytes.
        data = None if body is None else io.BytesIO(json.dumps(body).encode())
        told = {"Content-Type": "application/json", **(headers or {})}
        async with self.session.request(method, url, data=data, headers=told, params=query) as response:
            is_json = response.content_type == "application/json"
            return Answer(
                response.status, response.headers, await response.json() if is_json else await response.text()
            )

    async def arm(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        version: str = "2024-06-01",
    ) -> Answer:
        """A request to ARM with a token; an address that was given out is followed as it is."""
        token = await self.credential.get_token(*_SCOPES)
        asked = {"api-version": version, **(query or {})} if not path.startswith("https://") else None
        with_token = {"Authorization": f"Bearer {token.token}", **(headers or {})}
        return await self.ask(method, path, body, headers=with_token, query=asked)

    # Stock clients, which wait for nothing between polls

    async def network(self, subscription: str = SPOKE) -> NetworkManagementClient:
        """azure-mgmt-network, for endpoints, interfaces and private link services."""
        client = NetworkManagementClient(self.credential, subscription, **self._options)
        return await self._open.enter_async_context(client)

    async def private_dns(self, subscription: str = HUB) -> PrivateDnsManagementClient:
        """azure-mgmt-privatedns, for zones and record sets."""
        client = PrivateDnsManagementClient(self.credential, subscription, **self._options)
        return await self._open.enter_async_context(client)

    async def storage(self, subscription: str = SPOKE) -> StorageManagementClient:
        """azure-mgmt-storage, for the connections of storage accounts."""
        client = StorageManagementClient(self.credential, subscription, **self._options)
        return await self._open.enter_async_context(client)

    async def graph(self) -> ResourceGraphClient:
        """azure-mgmt-resourcegraph."""
        client = ResourceGraphClient(self.credential, base_url=self.url, credential_scopes=_SCOPES)
        return await self._open.enter_async_context(client)

    @property
    def _options(self) -> dict[str, Any]:
        return {"base_url": self.url, "credential_scopes": _SCOPES, "polling_interval": 0}

    # Builders: each puts something into the world as it stands in Azure when all operations are over

    async def subscription(self, subscription: str = SPOKE, **told: Any) -> str:
        """A subscription; its id."""
        await self.sim("POST", "subscriptions", {"id": subscription, **told})
        return subscription

    async def put(self, *documents: Mapping[str, Any], emit: bool = False) -> None:
        """Documents as given."""
        await self.sim("POST", "resources", {"resources": list(documents), "emit": emit})

    async def resource_group(self, name: str = "rg-spoke", subscription: str = SPOKE) -> str:
        """A resource group; its id."""
        group_id = f"/subscriptions/{subscription}/resourceGroups/{name}"
        await self.put(
            {"id": group_id, "name": name, "type": "Microsoft.Resources/resourceGroups", "location": "westeurope"}
        )
        return group_id

    async def vnet(
        self, name: str = "vnet-spoke", group: str = "rg-spoke", subscription: str = SPOKE, prefix: str = "10.1.0.0/24"
    ) -> str:
        """A virtual network with one subnet `snet`; its id."""
        network_id = resource_id(subscription, group, "Microsoft.Network/virtualNetworks", name)
        subnet = {"name": "snet", "id": f"{network_id}/subnets/snet", "properties": {"addressPrefix": prefix}}
        await self.put(
            {
                "id": network_id,
                "name": name,
                "type": "Microsoft.Network/virtualNetworks",
                "location": "westeurope",
                "properties": {"addressSpace": {"addressPrefixes": [prefix]}, "subnets": [subnet]},
            }
        )
        return network_id

    async def zone(self, name: str = BLOB_ZONE, group: str = "rg-dns", subscription: str = HUB) -> str:
        """A private DNS zone with its SOA; its id."""
        zone_id = resource_id(subscription, group, "Microsoft.Network/privateDnsZones", name)
        await self.put(
            {
                "id": zone_id,
                "name": name,
                "type": "Microsoft.Network/privateDnsZones",
                "etag": str(uuid.uuid4()),
                "location": "global",
                "properties": {
                    "maxNumberOfRecordSets": 25000,
                    "maxNumberOfVirtualNetworkLinks": 1000,
                    "maxNumberOfVirtualNetworkLinksWithRegistration": 100,
                    "numberOfRecordSets": 1,
                    "numberOfVirtualNetworkLinks": 0,
                    "numberOfVirtualNetworkLinksWithRegistration": 0,
                    "provisioningState": "Succeeded",
                },
            }
        )
        return zone_id

    async def link(self, zone_id: str, network_id: str, name: str = "hub", policy: str = "Default") -> str:
        """A link between a zone and a network; its id."""
        link_id = f"{zone_id}/virtualNetworkLinks/{name}"
        await self.put(
            {
                "id": link_id,
                "name": name,
                "type": "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
                "etag": str(uuid.uuid4()),
                "location": "global",
                "properties": {
                    "provisioningState": "Succeeded",
                    "registrationEnabled": False,
                    "resolutionPolicy": policy,
                    "virtualNetwork": {"id": network_id},
                    "virtualNetworkLinkState": "Completed",
                },
            }
        )
        return link_id

    async def target(
        self, target_id: str, members: Iterable[Mapping[str, Any]], auto_approve: Iterable[str] = ()
    ) -> str:
        """What endpoints to that resource get; its id."""
        told = {"id": target_id, "members": list(members), "autoApprove": list(auto_approve)}
        await self.sim("POST", "targets", told)
        return target_id

    async def storage_account(
        self,
        name: str = "st1",
        group: str = "rg-spoke",
        subscription: str = SPOKE,
        services: Iterable[str] = ("blob",),
        auto_approve: Iterable[str] = (),
    ) -> str:
        """A storage account that endpoints can point at; its id."""
        account_id = resource_id(subscription, group, "Microsoft.Storage/storageAccounts", name)
        await self.put(
            {
                "id": account_id,
                "name": name,
                "type": "Microsoft.Storage/storageAccounts",
                "location": "westeurope",
                "kind": "StorageV2",
                "properties": {"provisioningState": "Succeeded", "privateEndpointConnections": []},
            }
        )
        members = [
            {
                "groupId": service,
                "memberName": service,
                "fqdns": [f"{name}.{service}.core.windows.net"],
                "zone": f"privatelink.{service}.core.windows.net",
                "publicAddress": "203.0.113.7",
            }
            for service in services
        ]
        return await self.target(account_id, members, auto_approve)

    async def endpoint(self, name: str, target_id: str, *, wait: bool = True, **wanted: Any) -> str:
        """A private endpoint, asked for through ARM as its owner would; its id."""
        group, subscription = wanted.pop("group", "rg-spoke"), wanted.pop("subscription", SPOKE)
        endpoint_id = resource_id(subscription, group, "Microsoft.Network/privateEndpoints", name)
        answer = await self.arm("PUT", endpoint_id, endpoint_request(target_id, subscription=subscription, **wanted))
        assert answer.status < 300, f"PUT {endpoint_id} answered {answer.status}: {answer.body}"
        if wait:
            await self.settle()
        return endpoint_id

    async def connection(self, endpoint_id: str, target_id: str) -> Any:
        """What the target shows of an endpoint's connection."""
        listed = await self.arm("GET", f"{target_id}/privateEndpointConnections")
        for connection in listed.body["value"]:
            if connection["properties"]["privateEndpoint"]["id"].lower() == endpoint_id.lower():
                return connection
        raise AssertionError(f"{target_id} has no connection of {endpoint_id}")

    async def answer(self, endpoint_id: str, target_id: str, status: str) -> None:
        """The target's owner answers the endpoint's connection."""
        connection = await self.connection(endpoint_id, target_id)
        connection["properties"]["privateLinkServiceConnectionState"]["status"] = status
        assert (await self.arm("PUT", connection["id"], connection)).status < 300
        await self.settle()

    async def remove_connection(self, endpoint_id: str, target_id: str) -> None:
        """The target's owner deletes the endpoint's connection."""
        connection = await self.connection(endpoint_id, target_id)
        assert (await self.arm("DELETE", connection["id"])).status < 300
        await self.settle()

    async def spoke(self) -> str:
        """A subscription with a resource group, a network and a storage account; the account's id."""
        await self.subscription(SPOKE)
        await self.resource_group()
        await self.vnet()
        return await self.storage_account()

    async def hub(self) -> str:
        """Another subscription with a zone for blobs; the zone's id."""
        await self.subscription(HUB)
        return await self.zone()


def resource_id(subscription: str, group: str, resource_type: str, name: str) -> str:
    """The id of a top-level resource."""
    return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{resource_type}/{name}"


def endpoint_request(
    target_id: str,
    *,
    groups: Iterable[str] = ("blob",),
    manual: bool = False,
    message: str = "",
    subscription: str = SPOKE,
    network: str = "vnet-spoke",
    **properties: Any,
) -> dict[str, Any]:
    """The body that asks for a private endpoint; `properties` go in beside the connection."""
    subnet_id = resource_id(subscription, "rg-spoke", "Microsoft.Network/virtualNetworks", network) + "/subnets/snet"
    asked: dict[str, Any] = {"privateLinkServiceId": target_id, "groupIds": list(groups)}
    if message:
        asked["requestMessage"] = message
    which = "manualPrivateLinkServiceConnections" if manual else "privateLinkServiceConnections"
    return {
        "location": "westeurope",
        "properties": {"subnet": {"id": subnet_id}, which: [{"name": "plsc", "properties": asked}], **properties},
    }
