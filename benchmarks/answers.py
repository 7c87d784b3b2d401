"""Counts the calls to ARM that answers cost: each connection its own few, each subscription that asks one for a run."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.calls import counted
from benchmarks.estate import SPOKE, TENANT, documents, resource_id
from benchmarks.stage import Stage
from benchmarks.table import Row, Section
from hubwarden.config.loading import load
from hubwarden.model.connection import Verdict
from hubwarden.model.policy import Policy, Rule, Within
from hubwarden.model.report import Result
from hubwarden.model.scope import Pending
from hubwarden.runtime import Runtime

STORAGE, SERVER = "Microsoft.Storage/storageAccounts", "Microsoft.Sql/servers"
LATER = 30.0  # seconds, after which the slow one shows its answer
HOW = (
    "`Runtime.run` over what waits, in this process, as the timer does it every minute; all are approved, by a rule "
    "that asks whether the consumer is of our tenant. Connections are put in as documents. Calls are told by their "
    "principal in the local Azure's log; those to storage are not in it. Each answer is read before it is given, and "
    "read back until it shows."
)


@dataclass(frozen=True, slots=True)
class Asked:
    """So many connections of so many subscriptions, to one target of a type that shows an answer at once, or late."""

    target_type: str
    subscriptions: int
    each: int
    goal: str

    @property
    def what(self) -> str:
        """The line's heading."""
        kind = "SQL server, which shows its answer late" if self.target_type == SERVER else "storage account"
        asking = _several(self.subscriptions * self.each, "connection")
        return f"{kind}: {asking} of {_several(self.subscriptions, 'subscription')}"


ASKED = (
    Asked(STORAGE, 1, 1, "4 = 1 subscription + 1 read + 1 write + 1 read back"),
    Asked(STORAGE, 1, 10, "31 = 1 + 10 x 3"),
    Asked(STORAGE, 10, 1, "40 = 10 + 10 x 3"),
    Asked(SERVER, 1, 1, "5 = 1 subscription + 1 read + 1 write + 2 looks"),
)


async def measure(stage: Stage) -> Section:
    """To be asked near the end, for the estate is emptied first."""
    config = load()
    rule = Rule("ours", Verdict.APPROVE, consumer_within=Within.TENANT, target_types=(STORAGE, SERVER))
    rows = []

    async def sleep(_: float) -> None:
        await stage.sim("POST", "clock", {"advance": LATER})

    async with Runtime.build(replace(config, policy=Policy((rule,))), now=time.time, sleep=sleep) as hubwarden:
        for asked in ASKED:
            picture = await stage.sim("GET", "snapshot")
            await stage.sim("POST", "snapshot", {**picture, "targets": [], "resources": documents()})
            await _ask(stage, asked)
            await hubwarden.rooms.estate.tenancy(SPOKE)
            await stage.forget()
            report = await hubwarden.run(Pending())
            assert [each.result for each in report.outcomes] == [Result.DONE] * asked.subscriptions * asked.each
            rows.append(Row(asked.what, await counted(stage), asked.goal))
    return Section("Calls to ARM for answers", HOW, rows)


async def _ask(stage: Stage, asked: Asked) -> None:
    target = resource_id(SPOKE, "rg-app", asked.target_type, "target")
    resources = [_document(target, asked.target_type, {"provisioningState": "Succeeded"})]
    for number in range(asked.subscriptions):
        subscription = f"00000000-0000-4000-8000-{number:012}"
        await stage.sim("POST", "subscriptions", {"id": subscription, "tenant": TENANT})
        for place in range(asked.each):
            endpoint = resource_id(subscription, "rg", "Microsoft.Network/privateEndpoints", f"pe{place}")
            name = f"target.{number}-{place}"
            state = {"status": "Pending", "description": "", "actionsRequired": "None"}
            properties = {
                "privateEndpoint": {"id": endpoint},
                "privateLinkServiceConnectionState": state,
                "provisioningState": "Succeeded" if asked.target_type == STORAGE else "Ready",
            }
            kind = f"{asked.target_type}/privateEndpointConnections"
            resources.append(_document(f"{target}/privateEndpointConnections/{name}", kind, properties))
    await stage.sim("POST", "resources", {"resources": resources, "emit": False})


def _document(resource: str, kind: str, properties: dict[str, Any]) -> dict[str, Any]:
    name = resource.rpartition("/")[2]
    return {"id": resource, "name": name, "type": kind, "location": "westeurope", "properties": properties}


def _several(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
