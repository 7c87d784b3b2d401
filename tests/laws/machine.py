"""Generated histories: whatever teams, people, Event Grid, faults and crashes do, in whatever order.

Each write of Hubwarden is judged when it is done (watch), each run when
it ends (hosts), and everything when faults have ceased and a sweep has been (judgement).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
from azure.data.tables.aio import TableServiceClient
from azure.storage.queue.aio import QueueServiceClient
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from handlers.event_grid import hint_in
from hubwarden.model.report import Report
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import Everything, OneEndpoint, OneTarget
from simulator.authority import Authority
from simulator.server import Simulator
from simulator.world import Change
from tests.azure import HUB, SPOKE, Azure, resource_id
from tests.estate import found_estate
from tests.laws.conftest import only_records_were_written
from tests.laws.hosts import Hosts, comes_again
from tests.laws.judgement import judged
from tests.laws.people import OTHER, Act, People
from tests.laws.truth import living
from tests.laws.watch import Watch
from tests.laws.wire import Incident, Wire

Value = TypeVar("Value")

KINDS = (
    *("create", "create", "create", "create_manual", "create_slowly", "approve", "approve", "reject", "disconnect"),
    *("delete", "delete", "move", "delete_group", "attach", "detach"),
    *("readdress", "erase", "squat", "unmark", "mark_as_others", "mark_as_newer", "orphan"),
)
ACTS = st.builds(Act, st.sampled_from(KINDS), st.integers(0, 3), st.integers(0, 2))
CREATIONS = st.builds(Act, st.sampled_from(["create", "create", "create_manual"]), st.integers(0, 3), st.integers(0, 2))

CAUSES: tuple[dict[str, Any], ...] = (
    {"method": "PUT", "path": "/A/", "status": 409, "code": "AnotherOperationInProgress"},
    {"method": "PUT", "path": "/A/", "status": 409, "code": "ScopeLocked"},
    {"method": "PUT", "path": "/A/", "status": 412, "code": "PreconditionFailed"},
    {"method": "PUT", "path": "/A/", "status": 429, "retryAfter": 99},
    {"method": "PUT", "path": "/A/", "status": 429},
    {"method": "PUT", "path": "/A/", "status": 500},
    {"method": "PUT", "path": "/A/", "reset": True},
    {"method": "DELETE", "path": "/A/", "status": 409, "code": "AnotherOperationInProgress"},
    {"method": "DELETE", "path": "/A/", "status": 503, "retryAfter": 1},
    {"method": "DELETE", "path": "/A/", "reset": True},
    {"method": "GET", "path": "/A/", "status": 403, "code": "AuthorizationFailed"},
    {"method": "GET", "path": "/A/", "status": 404, "code": "ParentResourceNotFound"},
    {"method": "GET", "path": "/A/", "status": 500},
    {"method": "GET", "path": "/privateEndpoints/", "status": 403, "code": "AuthorizationFailed"},
    {"method": "GET", "path": "/privateEndpoints/", "status": 404, "code": "SubscriptionNotFound"},
    {"method": "GET", "path": "/privateEndpoints/", "status": 404, "code": "NotFound"},
    {"method": "GET", "path": "/privateEndpoints/", "status": 500},
    {"method": "GET", "path": "/subscriptions/[^/]*$", "status": 403, "code": "AuthorizationFailed"},
    {"method": "GET", "path": "/privateDnsZones$", "status": 503},
    {"method": "GET", "path": "/networkInterfaces/", "status": 404, "code": "ResourceNotFound"},
    {"service": "graph", "status": 429, "retryAfter": 1},
    {"service": "graph", "status": 500},
)
"""What can go wrong; at the first such request or a later one, before it is done or after, and how often, is drawn."""

SKIPS, TIMES = (0, 0, 1, 2), (1, 2, 9)

SETTINGS = st.fixed_dictionaries(
    {
        "resourceGuidOnGet": st.sampled_from([True, True, False]),
        "expandNics": st.sampled_from(["full", "ids"]),
        "nicLagMs": st.sampled_from([0, 0, 20_000]),
        "customDnsWhilePending": st.booleans(),
        "nicWhilePending": st.booleans(),
        "recordNotFoundWrapped": st.booleans(),
        "lowerCaseDnsGroups": st.booleans(),
        "missingDeleteInsists": st.booleans(),
        "groupDeleteEvents": st.booleans(),
        "graphLagMs": st.sampled_from([0, 0, 30_000]),
        "graphMetadata": st.sampled_from([True, True, False]),
        "graphStringBooleans": st.booleans(),
    }
)
"""The simulator's switches, both ways."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What happens at the n-th request of a run: it dies, Storage is silent for a while, or somebody acts."""

    at: int
    after: bool
    what: Act | str


ACCOUNT = ResourceId.parse(resource_id(SPOKE, "rg-spoke", "Microsoft.Storage/storageAccounts", "st1"))

TURNS = st.none() | st.builds(Turn, st.integers(1, 25), st.booleans(), st.sampled_from(["death", "silence"]) | ACTS)


class Histories(RuleBasedStateMachine):
    """One history: an estate to which things happen."""

    def __init__(self, authority: Authority, storage: str, directory: Path) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.patch = pytest.MonkeyPatch()
        self.open = AsyncExitStack()
        self.authority, self.storage, self.directory = authority, storage, directory
        self.events: list[str] = []
        self.broken = 0
        self.is_sound = True

    @initialize(
        behaviour=SETTINGS,
        prefers=st.booleans(),
        first=st.lists(CREATIONS, min_size=1, max_size=3),
        served=st.booleans(),
    )
    def begins(self, behaviour: dict[str, Any], prefers: bool, first: list[Act], served: bool) -> None:
        """An Azure that behaves in one of the ways that it may, and a hub that perhaps prefers a subscription."""
        self.simulator = Simulator(self.authority)
        self._do(self._begin(behaviour, [OTHER] if prefers else []))
        for act in first:
            self._do(self.people.do(act))
        if served:
            self._do(self.hosts.looks(Everything()))

    async def _begin(self, behaviour: dict[str, Any], preferred: list[str]) -> None:
        await self.open.enter_async_context(self.simulator)
        for name, value in self.simulator.environment().items():
            self.patch.setenv(name, value)
        self.azure = await self.open.enter_async_context(Azure(self.simulator.url))
        hub = {"name": "weu", "zones": [f"/subscriptions/{HUB}/resourceGroups/rg-dns"]}
        changes: dict[str, Any] = {
            "estate": {"subscriptions": [HUB, SPOKE, OTHER]},
            "hubs": [{**hub, "prefers": {"subscriptions": preferred}}],
            "followUps": ["10ms", "10ms"],
        }
        await emptied(self.storage)
        estate = await found_estate(self.azure, self.storage, self.directory, **changes)
        await self.azure.sim("POST", "settings", {"operationMs": 0, **behaviour})
        self.watch = Watch(self.simulator.world, preferred)
        self.wire = Wire(estate.time, self.simulator.url)
        self.wire.lay(self.patch)
        self.people = People(self.azure, self.simulator, self.watch)
        await self.people.found()
        self.hosts = await self.open.enter_async_context(Hosts(estate, self.wire, self.watch, self.directory, changes))
        self.simulator.world.listeners.append(self._tell)

    def _tell(self, change: Change) -> None:
        """What Event Grid would tell of a change, if it is any business of Hubwarden's."""
        event = json.dumps({"subject": change.resource_id, "data": {"operationName": change.operation}})
        if change.succeeded and hint_in(event):
            self.events.append(event)

    @rule(act=ACTS)
    def somebody_acts(self, act: Act) -> None:
        """A team, an owner of a target, or an administrator with the portal."""
        self._do(self.people.do(act))

    @rule(which=st.integers(0, 99), again=st.booleans(), turn=TURNS)
    def an_event_comes(self, which: int, again: bool, turn: Turn | None) -> None:
        """Any that is under way, in whatever order, and perhaps once more."""
        if not self.events:
            return
        event = self.events[which % len(self.events)]
        told = self._do(self.hosts.hears(event, self._incident(turn), dying=_kills(turn)))
        if not again and not comes_again(told):
            self.events.remove(event)

    @rule(which=st.integers(0, 99), again=st.booleans(), turn=TURNS)
    def a_work_item_comes(self, which: int, again: bool, turn: Turn | None) -> None:
        """Any that was handed on, and perhaps once more."""
        if not self.hosts.items:
            return
        item = self.hosts.items[which % len(self.hosts.items)]
        told = self._do(self.hosts.works(item, self._incident(turn), dying=_kills(turn)))
        if not again and not comes_again(told):
            self.hosts.items.remove(item)

    @rule(which=st.integers(0, 9), thorough=st.booleans(), turn=TURNS)
    def somebody_asks(self, which: int, thorough: bool, turn: Turn | None) -> None:
        """A look at an endpoint that there is, or was."""
        scope = OneEndpoint(self._known(which), thorough)
        self._do(self.hosts.looks(scope, self._incident(turn), dying=_kills(turn)))

    @rule(turn=TURNS)
    def the_timer_rings(self, turn: Turn | None) -> None:
        """A sweep."""
        self._do(self.hosts.looks(Everything(), self._incident(turn), dying=_kills(turn)))

    @rule(one=st.integers(-2, 9), other=st.integers(-2, 9))
    def two_hosts_look_at_once(self, one: int, other: int) -> None:
        """At endpoints, at the account, or at everything."""
        self._do(self.hosts.at_once(self._scope(one), self._scope(other)))

    @precondition(lambda self: self.broken < 3)
    @rule(
        cause=st.sampled_from(CAUSES),
        after=st.booleans(),
        skip=st.sampled_from([0, 0, 1, 2]),
        times=st.sampled_from([1, 2, 9]),
    )
    def something_breaks(self, cause: dict[str, Any], after: bool, skip: int, times: int) -> None:
        """Some of Hubwarden's next requests fail, done or not."""
        self.broken += 1
        self.hosts.is_calm = False
        fault = {"service": "arm", **cause, "skip": skip, "times": times}
        self.simulator.faults.add({**fault, "when": "after" if after else "before"})

    @precondition(lambda self: self.broken)
    @rule()
    def all_is_mended(self) -> None:
        """Nothing fails any more."""
        self._mend()

    @rule(all_of_it=st.booleans())
    def the_ledger_forgets(self, all_of_it: bool) -> None:
        """Claims are lost: all, or one."""
        self._do(self._forget(all_of_it=all_of_it))

    @rule(seconds=st.sampled_from([6.0, 40.0, 901.0, 3700.0]))
    def time_passes(self, seconds: float) -> None:
        """For everybody."""
        self._do(self._pass(seconds))

    def teardown(self) -> None:
        """A history that went well so far has an end that is judged."""
        try:
            if self.is_sound and hasattr(self, "hosts"):
                self._do(self._end())
        finally:
            self.runner.run(self.open.aclose())
            self.runner.close()
            self.patch.undo()

    async def _end(self) -> None:
        self._mend()
        for _ in range(2):  # what ends may begin something else
            await self._pass(3700)
        if not (await self.hosts.estate.hubwarden.rooms.claims.all()).claims:
            await self.hosts.looks(Everything())  # with an empty ledger a sweep withdraws nothing: it is rebuilt first
        self.hosts.items.clear()
        await self.hosts.looks(Everything())
        for _ in range(20):
            if self.hosts.items:
                await self.hosts.works(self.hosts.items.pop(0))
        await self._pass(3700)
        report = await self.hosts.looks(Everything())
        assert isinstance(report, Report), report
        self.watch.broken += judged(report, living(self.simulator.world), self.watch.records)
        await only_records_were_written(self.azure)

    def _mend(self) -> None:
        self.broken, self.hosts.is_calm = 0, True
        self.simulator.faults.clear()

    async def _forget(self, *, all_of_it: bool) -> None:
        claims = self.hosts.estate.hubwarden.rooms.claims
        known = [claim for each in (await claims.all()).claims.values() for claim in each]
        for claim in known if all_of_it else known[:1]:
            await claims.forget(claim)

    async def _pass(self, seconds: float) -> None:
        self.hosts.estate.time.seconds += seconds
        await self.azure.advance(seconds)

    def _incident(self, turn: Turn | None) -> Incident | None:
        if turn is None:
            return None

        async def happen() -> None:
            if isinstance(turn.what, Act):
                await self.people.do(turn.what)
            else:
                self.wire.storage_fails = 4

        return Incident(turn.at, turn.after, happen)

    def _scope(self, which: int) -> Everything | OneTarget | OneEndpoint:
        if which == -2:
            return Everything()
        if which == -1:
            return OneTarget(ACCOUNT)
        return OneEndpoint(self._known(which))

    def _known(self, which: int) -> ResourceId:
        return ResourceId.parse(self.people.known[which % len(self.people.known)])

    def _do(self, doing: Coroutine[Any, Any, Value]) -> Value:
        """Everything happens on one loop, and no broken law is passed over."""
        self.is_sound = False
        value = self.runner.run(doing)
        assert not self.watch.broken, "\n".join(self.watch.broken)
        self.is_sound = True
        return value


async def emptied(storage: str) -> None:
    """Nothing is left of the history before."""
    async with (
        TableServiceClient.from_connection_string(storage) as tables,
        QueueServiceClient.from_connection_string(storage) as queues,
    ):
        for table in [each.name async for each in tables.list_tables()]:
            await tables.delete_table(table)
        for queue in [each.name async for each in queues.list_queues()]:
            await queues.delete_queue(queue)


def _kills(turn: Turn | None) -> bool:
    return turn is not None and turn.what == "death"
