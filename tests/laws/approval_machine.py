"""Generated histories of approvals: who asks, who answers by hand, policies that change, faults, crashes, two hosts.

Each answer is judged when it comes to Azure (verdicts); what stands, what the ledger keeps and what the topic was told
are judged at the end.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from handlers.event_grid import hint_in
from hubwarden.model.connection import Decision
from hubwarden.model.report import Report
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import Everything, OneEndpoint, OneTarget, Pending, Scope
from hubwarden.model.work import WorkItem
from hubwarden.runtime import Runtime
from simulator.authority import Authority
from simulator.server import Simulator
from simulator.world import Change
from tests.azure import HUB, SPOKE, Azure
from tests.estate import config, found_estate
from tests.laws.announced import APPROVED, REJECTED, told, topic_of
from tests.laws.conftest import only_records_were_written
from tests.laws.hosts import Hosts, comes_again
from tests.laws.machine import emptied
from tests.laws.requesters import TARGETS, Deed, Requesters
from tests.laws.test_announced_after_a_crash import rows_of_answers
from tests.laws.verdicts import OTHER, POLICIES, Answers, Asking
from tests.laws.watch import Watch
from tests.laws.wire import Incident, Wire

Value = TypeVar("Value")

KINDS = ("ask", "ask", "ask", "ask", "leave", "again", "again", "approve", "reject", "move")
DEEDS = st.builds(Deed, st.sampled_from(KINDS), st.integers(0, 9), st.integers(0, 4), st.integers(0, 8))
ASKING = st.builds(Deed, st.just("ask"), st.integers(0, 4), st.integers(0, 4), st.integers(0, 8))


@dataclass(frozen=True, slots=True)
class Turn:
    """What happens at the n-th request of a run: it dies, Storage is silent for a while, or somebody acts."""

    at: int
    after: bool
    what: Deed | str


TURNS = st.none() | st.builds(Turn, st.integers(1, 30), st.booleans(), st.sampled_from(["death", "silence"]) | DEEDS)
CHOSEN = st.integers(0, len(POLICIES) - 1)

ANSWER, CONNECTION = "privateEndpointConnections/[^/]*$", "privateEndpointConnections"
CAUSES: tuple[dict[str, Any], ...] = (
    {"method": "PUT", "path": ANSWER, "status": 409, "code": "AnotherOperationInProgress"},
    {"method": "PUT", "path": ANSWER, "status": 412, "code": "PreconditionFailed"},
    {"method": "PUT", "path": ANSWER, "status": 429, "retryAfter": 30},
    {"method": "PUT", "path": ANSWER, "status": 500},
    {"method": "PUT", "path": ANSWER, "status": 403, "code": "LinkedAuthorizationFailed"},
    {"method": "PUT", "path": ANSWER, "reset": True},
    {"method": "PATCH", "path": ANSWER, "status": 500},
    {"method": "GET", "path": CONNECTION, "status": 500},
    {"method": "GET", "path": CONNECTION, "status": 403, "code": "AuthorizationFailed"},
    {"method": "GET", "path": "/privateEndpoints/", "status": 500},
    {"method": "GET", "path": "/subscriptions/[^/]*$", "status": 403, "code": "AuthorizationFailed"},
    {"service": "graph", "status": 500},
    {"service": "topic", "status": 503},
    {"service": "topic", "status": 500},
)
"""What can go wrong; which of such requests, before it is done or after, and how often, is drawn."""

SETTINGS = st.fixed_dictionaries(
    {
        "operationMs": st.sampled_from([0, 0, 40_000, 7_000_000]),
        "failedAnswers": st.sampled_from(["off", "off", "Failed", "before"]),
        "graphLagMs": st.sampled_from([0, 0, 30_000]),
        "foreignSubscriptions": st.sampled_from(["401", "404"]),
        "longConnections": st.booleans(),
    }
)
FOLLOW_UPS = ("15s", "1m", "5m", "1h")


class Approvals(RuleBasedStateMachine):
    """One history: targets at which somebody asks to be let in."""

    def __init__(self, authority: Authority, storage: str, directory: Path) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.patch = pytest.MonkeyPatch()
        self.open = AsyncExitStack()
        self.authority, self.storage, self.directory = authority, storage, directory
        self.events: list[str] = []
        self.broken = 0
        self.is_sound = True

    @initialize(behaviour=SETTINGS, policy=CHOSEN, first=st.lists(ASKING, min_size=1, max_size=4))
    def begins(self, behaviour: dict[str, Any], policy: int, first: list[Deed]) -> None:
        """An Azure that behaves in one of the ways that it may, and a policy."""
        self.simulator = Simulator(self.authority)
        self.policy = POLICIES[policy]
        self._do(self._begin(behaviour))
        for deed in first:
            self._do(self.people.do(deed))

    async def _begin(self, behaviour: dict[str, Any]) -> None:
        await self.open.enter_async_context(self.simulator)
        for name, value in self.simulator.environment().items():
            self.patch.setenv(name, value)
        self.azure = await self.open.enter_async_context(Azure(self.simulator.url))
        self.changes = {
            "estate": {"subscriptions": [HUB, SPOKE, OTHER]},
            "followUps": list(FOLLOW_UPS),
            "events": {"topic": topic_of(self.azure)},
        }
        await emptied(self.storage)
        estate = await found_estate(self.azure, self.storage, self.directory, **self._settled())
        await self.azure.sim("POST", "settings", behaviour)
        watch = Watch(self.simulator.world)
        self.answers = Answers(self.simulator.world)
        self.answers.lay(self.patch)
        self.wire = Wire(estate.time, self.simulator.url)
        self.wire.lay(self.patch)
        self.people = Requesters(self.azure, self.simulator, self.answers)
        await self.people.found()
        hosts = Hosts(estate, self.wire, watch, self.directory, self._settled())
        self.hosts = await self.open.enter_async_context(hosts)
        self.simulator.world.listeners.append(self._tell)

    def _settled(self) -> dict[str, Any]:
        return {**self.changes, "approvals": {"rules": list(self.policy.rules)}}

    def _tell(self, change: Change) -> None:
        """What Event Grid would tell of a change, if it is any business of Hubwarden's."""
        event = json.dumps({"subject": change.resource_id, "data": {"operationName": change.operation}})
        if change.succeeded and hint_in(event):
            self.events.append(event)

    @rule(deed=DEEDS)
    def somebody_acts(self, deed: Deed) -> None:
        """A consumer, or the owner of a target."""
        self._do(self.people.do(deed))

    @rule(which=st.integers(0, 99), again=st.booleans(), turn=TURNS)
    def an_event_comes(self, which: int, again: bool, turn: Turn | None) -> None:
        """Any that is under way, in whatever order, and perhaps once more."""
        if self.events:
            event = self.events[which % len(self.events)]
            ended = self._decides(self.hosts.hears(event, self._incident(turn), dying=_kills(turn)))
            if not again and not comes_again(ended):
                self.events.remove(event)

    @rule(which=st.integers(0, 99), again=st.booleans(), turn=TURNS)
    def a_work_item_comes(self, which: int, again: bool, turn: Turn | None) -> None:
        """Any that was handed on, when it is due, and perhaps once more."""
        if self.hosts.items:
            item = self.hosts.items[which % len(self.hosts.items)]
            ended = self._do(self._works(item, turn))
            if not again and not comes_again(ended):
                self.hosts.items.remove(item)

    @rule(scope=st.sampled_from([Pending(), Pending(), Everything()]), turn=TURNS)
    def a_timer_rings(self, scope: Scope, turn: Turn | None) -> None:
        """The minute's, or the sweep's."""
        self._decides(self.hosts.looks(scope, self._incident(turn), dying=_kills(turn)))

    @rule(which=st.integers(0, 9), turn=TURNS)
    def somebody_asks(self, which: int, turn: Turn | None) -> None:
        """A look at a target or at an endpoint."""
        self._decides(self.hosts.looks(self._scope(which), self._incident(turn), dying=_kills(turn)))

    @rule(one=st.integers(0, 9), other=st.integers(0, 9), policy=CHOSEN)
    def two_hosts_decide_at_once(self, one: int, other: int, policy: int) -> None:
        """The second one has other settings, as while they are rolled out."""
        self._do(self._at_once(self._scope(one), self._scope(other), policy))

    @rule(policy=CHOSEN)
    def the_policy_changes(self, policy: int) -> None:
        """And Hubwarden starts anew with it."""
        self._do(self._restart(policy))

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

    @rule(seconds=st.sampled_from([6.0, 40.0, 601.0, 4000.0]))
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
        await self.azure.sim("POST", "settings", {"failedAnswers": "off", "operationMs": 0})
        for _ in range(3):  # what ends may begin something else
            await self._pass(7100)
            with self.answers.run(self.policy):
                await self.hosts.looks(Everything())
        for _ in range(20):
            if self.hosts.items:
                await self._works(self.hosts.items.pop(0), None)
        await self._pass(7100)
        sent = self.answers.sent
        with self.answers.run(self.policy):
            report = await self.hosts.looks(Everything())
        assert isinstance(report, Report), report
        if self.answers.sent != sent or any(isinstance(each.change, Decision) for each in report.outcomes):
            self.answers.broken.append(f"law 1: a second sweep answers something: {report.outcomes}")
        self.answers.broken += await self._left()
        await only_records_were_written(self.azure)

    async def _left(self) -> list[str]:
        """What is wrong when all is over: what stands, what the ledger keeps, and what the topic was told."""
        rows = await rows_of_answers(self.hosts.estate)
        done = Counter((row["Connection"].lower(), row["After"]) for row in rows if row["Result"] == "done")
        events = {(each["type"], each["subject"].lower(), each["id"]) for each in await told(self.hosts.estate)}
        news = Counter((subject, _STATUS[kind]) for kind, subject, _ in events if kind in _STATUS)
        broken = [*_misjudged(self.answers.asking(), self.policy.means), *self._unrecorded(rows, done)]
        if news != done:
            broken.append(f"events: {news} were told, and {done} was done")
        if left := await self.hosts.estate.hubwarden.rooms.decisions.open():
            broken.append(f"ledger: open for ever: {left}")
        return broken

    def _unrecorded(self, rows: list[dict[str, Any]], done: Counter[tuple[str, str]]) -> Iterator[str]:
        taken = Counter(self.answers.taken)
        for key, times in done.items():
            if times > taken[key]:
                yield f"ledger: {key} is {times} rows, and was taken {taken[key]} times"
        for row in rows:
            rules = {rule["name"] for policy in POLICIES for rule in policy.rules}
            if row["Before"] != "Pending" or row["Who"] != "policy" or not row["Run"] or row["Rule"] not in rules:
                yield f"ledger: it does not say who answered what: {row}"
        for each in self.answers.asking():
            ours = "by Hubwarden" in each.message
            kept = done[each.id, each.status] or each.id in self.people.made_anew
            if ours and not kept:
                yield f"ledger: nothing is kept of the answer to {each}"

    def _mend(self) -> None:
        self.broken, self.hosts.is_calm = 0, True
        self.simulator.faults.clear()

    async def _restart(self, policy: int) -> None:
        self.policy = POLICIES[policy]
        self.hosts.changes = self._settled()
        await self.hosts.estate.hubwarden.close()
        self.hosts.estate.hubwarden = self._built(self.hosts.changes)

    async def _at_once(self, one: Scope, other: Scope, policy: int) -> None:
        if self.hosts.second is not None:
            await self.hosts.second.close()
        rules = {"rules": list(POLICIES[policy].rules)}
        self.hosts.second = self._built({**self.hosts.changes, "approvals": rules})
        with self.answers.run(self.policy, POLICIES[policy]):
            await self.hosts.at_once(one, other)

    def _built(self, changes: dict[str, Any]) -> Runtime:
        estate = self.hosts.estate
        settled = config(self.directory, self.azure.url, estate.connection_string, **changes)
        return Runtime.build(settled, now=estate.time.now, sleep=estate.time.sleep)

    async def _works(self, item: str, turn: Turn | None) -> Any:
        await self._pass(max(0.0, WorkItem.from_json(item).due - self.hosts.estate.time.now()))
        with self.answers.run(self.policy):
            return await self.hosts.works(item, self._incident(turn), dying=_kills(turn))

    async def _pass(self, seconds: float) -> None:
        self.hosts.estate.time.seconds += seconds
        await self.azure.advance(seconds)

    def _incident(self, turn: Turn | None) -> Incident | None:
        if turn is None:
            return None

        async def happen() -> None:
            if isinstance(turn.what, Deed):
                await self.people.do(turn.what)
            else:
                self.wire.storage_fails = 4

        return Incident(turn.at, turn.after, happen)

    def _scope(self, which: int) -> Scope:
        asking = self.answers.asking()
        if which >= 5 and asking:
            return OneEndpoint(ResourceId.parse(asking[which % len(asking)].endpoint))
        return OneTarget(ResourceId.parse(TARGETS[which % len(TARGETS)]))

    def _decides(self, run: Coroutine[Any, Any, Value]) -> Value:
        with self.answers.run(self.policy):
            return self._do(run)

    def _do(self, doing: Coroutine[Any, Any, Value]) -> Value:
        """Everything happens on one loop, and no broken law is passed over."""
        self.is_sound = False
        value = self.runner.run(doing)
        broken = [*self.answers.broken, *self.hosts.watch.broken] if hasattr(self, "hosts") else []
        assert not broken, "\n".join(broken)
        self.is_sound = True
        return value


_STATUS = {APPROVED: "Approved", REJECTED: "Rejected"}


def _misjudged(asking: list[Asking], means: Any) -> Iterator[str]:
    for each in asking:
        if each.status == "Pending" and means(each) != "Pending":
            yield f"law 2: {each} still waits, and the policy says {means(each)}"
        if not each.settled:
            yield f"{each} is not settled"


def _kills(turn: Turn | None) -> bool:
    return turn is not None and turn.what == "death"
