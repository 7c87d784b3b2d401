"""Hubwarden's side of a history: two hosts over one storage, the queue between them, and how a run can end.

A run ends with what its door would answer, or as one whose process died. What it told is compared with what it did:
law 4, that every write insists; law 7, that a name goes to the next without a gap; law 12, that every failed write is
an Outcome and makes the door try again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from azure.storage.queue import TextBase64DecodePolicy
from azure.storage.queue.aio import QueueClient

from handlers.event_grid import hint_in
from hubwarden.errors import HubwardenError, LedgerUnavailableError
from hubwarden.model.report import Report, Result
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import Everything, Pending, Scope
from hubwarden.model.work import WorkItem
from hubwarden.runtime import Runtime
from hubwarden.runtime.looked import Looked
from tests.estate import Estate, config
from tests.laws.truth import living
from tests.laws.watch import Watch
from tests.laws.wire import Incident, Wire, Write, dies
from tests.storage import taken

WITHIN = 1000.0
"""Seconds: nothing here is late but by design."""

Told = Report | Looked | HubwardenError | None
"""What a run ended with; None for nothing to do, or to tell."""

Doing = Callable[[Runtime], Awaitable[Told]]
"""What a host is to do."""


@dataclass(frozen=True, slots=True)
class Died:
    """The process ended in the middle of the run."""


@dataclass(slots=True)
class Hosts:
    """Two processes of the app; each forgets everything when it dies."""

    estate: Estate
    wire: Wire
    watch: Watch
    directory: Path
    changes: dict[str, Any]
    items: list[str] = field(default_factory=list)
    """What the work queue held."""
    second: Runtime | None = None
    is_calm: bool = True
    """Whether nothing is broken: only then must everybody be seen."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.estate.hubwarden.close()
        if self.second is not None:
            await self.second.close()

    async def hears(self, event: str, incident: Incident | None = None, *, dying: bool = False) -> Told | Died:
        """An event comes to the door."""

        async def heard(host: Runtime) -> Told:
            hint = hint_in(event)
            assert hint is not None
            await host.later(hint.scope, hint.again)
            return await host.look(hint.scope, within=WITHIN)

        return await self.run(heard, incident, dying=dying)

    async def works(self, item: str, incident: Incident | None = None, *, dying: bool = False) -> Told | Died:
        """An item of the queue comes to the door, when it is due."""
        work = WorkItem.from_json(item)
        self.estate.time.seconds = max(self.estate.time.seconds, work.due)
        last_try = work.attempt >= len(self.changes["followUps"])
        return await self.run(lambda host: host.work(work, within=WITHIN), incident, dying=dying, last_try=last_try)

    async def looks(self, scope: Scope, incident: Incident | None = None, *, dying: bool = False) -> Told | Died:
        """Somebody asks for a look, or the timer for a sweep."""
        if isinstance(scope, Everything | Pending):  # the timer rings again anyway
            return await self.run(lambda host: host.run(scope), incident, dying=dying)
        return await self.run(lambda host: host.look(scope, within=WITHIN), incident, dying=dying)

    async def run(
        self,
        doing: Doing,
        incident: Incident | None = None,
        *,
        dying: bool = False,
        last_try: bool = False,
    ) -> Told | Died:
        """One run of the first host. At the incident, if any, it is `dying`, or what the incident says happens."""
        claimed = await self._claimed() if self.is_calm and not incident else {}
        task = asyncio.ensure_future(_ended(doing(self.estate.hubwarden)))
        if incident and dying:
            incident = Incident(incident.at, incident.after, dies(task))
        try:
            with self.watch.run(), self.wire.incident(incident):
                told = await task
        except asyncio.CancelledError:
            await self.estate.hubwarden.close()
            self.estate.hubwarden = self._built()
            self.wire.writes.clear()
            return Died()
        finally:
            self.wire.storage_fails = 0
            self.items += await self._queued()
        self.watch.broken += [*self._judged(told, last_try=last_try), *self._gaps(claimed)]
        self.wire.writes.clear()
        return told

    async def at_once(self, one: Doing, other: Doing) -> None:
        """Both hosts are at work at the same moment."""
        if self.second is None:
            self.second = self._built()
        with self.watch.run():
            await asyncio.gather(
                _ended(one(self.estate.hubwarden)),
                _ended(other(self.second)),
            )
        self.items += await self._queued()
        self.watch.broken += self._judged(None, last_try=True)
        self.wire.writes.clear()

    def _judged(self, told: Told, *, last_try: bool) -> Iterator[str]:
        for write in self.wire.writes:
            if not write.insists:
                yield f"law 4: {write} insists on nothing"
        report = told.report if isinstance(told, Looked) else told
        if isinstance(report, Report):
            yield from _untold(report, {write.name: write for write in self.wire.writes})
        if isinstance(told, Looked) and told.gave_up and not last_try:
            yield f"law 12: {told.report.unfinished if told.report else told.scope} is left, and nobody looks again"

    async def _claimed(self) -> dict[str, set[str]]:
        """Who of the living has a claim on a name that it wants, by the name."""
        self.watch.dropped.clear()
        claims = (await self.estate.hubwarden.rooms.claims.all()).claims
        found: dict[str, set[str]] = {}
        for endpoint in living(self.watch.world):
            for claim in claims.get(ResourceId.parse(endpoint.id), ()):
                if endpoint.wants(claim.key.name) and not self.watch.world.lagging:
                    found.setdefault(claim.key.name, set()).add(endpoint.id)
        return found

    def _gaps(self, claimed: dict[str, set[str]]) -> Iterator[str]:
        for name in self.watch.dropped:
            if name in claimed:
                yield f"law 7: {name} was dropped, and {claimed[name]} had claims on it"

    async def _queued(self) -> list[str]:
        """Takes everything out of the work queue that can be seen."""
        queue = QueueClient.from_connection_string(
            self.estate.connection_string, "hubwarden-work", message_decode_policy=TextBase64DecodePolicy()
        )
        async with queue:
            return await taken(queue)

    def _built(self) -> Runtime:
        """A process that knows nothing yet."""
        settings = config(self.directory, self.estate.azure.url, self.estate.connection_string, **self.changes)
        return Runtime.build(settings, now=self.estate.time.now, sleep=self.estate.time.sleep)


async def _ended(run: Awaitable[Told]) -> Told:
    try:
        return await run
    except HubwardenError as error:
        return error


def comes_again(told: Told | Died) -> bool:
    """Whether Event Grid, or the queue, delivers once more what led to this."""
    return isinstance(told, Died | LedgerUnavailableError)


def _untold(report: Report, last: dict[str, Write]) -> Iterator[str]:
    """The last write of each record is what its Outcome tells of."""
    results = {outcome.change.key.name: outcome.result for outcome in report.outcomes if hasattr(outcome.change, "key")}
    for name, write in last.items():
        failed = write.status is None or write.status >= 400
        if name not in results or (failed and results[name] is Result.DONE):
            yield f"law 12: {write} failed, or was made, and its outcome is {results.get(name)}"
