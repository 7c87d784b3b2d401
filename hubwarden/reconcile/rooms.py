"""The rooms that a run walks through, and the rules it keeps; made once by `runtime`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hubwarden.arm.estate import Estate
from hubwarden.arm.session import ArmSession
from hubwarden.catalog import Catalogue
from hubwarden.dns.limits import Limits
from hubwarden.dns.plan import Rules
from hubwarden.ledger.claims import Claims
from hubwarden.ledger.decisions import Decisions
from hubwarden.ledger.findings import Findings
from hubwarden.ledger.outbox import Outbox
from hubwarden.ledger.runs import Runs
from hubwarden.ledger.sights import Sights
from hubwarden.ledger.storage import StorageAccount
from hubwarden.ledger.tally import Tally
from hubwarden.ledger.work_queue import WorkQueue
from hubwarden.model.endpoint import Network
from hubwarden.model.own_name import OwnName
from hubwarden.model.policy import Policy
from hubwarden.model.resource_id import ResourceId

if TYPE_CHECKING:
    from hubwarden.announce import Announcer

SOMEBODYS = 600.0
"""Seconds for which what was begun may be somebody's who is still at it: as long as an invocation lasts."""


@dataclass(frozen=True, slots=True)
class Rooms:
    """Everything that a run needs; time is given, so that it can be steered."""

    arm: ArmSession
    estate: Estate
    account: StorageAccount
    claims: Claims
    work: WorkQueue
    runs: Runs
    tally: Tally
    catalogue: Catalogue
    rules: Rules
    limits: Limits
    policy: Policy
    approve_limit: int
    reject_limit: int
    """How many connections may be answered by rule within an hour."""
    remind_after: float
    """Seconds after which a connection that waits for a person is told of again; 0 for never."""
    sights: Sights
    decisions: Decisions
    findings: Findings
    outbox: Outbox
    announcer: Announcer | None
    """None where the settings name no topic: then nobody is told, and nothing is stored for it."""
    networks: tuple[Network, ...]
    publishes_foreign_targets: bool
    shared: frozenset[ResourceId]
    """Targets whose names answer for everybody, and which the owner means so."""
    own_names: tuple[OwnName, ...]
    follow_ups: tuple[float, ...]
    applies: bool
    now: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
