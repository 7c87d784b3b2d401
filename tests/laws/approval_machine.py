"""Generated histories of approvals: who asks, who answers by hand, policies that change, faults, crashes, two hosts.

Each answer is judged when it comes to Azure (verdicts); what stands, what the ledger keeps and what the topic was told
are judged at the end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Coroutine, Iterator
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from hubwarden.model.connection import Decision, Verdict
from hubwarden.model.person import Ruling
from hubwarden.model.report import Report
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import Everything, OneEndpoint, OneTarget, Pending, Scope
from hubwarden.model.work import WorkItem
from hubwarden.runtime import Runtime
from tests.azure import HUB, SPOKE
from tests.estate import config, found_estate
from tests.laws.announced import APPROVED, REJECTED, told, topic_of
from tests.laws.conftest import only_records_were_written
from tests.laws.history import History, Turn, Value, kills, turns
from tests.laws.hosts import Hosts
from tests.laws.requesters import TARGETS, Deed, Requesters
from tests.laws.test_announced_after_a_crash import rows_of_answers
from tests.laws.verdicts import OTHER, POLICIES, Answers, Asking, Policy, of_a_person
from tests.laws.watch import Watch
from tests.laws.wire import Wire

KINDS = ("ask", "ask", "ask", "ask", "leave", "again", "again", "approve", "reject", "move")
DEEDS = st.builds(Deed, st.sampled_from(KINDS), st.integers(0, 9), st.integers(0, 4), st.integers(0, 8))
ASKING = st.builds(Deed, st.just("ask"), st.integers(0, 4), st.integers(0, 4), st.integers(0, 8))
ANEW = st.builds(
    Deed, st.sampled_from(["ask", "ask", "again"]), st.integers(0, 4), st.integers(0, 4), st.integers(0, 8)
)
"""Right before a run, so that there is something for it to decide."""


TURNS = turns(DEEDS, 16)
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

SETTINGS = st.fixed_dictionaries(
    {
        "operationMs": st.sampled_from([0, 0, 40_000, 7_000_000]),
        "failedAnswers": st.sampled_from(["off", "off", "Failed", "before"]),
        "graphLagMs": st.sampled_from([0, 0, 30_000]),
        "foreignSubscriptions": st.sampled_from(["401", "404"]),
        "longConnections": st.booleans(),
    }
)
VERDICTS = (Verdict.APPROVE, Verdict.REJECT)
PERSON = "0b1d0000-0000-4000-8000-000000000001"
FOLLOW_UPS = ("15s", "1m", "5m", "1h")


class Approvals(History):
    """One history: targets at which somebody asks to be let in."""

    causes = CAUSES

    @initialize(behaviour=SETTINGS, policy=CHOSEN, first=st.lists(ASKING, min_size=1, max_size=4))
    def begins(self, behaviour: dict[str, Any], policy: int, first: list[Deed]) -> None:
        """An Azure that behaves in one of the ways that it may, and a policy."""
        self.policy = POLICIES[policy]
        self.do(self._begin(behaviour))
        for deed in first:
            self.do(self.people.do(deed))

    async def _begin(self, behaviour: dict[str, Any]) -> None:
        await self.open_azure()
        self.changes = {
            "estate": {"subscriptions": [HUB, SPOKE, OTHER]},
            "followUps": list(FOLLOW_UPS),
            "events": {"topic": topic_of(self.azure)},
        }
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
        self.simulator.world.listeners.append(self.tell)

    def _settled(self) -> dict[str, Any]:
        return {**self.changes, "approvals": {"rules": list(self.policy.rules)}}

    async def act(self, what: Deed) -> None:
        """A consumer, or the owner of a target."""
        await self.people.do(what)

    def breaches(self) -> list[str]:
        """What was answered, or written, as it must not be."""
        return [*self.answers.broken, *self.hosts.watch.broken] if hasattr(self, "hosts") else []

    @rule(deed=DEEDS)
    def somebody_acts(self, deed: Deed) -> None:
        """A consumer, or the owner of a target."""
        self.do(self.act(deed))

    @rule(which=st.integers(0, 99), again=st.booleans(), turn=TURNS)
    def an_event_comes(self, which: int, again: bool, turn: Turn | None) -> None:
        """Any that is under way, in whatever order, and perhaps once more."""
        with self.answers.run(self.policy):
            self.heard(which, again, lambda event: self.hosts.hears(event, self.incident(turn), dying=kills(turn)))

    @rule(which=st.integers(0, 99), again=st.booleans(), turn=TURNS)
    def a_work_item_comes(self, which: int, again: bool, turn: Turn | None) -> None:
        """Any that was handed on, when it is due, and perhaps once more."""
        self.worked(which, again, lambda item: self._works(item, turn))

    @rule(first=ANEW, scope=st.sampled_from([Pending(), Pending(), Everything()]), turn=TURNS)
    def a_timer_rings(self, first: Deed, scope: Scope, turn: Turn | None) -> None:
        """The minute's, or the sweep's."""
        self.do(self.act(first))
        self._decides(self.hosts.looks(scope, self.incident(turn), dying=kills(turn)))

    @rule(which=st.integers(0, 9), turn=TURNS)
    def somebody_asks(self, which: int, turn: Turn | None) -> None:
        """A look at a target or at an endpoint."""
        self._decides(self.hosts.looks(self._scope(which), self.incident(turn), dying=kills(turn)))

    @rule(first=ANEW, one=st.none() | st.integers(0, 9), other=st.none() | st.integers(0, 9), policy=CHOSEN)
    def two_hosts_decide_at_once(self, first: Deed, one: int | None, other: int | None, policy: int) -> None:
        """The second one has other settings, as while they are rolled out; None is the minute's timer."""
        self.do(self.act(first))
        self.do(self._at_once(self._scope(one), self._scope(other), policy))

    @rule(
        first=ANEW,
        which=st.integers(0, 9),
        verdict=st.sampled_from(VERDICTS),
        beside=st.booleans(),
        turn=TURNS,
    )
    def a_person_decides(self, first: Deed, which: int, verdict: Verdict, beside: bool, turn: Turn | None) -> None:
        """Through one host, on what waits or else was answered; perhaps beside one that obeys the policy."""
        self.do(self.act(first))
        if asking := self.answers.asking():
            waiting = [each for each in asking if each.status == "Pending"] or asking
            one = waiting[which % len(waiting)]
            ruling = Ruling(ResourceId.parse(one.id), verdict, "so be it", ResourceId.parse(one.endpoint))
            self.do(self._ruled(ruling, turn, beside=beside))

    @rule(policy=CHOSEN)
    def the_policy_changes(self, policy: int) -> None:
        """And Hubwarden starts anew with it."""
        self.do(self._restart(policy))

    async def end(self) -> None:
        """What began comes to its end; then a sweep, and another that finds nothing to answer."""
        self.mend()
        await self.azure.sim("POST", "settings", {"failedAnswers": "off", "operationMs": 0})
        for _ in range(3):  # what ends may begin something else
            await self.wait(7100)
            with self.answers.run(self.policy):
                await self.hosts.looks(Everything())
        for _ in range(20):
            if self.hosts.items:
                await self._works(self.hosts.items.pop(0), None)
        await self.wait(7100)
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
            by_whom = {("policy", rule["name"]) for policy in POLICIES for rule in policy.rules} | {(PERSON, "")}
            if row["Before"] != "Pending" or not row["Run"] or (row["Who"], row["Rule"]) not in by_whom:
                yield f"ledger: it does not say who answered what: {row}"
        for each in self.answers.asking():
            ours = "by Hubwarden" in each.message
            kept = done[each.id, each.status] or each.id in self.people.made_anew
            if ours and not kept:
                yield f"ledger: nothing is kept of the answer to {each}"

    async def _restart(self, policy: int) -> None:
        self.policy = POLICIES[policy]
        self.hosts.changes = self._settled()
        await self.hosts.estate.hubwarden.close()
        self.hosts.estate.hubwarden = self._built(self.hosts.changes)

    async def _at_once(self, one: Scope, other: Scope, policy: int) -> None:
        await self._second(POLICIES[policy])
        with self.answers.run(self.policy, POLICIES[policy]):
            await self.hosts.at_once(lambda host: host.run(one), lambda host: host.run(other))

    async def _second(self, policy: Policy) -> None:
        """Another process, with that policy."""
        if self.hosts.second is not None:
            await self.hosts.second.close()
        self.hosts.second = self._built({**self.hosts.changes, "approvals": {"rules": list(policy.rules)}})

    async def _ruled(self, ruling: Ruling, turn: Turn | None, *, beside: bool) -> None:
        def decides(host: Runtime) -> Awaitable[Report]:
            return host.decide(ruling, PERSON)

        if beside:
            await self._second(self.policy)
            with self.answers.run(self.policy, of_a_person(ruling)):
                await self.hosts.at_once(decides, lambda host: host.run(Pending()))
        else:
            with self.answers.run(of_a_person(ruling)):
                await self.hosts.run(decides, self.incident(turn), dying=kills(turn))

    def _built(self, changes: dict[str, Any]) -> Runtime:
        estate = self.hosts.estate
        settled = config(self.directory, self.azure.url, estate.connection_string, **changes)
        return Runtime.build(settled, now=estate.time.now, sleep=estate.time.sleep)

    async def _works(self, item: str, turn: Turn | None) -> Any:
        await self.wait(max(0.0, WorkItem.from_json(item).due - self.hosts.estate.time.now()))
        with self.answers.run(self.policy):
            return await self.hosts.works(item, self.incident(turn), dying=kills(turn))

    def _scope(self, which: int | None) -> Scope:
        if which is None:
            return Pending()
        asking = self.answers.asking()
        if which >= 5 and asking:
            return OneEndpoint(ResourceId.parse(asking[which % len(asking)].endpoint))
        return OneTarget(ResourceId.parse(TARGETS[which % len(TARGETS)]))

    def _decides(self, run: Coroutine[Any, Any, Value]) -> Value:
        with self.answers.run(self.policy):
            return self.do(run)


_STATUS = {APPROVED: "Approved", REJECTED: "Rejected"}


def _misjudged(asking: list[Asking], means: Any) -> Iterator[str]:
    for each in asking:
        if each.status == "Pending" and means(each) != "Pending":
            yield f"law 2: {each} still waits, and the policy says {means(each)}"
        if not each.settled:
            yield f"{each} is not settled"
