"""What teams and administrators do meanwhile: endpoints, connections and zone groups come and go, records are edited.

Each act is data, so that it can be told, repeated, and done in the middle of a run. What cannot be done now is refused
by Azure, or has nobody to do it to, and changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from simulator import ids
from simulator.faults import Faults
from simulator.server import Simulator
from simulator.zone_groups import ZONE_GROUPS
from tests.azure import BLOB_ZONE, HUB, SPOKE, Answer, Azure, resource_id
from tests.estate import TENANT, record_id
from tests.laws.truth import Living, addresses_of, living, mark_of
from tests.laws.watch import Watch

OTHER = "00000000-0000-0000-0000-0000000000cc"
"""A second spoke subscription."""

PLACES = ((SPOKE, "pe1"), (SPOKE, "pe2"), (SPOKE, "pe3"), (OTHER, "pe1"))
"""Where endpoints are made, and made anew."""

NAMES = ("st1", "st2", "st2-secondary")
"""The records that matter: one account has a name, the other has two."""

HERE, THERE = "rg-spoke", "rg-new"
"""The resource groups between which endpoints are moved."""

_ZONE = resource_id(HUB, "rg-dns", "Microsoft.Network/privateDnsZones", BLOB_ZONE)
_MARK = ("hubwarden", "hubwarden_instance", "hubwarden_endpoint", "hubwarden_guid")


@dataclass(frozen=True, slots=True)
class Act:
    """Something that somebody does, to whom (a place, or one of the living), and with what (an account, a record)."""

    kind: str
    who: int = 0
    what: int = 0


@dataclass(slots=True)
class People:
    """Everybody but Hubwarden."""

    azure: Azure
    simulator: Simulator
    watch: Watch
    known: list[str] = field(default_factory=list)
    """The ids of all endpoints that there ever were."""

    async def found(self) -> None:
        """A second spoke, a second account with two names, and a group to move endpoints to."""
        await self.azure.subscription(OTHER, tenant=TENANT)
        await self.azure.resource_group(HERE, OTHER)
        await self.azure.vnet(subscription=OTHER, prefix="10.7.0.0/24")
        account = resource_id(SPOKE, HERE, "Microsoft.Storage/storageAccounts", "st2")
        await self.azure.storage_account("st2")
        members = [
            {
                "groupId": "blob",
                "memberName": name,
                "fqdns": [f"{name}.blob.core.windows.net"],
                "zone": BLOB_ZONE,
                "publicAddress": "203.0.113.7",
            }
            for name in NAMES[1:]
        ]
        await self.azure.target(account, members)

    async def do(self, act: Act) -> None:
        """An act to its end; the faults that are ordered are not meant for people."""
        faults, self.simulator.faults = self.simulator.faults, Faults()
        try:
            await self._acts()[act.kind](act)
            for _ in range(9):  # what it began ends
                await asyncio.sleep(0)
        finally:
            self.simulator.faults = faults

    def _acts(self) -> dict[str, Callable[[Act], Awaitable[object]]]:
        return {
            "create": lambda act: self._create(act, manual=False),
            "create_manual": lambda act: self._create(act, manual=True),
            "create_slowly": self._create_slowly,
            "approve": lambda act: self._answer(act, "Approved"),
            "reject": lambda act: self._answer(act, "Rejected"),
            "disconnect": lambda act: self._answer(act, None),
            "delete": self._delete,
            "move": self._move,
            "delete_group": lambda _: self._arm("DELETE", f"/subscriptions/{SPOKE}/resourceGroups/{THERE}"),
            "attach": self._attach,
            "detach": self._detach,
            "readdress": lambda act: self._edit(act, address="10.8.8.8"),
            "erase": self._erase,
            "squat": lambda act: self._write(NAMES[act.what % 3], "10.9.9.9", {"owner": "somebody"}),
            "unmark": lambda act: self._edit(act, metadata={}),
            "mark_as_others": lambda act: self._edit(act, metadata={"hubwarden_instance": "fabrikam"}),
            "mark_as_newer": lambda act: self._edit(act, metadata={"hubwarden": "2"}),
            "orphan": self._orphan,
        }

    async def _create(self, act: Act, *, manual: bool) -> None:
        subscription, name = PLACES[act.who % len(PLACES)]
        endpoint = resource_id(subscription, HERE, "Microsoft.Network/privateEndpoints", name)
        if self.simulator.world.document(endpoint) is not None:
            return
        account = resource_id(SPOKE, HERE, "Microsoft.Storage/storageAccounts", ("st1", "st1", "st2")[act.what % 3])
        self._remember(endpoint)
        await self.azure.endpoint(name, account, subscription=subscription, manual=manual, wait=False)

    async def _create_slowly(self, act: Act) -> None:
        """Azure is at work on it until time has passed."""
        await self.azure.sim("POST", "settings", {"operationMs": 30_000})
        await self._create(act, manual=False)
        await self.azure.sim("POST", "settings", {"operationMs": 0})

    async def _answer(self, act: Act, status: str | None) -> None:
        """The target's owner answers a connection, or deletes it."""
        endpoint = self._one(act)
        if endpoint is None:
            return
        listed = await self._arm("GET", f"{endpoint.target}/privateEndpointConnections")
        for connection in listed.body["value"]:
            if ids.key(connection["properties"]["privateEndpoint"]["id"]) != endpoint.id:
                continue
            if status is None:
                await self._arm("DELETE", connection["id"])
            else:
                connection["properties"]["privateLinkServiceConnectionState"]["status"] = status
                await self._arm("PUT", connection["id"], connection)

    async def _delete(self, act: Act) -> None:
        if endpoint := self._one(act):
            await self._arm("DELETE", endpoint.id)

    async def _move(self, act: Act) -> None:
        """To the other group, with its interface or without; the index hears of it before anybody else does.

        Until then nothing tells a moved endpoint from a deleted one.
        """
        endpoint = self._one(act)
        document = self.simulator.world.document(endpoint.id) if endpoint else None
        if document is None:
            return
        parsed = ids.parse(document["id"])
        group = f"/subscriptions/{parsed.subscription}/resourceGroups"
        target = f"{group}/{THERE if parsed.resource_group == HERE else HERE}"
        await self._arm("PUT", target, {"location": "westeurope"})
        self._remember(f"{target}/providers/Microsoft.Network/privateEndpoints/{parsed.name}")
        interface = document["properties"]["networkInterfaces"][0]["id"]
        along = [interface] if act.what % 2 and ids.parse(interface).parent == parsed.parent else []
        body = {"resources": [document["id"], *along], "targetResourceGroup": target}
        await self._arm("POST", f"{group}/{parsed.resource_group}/moveResources", body)
        await self.azure.advance(60)

    async def _attach(self, act: Act) -> None:
        if endpoint := self._one(act):
            config = {"name": "blob", "properties": {"privateDnsZoneId": _ZONE}}
            body = {"properties": {"privateDnsZoneConfigs": [config]}}
            await self._arm("PUT", f"{endpoint.id}/privateDnsZoneGroups/default", body)

    async def _detach(self, act: Act) -> None:
        groups = self.simulator.world.store.of_type(ZONE_GROUPS)
        if groups:
            await self._arm("DELETE", groups[act.who % len(groups)]["id"])

    async def _edit(self, act: Act, *, address: str = "", metadata: dict[str, str] | None = None) -> None:
        """A hand in a record of ours: another address, no metadata, or some of it changed."""
        ours = [name for name, record in sorted(self.watch.records.items()) if mark_of(record)]
        if not ours:
            return
        name = ours[act.what % len(ours)]
        record = self.watch.records[name]
        was = record["properties"]["metadata"]
        told = was if metadata is None else {**was, **metadata} if metadata else {}
        await self._write(name, address or min(addresses_of(record)), told)

    async def _erase(self, act: Act) -> None:
        if there := sorted(self.watch.records):
            await self._arm("DELETE", record_id(there[act.what % len(there)]))

    async def _orphan(self, act: Act) -> None:
        """A record with our mark for an endpoint that never was, as a restored backup would bring it."""
        subscription, _ = PLACES[act.who % len(PLACES)]
        endpoint = resource_id(subscription, HERE, "Microsoft.Network/privateEndpoints", "pe-of-old")
        told = ("1", "contoso", endpoint, "0d0c0b0a-0000-4000-8000-000000000000")
        await self._write("st-of-old", "10.1.0.99", dict(zip(_MARK, told, strict=True)))

    async def _write(self, name: str, address: str, metadata: dict[str, str]) -> None:
        properties = {"ttl": 3600, "aRecords": [{"ipv4Address": address}], "metadata": metadata}
        await self._arm("PUT", record_id(name), {"properties": properties})

    async def _arm(self, method: str, path: str, body: Any = None) -> Answer:
        answer = await self.azure.arm(method, path, body)
        assert answer.status < 500, f"{method} {path} answered {answer.status}: {answer.body}"
        return answer

    def _remember(self, endpoint: str) -> None:
        if endpoint not in self.known:
            self.known.append(endpoint)

    def _one(self, act: Act) -> Living | None:
        """One of those who live now."""
        found = living(self.simulator.world)
        return found[act.who % len(found)] if found else None
