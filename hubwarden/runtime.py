"""Builds the clients and rooms from the settings on first use, and offers the runs to every door.

Nothing of Azure is imported until a run needs it: the doors import this module while the app is indexed.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hubwarden.errors import ConfigError, HubwardenError, InputError, LedgerUnavailableError, TemporaryError
from hubwarden.model.dns_name import DnsName
from hubwarden.model.report import Explanation, NameExplanation, OneEndpoint, Report, Result
from hubwarden.model.work import WorkItem

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

    from hubwarden.config.environment import Environment
    from hubwarden.config.loading import Config
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

    scope: OneEndpoint
    report: Report | None
    next_look: float | None
    """Seconds since 1970; None where nothing is left, or no try is."""

    @property
    def gave_up(self) -> bool:
        """Whether something is left undone that nobody will look at again; a mere wait is none of that."""
        return self.next_look is None and (self.report is None or bool(self.report.unfinished))

    @property
    def summary(self) -> str:
        """One line for a log: counts and reasons, nothing that a stranger wrote."""
        if self.report is None:
            text = "no answer"
        else:
            plan = self.report.plan
            done = sum(outcome.result is Result.DONE for outcome in self.report.outcomes)
            reasons = ", ".join(sorted({held.reason for held in plan.held}))
            text = f"{self.report.mode}: {self.report.status}, {done} of {len(plan.changes)} changes done"
            text += f", {len(plan.unchanged)} unchanged" + (f", held: {reasons}" if reasons else "")
        return text + (f", again in {max(0, self.next_look - time.time()):.0f} s" if self.next_look else "")

    def tell(self, log: logging.Logger, door: str) -> None:
        """Writes the summary to a door's log, and every failure with its reason."""
        if self.report:
            for outcome in self.report.unfinished:
                log.error("%s: %s: %s", door, outcome.change.key, outcome.error)
        log.info("%s: %s: %s", door, self.scope.endpoint, self.summary)


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
        from hubwarden.arm.estate import Estate
        from hubwarden.arm.session import ArmSession
        from hubwarden.catalog import catalogue
        from hubwarden.dns.plan import Rules
        from hubwarden.ledger.claims import Claims
        from hubwarden.ledger.storage import StorageAccount
        from hubwarden.ledger.work_queue import WorkQueue
        from hubwarden.reconcile.rooms import Rooms

        environment = config.environment
        credential = _credential(environment, environment.client_id)
        storage = environment.storage
        assert storage is not None  # load() refuses an environment without storage
        by_identity = None if storage.connection_string else _credential(environment, storage.client_id)
        account = StorageAccount(
            connection_string=storage.connection_string,
            table_uri=storage.table_uri,
            queue_uri=storage.queue_uri,
            credential=by_identity,
        )
        services = catalogue(config.cloud, config.rows)
        protected = frozenset(text for name in config.protected for text in (name.text, *services.records_of(name)))
        arm = ArmSession(credential, cloud=config.cloud, endpoint=environment.arm_endpoint)
        rooms = Rooms(
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
            catalogue=services,
            rules=Rules(config.instance, config.instances, config.ttl, protected),
            networks=config.addresses,
            publishes_foreign_targets=config.publishes_foreign_targets,
            follow_ups=config.follow_ups,
            applies=config.applies,
            now=now,
            sleep=sleep,
        )
        return cls(rooms, [each for each in (credential, by_identity) if each])

    async def run(self, scope: OneEndpoint, *, applies: bool = True) -> Report:
        """One run, now. Raises TemporaryError where Azure or the ledger gives no answer."""
        from hubwarden.reconcile.run import reconcile

        return await reconcile(self.rooms, scope, applies=applies)

    async def explain(self, scope: OneEndpoint) -> Explanation:
        """What is seen, wanted, held and owned, and why; changes nothing."""
        from hubwarden.reconcile.run import explain

        return await explain(self.rooms, scope)

    async def explain_name(self, name: DnsName) -> NameExplanation:
        """Which records may answer a name, whose they are, and why they stand so; changes nothing."""
        from hubwarden.reconcile.run import explain_name

        return await explain_name(self.rooms, name)

    async def look(self, scope: OneEndpoint, *, within: float, attempt: int = 0, trace: str = "") -> Looked:
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
            log.warning("look: %s did not end within %s s and is handed on", scope.endpoint, within)
        except (ConfigError, InputError):
            raise
        except HubwardenError as error:
            wait = error.retry_after if isinstance(error, TemporaryError) else None
            log.warning("look: %s is handed on: %s", scope.endpoint, error)
        if report is not None:
            waits = [outcome.retry_after for outcome in report.unfinished if outcome.retry_after]
            wait = max(waits, default=None)
            left = report.look_again or (report.watch and not attempt)
            if not left or not self.rooms.applies:
                if attempt:
                    await close(self.rooms, scope)
                return Looked(scope, report, None)
        return Looked(scope, report, await self._hand_on(scope, attempt, trace, wait))

    async def _hand_on(self, scope: OneEndpoint, attempt: int, trace: str, wait: float | None) -> float | None:
        from hubwarden.reconcile.hand_on import hand_on

        try:
            async with asyncio.timeout(HAND_ON_WITHIN):
                return await hand_on(self.rooms, scope, attempt=attempt, trace=trace, at_least=wait)
        except TimeoutError as error:
            raise LedgerUnavailableError(f"{scope.endpoint} could not be handed on: storage is silent") from error

    async def work(self, item: WorkItem, *, within: float) -> Looked | None:
        """Does a work item; None where another has taken its place, or where it was put off.

        It was acknowledged long ago to whoever caused it, so it outlives an outage of the ledger: the queue gets it
        again, for a day. Raises LedgerUnavailableError after that, or where even the queue is down.
        """
        from hubwarden.reconcile.hand_on import is_current, wait_until_due

        try:
            if not await is_current(self.rooms, item):
                return None
            await wait_until_due(self.rooms, item)
            return await self.look(item.scope, within=within, attempt=item.attempt, trace=item.trace)
        except LedgerUnavailableError as error:
            if self.rooms.now() - item.due > OUTLIVES:
                raise
            log.warning("work: %s is put off: %s", item.scope.endpoint, error)
            await self.rooms.work.send(item, delay=PUT_OFF)
            return None

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
        _process.runtime = Runtime.build(_config())
    return _process.runtime


def is_ready() -> bool:
    """Whether the settings can be used."""
    try:
        _config()
    except ConfigError:
        return False
    return True


def _config() -> Config:
    """The settings, read once; their faults are logged once and raised each time."""
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
