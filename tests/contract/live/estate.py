"""One resource group that checks work in, by what Azure itself offers, and the removal of all that they made there.

Nothing here knows whether that is Azure or the simulator: stock clients, plain ARM requests, and questions asked again
until the answer comes.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self, TypeVar

from azure.core.exceptions import AzureError
from azure.core.rest import HttpRequest
from azure.identity.aio import DefaultAzureCredential
from azure.mgmt.network.aio import NetworkManagementClient
from azure.mgmt.privatedns.aio import PrivateDnsManagementClient
from azure.mgmt.resourcegraph.aio import ResourceGraphClient
from azure.mgmt.storage.aio import StorageManagementClient

from tests.azure import BLOB_ZONE, Answer

AZURE = "https://management.azure.com"
_SCOPES = [f"{AZURE}/.default"]

# The versions that the product sends, most of them because its SDKs do.
NETWORK = "2026-03-01"
DNS = "2024-06-01"
GRAPH = "2021-03-01"
CONNECTIONS = "2019-06-01"
RESOURCES = "2022-12-01"
# That which makes the account; the product asks for none.
STORAGE = "2023-05-01"

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where to build, and how long to wait there; `run` is in the name of everything that is made."""

    arm: str
    subscription: str
    group: str
    location: str
    run: str
    pause: float
    """Seconds between two looks."""
    patience: float = 900.0
    """Seconds after which something should have happened."""

    @property
    def group_id(self) -> str:
        """The resource group."""
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"

    def resource(self, resource_type: str, name: str) -> str:
        """The id of a resource in the group."""
        return f"{self.group_id}/providers/{resource_type}/{name}"

    def endpoint(self, name: str) -> str:
        """The id of a private endpoint of this run."""
        return self.resource("Microsoft.Network/privateEndpoints", f"hw{self.run}-{name}")

    @property
    def network(self) -> str:
        """The run's own network."""
        return self.resource("Microsoft.Network/virtualNetworks", f"hw{self.run}-vnet")

    def subnet(self, name: str = "endpoints") -> str:
        """A subnet of it: `endpoints`, or `services` for what is offered to endpoints."""
        return f"{self.network}/subnets/{name}"

    @property
    def account(self) -> str:
        """The run's storage account, which endpoints point at."""
        return self.resource("Microsoft.Storage/storageAccounts", f"hw{self.run}")

    @property
    def fqdn(self) -> str:
        """The public name of the account's blobs."""
        return f"hw{self.run}.blob.core.windows.net"

    @property
    def zone(self) -> str:
        """The private DNS zone, linked to no network, so that no name resolves otherwise while checks run."""
        return self.resource("Microsoft.Network/privateDnsZones", BLOB_ZONE)

    def plain(self, text: str) -> str:
        """A text without the ids and names of this subscription and run, fit for a page."""
        for own, shown in ((self.subscription, "<subscription>"), (self.group, "<group>"), (self.run, "<run>")):
            text = text.replace(own, shown)
        return text


@dataclass(frozen=True, slots=True)
class Made:
    """What was asked for, and the version to delete it with."""

    resource_id: str
    version: str


class AzureEstate:
    """The resource group as a check sees it; closes its clients with itself."""

    def __init__(self, place: Place, made: list[Made] | None = None) -> None:
        self.place = place
        self.made = [] if made is None else made
        """Everything asked for here, written down before the asking."""
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        credential = await self._open.enter_async_context(DefaultAzureCredential())
        place = self.place
        options: dict[str, Any] = {"base_url": place.arm, "credential_scopes": _SCOPES}
        polled = {**options, "polling_interval": place.pause}
        enter = self._open.enter_async_context
        self.network = await enter(NetworkManagementClient(credential, place.subscription, **polled))
        self.dns = await enter(PrivateDnsManagementClient(credential, place.subscription, **polled))
        self.storage = await enter(StorageManagementClient(credential, place.subscription, **polled))
        self.graph = await enter(ResourceGraphClient(credential, **options))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        version: str,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        tries: int = 4,
    ) -> Answer:
        """A plain ARM request, with the stock pipeline's token and retries; every status is an answer."""
        asked = {"api-version": version, **(query or {})}
        request = HttpRequest(method, path, params=asked, headers=dict(headers or {}), json=body)
        response = await self.network.send_request(request, retry_total=tries - 1)
        return Answer(response.status_code, response.headers, response.json() if response.content else None)

    async def until(self, look: Callable[[], Awaitable[Found | None]], what: str) -> Found:
        """What `look` gives once it gives something; AssertionError when patience ends."""
        deadline = time.monotonic() + self.place.patience
        while True:
            if (found := await look()) is not None:
                return found
            assert time.monotonic() < deadline, f"not seen in {self.place.patience:.0f} s: {what}"
            await asyncio.sleep(self.place.pause)

    async def make(
        self,
        resource_id: str,
        body: Mapping[str, Any],
        *,
        version: str = NETWORK,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Asks for a resource and waits until it is ready; the answer is that to the asking.

        AssertionError where there is one already: it is not ours to change, and not ours to delete at the end.
        """
        before = await self.ask("GET", resource_id, version=version)
        assert before.status == 404, f"{resource_id} was there before: {before.status}"
        self.made.append(Made(resource_id, version))
        answer = await self.ask("PUT", resource_id, body, version=version, headers=headers)
        assert answer.status < 300, f"PUT {resource_id}: {answer.status} {answer.body}"
        await self.ready(resource_id, version)
        return answer

    async def ready(self, resource_id: str, version: str = NETWORK) -> dict[str, Any]:
        """The resource, once Azure calls it ready."""

        async def look() -> dict[str, Any] | None:
            answer = await self.ask("GET", resource_id, version=version)
            state = answer.body["properties"].get("provisioningState") if answer.status == 200 else None
            assert state not in ("Failed", "Canceled"), f"{resource_id} is {state}: {answer.body}"
            body: dict[str, Any] = answer.body
            return body if state == "Succeeded" else None

        return await self.until(look, f"{resource_id} ready")

    async def remove(self, resource_id: str, version: str = NETWORK) -> None:
        """Deletes a resource, and waits until it is gone; one that is busy is asked again."""

        async def look() -> bool | None:
            await self.ask("DELETE", resource_id, version=version)
            return True if (await self.ask("GET", resource_id, version=version)).status == 404 else None

        await self.until(look, f"{resource_id} gone")
        self.made[:] = [each for each in self.made if not f"{each.resource_id}/".startswith(f"{resource_id}/")]

    async def clear(self) -> None:
        """Deletes what was made here, the last first, and names what would not go."""
        left = []
        for each in reversed(list(self.made)):
            try:
                await self.remove(each.resource_id, each.version)
            except (AssertionError, AzureError) as error:
                left.append(f"{each.resource_id} ({error})")
        assert not left, "still there, delete them by hand: " + "; ".join(left)

    # What most checks begin with

    async def request_endpoint(self, name: str, *, manual: bool = False, **properties: Any) -> str:
        """An endpoint to the account, ready; approved at once unless it is a manual one. Its id."""
        endpoint_id = self.place.endpoint(name)
        await self.make(endpoint_id, self.endpoint_body(manual=manual, **properties))
        return endpoint_id

    def endpoint_body(
        self, *, target: str = "", manual: bool = False, message: str = "", **properties: Any
    ) -> dict[str, Any]:
        """The body that asks for an endpoint to the account's blobs, or to a target without groups."""
        asked = {"privateLinkServiceId": target or self.place.account, "groupIds": [] if target else ["blob"]}
        if message:
            asked["requestMessage"] = message
        which = "manualPrivateLinkServiceConnections" if manual else "privateLinkServiceConnections"
        connection = {"name": "connection", "properties": asked}
        wanted = {"subnet": {"id": self.place.subnet()}, which: [connection], **properties}
        return {"location": self.place.location, "properties": wanted}

    async def endpoint(self, endpoint_id: str) -> dict[str, Any]:
        """The properties of an endpoint, as GET shows them without expansion."""
        answer = await self.ask("GET", endpoint_id, version=NETWORK)
        assert answer.status == 200, answer.body
        found: dict[str, Any] = answer.body["properties"]
        return found

    async def interface_names(self, endpoint_id: str) -> list[str]:
        """The names that the endpoint's interface itself shows."""
        (interface,) = (await self.endpoint(endpoint_id))["networkInterfaces"]
        answer = await self.ask("GET", interface["id"], version=NETWORK)
        assert answer.status == 200, answer.body
        held = [each["properties"] for each in answer.body["properties"].get("ipConfigurations") or []]
        return [name for each in held for name in (each.get("privateLinkConnectionProperties") or {}).get("fqdns", [])]

    async def connection_of(self, endpoint_id: str) -> dict[str, Any]:
        """The target's side of an endpoint's connection, found by the endpoint's id, as the product finds it."""

        async def look() -> dict[str, Any] | None:
            answer = await self.ask("GET", f"{self.place.account}/privateEndpointConnections", version=CONNECTIONS)
            for each in answer.body["value"]:
                connection: dict[str, Any] = each
                if each["properties"]["privateEndpoint"]["id"].lower() == endpoint_id.lower():
                    return connection
            return None

        return await self.until(look, f"the connection of {endpoint_id}")

    async def decide(self, connection: Mapping[str, Any], status: str) -> Answer:
        """The owner's answer to a connection: the whole document back with another state, as the product does it."""
        properties = connection["properties"]
        said = {"status": status, "description": "a check of Hubwarden's contract"}
        state = {**properties["privateLinkServiceConnectionState"], **said}
        body = {**connection, "properties": {**properties, "privateLinkServiceConnectionState": state}}
        return await self.ask("PUT", connection["id"], body, version=CONNECTIONS)

    async def follows(self, endpoint_id: str, status: str) -> None:
        """Returns once the endpoint itself shows that status."""

        async def look() -> bool | None:
            return True if status_of(await self.endpoint(endpoint_id)) == status else None

        await self.until(look, f"{endpoint_id} {status}")

    async def record(self, name: str, *addresses: str, **metadata: str) -> str:
        """An A record in the zone; its id."""
        record_id = f"{self.place.zone}/A/{name}"
        self.made.append(Made(record_id, DNS))
        answer = await self.ask("PUT", record_id, record_body(*addresses, **metadata), version=DNS)
        assert answer.status in (200, 201), answer.body
        return record_id


async def place_from(environment: Mapping[str, str], variable: str, run: str, pause: float) -> Place:
    """The place that the environment names, in the region of its resource group, spelt as Azure spells it.

    ARM_ENDPOINT, as the product reads it too, is another Azure than the public one. Raises ValueError for what is no
    resource group's id; AssertionError where Azure does not show the group.
    """
    found = re.fullmatch(
        r"/subscriptions/([^/]+)/resourceGroups/([^/]+)/?", environment.get(variable, ""), re.IGNORECASE
    )
    if found is None:
        raise ValueError(f"{variable} must be the id of a resource group: /subscriptions/<id>/resourceGroups/<name>")
    arm = environment.get("ARM_ENDPOINT") or AZURE
    place = Place(arm=arm, subscription=found[1], group=found[2], location="", run=run, pause=pause)
    async with AzureEstate(place) as estate:
        group = await estate.ask("GET", place.group_id, version=RESOURCES)
    assert group.status == 200, f"GET {place.group_id}: {group.status} {group.body}"
    return replace(place, group=group.body["name"], location=group.body["location"])


def record_body(*addresses: str, **metadata: str) -> dict[str, Any]:
    """The body of an A record set."""
    records = [{"ipv4Address": each} for each in addresses or ("10.250.0.250",)]
    return {"properties": {"ttl": 10, "aRecords": records, **({"metadata": metadata} if metadata else {})}}


def status_of(endpoint: Mapping[str, Any]) -> str:
    """The status in an endpoint's properties, from whichever list holds the connection."""
    lists = ("privateLinkServiceConnections", "manualPrivateLinkServiceConnections")
    (connection,) = [each for name in lists for each in endpoint.get(name) or []]
    return str(connection["properties"]["privateLinkServiceConnectionState"]["status"])


def error_of(answer: Answer) -> dict[str, str]:
    """Code and message of a refusal, wrapped in `error` or not."""
    error: dict[str, str] = answer.body.get("error", answer.body)
    return error


async def prepare(estate: AzureEstate) -> None:
    """Makes what every check stands on: a network, an account, a zone, one endpoint approved and one pending."""
    place = estate.place
    # First, for its name may be taken, and then nothing else is made.
    await estate.make(place.zone, {"location": "global"}, version=DNS, headers={"If-None-Match": "*"})
    offered = {"addressPrefix": "10.250.1.0/24", "privateLinkServiceNetworkPolicies": "Disabled"}
    subnets = [
        {"name": "endpoints", "properties": {"addressPrefix": "10.250.0.0/24"}},
        {"name": "services", "properties": offered},
    ]
    network = {"addressSpace": {"addressPrefixes": ["10.250.0.0/23"]}, "subnets": subnets}
    await estate.make(place.network, {"location": place.location, "properties": network})
    account = {
        "location": place.location,
        "kind": "StorageV2",
        "sku": {"name": "Standard_LRS"},
        "properties": {"publicNetworkAccess": "Disabled", "allowBlobPublicAccess": False},
    }
    await estate.make(place.account, account, version=STORAGE)
    await estate.request_endpoint("approved")
    await estate.request_endpoint("pending", manual=True, message="let me in")


@asynccontextmanager
async def prepared(place: Place) -> AsyncIterator[AzureEstate]:
    """An estate with that ground, all of which goes at the end, also when something failed."""
    async with AzureEstate(place) as estate:
        try:
            await prepare(estate)
            yield estate
        finally:
            await estate.clear()
