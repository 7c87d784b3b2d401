"""A whole local Azure with Hubwarden in it, as `python -m simulator up` starts it, and what a test does with it.

Nothing of the app is replaced; only its host waits no seconds before it tries a failed message again, so that five
tries are over at once.
"""

from __future__ import annotations

import asyncio
import io
import json
import re
import ssl
import sys
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import aiohttp
import yaml
from azure.core.exceptions import ResourceNotFoundError
from azure.core.pipeline.transport import AioHttpTransport
from azure.data.tables.aio import TableServiceClient
from azure.identity.aio import ManagedIdentityCredential
from azure.mgmt.network.aio import NetworkManagementClient
from azure.mgmt.storage.aio import StorageManagementClient
from azure.storage.queue import TextBase64DecodePolicy, TextBase64EncodePolicy
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from simulator.processes import Process
from tests.azure import BLOB_ZONE, HUB, Answer, Azure, resource_id
from tests.doors.rights import APP, CORP, PEOPLE, roles_count
from tests.estate import TENANT, record_id
from tests.storage import taken

ROOT = Path(__file__).parents[2]
SPOKES = tuple(f"5b0e0000-0000-4000-8000-{number:012d}" for number in range(300))
"""The estate's spokes: every test takes one that nobody used before."""

APPROVER = "Hubwarden.Approver"
"""The app role of people who may decide."""

APPROVERS = "7c1e0000-0000-4000-8000-000000000001"
"""The group of others who may, by its object id."""

PATIENCE = 120.0
"""Seconds that a test waits for what must come: no measure of speed, for the machine may have other things to do."""

WORK, POISON = "hubwarden-work", "hubwarden-work-poison"
_SCOPES = ["https://management.azure.com/.default"]

PERSONAL = {
    "name": "Adelheid Beispiel",
    "upn": "adelheid.beispiel@contoso.example",
    "ipaddr": "203.0.113.77",
    "onprem_sid": "S-1-5-21-1111111111-2222222222-3333333333-4444",
    "puid": "1003BFFD00000001",
    "uti": "dG9rZW4taWQ",
    "nameidentifier": "c3ViamVjdC1vZi1hLXRva2Vu",
}
"""What the simulator's events tell of the person behind them, and the events that tests write, too."""


def traces(text: str) -> list[str]:
    """What of a person is to be found in a text."""
    marks = ("adelheid", "beispiel", *(value.lower() for value in PERSONAL.values()))
    return [mark for mark in marks if mark in text.lower()]


def settings(**changes: Any) -> str:
    """A hubwarden.yaml for the hub and every spoke.

    Follow-ups wait less than a second, so that the queue hides none of them from who waits for rest. All tests share
    one zone within one hour, so that its limits are out of every test's way.
    """
    document: dict[str, Any] = {
        "instance": "contoso",
        "estate": {"subscriptions": [HUB, *SPOKES]},
        "hubs": [{"name": "weu", "zones": [f"/subscriptions/{HUB}/resourceGroups/rg-dns"]}],
        "approvals": {"people": [APPROVER, APPROVERS]},
        "records": {"limits": {"withdrawals": 5000, "perZone": 5000, "share": 1.0}},
        "followUps": ["100ms", "200ms", "400ms", "800ms"],
    }
    return yaml.safe_dump({**document, **changes})


def app_directory(directory: Path) -> Path:
    """The app, with a host.json that lets failed messages be tried again at once."""
    directory.mkdir()
    for part in ("function_app.py", "handlers", "hubwarden"):
        (directory / part).symlink_to(ROOT / part)
    host = json.loads((ROOT / "host.json").read_text())
    host["extensions"]["queues"]["visibilityTimeout"] = "00:00:00"
    (directory / "host.json").write_text(json.dumps(host))
    return directory


class Up:
    """An `up` that is running, with everything it has said."""

    def __init__(self, room: Path) -> None:
        self.config = room / "hubwarden.yaml"
        self.config.write_text(settings())
        self.app = app_directory(room / "app")
        self.lines: list[str] = []
        file = room / "up.env"
        command = [sys.executable, "-m", "simulator", "up", "--env-file", str(file), "--app", str(self.app)]
        variables = {"HUBWARDEN_CONFIG": str(self.config), "WEBSITE_AUTH_ENABLED": "True"}
        self._process = Process("up", command, directory=ROOT, variables=variables, echo=self.lines.append)
        try:
            self._process.wait_for(re.compile("READY$"), 180)
            self.variables = dict(line.split("=", 1) for line in file.read_text().splitlines())
        except BaseException:
            self._process.stop(60)
            raise

    def stop(self) -> int:
        """Ends it in good order; its exit code."""
        return self._process.stop(60)


class RemoteAzure(Azure):
    """The driver, over an `up` that has an authority of its own."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        super().__init__(variables["SIM_URL"])
        self._certificate = variables["SSL_CERT_FILE"]

    async def __aenter__(self) -> Self:
        trust = ssl.create_default_context(cafile=self._certificate)
        connector = aiohttp.TCPConnector(ssl=trust)
        self.session = await self._open.enter_async_context(aiohttp.ClientSession(connector=connector))
        self.credential = await self._open.enter_async_context(
            ManagedIdentityCredential(client_id=PEOPLE, transport=self._transport)
        )
        return self

    async def network(self, subscription: str = HUB) -> NetworkManagementClient:
        """azure-mgmt-network of a subscription."""
        client = NetworkManagementClient(self.credential, subscription, **self._options)
        return await self._open.enter_async_context(client)

    async def storage(self, subscription: str = HUB) -> StorageManagementClient:
        """azure-mgmt-storage of a subscription."""
        client = StorageManagementClient(self.credential, subscription, **self._options)
        return await self._open.enter_async_context(client)

    @property
    def _options(self) -> dict[str, Any]:
        places = {"base_url": self.url, "credential_scopes": _SCOPES}
        return {**places, "polling_interval": 0, "transport": self._transport}

    @property
    def _transport(self) -> AioHttpTransport:
        return AioHttpTransport(session=self.session, session_owner=False)


@dataclass(slots=True)
class Storage:
    """What an app keeps in its storage account."""

    connection_string: str

    async def follow_up(self, endpoint: str) -> Mapping[str, Any] | None:
        """The look that an endpoint has waiting, as the ledger notes it."""
        [*found] = [row for row in await self.rows() if row["RowKey"] == "follow-up" and _is_of(row, endpoint)]
        return found[0] if found else None

    async def claims(self, endpoint: str) -> list[str]:
        """The names that an endpoint claims."""
        return [str(row["Fqdn"]) for row in await self.rows() if row["RowKey"] != "follow-up" and _is_of(row, endpoint)]

    async def rows(self) -> list[Mapping[str, Any]]:
        """Every row of every table."""
        async with TableServiceClient.from_connection_string(self.connection_string) as service:
            tables = [service.get_table_client(table.name) async for table in service.list_tables()]
            return [row for table in tables async for row in table.list_entities()]

    async def messages(self) -> list[str]:
        """Every message of every queue that can be seen now."""
        async with QueueServiceClient.from_connection_string(
            self.connection_string, message_decode_policy=TextBase64DecodePolicy()
        ) as service:
            names = [queue.name async for queue in service.list_queues()]
            clients = [service.get_queue_client(name) for name in names]
            return [str(message.content) for queue in clients for message in await queue.peek_messages(max_messages=32)]

    async def count(self) -> int:
        """How many items there are in the work queue, be they due, waiting or in hand."""
        async with self._queue(WORK) as queue:
            try:
                return (await queue.get_queue_properties()).approximate_message_count or 0
            except ResourceNotFoundError:
                return 0

    async def send(self, *texts: str) -> None:
        """Puts messages into the work queue."""
        async with self._queue(WORK) as queue:
            try:
                await queue.get_queue_properties()
            except ResourceNotFoundError:
                await queue.create_queue()
            for text in texts:
                await queue.send_message(text)

    async def clear(self) -> None:
        """Empties the work queue, of what is not due yet as well."""
        async with self._queue(WORK) as queue:
            await queue.clear_messages()

    async def poison(self) -> list[str]:
        """Takes what people would find in the poison queue."""
        async with self._queue(POISON) as queue:
            return await taken(queue)

    def _queue(self, name: str) -> QueueClient:
        return QueueClient.from_connection_string(
            self.connection_string,
            name,
            message_encode_policy=TextBase64EncodePolicy(),
            message_decode_policy=TextBase64DecodePolicy(),
        )


def _is_of(row: Mapping[str, Any], endpoint: str) -> bool:
    return bool(row["PartitionKey"] == endpoint.lower().replace("/", "|"))


@dataclass(slots=True)
class Spoke:
    """One test's spoke, the app that looks after it, and everybody's tools."""

    up: Up
    azure: RemoteAzure
    subscription: str
    account: str
    """The name of the spoke's storage account, which is also the name of its record."""
    url: str
    """Where the app answers."""
    storage: Storage
    lines: list[str]
    """What the app says."""
    said_before: int = 0
    principal: str = APP
    """As whom the app asks Azure."""

    # What people do

    @property
    def account_id(self) -> str:
        """The id of the storage account."""
        return resource_id(self.subscription, "rg-spoke", "Microsoft.Storage/storageAccounts", self.account)

    def endpoint_id(self, name: str) -> str:
        """The id of an endpoint in the spoke."""
        return resource_id(self.subscription, "rg-spoke", "Microsoft.Network/privateEndpoints", name)

    async def endpoint(self, name: str = "pe1", **wanted: Any) -> str:
        """An endpoint to the storage account; its id, when all that follows from it is over."""
        return await self.azure.endpoint(name, self.account_id, subscription=self.subscription, **wanted)

    async def connections(self) -> list[dict[str, Any]]:
        """The connections that the storage account shows."""
        answer = await self.azure.arm("GET", f"{self.account_id}/privateEndpointConnections")
        found: list[dict[str, Any]] = answer.body["value"]
        return found

    async def change(self, endpoint: str, **properties: Any) -> dict[str, Any]:
        """Azure changes an endpoint's properties, and tells nobody; the document as it was before."""
        before: dict[str, Any] = (await self.azure.arm("GET", endpoint)).body
        await self.azure.put({**before, "properties": {**before["properties"], **properties}})
        return before

    async def delete(self, resource: str) -> None:
        """Its owner deletes it."""
        assert (await self.azure.arm("DELETE", resource)).status in (200, 202, 204)
        await self.azure.settle()

    async def fault(self, **what: Any) -> None:
        """Something of Azure will fail."""
        await self.azure.sim("POST", "faults", {"service": "arm", "times": 1000, **what})

    async def no_faults(self) -> None:
        """Azure is well again."""
        await self.azure.sim("DELETE", "faults")

    # What the doors are sent

    def event(self, subject: object, **more: Any) -> dict[str, Any]:
        """An event in the Event Grid schema, with a person in it."""
        return {
            "id": str(uuid.uuid4()),
            "topic": f"/subscriptions/{self.subscription}",
            "subject": subject,
            "eventType": "Microsoft.Resources.ResourceWriteSuccess",
            "eventTime": "2026-01-01T00:00:00.0000000Z",
            "data": {"claims": PERSONAL, "httpRequest": {"clientIpAddress": PERSONAL["ipaddr"]}},
            "dataVersion": "2",
            "metadataVersion": "1",
            **more,
        }

    async def deliver(self, body: object, *, content: str = "application/json; charset=utf-8", **more: str) -> int:
        """Sends a body to the webhook, as Event Grid would, perhaps with more headers; the status."""
        address = f"{self.url}/runtime/webhooks/eventgrid"
        query = {"functionName": "events", "code": self.up.variables["APP_SYSTEM_KEY"]}
        headers = {"aeg-event-type": "Notification", "Content-Type": content, **more}
        data = io.BytesIO(json.dumps(body).encode())  # a file, because aiohttp warns of a large body that is bytes
        async with self.azure.session.post(address, params=query, headers=headers, data=data) as response:
            await response.read()
            return response.status

    async def happened(self, *resources: str) -> int:
        """Sends one event for each id, all at once; the status."""
        return await self.deliver([self.event(resource) for resource in resources])

    async def ask(
        self,
        method: str,
        route: str,
        body: object = None,
        *,
        key: str = "APP_KEY",
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Asks the API, with a function key unless said otherwise; a body of bytes is sent as it is."""
        headers = {**(headers or {}), **({"x-functions-key": self.up.variables[key]} if key else {})}
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        url = f"{self.url}/api/{route}"
        async with self.azure.session.request(method, url, data=data, headers=headers, params=query) as response:
            text = await response.text()
            return Answer(response.status, response.headers, json.loads(text) if text else None)

    # What is to be seen

    async def addresses(self, name: str = "") -> list[str] | None:
        """The addresses of an A record in the hub, or None for no record."""
        answer = await self.azure.arm("GET", record_id(name or self.account))
        return [item["ipv4Address"] for item in answer.body["properties"]["aRecords"]] if answer.status == 200 else None

    async def calls(self, principal: str = "") -> list[str]:
        """What the app, or whoever is named, asked of ARM about this spoke's things, since the test began."""
        found = [each for each in await self.azure.requests() if each["principal"] == (principal or self.principal)]
        return [f"{each['method']} {each['path']}" for each in found]

    async def until(self, condition: Callable[[], Awaitable[object]], within: float = PATIENCE) -> None:
        """Asks again and again until something is so; each question is a request, so others get their turn."""
        async with asyncio.timeout(within):
            while not await condition():  # noqa: ASYNC110 - what is waited for happens in another process
                await asyncio.sleep(0)

    async def settle(self) -> None:
        """Returns when the app has nothing left to do."""
        await self.azure.settle(PATIENCE)

    async def hears(self, text: str, times: int = 1) -> None:
        """Waits until the app has said so, which comes by way of another process."""

        async def is_said() -> bool:
            return self.said.count(text) >= times

        await self.until(is_said)

    @property
    def said(self) -> str:
        """What the app has said since the test began."""
        return "".join(self.lines[self.said_before :])


async def found_hub(variables: Mapping[str, str]) -> None:
    """The hub with its zone, before the app first lists the zones, for it remembers them for a while.

    And every subscription of the estate, empty yet: one that is not shown is told of, and no sweep is whole without it.
    """
    async with RemoteAzure(variables) as azure:
        shown = (azure.subscription(each, tenant=TENANT, managementGroups=[CORP]) for each in (HUB, *SPOKES))
        await asyncio.gather(*shown)
        await azure.zone(BLOB_ZONE)
        await roles_count(azure)


async def found_spoke(azure: RemoteAzure, subscription: str, account: str, *, silent: bool) -> None:
    """A subscription with a group, a network and a storage account.

    A silent one has a system topic to which nobody has subscribed: only what a test sends reaches the app.
    """
    await azure.subscription(subscription, tenant=TENANT)
    if silent:
        kind = "Microsoft.EventGrid/systemTopics"
        topic = resource_id(subscription, "rg-events", kind, "subscription-events")
        source = {"source": f"/subscriptions/{subscription}", "topicType": "Microsoft.Resources.Subscriptions"}
        await azure.put(
            {"id": topic, "name": "subscription-events", "type": kind, "location": "global", "properties": source}
        )
    await azure.resource_group("rg-spoke", subscription)
    await azure.vnet(subscription=subscription)
    await azure.storage_account(account, subscription=subscription)
