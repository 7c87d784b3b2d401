"""Connection: the target's side of a private endpoint; and Decision: what is to be answered to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from hubwarden.errors import InputError
from hubwarden.model.endpoint import ConnectionStatus
from hubwarden.model.facts import Facts
from hubwarden.model.resource_id import ResourceId, fold

CONNECTIONS = "privateEndpointConnections"
"""The type under which every provider keeps the connections of a resource."""


def connection_id(value: object) -> ResourceId:
    """Reads the id of a private endpoint connection. Raises InputError for anything else."""
    connection = ResourceId.parse(value)
    kinds = [kind for kind, _ in connection.path]
    if len(kinds) < 2 or fold(kinds[-1]) != fold(CONNECTIONS) or not connection.group:
        raise InputError(
            f"{str(connection)[:200]!r} is not the id of a private endpoint connection in a resource group"
        )
    return connection


@dataclass(frozen=True, slots=True)
class Connection:
    """What a resource shows of one private endpoint that connects to it, or asks to."""

    id: ResourceId
    endpoint: ResourceId | None
    """The consumer's endpoint; None where the provider shows none, or not as a resource id."""
    groups: tuple[str, ...]
    """Empty where the provider shows none, as storage and private link services do not."""
    status: ConnectionStatus
    message: str
    """The description: while it is Pending, the consumer's own words."""
    settled: bool
    """Whether its provisioningState is one that stays: only then is what it shows believed."""
    etag: str = ""
    failed: bool = False
    """Whether the last work on it ended with a failure: then it shows what was asked of it, or what it was before."""
    actions: str = ""
    """What the target asks of the consumer beyond that, such as Recreate; "None" or empty for nothing."""

    @property
    def target(self) -> ResourceId:
        """The resource that is asked for."""
        return self.id.parent

    @property
    def must_act(self) -> bool:
        """Whether its consumer must do something that nobody else can."""
        return fold(self.actions) not in ("", "none")


class Verdict(StrEnum):
    """What a decision says."""

    APPROVE = "approve"
    REJECT = "reject"
    HOLD = "hold"

    @property
    def status(self) -> ConnectionStatus:
        """What the connection should show afterwards."""
        return _AFTER[self]


_AFTER = {
    Verdict.APPROVE: ConnectionStatus.APPROVED,
    Verdict.REJECT: ConnectionStatus.REJECTED,
    Verdict.HOLD: ConnectionStatus.PENDING,
}


POLICY = "policy"
"""Who decides, where it is a rule."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be answered to a connection, which rule or which person said so, and why."""

    connection: Connection
    verdict: Verdict
    rule: str
    """The name of the rule; empty where none matched, or where a person decided."""
    reason: str
    after: ConnectionStatus | None = None
    """What the connection showed after it was answered; None where it was not."""
    note: str = ""
    """What is written into the connection's description; a rule's may hold the consumer's own words."""
    who: str = POLICY
    """The object id of the person who decided."""
    said: str = ""
    """The person's own words."""
    since: float | None = field(default=None, compare=False)
    """Since when it waits, in seconds since 1970; None where nobody has noted that."""
    answered: float | None = field(default=None, compare=False)
    """Since when it shows this answer, in seconds since 1970; None where it waits, or the ledger knows of no answer."""
    facts: Facts | None = field(default=None, compare=False, repr=False)
    """What it was decided on."""

    @property
    def decided_by(self) -> str:
        """The rule or the person, for a sentence."""
        return by(self.rule, self.who)

    @property
    def before(self) -> ConnectionStatus:
        """What the connection showed when it was decided on."""
        return self.connection.status


def by(rule: str, who: str) -> str:
    """Who decided, for a sentence: a rule by its name, a person by object id."""
    return f"rule {rule}" if who == POLICY else f"person {who}"
