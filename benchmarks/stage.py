"""The local Azure that is measured, seen by a spoke team with stock clients, and from behind.

To be imported only when SSL_CERT_FILE is set: aiohttp reads it when it is first imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any, Self

import aiohttp
from azure.identity.aio import ManagedIdentityCredential
from azure.mgmt.network.aio import NetworkManagementClient

from benchmarks.estate import HUB, HUB_NETWORK, SPOKE, SUBNET, TENANT, ZONE, documents, resource_id
from simulator.identity import SYSTEM


class Stage:
    """A local Azure that is up, seen by a spoke team, and from behind by `/_sim`."""

    def __init__(
        self, variables: Mapping[str, str], session: aiohttp.ClientSession, network: NetworkManagementClient
    ) -> None:
        self.variables = variables
        self.session = session
        self._network = network

    @classmethod
    async def open(cls, variables: Mapping[str, str], stack: AsyncExitStack) -> Self:
        """Connects, and builds the estate; the stack closes what is opened."""
        session = await stack.enter_async_context(aiohttp.ClientSession())
        credential = await stack.enter_async_context(ManagedIdentityCredential(client_id="spoke-team"))
        network = NetworkManagementClient(
            credential,
            SPOKE,
            variables["ARM_ENDPOINT"],
            credential_scopes=["https://management.azure.com/.default"],
            polling_interval=0,
        )
        stage = cls(variables, session, await stack.enter_async_context(network))
        for subscription in (HUB, SPOKE):
            await stage.sim("POST", "subscriptions", {"id": subscription, "tenant": TENANT})
        await stage.sim("POST", "resources", {"resources": documents(), "emit": False})
        await stage.configure(dnsNetwork=HUB_NETWORK)
        return stage

    async def registry(self, name: str, names: int = 1) -> str:
        """A container registry whose endpoints get so many names: its own, and one for each region's data; its id."""
        members = [("registry", f"{name}.azurecr.io")]
        members += [(f"registry_data_r{n}", f"{name}.r{n}.data.azurecr.io") for n in range(1, names)]
        told = [
            {"groupId": "registry", "memberName": member, "fqdns": [fqdn], "zone": ZONE, "publicAddress": "203.0.113.9"}
            for member, fqdn in members
        ]
        target = resource_id(SPOKE, "rg-app", "Microsoft.ContainerRegistry/registries", name)
        await self.sim("POST", "targets", {"id": target, "members": told, "autoApprove": []})
        return target

    async def create(self, name: str, target: str) -> str:
        """The spoke team creates an endpoint, and waits until Azure calls it ready; its id."""
        connection = {"name": name, "properties": {"privateLinkServiceId": target, "groupIds": ["registry"]}}
        properties = {"subnet": {"id": SUBNET}, "privateLinkServiceConnections": [connection]}
        body: Any = {"location": "westeurope", "properties": properties}
        poller = await self._network.private_endpoints.begin_create_or_update("rg-app", name, body)
        return str((await poller.result()).id)

    async def delete(self, name: str) -> None:
        """The spoke team deletes an endpoint, and waits for its end."""
        await (await self._network.private_endpoints.begin_delete("rg-app", name)).result()

    async def touch(self, name: str) -> None:
        """Something else is written about an endpoint: nothing of it changes, and there is an event all the same."""
        endpoint = await self._network.private_endpoints.get("rg-app", name)
        await self.sim("POST", "resources", {"resources": [endpoint.as_dict()], "emit": True})

    async def calls(self, service: str) -> list[str]:
        """The methods of Hubwarden's calls to ARM, or to the index, since the last `forget`."""
        found = await self.sim("GET", f"requests?service={service}")
        return [each["method"] for each in found if each["principal"] == SYSTEM]

    async def deliveries(self) -> int:
        """How many deliveries of events have begun since the last `forget`."""
        return len(await self.sim("GET", "requests?service=eventgrid"))

    async def forget(self) -> None:
        """Empties the log of requests."""
        await self.sim("DELETE", "requests")

    async def configure(self, **settings: Any) -> None:
        """Changes how this Azure behaves."""
        await self.sim("POST", "settings", settings)

    async def settle(self) -> None:
        """Returns when nothing is under way any more."""
        await self.sim("POST", "settle", {"timeout": 30})

    async def silence(self) -> None:
        """From now on no event is sent, and the app that would have taken them is gone."""
        await self.settle()
        for document in (await self.sim("GET", "snapshot"))["resources"]:
            if document["type"] == "Microsoft.EventGrid/systemTopics/eventSubscriptions":
                await self.sim("DELETE", f"resources?id={document['id']}")
        await self.sim("POST", "hosts/0", {"do": "kill"})

    async def sim(self, method: str, call: str, body: Any = None) -> Any:
        """A call to the simulator itself."""
        async with self.session.request(method, f"{self.variables['SIM_URL']}/_sim/{call}", json=body) as response:
            response.raise_for_status()
            return await response.json()
