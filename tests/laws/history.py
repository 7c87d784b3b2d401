"""What every generated history has, of records or of approvals: events under way, faults, time, crashes, and an end."""

from __future__ import annotations

import asyncio
import json
from abc import abstractmethod
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import pytest
from azure.data.tables.aio import TableServiceClient
from azure.storage.queue.aio import QueueServiceClient
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from handlers.event_grid import hint_in
from simulator.authority import Authority
from simulator.server import Simulator
from simulator.world import Change
from tests.azure import Azure
from tests.laws.hosts import Hosts, comes_again
from tests.laws.wire import Incident, Wire

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Turn:
    """What happens at the n-th request of a run: it dies, Storage is silent for a while, or somebody acts."""

    at: int
    after: bool
    what: Any
    """`death`, `silence`, or what somebody does."""

    @property
    def kills(self) -> bool:
        """Whether the run dies of it."""
        return bool(self.what == "death")


def turns(acts: st.SearchStrategy[Any], latest: int) -> st.SearchStrategy[Turn | None]:
    """Perhaps something that happens within a run, up to its `latest` request."""
    incidents = st.sampled_from(["death", "silence"]) | acts
    return st.none() | st.builds(Turn, st.integers(1, latest), st.booleans(), incidents)


class History(RuleBasedStateMachine):
    """One history: an Azure to which things happen, and Hubwarden's hosts."""

    causes: ClassVar[tuple[dict[str, Any], ...]]
    """What can go wrong; which of such requests, before it is done or after, and how often, is drawn."""

    azure: Azure
    wire: Wire
    hosts: Hosts

    def __init__(self, authority: Authority, storage: str, directory: Path) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.patch = pytest.MonkeyPatch()
        self.open = AsyncExitStack()
        self.simulator = Simulator(authority)
        self.storage, self.directory = storage, directory
        self.events: list[str] = []
        self.broken = 0
        self.is_sound = True

    @abstractmethod
    async def act(self, what: Any) -> None:
        """Somebody does something."""

    @abstractmethod
    def breaches(self) -> list[str]:
        """The laws that were broken so far."""

    @abstractmethod
    async def end(self) -> None:
        """Faults have ceased: what stands in the end is judged."""

    async def open_azure(self) -> None:
        """An Azure of this history's own, and an empty ledger."""
        await self.open.enter_async_context(self.simulator)
        for name, value in self.simulator.environment().items():
            self.patch.setenv(name, value)
        self.azure = await self.open.enter_async_context(Azure(self.simulator.url))
        await _empty(self.storage)

    def tell(self, change: Change) -> None:
        """What Event Grid would tell of a change, if it is any business of Hubwarden's."""
        event = json.dumps({"subject": change.resource_id, "data": {"operationName": change.operation}})
        if change.succeeded and hint_in(event):
            self.events.append(event)

    @precondition(lambda self: self.broken < 3)
    @rule(
        which=st.integers(0, 99),
        after=st.booleans(),
        skip=st.sampled_from([0, 0, 1, 2]),
        times=st.sampled_from([1, 2, 9]),
    )
    def something_breaks(self, which: int, after: bool, skip: int, times: int) -> None:
        """Some of Hubwarden's next requests fail, done or not."""
        self.broken += 1
        self.hosts.is_calm = False
        fault = {"service": "arm", **self.causes[which % len(self.causes)], "skip": skip, "times": times}
        self.simulator.faults.add({**fault, "when": "after" if after else "before"})

    @precondition(lambda self: self.broken)
    @rule()
    def all_is_mended(self) -> None:
        """Nothing fails any more."""
        self.mend()

    @rule(seconds=st.sampled_from([6.0, 40.0, 601.0, 901.0, 4000.0]))
    def time_passes(self, seconds: float) -> None:
        """For everybody."""
        self.do(self.wait(seconds))

    def teardown(self) -> None:
        """A history that went well so far has an end that is judged."""
        try:
            if self.is_sound and hasattr(self, "hosts"):
                self.do(self.end())
        finally:
            self.runner.run(self.open.aclose())
            self.runner.close()
            self.patch.undo()

    def mend(self) -> None:
        """No request fails from now on."""
        self.broken, self.hosts.is_calm = 0, True
        self.simulator.faults.clear()

    async def wait(self, seconds: float) -> None:
        """Time passes, for Azure and for the hosts."""
        self.hosts.estate.time.seconds += seconds
        await self.azure.advance(seconds)

    def heard(self, which: int, again: bool, hear: Any) -> None:
        """An event comes, any that is under way: it is gone unless it was refused, or comes `again`."""
        if self.events:
            event = self.events[which % len(self.events)]
            if not comes_again(self.do(hear(event))) and not again:
                self.events.remove(event)

    def worked(self, which: int, again: bool, work: Any) -> None:
        """A work item comes, any that was handed on, in the same way."""
        if self.hosts.items:
            item = self.hosts.items[which % len(self.hosts.items)]
            if not comes_again(self.do(work(item))) and not again:
                self.hosts.items.remove(item)

    def incident(self, turn: Turn | None) -> Incident | None:
        """What the wire is to do at a request."""
        if turn is None:
            return None

        async def happen() -> None:
            if isinstance(turn.what, str):
                self.wire.storage_fails = 4
            else:
                await self.act(turn.what)

        return Incident(turn.at, turn.after, happen)

    def do(self, doing: Coroutine[Any, Any, Value]) -> Value:
        """Everything happens on one loop, and no broken law is passed over."""
        self.is_sound = False
        value = self.runner.run(doing)
        assert not self.breaches(), "\n".join(self.breaches())
        self.is_sound = True
        return value


def kills(turn: Turn | None) -> bool:
    """Whether the run in which it happens dies."""
    return turn is not None and turn.kills


def live_through(history: type[History], most: int, steps: int, *given: Any) -> None:
    """Lives through so many histories of at most so many steps, each made with what is given."""

    kept = settings(
        max_examples=most, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck)
    )
    made: Any = partial(history, *given)  # any maker will do, where settings are given
    run_state_machine_as_test(made, settings=kept)


async def _empty(storage: str) -> None:
    """Nothing is left of the history before."""
    async with (
        TableServiceClient.from_connection_string(storage) as tables,
        QueueServiceClient.from_connection_string(storage) as queues,
    ):
        for table in [each.name async for each in tables.list_tables()]:
            await tables.delete_table(table)
        for queue in [each.name async for each in queues.list_queues()]:
            await queues.delete_queue(queue)
