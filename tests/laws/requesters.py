"""Who asks to connect in a history of approvals, who answers by hand, and who moves meanwhile: each deed is data."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from simulator import ids
from simulator.faults import Faults
from simulator.server import Simulator
from tests.azure import SPOKE, Azure, resource_id
from tests.estate import IDENTITY, TENANT
from tests.laws.verdicts import BATCH, COSMOS, FOREIGN, HIDDEN, MESSAGES, OTHER, SQL, STORAGE, Answers, Asking
from tests.rights import READER, assignment

GROUP = "rg-spoke"
TARGETS = tuple(
    resource_id(SPOKE, GROUP, target_type, name)
    for target_type, name in ((STORAGE, "st1"), (COSMOS, "c1"), (SQL, "s1"), (MESSAGES, "m1"), (BATCH, "b1"))
)
"""Quick, named after the endpoint, slow, slow without a word of it, and under an etag."""

PLACES = ((SPOKE, "pe1"), (SPOKE, "pe2"), (OTHER, "pe1"), (FOREIGN, "pe1"), (HIDDEN, "pe1"))
ANOTHER_TENANT = "00000000-0000-0000-0000-00000000bbbb"
MESSAGES_SENT = ("", "please", "quarantine: do not touch")


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that somebody does: from or to which place, at which target, and in which words."""

    kind: str
    who: int = 0
    what: int = 0
    how: int = 0


@dataclass(slots=True)
class Requesters:
    """Everybody but Hubwarden."""

    azure: Azure
    simulator: Simulator
    answers: Answers
    by_hand: dict[str, str] = field(default_factory=dict)
    """What a person answered last and Azure took, by connection."""
    made_anew: set[str] = field(default_factory=set)
    """Connections that went, and came back under the same id."""

    async def found(self) -> None:
        """The subscriptions, and the targets with two groups each."""
        await self.azure.subscription(OTHER, tenant=TENANT)
        await self.azure.subscription(FOREIGN, tenant=ANOTHER_TENANT)
        # Its owners let Hubwarden read it (Azure Lighthouse): to others ARM shows no subscription of another tenant.
        await self.azure.put(*assignment(READER, f"/subscriptions/{FOREIGN}", IDENTITY))
        await self.azure.subscription(HIDDEN, tenant=TENANT, readable=False)
        await self.azure.resource_group(GROUP, OTHER)
        await self.azure.vnet(subscription=OTHER, prefix="10.7.0.0/24")
        for target in TARGETS[1:]:
            parsed = ids.parse(target)
            document = {"id": target, "name": parsed.name, "type": parsed.type, "location": "westeurope"}
            await self.azure.put({**document, "properties": {}})
        for target in TARGETS:
            name = ids.parse(target).name
            members = [
                {
                    "groupId": group,
                    "memberName": group,
                    "fqdns": [f"{name}.{group}.core.windows.net"],
                    "zone": f"privatelink.{group}.core.windows.net",
                }
                for group in ("blob", "file")
            ]
            await self.azure.target(target, members)

    async def do(self, deed: Deed) -> None:
        """A deed to its end; the faults that are ordered are not meant for people."""
        faults, self.simulator.faults = self.simulator.faults, Faults()
        try:
            await getattr(self, f"_{deed.kind}")(deed)
            for _ in range(9):  # what it began ends
                await asyncio.sleep(0)
        finally:
            self.simulator.faults = faults
        self.answers.note()

    async def _ask(self, deed: Deed) -> None:
        subscription, name = PLACES[deed.who % len(PLACES)]
        target = TARGETS[deed.what % len(TARGETS)]
        endpoint = resource_id(subscription, GROUP, "Microsoft.Network/privateEndpoints", name)
        group, message = ("blob", "blob", "file")[deed.how % 3], MESSAGES_SENT[deed.how // 3 % 3]
        if any(each.endpoint == ids.key(endpoint) for each in self.answers.asking()):
            return
        if subscription in (SPOKE, OTHER):
            if self.simulator.world.document(endpoint) is None:
                wanted: dict[str, Any] = {"groups": [group], "manual": True, "message": message, "wait": False}
                await self.azure.endpoint(name, target, subscription=subscription, **wanted)
        else:
            await self.azure.put(_stranger(target, endpoint, group, message))
        for each in self.answers.asking():
            if each.endpoint == ids.key(endpoint) and each.id in {known for known, _ in self.answers.taken}:
                self.made_anew.add(each.id)

    async def _leave(self, deed: Deed) -> None:
        asking = self._one(deed)
        if asking is None:
            return
        self.by_hand.pop(asking.id, None)
        if asking.subscription in (SPOKE, OTHER):
            await self.azure.arm("DELETE", asking.endpoint)
        else:
            await self.azure.sim("DELETE", "resources", id=asking.id)

    async def _again(self, deed: Deed) -> None:
        """Deleted, and made anew under the same name, for the same target, perhaps for another group."""
        asking = self._one(deed)
        if asking is None:
            return
        await self._leave(deed)
        place = next(n for n, (where, name) in enumerate(PLACES) if (where, name) == (asking.subscription, asking.name))
        target = next(n for n, each in enumerate(TARGETS) if asking.id.startswith(f"{ids.key(each)}/"))
        await self._ask(Deed("ask", place, target, deed.how))

    async def _approve(self, deed: Deed) -> None:
        await self._answer(deed, "Approved")

    async def _reject(self, deed: Deed) -> None:
        await self._answer(deed, "Rejected")

    async def _move(self, _: Deed) -> None:
        """A spoke goes to another tenant, or comes back."""
        at_home = self.simulator.world.subscriptions[OTHER].tenant == TENANT
        await self.azure.subscription(OTHER, tenant=ANOTHER_TENANT if at_home else TENANT)

    async def _answer(self, deed: Deed, status: str) -> None:
        """The target's owner, in the portal."""
        asking = self._one(deed)
        document = self.simulator.world.document(asking.id) if asking else None
        if asking is None or document is None:
            return
        before = document["properties"]["privateLinkServiceConnectionState"]
        state = {**before, "status": status, "description": "by hand"}
        body = {**document, "properties": {**document["properties"], "privateLinkServiceConnectionState": state}}
        method = "PATCH" if asking.target_type == BATCH else "PUT"
        told = await self.azure.arm(method, document["id"], body)
        assert told.status < 500, told.body
        if told.status < 300:
            self.by_hand[asking.id] = status

    def _one(self, deed: Deed) -> Asking | None:
        found = self.answers.asking()
        return found[deed.who % len(found)] if found else None


def _stranger(target: str, endpoint: str, group: str, message: str) -> dict[str, Any]:
    """A connection for an endpoint that nobody here can look at; it has the same name each time."""
    name = f"from-{ids.parse(endpoint).subscription[-2:]}"
    state = {"status": "Pending", "description": message, "actionsRequired": "None"}
    return {
        "id": f"{target}/privateEndpointConnections/{name}",
        "name": name,
        "properties": {
            "privateEndpoint": {"id": endpoint},
            "groupIds": [group],
            "privateLinkServiceConnectionState": state,
            "provisioningState": "Ready" if "Microsoft.Sql" in target else "Succeeded",
        },
    }
