"""Builds the clients and rooms from the settings on first use, and offers the runs to every door.

Nothing of Azure is imported until a run needs it: the doors import this module while the app is indexed.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hubwarden.errors import (
    ConfigError,
    HubwardenError,
    InputError,
    LedgerUnavailableError,
    TemporaryError,
    UnavailableError,
)
from hubwarden.model.connection import Decision
from hubwarden.model.coverage import Coverage, Measured, Ours
from hubwarden.model.dns_name import DnsName
from hubwarden.model.endpoint import ConnectionStatus
from hubwarden.model.explanation import Explanation, NameExplanation
from hubwarden.model.hub import HubZones
from hubwarden.model.judgement import Asking
from hubwarden.model.person import Ruling
from hubwarden.model.policy import Policy
from hubwarden.model.report import Report, Run
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import Scope
from hubwarden.model.takeover import TakeoverReport
from hubwarden.model.work import Cause, WorkItem
from hubwarden.runtime.building import account_of, credential_of, rooms_of
from hubwarden.runtime.looked import Looked

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

    from hubwarden.config.loading import Config
    from hubwarden.reconcile.rooms import Rooms

HAND_ON_WITHIN = 8.0
"""Seconds; with a door's own 20 it stays within the 30 that Event Grid waits."""

PUT_OFF = 60.0
OUTLIVES = 86400.0
"""Seconds: how soon a work item comes again that the ledger's outage stopped, and for how long."""

log = logging.getLogger(__name__)


class Runtime:
    """The house with its lights on: one for each process and event loop."""

    def __init__(self, rooms: Rooms, closing: list[AsyncTokenCredential]) -> None:
        self.rooms = rooms
        self._closing = closing

    @classmethod
    def build(
        cls,
        config: Config,
        *,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> Runtime:
        """Builds everything from the settings; talks to nobody yet."""
        logging.getLogger("azure").setLevel(logging.WARNING)  # the SDKs tell of every request at INFO
        environment, storage = config.environment, config.environment.storage
        assert storage is not None  # load() refuses an environment without storage
        credential = credential_of(environment, environment.client_id, config.cloud)
        by_identity = None if storage.connection_string else credential_of(environment, storage.client_id, config.cloud)
        rooms = rooms_of(config, credential, account_of(storage, by_identity), now, sleep)
        return cls(rooms, [each for each in (credential, by_identity) if each])

    async def run(self, scope: Scope, *, applies: bool = True, plan: str = "") -> Report:
        """One run, now. Raises TemporaryError where Azure or the ledger gives no answer.

        Raises PlanChangedError where `plan` is given and is not the hash of the plan now.
        """
        from hubwarden.reconcile.asked import keep
        from hubwarden.reconcile.run import reconcile

        report = await reconcile(self.rooms, scope, applies=applies, plan=plan)
        if applies:
            await keep(self.rooms, report, plan=plan, asked=bool(plan))
        return report

    async def connections(self, status: ConnectionStatus) -> tuple[Decision, ...]:
        """The estate's connections of that status, each with what the policy says to it now; changes nothing."""
        from hubwarden.reconcile.run import connections

        return await connections(self.rooms, status)

    async def explain(self, endpoint: ResourceId) -> Explanation:
        """What is seen, wanted, held and owned, and why; changes nothing."""
        from hubwarden.reconcile.explain import explain

        return await explain(self.rooms, endpoint)

    async def hub_zones(self, name: str) -> HubZones:
        """A hub of the settings and the zones that it has now. Raises UnavailableError where they are not shown."""
        [hub] = [each for each in await self.rooms.estate.hubs() if each.hub.name == name]
        if hub.trouble:
            raise UnavailableError(f"the zones of hub {name} could not be listed: {hub.trouble}")
        return hub

    async def explain_name(self, name: DnsName) -> NameExplanation:
        """Which records may answer a name, whose they are, and why they stand so; changes nothing."""
        from hubwarden.reconcile.explain import explain_name

        return await explain_name(self.rooms, name)

    async def asking(self, policies: Sequence[Policy], *, wholly: bool) -> tuple[Asking, ...]:
        """What waits in the estate, with the facts that these policies depend on, or `wholly` all; changes nothing."""
        from hubwarden.reconcile.rehearse import asking

        return await asking(self.rooms, policies, wholly=wholly)

    async def look(self, scope: Scope, *, within: float, attempt: int = 0, cause: Cause | None = None) -> Looked:
        """A run of at most `within` seconds; whatever it leaves is handed on to the work queue.

        Raises LedgerUnavailableError where that failed: then nothing may be acknowledged. ConfigError and InputError
        pass, for another try would find the same.
        """
        from hubwarden.telemetry.tracing import caused_by, span

        with caused_by(cause or Cause()), span("look"):
            return await self._look(scope, within, attempt)

    async def _look(self, scope: Scope, within: float, attempt: int) -> Looked:
        from hubwarden.reconcile.hand_on import close

        report: Report | None = None
        wait: float | None = None
        try:
            async with asyncio.timeout(within):
                report = await self.run(scope)
        except TimeoutError:
            log.warning("look: %s did not end within %s s and is handed on", scope, within)
        except (ConfigError, InputError):
            raise
        except HubwardenError as error:
            wait = error.retry_after if isinstance(error, TemporaryError) else None
            log.warning("look: %s is handed on: %s", scope, error)
        if report is not None:
            wait = report.retry_after
            left = report.look_again or (report.watch and not attempt)
            if not left or not self.rooms.applies:
                if attempt:
                    await close(self.rooms, scope)
                return Looked(scope, report, None)
        return Looked(scope, report, await self._hand_on(scope, attempt, wait))

    async def _hand_on(self, scope: Scope, attempt: int, wait: float | None) -> float | None:
        from hubwarden.reconcile.hand_on import hand_on

        try:
            async with asyncio.timeout(HAND_ON_WITHIN):
                return await hand_on(self.rooms, scope, attempt=attempt, at_least=wait)
        except TimeoutError as error:
            raise LedgerUnavailableError(f"{scope} could not be handed on: storage is silent") from error

    async def work(self, item: WorkItem, *, within: float) -> Looked | None:
        """Does a work item; None where another has taken its place, or where it was put off.

        It was acknowledged long ago to whoever caused it, so it outlives an outage of the ledger: the queue gets it
        again, for a day. Raises LedgerUnavailableError after that, or where even the queue is down.
        """
        from hubwarden.reconcile.hand_on import is_current, wait_until_due

        try:
            if item.run:
                await self._keep_promise(item, within)
                return None
            if not await is_current(self.rooms, item):
                return None
            await wait_until_due(self.rooms, item)
            return await self.look(item.scope, within=within, attempt=item.attempt, cause=item.cause)
        except LedgerUnavailableError as error:
            if self.rooms.now() - item.due > OUTLIVES:
                raise
            log.warning("work: %s is put off: %s", item.scope, error)
            await self.rooms.work.send(item, delay=PUT_OFF)
            return None

    async def _keep_promise(self, item: WorkItem, within: float) -> None:
        from hubwarden.reconcile.asked import keep_promise
        from hubwarden.telemetry.tracing import caused_by

        with caused_by(item.cause):
            await keep_promise(self.rooms, item, within=within)

    async def later(self, scope: Scope, waits: Iterable[float], *, cause: Cause | None = None) -> None:
        """Looks after each of these seconds, whatever the looks before them find. Raises LedgerUnavailableError."""
        from hubwarden.reconcile.hand_on import look_at
        from hubwarden.telemetry.tracing import caused_by

        with caused_by(cause or Cause()):
            for wait in waits:
                await look_at(self.rooms, scope, after=wait)

    async def heard(self, scope: Scope, again: Iterable[float], cause: Cause, *, within: float) -> Looked | None:
        """A look because of an event in the work queue: from here on it is a work item like any other."""
        await self.later(scope, again, cause=cause)
        item = WorkItem(scope, attempt=0, due=round(self.rooms.now(), 3), trace=cause.trace, since=cause.at)
        return await self.work(item, within=within)

    async def ask(self, scope: Scope, *, applies: bool = True, plan: str = "", within: float) -> Report | str:
        """The Report of a run, or, where it is not over within so many seconds, the name of the run that goes on.

        Raises PlanChangedError where `plan` is given and is not the hash of the plan now.
        """
        from hubwarden.reconcile.asked import ask

        return await ask(self.rooms, scope, applies=applies, plan=plan, within=within)

    async def start(self, scope: Scope, *, applies: bool = True) -> str:
        """Promises a run, which the work queue does; its name. Raises LedgerUnavailableError: nothing was promised."""
        from hubwarden.reconcile.asked import promise

        return await promise(self.rooms, scope, applies=applies)

    async def plan_takeovers(self, named: Sequence[ResourceId]) -> TakeoverReport:
        """What taking over these endpoints' zone groups would do, or, where none is named, all; changes nothing."""
        from hubwarden.reconcile.takeover import plan_takeovers, survey

        return TakeoverReport(await plan_takeovers(await survey(self.rooms), named))

    async def take_over(self, named: Sequence[ResourceId], plan: str) -> TakeoverReport:
        """Does the very plan of takeovers that a person names by its hash, with the rights of whoever runs this.

        Raises PlanChangedError where it is not the plan now, PlanOnlyError in mode plan: then nothing was done.
        """
        from hubwarden.reconcile.handover import take_over

        return await take_over(self.rooms, named, plan)

    async def coverage(self, ours: Ours) -> Coverage:
        """Of each subscription of the estate, whether its events come to us, and if not, why not; changes nothing.

        Raises UnavailableError where management groups do not show their subscriptions.
        """
        from hubwarden.reconcile.coverage import coverage_of

        return await coverage_of(self.rooms, ours)

    async def watch_coverage(self, ours: Ours) -> Coverage:
        """The same, measured, with a warning of each that is not covered; it raises what `coverage` does."""
        from hubwarden.reconcile.coverage import watch_coverage

        return await watch_coverage(self.rooms, ours)

    async def last_coverage(self) -> Measured | None:
        """What coverage found when it was measured last, by whichever instance; None where it was not yet."""
        return await self.rooms.findings.last()

    async def missing(self, *, within: float) -> tuple[str, ...]:
        """What of the settings the app cannot reach or may not do now, each with what mends it; changes nothing.

        It is asked of Azure, and not remembered. Where Azure does not answer within so many seconds, that is told.
        """
        from hubwarden.reconcile.reach import unpermitted, unreached

        try:
            async with asyncio.timeout(within):
                hubs = await self.rooms.estate.hubs(fresh=True)
                return (*await unreached(self.rooms, hubs), *await unpermitted(self.rooms, hubs))
        except TimeoutError:
            return (f"Azure did not answer within {within:.0f} s, so what is missing is not known",)

    async def operator(self) -> str:
        """The object id of the person who is signed in where this runs. Raises NotDecidedError where nobody is."""
        from hubwarden.arm.operator import object_id_of_operator

        return await object_id_of_operator(self.rooms.arm)

    async def decide(self, ruling: Ruling, who: str) -> Report:
        """Answers one connection as a person says whose object id is `who`; what it raises, `reconcile.person` says."""
        from hubwarden.reconcile.asked import keep
        from hubwarden.reconcile.person import decide

        report = await decide(self.rooms, ruling, who)
        await keep(self.rooms, report, asked=True)
        return report

    async def runs(self, top: int, before: str = "") -> tuple[list[Run], bool]:
        """The newest `top` runs, or those that began before a named one; and whether more follow."""
        return await self.rooms.runs.newest(top, before=before)

    async def run_named(self, run: str) -> Run | None:
        """One run, with its Report; None for one that is not known, or not any more."""
        return await self.rooms.runs.named(run)

    async def last_sweep(self) -> Run | None:
        """The last run that looked at the whole estate; None where there was none yet."""
        run = await self.rooms.runs.last_sweep()
        return await self.rooms.runs.named(run) if run else None

    async def measure_backlog(self) -> None:
        """Measures what waits in the queues and the outbox, where anybody collects it."""
        from hubwarden.reconcile.backlog import measure_backlog

        await measure_backlog(self.rooms)

    async def queued(self) -> tuple[int, int]:
        """About how many items wait in the work queue, and how many lie in its poison queue."""
        return await self.rooms.work.lengths()

    async def __aenter__(self) -> Runtime:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends all connections."""
        await self.rooms.arm.close()
        await self.rooms.account.close()
        if self.rooms.announcer is not None:
            await self.rooms.announcer.close()
        for credential in self._closing:
            await credential.close()


@dataclass(slots=True)
class _Process:
    """What this process has read and built so far."""

    config: Config | None = None
    faults: tuple[str, ...] = ()
    runtime: Runtime | None = None


_process = _Process()


def runtime() -> Runtime:
    """The process's runtime, built on first use. Raises ConfigError, each time, while the settings are faulty."""
    if _process.runtime is None:
        _collect(settings().environment.application_insights)
        _process.runtime = Runtime.build(settings())
    return _process.runtime


def _collect(connection_string: str) -> None:
    """Sends what is measured to where the environment says."""
    from hubwarden.telemetry.collecting import collect

    collect(connection_string)


@contextmanager
def traced(trace: str) -> Iterator[None]:
    """What runs inside belongs to that trace (a traceparent of W3C Trace Context); one that is none is ignored."""
    from hubwarden.telemetry.tracing import caused_by

    with caused_by(Cause(trace)):
        yield


def is_ready() -> bool:
    """Whether the settings can be used."""
    try:
        settings()
    except ConfigError:
        return False
    return True


def settings() -> Config:
    """The settings, read once. Raises ConfigError, each time, while they are faulty; the faults are logged once."""
    if _process.faults:
        raise ConfigError(_process.faults)  # a new one each time: a raised error gathers the traces of all its raises
    if _process.config is None:
        from hubwarden.config.loading import load

        try:
            _process.config = load()
        except ConfigError as error:
            log.error("config: %s", error)
            _process.faults = error.faults
            raise
        for warning in _process.config.warnings:
            log.warning("config: %s", warning)
    return _process.config
