"""The people of the demo: spoke teams, the network's owners and clients, each with the stock clients they would use."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
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

from simulator.stage import (
    ACCOUNT,
    BILLING,
    ELSEWHERE,
    HUB,
    HUB_NETWORK,
    ORDERS,
    TENANTS,
    ZONES,
    documents,
    id_of,
    spoke_network,
    targets,
)

_LOOK = 0.002  # seconds between two looks of somebody who watches
_SCOPES = ["https://management.azure.com/.default"]


class StepError(Exception):
    """A step of the demo did not hold; the message says what was expected and what was seen."""


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
        self.networks: dict[str, NetworkManagementClient] = {}
        """Of each subscription that has endpoints."""
        self.accounts: dict[str, StorageManagementClient] = {}
        """Of each subscription that has storage accounts."""

    @classmethod
    async def open(cls, stack: AsyncExitStack, variables: Mapping[str, str]) -> Self:
        """Opens the clients; the stack closes them."""
        scene = cls(variables, await stack.enter_async_context(aiohttp.ClientSession()))
        enter = stack.enter_async_context
        ours = await enter(ManagedIdentityCredential(client_id="spoke-team"))
        theirs = await enter(ManagedIdentityCredential(client_id="another-company"))
        options: dict[str, Any] = {
            "base_url": variables["ARM_ENDPOINT"],
            "credential_scopes": _SCOPES,
            "polling_interval": 0,
        }
        for subscription, credential in ((ORDERS, ours), (BILLING, ours), (ELSEWHERE, theirs)):
            scene.networks[subscription] = await enter(NetworkManagementClient(credential, subscription, **options))
        for subscription in (ORDERS, BILLING):
            scene.accounts[subscription] = await enter(StorageManagementClient(ours, subscription, **options))
        scene.dns = await enter(PrivateDnsManagementClient(ours, HUB, **options))
        return scene

    dns: PrivateDnsManagementClient

    async def build(self) -> None:
        """Subscriptions, networks, targets and empty zones."""
        for subscription, tenant in TENANTS.items():
            await self.sim("POST", "subscriptions", {"id": subscription, "tenant": tenant})
        await self.sim("POST", "settings", {"latencyMs": 20, "dnsNetwork": HUB_NETWORK})
        await self.sim("POST", "resources", {"resources": documents(), "emit": False})
        for target in targets():
            await self.sim("POST", "targets", target)
        for zone in ZONES:
            empty: Any = {"location": "global"}
            await (await self.dns.private_zones.begin_create_or_update("rg-dns", zone, empty)).result()
        await self.create_endpoint("pe-elsewhere", ACCOUNT, "blob", subscription=ELSEWHERE)
        await self.start(
            "pending"
        )  # as every minute in Azure, so that no event finds an app that never asked for anything
        await self.settle()

    # What a spoke team does

    def endpoint_id(self, name: str) -> str:
        """The id of an endpoint in the spoke 'orders'."""
        return id_of(ORDERS, "rg-app", "Microsoft.Network/privateEndpoints", name)

    async def create_endpoint(
        self, name: str, target: str, group: str, *, manual: bool = False, subscription: str = ORDERS
    ) -> str:
        """Creates a private endpoint and waits until Azure calls it ready; its id."""
        connection = {"name": name, "properties": {"privateLinkServiceId": target, "groupIds": [group]}}
        kind = "manualPrivateLinkServiceConnections" if manual else "privateLinkServiceConnections"
        subnet = {"id": f"{spoke_network(subscription)}/subnets/snet"}
        body: Any = {"location": "westeurope", "properties": {"subnet": subnet, kind: [connection]}}
        endpoints = self.networks[subscription].private_endpoints
        return str((await (await endpoints.begin_create_or_update("rg-app", name, body)).result()).id)

    async def delete_endpoint(self, name: str, *, subscription: str = ORDERS) -> None:
        """Deletes a private endpoint and waits for its end."""
        await (await self.networks[subscription].private_endpoints.begin_delete("rg-app", name)).result()

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

    async def connections(self, account: str) -> dict[str, Any]:
        """The connections that an account shows, each by the name of the endpoint that asks."""
        _, _, subscription, *_, name = account.split("/")
        found: list[Any] = [
            each async for each in self.accounts[subscription].private_endpoint_connections.list("rg-app", name)
        ]
        return {each.properties.private_endpoint.id.rsplit("/", 1)[1]: each for each in found}

    async def approve(self, account: str, endpoint: str) -> None:
        """The account's owner approves what an endpoint asks."""
        _, _, subscription, *_, name = account.split("/")
        connection = (await self.connections(account))[endpoint]
        state = connection.properties.private_link_service_connection_state
        state.status, state.description = "Approved", "approved by its owner"
        put = self.accounts[subscription].private_endpoint_connections.put
        await put("rg-app", name, str(connection.name), connection)

    # What a client in the hub sees

    async def ask(self, name: str) -> str:
        """What the hub's resolver answers: the last address, or the response code."""
        host, port = self._variables["SIM_DNS"].rsplit(":", 1)
        answer = await dns.asyncquery.udp(dns.message.make_query(name, "A"), host, port=int(port), timeout=30)
        addresses = [str(item) for rrset in answer.answer if rrset.rdtype == dns.rdatatype.A for item in rrset]
        return addresses[-1] if addresses else dns.rcode.to_text(answer.rcode())

    @asynccontextmanager
    async def asking(self, name: str) -> AsyncIterator[list[str]]:
        """Asks all the while; every answer is added to the list."""
        answers, over = [await self.ask(name)], asyncio.Event()

        async def ask_on() -> None:
            while not over.is_set():
                answers.append(await self.ask(name))
                await asyncio.sleep(_LOOK)

        task = asyncio.create_task(ask_on())
        try:
            yield answers
        finally:
            over.set()  # no cancel: Python 3.11 loses one that comes when an answer does
            await task

    async def watch(self, name: str, address: str, seconds: float = 120.0) -> Watched:
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
        """Asks Hubwarden's own API, with a function key. Raises StepError for a problem."""
        url = f"{self._variables['APP_URL']}/api/{route}"
        headers = {"x-functions-key": self._variables["APP_KEY"]}
        async with self._session.request(method, url, json=body, params=query, headers=headers) as response:
            told = await response.json(content_type=None)
            if not response.ok:
                raise StepError(f"{method} /api/{route} answered {response.status}: {told}")
            return told

    @asynccontextmanager
    async def signed_in(self, name: str, role: str) -> AsyncIterator[None]:
        """Meanwhile whoever asks the app is this person, signed in by the platform."""
        await self.sim("POST", "settings", {"principal": {"name": name, "roles": [role]}})
        try:
            yield
        finally:
            await self.sim("POST", "settings", {"principal": None})

    async def start(self, function: str) -> None:
        """Starts one of the app's timers by hand, as the portal does."""
        url = f"{self._variables['APP_URL']}/admin/functions/{function}"
        headers = {"x-functions-key": self._variables["APP_MASTER_KEY"]}
        async with self._session.post(url, json={}, headers=headers) as response:
            response.raise_for_status()

    async def writes(self, zone: str, name: str) -> list[str]:
        """The methods of all requests that wrote or deleted an A record, so far."""
        requests = await self.sim("GET", "requests?service=arm")
        ends = f"/{zone}/A/{name}".lower()
        return [each["method"] for each in requests if each["method"] != "GET" and each["path"].lower().endswith(ends)]

    async def hide(self, subscription: str) -> None:
        """From now on Azure answers nothing about a subscription."""
        await self.sim("POST", "subscriptions", {"id": subscription, "readable": False})

    async def lose_events(self, *, every: bool) -> list[str]:
        """Whether every event gets lost from now on; what those were about that were lost so far."""
        await self.sim("POST", "settings", {"eventLoss": 1 if every else 0})
        return [each["subject"] for each in (await self.sim("GET", "events"))["lost"]]

    async def sim(self, method: str, call: str, body: Any = None) -> Any:
        """A call to the simulator itself."""
        async with self._session.request(method, f"{self._variables['SIM_URL']}/_sim/{call}", json=body) as response:
            response.raise_for_status()
            return await response.json()

    async def settle(self) -> None:
        """Returns when nothing is under way any more."""
        await self.sim("POST", "settle", {"timeout": 120})
