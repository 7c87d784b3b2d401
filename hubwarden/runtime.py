"""Builds the clients and rooms from the settings on first use, and offers the runs to every door.

Nothing of Azure is imported until a run needs it: the doors import this module while the app is indexed.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hubwarden.errors import ConfigError, HubwardenError, InputError, LedgerUnavailableError, TemporaryError
from hubwarden.model.connection import Decision, Verdict
from hubwarden.model.dns_name import DnsName
from hubwarden.model.endpoint import ConnectionStatus
from hubwarden.model.report import Explanation, NameExplanation, Report, Result, Run
from hubwarden.model.scope import OneEndpoint, Scope
from hubwarden.model.work import WorkItem

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

    from hubwarden.config.environment import Environment, Storage
    from hubwarden.config.loading import Config
    from hubwarden.ledger.storage import StorageAccount
    from hubwarden.reconcile.rooms import Rooms

HAND_ON_WITHIN = 8.0
"""Seconds; with a door's own 20 it stays within the 30 that Event Grid waits."""

PUT_OFF = 60.0
OUTLIVES = 86400.0
"""Seconds: how soon a work item comes again that the ledger's outage stopped, and for how long."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look at the doors' order came to: its Report if it ended in time, and when the next look is due."""

    scope: Scope
    report: Report | None
    next_look: float | None
    """Seconds since 1970; None where nothing is left, or no try is."""

    @property
    def gave_up(self) -> bool:
        """Whether something is left undone that nobody will look at again; a mere wait is none of that."""
        left = self.report is None or bool(self.report.unfinished) or not self.report.complete
        return self.next_look is None and left

    @property
    def summary(self) -> str:
        """One line for a log: counts and reasons, nothing that a stranger wrote."""
        if self.report is None:
            text = "no answer"
        else:
            plan = self.report.plan
            done = [outcome.change for outcome in self.report.outcomes if outcome.result is Result.DONE]
            answered = sum(isinstance(change, Decision) for change in done)
            waiting = sum(decision.verdict is Verdict.HOLD for decision in self.report.decisions)
            reasons = ", ".join(sorted({held.reason for held in plan.held}))
            text = (
                f"{self.report.mode}: {self.report.status}, {len(done) - answered} of {len(plan.changes)} changes done"
            )
            text += f", {len(plan.unchanged)} unchanged" + (f", held: {reasons}" if reasons else "")
            text += f", connections answered: {answered}" if answered else ""
            text += f", connections waiting: {waiting}" if waiting else ""
        return text + (f", again in {max(0, self.next_look - time.time()):.0f} s" if self.next_look else "")

    def tell(self, log: logging.Logger, door: str) -> None:
        """Writes the summary to a door's log, and every failure with its reason."""
        if self.report:
            for outcome in self.report.unfinished:
                log.error("%s: %s: %s", door, outcome.key, outcome.error)
        log.info("%s: %s: %s", door, self.scope, self.summary)


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
        credential = _credential(environment, environment.client_id)
        by_identity = None if storage.connection_string else _credential(environment, storage.client_id)
        rooms = _rooms(config, credential, _account(storage, by_identity), now, sleep)
        return cls(rooms, [each for each in (credential, by_identity) if each])

    async def run(self, scope: Scope, *, applies: bool = True, plan: str = "") -> Report:
        """One run, now. Raises TemporaryError where Azure or the ledger gives no answer.

        Raises PlanChangedError where `plan` is given and is not the hash of the plan now.
        """
        from hubwarden.reconcile.asked import keep
        from hubwarden.reconcile.run import reconcile

        report = await reconcile(self.rooms, scope, applies=applies, plan=plan)
        if applies:
            await keep(self.rooms, report)
        return report

    async def connections(self, status: ConnectionStatus) -> tuple[Decision, ...]:
        """The estate's connections of that status, each with what the policy says to it now; changes nothing."""
        from hubwarden.reconcile.run import connections

        return await connections(self.rooms, status)

    async def explain(self, scope: OneEndpoint) -> Explanation:
        """What is seen, wanted, held and owned, and why; changes nothing."""
        from hubwarden.reconcile.explain import explain

        return await explain(self.rooms, scope.endpoint)

    async def explain_name(self, name: DnsName) -> NameExplanation:
        """Which records may answer a name, whose they are, and why they stand so; changes nothing."""
        from hubwarden.reconcile.explain import explain_name

        return await explain_name(self.rooms, name)

    async def look(self, scope: Scope, *, within: float, attempt: int = 0, trace: str = "") -> Looked:
        """A run of at most `within` seconds; whatever it leaves is handed on to the work queue.

        Raises LedgerUnavailableError where that failed: then nothing may be acknowledged. ConfigError and InputError
        pass, for another try would find the same.
        """
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
            waits = [outcome.retry_after for outcome in report.unfinished if outcome.retry_after]
            wait = max(waits, default=None)
            left = report.look_again or (report.watch and not attempt)
            if not left or not self.rooms.applies:
                if attempt:
                    await close(self.rooms, scope)
                return Looked(scope, report, None)
        return Looked(scope, report, await self._hand_on(scope, attempt, trace, wait))

    async def _hand_on(self, scope: Scope, attempt: int, trace: str, wait: float | None) -> float | None:
        from hubwarden.reconcile.hand_on import hand_on

        try:
            async with asyncio.timeout(HAND_ON_WITHIN):
                return await hand_on(self.rooms, scope, attempt=attempt, trace=trace, at_least=wait)
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
            return await self.look(item.scope, within=within, attempt=item.attempt, trace=item.trace)
        except LedgerUnavailableError as error:
            if self.rooms.now() - item.due > OUTLIVES:
                raise
            log.warning("work: %s is put off: %s", item.scope, error)
            await self.rooms.work.send(item, delay=PUT_OFF)
            return None

    async def _keep_promise(self, item: WorkItem, within: float) -> None:
        from hubwarden.reconcile.asked import keep_promise

        await keep_promise(self.rooms, item, within=within)

    async def later(self, scope: Scope, waits: Iterable[float], *, trace: str = "") -> None:
        """Looks after each of these seconds, whatever the looks before them find. Raises LedgerUnavailableError."""
        now = self.rooms.now()
        for wait in waits:
            await self.rooms.work.send(WorkItem(scope, attempt=0, due=round(now + wait, 3), trace=trace), delay=wait)

    async def heard(self, scope: Scope, again: Iterable[float], *, within: float) -> Looked | None:
        """A look because of an event in the work queue; None where it was put off, as `work` does.

        Raises LedgerUnavailableError where even the queue is down.
        """
        try:
            await self.later(scope, again)
            return await self.look(scope, within=within)
        except LedgerUnavailableError as error:
            log.warning("work: %s is put off: %s", scope, error)
            due = round(self.rooms.now() + PUT_OFF, 3)
            await self.rooms.work.send(WorkItem(scope, attempt=0, due=due), delay=PUT_OFF)
            return None

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
        _process.runtime = Runtime.build(settings())
    return _process.runtime


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


def _credential(environment: Environment, client_id: str) -> AsyncTokenCredential:
    """The app's managed identity where there is one; else whatever the person at the shell is signed in with."""
    from azure.identity.aio import DefaultAzureCredential, ManagedIdentityCredential

    if environment.has_managed_identity:
        return ManagedIdentityCredential(client_id=client_id or None)
    return DefaultAzureCredential()


def _account(storage: Storage, credential: AsyncTokenCredential | None) -> StorageAccount:
    from hubwarden.ledger.storage import StorageAccount

    return StorageAccount(
        connection_string=storage.connection_string,
        table_uri=storage.table_uri,
        queue_uri=storage.queue_uri,
        credential=credential,
    )


def _rooms(
    config: Config,
    credential: AsyncTokenCredential,
    account: StorageAccount,
    now: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]],
) -> Rooms:
    from hubwarden.arm.estate import Estate
    from hubwarden.arm.session import ArmSession
    from hubwarden.catalog import catalogue
    from hubwarden.dns.limits import Limits
    from hubwarden.dns.plan import Rules
    from hubwarden.ledger.claims import Claims
    from hubwarden.ledger.decisions import Decisions
    from hubwarden.ledger.runs import Runs
    from hubwarden.ledger.tally import Tally
    from hubwarden.ledger.work_queue import WorkQueue
    from hubwarden.reconcile.rooms import Rooms

    services = catalogue(config.cloud, config.rows)
    protected = frozenset(text for name in config.protected for text in (name.text, *services.records_of(name)))
    arm = ArmSession(credential, cloud=config.cloud, endpoint=config.environment.arm_endpoint, sleep=sleep)
    return Rooms(
        arm=arm,
        estate=Estate(
            arm,
            hubs=config.hubs,
            subscriptions=config.subscriptions,
            management_groups=config.management_groups,
            excluded=config.excluded,
            now=now,
        ),
        account=account,
        claims=Claims(account),
        work=WorkQueue(account),
        runs=Runs(account),
        tally=Tally(account),
        catalogue=services,
        rules=Rules(config.instance, config.instances, config.ttl, protected, {hub.name: hub for hub in config.hubs}),
        limits=Limits(config.most_withdrawals, config.most_in_zone, config.most_share),
        policy=config.policy,
        approve_limit=config.approve_limit,
        reject_limit=config.reject_limit,
        decisions=Decisions(account),
        networks=config.addresses,
        publishes_foreign_targets=config.publishes_foreign_targets,
        follow_ups=config.follow_ups,
        applies=config.applies,
        now=now,
        sleep=sleep,
    )
