"""What policies mean, and every answer that comes to Azure judged by it at the moment when it comes: law 10.

Each policy is there twice: as its owner writes it, and as a function of what is so in the simulated world. Nothing here
asks the product what it thinks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from hubwarden.model.connection import Verdict
from hubwarden.model.person import Ruling
from simulator import connections, ids
from simulator.connection_documents import STATE, is_connection
from simulator.endpoint_names import connection_of
from simulator.world import Change, World
from tests.azure import HUB, SPOKE
from tests.estate import IDENTITY, TENANT

OTHER = "00000000-0000-0000-0000-0000000000cc"
"""A spoke that may go to another tenant, and come back; the settings name it all the time."""
FOREIGN = "00000000-0000-0000-0000-0000000000ee"
"""Somebody else's, and to be seen."""
HIDDEN = "00000000-0000-0000-0000-0000000000ff"
"""Nobody can tell whose."""

STORAGE, COSMOS = "Microsoft.Storage/storageAccounts", "Microsoft.DocumentDB/databaseAccounts"
SQL, MESSAGES, BATCH = "Microsoft.Sql/servers", "Microsoft.ServiceBus/namespaces", "Microsoft.Batch/batchAccounts"

OURS, ANOTHERS, UNKNOWN = "ours", "another's", "unknown"
APPROVE, REJECT, HOLD = "Approved", "Rejected", "Pending"


@dataclass(frozen=True, slots=True)
class Asking:
    """A connection as it stands at a target, and whose it really is."""

    id: str
    """As compared: without regard to case."""
    endpoint: str
    status: str
    settled: bool
    whose: str
    in_estate: bool
    subscription: str
    name: str
    """Of the endpoint."""
    groups: frozenset[str]
    message: str
    target_type: str


Meaning = Callable[[Asking], str]


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules as an owner writes them, and what is to be answered by them."""

    rules: tuple[Mapping[str, Any], ...]
    means: Meaning


def _own(asking: Asking) -> str:
    return APPROVE if asking.in_estate else HOLD


def _strict(asking: Asking) -> str:
    if asking.whose == UNKNOWN:
        return HOLD
    if asking.whose == ANOTHERS:
        return REJECT
    return APPROVE if asking.in_estate and asking.groups == {"blob"} else HOLD


def _partner(asking: Asking) -> str:
    if "quarantine" in asking.message:
        return HOLD
    return APPROVE if asking.subscription == FOREIGN or asking.whose == OURS else HOLD


def _named(asking: Asking) -> str:
    if not asking.in_estate:
        return HOLD
    return REJECT if asking.name == "pe1" else APPROVE


def _by_cel(asking: Asking) -> str:
    clean = "quarantine" not in asking.message
    return APPROVE if asking.in_estate and clean and asking.target_type in (STORAGE, SQL, COSMOS) else HOLD


_ESTATE = {"in": "estate"}
POLICIES = (
    Policy(({"name": "own", "when": {"consumer": _ESTATE}, "then": "approve"},), _own),
    Policy(
        (
            {"name": "strangers", "when": {"consumer": {"foreign": True}}, "then": "reject"},
            {"name": "own blobs", "when": {"consumer": _ESTATE, "groups": ["blob"]}, "then": "approve"},
        ),
        _strict,
    ),
    Policy(
        (
            {"name": "quarantined", "when": {"message": "quarantine"}, "then": "hold"},
            {"name": "partner", "when": {"consumer": {"subscriptions": [FOREIGN]}}, "then": "approve"},
            {"name": "tenant", "when": {"consumer": {"in": "tenant"}}, "then": "approve"},
        ),
        _partner,
    ),
    Policy(
        (
            {"name": "not this", "when": {"consumer": {**_ESTATE, "endpoints": ["pe1"]}}, "then": "reject"},
            {"name": "but others", "when": {"consumer": _ESTATE}, "then": "approve"},
        ),
        _named,
    ),
    Policy(
        (
            {
                "name": "in words",
                "when": {
                    "consumer": _ESTATE,
                    "target": {"types": [STORAGE, SQL, COSMOS]},
                    "cel": '!message.contains("quarantine")',
                },
                "then": "approve",
            },
        ),
        _by_cel,
    ),
    Policy((), lambda _: HOLD),
)


def of_a_person(ruling: Ruling) -> Policy:
    """What a person means who decides on the one connection, as that of the one endpoint."""
    meant, whose = ids.key(str(ruling.connection)), ids.key(str(ruling.endpoint))
    status = APPROVE if ruling.verdict is Verdict.APPROVE else REJECT
    return Policy((), lambda asking: status if (asking.id, asking.endpoint) == (meant, whose) else HOLD)


@dataclass(slots=True)
class Answers:
    """Every answer that Azure was sent, and which laws were broken so far."""

    world: World
    broken: list[str] = field(default_factory=list)
    sent: int = 0
    """How many Hubwarden sent."""
    taken: list[tuple[str, str]] = field(default_factory=list)
    """Those of Hubwarden's that Azure took: connection and status."""
    _moments: list[list[Asking]] = field(default_factory=list)
    _in_force: list[Policy] = field(default_factory=list)

    def lay(self, patch: pytest.MonkeyPatch) -> None:
        """From now on every answer is seen when it comes to Azure."""
        answers = connections.answer

        def answer(world: World, caller: Any, connection_id: str, body: Any, if_match: str | None = None) -> Any:
            ours = world is self.world and caller.principal == IDENTITY
            status = ((body.get("properties") or {}).get(STATE) or {}).get("status", "")
            if ours:
                self.sent += 1
                self.broken += self._judged(ids.key(connection_id), status)
            told = answers(world, caller, connection_id, body, if_match)
            if ours:
                self.taken.append((ids.key(connection_id), status))
            return told

        patch.setattr(connections, "answer", answer)
        self.world.listeners.append(self._see)

    @contextmanager
    def run(self, *policies: Policy) -> Iterator[None]:
        """While this lasts, these policies decide, on what is so at any moment of it."""
        self._moments, self._in_force = [self.asking()], list(policies)
        try:
            yield
        finally:
            self._in_force = []

    def note(self) -> None:
        """Something is otherwise from now on."""
        self._moments.append(self.asking())

    def asking(self) -> list[Asking]:
        """All connections that there are."""
        return [self._told(each) for each in self.world.store if is_connection(each["id"])]

    def _see(self, _: Change) -> None:
        self.note()

    def _judged(self, connection: str, status: str) -> Iterator[str]:
        self.note()
        seen = [each for moment in self._moments for each in moment if each.id == connection]
        waited = [each for each in seen if each.status == HOLD]
        if not waited:
            yield f"law 10: {connection} was answered, and did not wait at any moment of the run: {seen[-1:]}"
        if not any(policy.means(each) == status for policy in self._in_force for each in waited):
            yield f"law 10: {connection} was answered {status}, and no policy says so: {waited[-1:]}"

    def _told(self, document: Mapping[str, Any]) -> Asking:
        properties = document["properties"]
        endpoint = ids.parse(properties["privateEndpoint"]["id"])
        target = ids.parse(ids.parse(document["id"]).parent)
        subscription = self.world.subscriptions.get(endpoint.subscription)
        is_ours = subscription is not None and subscription.tenant == TENANT
        whose = (OURS if is_ours else ANOTHERS) if subscription and subscription.readable else UNKNOWN
        own = self.world.document(endpoint.text)
        groups = connection_of(own)["properties"]["groupIds"] if own else properties.get("groupIds") or ()
        return Asking(
            id=ids.key(document["id"]),
            endpoint=ids.key(endpoint.text),
            status=properties[STATE]["status"],
            settled=properties["provisioningState"] in ("Succeeded", "Ready", "Failed"),
            whose=whose,
            in_estate=whose == OURS and endpoint.subscription in (HUB, SPOKE, OTHER),
            subscription=endpoint.subscription,
            name=endpoint.name,
            groups=frozenset(groups),
            message=properties[STATE].get("description") or "",
            target_type=target.type,
        )
