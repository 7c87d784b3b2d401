"""Generated histories: whatever teams, people, Event Grid, faults and crashes do, in whatever order.

Each write of Hubwarden is judged when it is done (watch), each run when
it ends (hosts), and everything when faults have ceased and a sweep has been (judgement).
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from hubwarden.model.report import Report
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import Everything, OneEndpoint, OneTarget
from tests.azure import HUB, SPOKE, resource_id
from tests.estate import found_estate
from tests.laws.conftest import only_records_were_written
from tests.laws.history import History, Turn, kills, turns
from tests.laws.hosts import Hosts
from tests.laws.judgement import judged
from tests.laws.people import OTHER, Act, People
from tests.laws.truth import living
from tests.laws.watch import Watch
from tests.laws.wire import Wire

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


ACCOUNT = ResourceId.parse(resource_id(SPOKE, "rg-spoke", "Microsoft.Storage/storageAccounts", "st1"))

TURNS = turns(ACTS, 25)


class Histories(History):
    """One history: an estate to which things happen."""

    causes = CAUSES

    @initialize(
        behaviour=SETTINGS,
        prefers=st.booleans(),
        first=st.lists(CREATIONS, min_size=1, max_size=3),
        served=st.booleans(),
    )
    def begins(self, behaviour: dict[str, Any], prefers: bool, first: list[Act], served: bool) -> None:
        """An Azure that behaves in one of the ways that it may, and a hub that perhaps prefers a subscription."""
        self.do(self._begin(behaviour, [OTHER] if prefers else []))
        for act in first:
            self.do(self.people.do(act))
        if served:
            self.do(self.hosts.looks(Everything()))

    async def _begin(self, behaviour: dict[str, Any], preferred: list[str]) -> None:
        await self.open_azure()
        hub = {"name": "weu", "zones": [f"/subscriptions/{HUB}/resourceGroups/rg-dns"]}
        changes: dict[str, Any] = {
            "estate": {"subscriptions": [HUB, SPOKE, OTHER]},
            "hubs": [{**hub, "prefers": {"subscriptions": preferred}}],
            "followUps": ["10ms", "10ms"],
        }
        estate = await found_estate(self.azure, self.storage, self.directory, **changes)
        await self.azure.sim("POST", "settings", {"operationMs": 0, **behaviour})
        self.watch = Watch(self.simulator.world, preferred)
        self.wire = Wire(estate.time, self.simulator.url)
        self.wire.lay(self.patch)
        self.people = People(self.azure, self.simulator, self.watch)
        await self.people.found()
        self.hosts = await self.open.enter_async_context(Hosts(estate, self.wire, self.watch, self.directory, changes))
        self.simulator.world.listeners.append(self.tell)

    async def act(self, what: Act) -> None:
        """A team, an owner of a target, or an administrator with the portal."""
        await self.people.do(what)

    def breaches(self) -> list[str]:
        """What was written, or left, as it must not be."""
        return self.watch.broken

    @rule(act=ACTS)
    def somebody_acts(self, act: Act) -> None:
        """A team, an owner of a target, or an administrator with the portal."""
        self.do(self.act(act))

    @rule(which=st.integers(0, 99), again=st.booleans(), turn=TURNS)
    def an_event_comes(self, which: int, again: bool, turn: Turn | None) -> None:
        """Any that is under way, in whatever order, and perhaps once more."""
        self.heard(which, again, lambda event: self.hosts.hears(event, self.incident(turn), dying=kills(turn)))

    @rule(which=st.integers(0, 99), again=st.booleans(), turn=TURNS)
    def a_work_item_comes(self, which: int, again: bool, turn: Turn | None) -> None:
        """Any that was handed on, and perhaps once more."""
        self.worked(which, again, lambda item: self.hosts.works(item, self.incident(turn), dying=kills(turn)))

    @rule(which=st.integers(0, 9), thorough=st.booleans(), turn=TURNS)
    def somebody_asks(self, which: int, thorough: bool, turn: Turn | None) -> None:
        """A look at an endpoint that there is, or was."""
        scope = OneEndpoint(self._known(which), thorough)
        self.do(self.hosts.looks(scope, self.incident(turn), dying=kills(turn)))

    @rule(turn=TURNS)
    def the_timer_rings(self, turn: Turn | None) -> None:
        """A sweep."""
        self.do(self.hosts.looks(Everything(), self.incident(turn), dying=kills(turn)))

    @rule(one=st.integers(-2, 9), other=st.integers(-2, 9))
    def two_hosts_look_at_once(self, one: int, other: int) -> None:
        """At endpoints, at the account, or at everything."""
        first, second = self._scope(one), self._scope(other)
        self.do(self.hosts.at_once(lambda host: host.run(first), lambda host: host.run(second)))

    @rule(all_of_it=st.booleans())
    def the_ledger_forgets(self, all_of_it: bool) -> None:
        """Claims are lost: all, or one."""
        self.do(self._forget(all_of_it=all_of_it))

    async def end(self) -> None:
        """Two sweeps: the first makes all right, and the second finds nothing to do."""
        self.mend()
        for _ in range(2):  # what ends may begin something else
            await self.wait(3700)
        if not (await self.hosts.estate.hubwarden.rooms.claims.all()).claims:
            await self.hosts.looks(Everything())  # with an empty ledger a sweep withdraws nothing: it is rebuilt first
        self.hosts.items.clear()
        await self.hosts.looks(Everything())
        for _ in range(20):
            if self.hosts.items:
                await self.hosts.works(self.hosts.items.pop(0))
        await self.wait(3700)
        report = await self.hosts.looks(Everything())
        assert isinstance(report, Report), report
        self.watch.broken += judged(report, living(self.simulator.world), self.watch.records)
        await only_records_were_written(self.azure)

    async def _forget(self, *, all_of_it: bool) -> None:
        claims = self.hosts.estate.hubwarden.rooms.claims
        known = [claim for each in (await claims.all()).claims.values() for claim in each]
        for claim in known if all_of_it else known[:1]:
            await claims.forget(claim)

    def _scope(self, which: int) -> Everything | OneTarget | OneEndpoint:
        if which == -2:
            return Everything()
        if which == -1:
            return OneTarget(ACCOUNT)
        return OneEndpoint(self._known(which))

    def _known(self, which: int) -> ResourceId:
        return ResourceId.parse(self.people.known[which % len(self.people.known)])
