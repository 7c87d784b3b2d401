"""Facts about connections that wait: each is asked for only while it could matter, and what fails stays unknown."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Generic, TypeVar

from hubwarden.approval.decide import decide, open_questions
from hubwarden.arm.endpoints import read_endpoint
from hubwarden.arm.memory import Memory
from hubwarden.arm.subscriptions import management_groups_above
from hubwarden.arm.targets import Target, read_target
from hubwarden.errors import HubwardenError, UnavailableError
from hubwarden.model.connection import Connection, Decision
from hubwarden.model.endpoint import ConnectionStatus, Tenancy
from hubwarden.model.facts import Facts
from hubwarden.model.managed import ManagedEndpoint
from hubwarden.model.resource_id import ResourceId, fold
from hubwarden.reconcile.managed import managed_in_estate, with_manager
from hubwarden.reconcile.rooms import Rooms
from hubwarden.reconcile.since import Since, since_ever

ANSWERED_WITHIN = 8.0
"""Seconds for which one fact is waited for: who is silent about one must not keep the others from being answered."""

_IN_ENDPOINT = frozenset({"groups", "consumer.location", "consumer.tags"})

log = logging.getLogger(__name__)

Learn = Callable[[Facts], Awaitable[Facts]]
Asks = Callable[[Facts], frozenset[str]]
"""Which facts, by the names in FACTS, are still asked for."""
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class _Learner:
    """A way to learn facts: `gives` are those that it gives, or that others give only after it."""

    gives: frozenset[str]
    learn: Learn


class _Once(Generic[Found]):
    """What is asked for once about each thing, by whoever is first; only those who ask about the same wait for it.

    Of what gave no answer in time nobody asks again.
    """

    def __init__(self, ask: Callable[[str], Awaitable[Found]]) -> None:
        self._ask = ask
        self._answers: Memory[str, tuple[Found] | None] = Memory()

    async def __call__(self, about: str) -> Found:
        answer = await self._answers.recall(about, partial(self._answer, about))
        if answer is None:
            raise UnavailableError(f"no answer in time about {about}")
        return answer[0]

    async def _answer(self, about: str) -> tuple[Found] | None:
        """None where there is none in time."""
        try:
            async with asyncio.timeout(ANSWERED_WITHIN):
                return (await self._ask(about),)
        except TimeoutError:
            return None


class Surroundings:
    """What is asked for once in a run, however many connections it is about: fresh enough for its decisions.

    `within` are the seconds after which nothing is asked any more; what is not known then stays unknown.
    """

    def __init__(self, rooms: Rooms, since: Since | None = None, *, within: float | None = None) -> None:
        self.until = None if within is None else asyncio.get_running_loop().time() + within
        self._tenancy = _Once(partial(rooms.estate.tenancy, fresh=True))
        self._groups = _Once(partial(management_groups_above, rooms.arm))
        self._target = _Once(lambda target: read_target(rooms.arm, ResourceId.parse(target)))
        self._rooms = rooms
        self._since = since
        self._managed: tuple[tuple[ManagedEndpoint, ...] | None, ...] = ()
        self._turn = asyncio.Lock()

    async def tenancy(self, subscription: str) -> Tenancy:
        """Whose a subscription is. Raises UnavailableError where ARM does not answer."""
        return await self._tenancy(subscription)

    async def management_groups(self, subscription: str) -> tuple[str, ...] | None:
        """The management groups above a subscription. Raises UnavailableError where the index does not answer."""
        return await self._groups(subscription)

    async def managed_endpoints(self) -> tuple[ManagedEndpoint, ...] | None:
        """The managed endpoints of the estate's resources; None where it is not known which there are."""
        async with self._turn:
            self._managed = self._managed or (await managed_in_estate(self._rooms),)
        return self._managed[0]

    async def target(self, target: ResourceId) -> Target:
        """What a target shows of itself; what it raises, `read_target` says."""
        return await self._target(str(target))

    async def age(self, connection: Connection) -> float | None:
        """For how many seconds a connection waits; None for one that does not. Raises LedgerUnavailableError."""
        if connection.status is not ConnectionStatus.PENDING:
            return None
        async with self._turn:
            self._since = self._since or await since_ever(self._rooms)
        return self._since.age(connection)


async def decided(rooms: Rooms, connection: Connection, around: Surroundings) -> Decision:
    """The policy's decision on a connection, with the facts learnt that it depends on (law 10)."""
    facts = await learnt(rooms, connection, around, partial(open_questions, rooms.policy))
    return decide(rooms.policy, replace(connection, groups=facts.groups or ()), facts)


async def learnt(rooms: Rooms, connection: Connection, around: Surroundings, asks: Asks) -> Facts:
    """What can be learnt of a connection for as long as something is asked."""
    facts = shown(connection)
    learners = _learners(rooms, connection, around)
    while questions := asks(facts):
        learner = next((each for each in learners if each.gives & questions), None)
        if learner is None:
            break
        learners.remove(learner)
        try:
            async with asyncio.timeout_at(around.until):
                facts = await learner.learn(facts)
        except (HubwardenError, TimeoutError) as error:
            why = str(error) or "no answer in time"
            log.warning("approve: a fact about %s is not known: %s", connection.id, why)
    return facts


def shown(connection: Connection) -> Facts:
    """What the connection's own document says; only while it waits is its description the consumer's."""
    target, endpoint = connection.target, connection.endpoint
    waits = connection.status is ConnectionStatus.PENDING
    return Facts(
        consumer=fold(endpoint.subscription) if endpoint else None,
        consumer_resource_group=endpoint.group if endpoint else None,
        consumer_name=endpoint.name if endpoint else None,
        target_type=target.type,
        target_subscription=fold(target.subscription),
        target_resource_group=target.group,
        target_name=target.name,
        groups=connection.groups or None,
        message=connection.message if waits else None,
    )


def _learners(rooms: Rooms, connection: Connection, around: Surroundings) -> list[_Learner]:
    """In this order: what costs less and is needed by others comes first."""
    by_manager = _Learner(
        frozenset({"consumer.inEstate", "consumer.tenancy", "consumer.managementGroups", "groups"}),
        lambda facts: with_manager(rooms, around, connection, facts),
    )
    return [
        _Learner(frozenset({"age"}), lambda facts: _age(around, connection, facts)),
        _Learner(frozenset({"consumer.inEstate"}) | _IN_ENDPOINT, lambda facts: _estate(rooms, facts)),
        _Learner(
            frozenset({"consumer.inEstate", "consumer.tenancy", "consumer.managementGroups"}),
            lambda facts: _tenancy(rooms, around, facts),
        ),
        _Learner(_IN_ENDPOINT, lambda facts: _endpoint(rooms, connection, facts)),
        _Learner(
            frozenset({"target.location", "target.tags"}), lambda facts: _target(around, connection.target, facts)
        ),
        *([by_manager] if rooms.policy.managers else ()),
        _Learner(frozenset({"consumer.managementGroups"}), lambda facts: _groups_above(around, facts)),
        _Learner(frozenset({"target.managementGroups"}), lambda facts: _groups_above_target(around, facts)),
    ]


async def _age(around: Surroundings, connection: Connection, facts: Facts) -> Facts:
    return replace(facts, age=await around.age(connection))


async def _estate(rooms: Rooms, facts: Facts) -> Facts:
    if facts.consumer is None:
        return facts
    return replace(facts, in_estate=await rooms.estate.includes(facts.consumer, fresh=True))


async def _tenancy(rooms: Rooms, around: Surroundings, facts: Facts) -> Facts:
    """Whose the consumer is; where a resource of ours may yet prove it Microsoft's, another tenant's is not known."""
    if facts.consumer is None:
        return facts
    whose = await around.tenancy(facts.consumer)
    known = whose is not Tenancy.FOREIGN or not rooms.policy.managers
    return replace(facts, tenancy=whose) if known else facts


async def _endpoint(rooms: Rooms, connection: Connection, facts: Facts) -> Facts:
    """What the consumer's endpoint shows: believed of the estate's, if it leads here.

    Groups are its word only where the target shows none.
    """
    if not facts.in_estate or connection.endpoint is None:
        return facts
    async with asyncio.timeout(ANSWERED_WITHIN):
        endpoint = await read_endpoint(rooms.arm, connection.endpoint)
    if endpoint.id != connection.endpoint or endpoint.target != connection.target:
        return facts
    return replace(
        facts,
        groups=endpoint.groups if facts.groups is None else facts.groups,
        consumer_location=_plain(endpoint.location),
        consumer_tags=dict(endpoint.tags),
    )


async def _target(around: Surroundings, target: ResourceId, facts: Facts) -> Facts:
    shown = await around.target(target)
    return replace(facts, target_location=_plain(shown.location), target_tags=dict(shown.tags))


async def _groups_above(around: Surroundings, facts: Facts) -> Facts:
    """Names of management groups say something in our own tenant only: another may call its own the same."""
    if facts.consumer is None or facts.tenancy is Tenancy.UNKNOWN:
        return facts
    ours = facts.tenancy is Tenancy.OURS
    above = await around.management_groups(facts.consumer) if ours else ()
    return replace(facts, consumer_management_groups=above)


async def _groups_above_target(around: Surroundings, facts: Facts) -> Facts:
    return replace(facts, target_management_groups=await around.management_groups(facts.target_subscription))


def _plain(location: str) -> str | None:
    """A location as rules name it: Azure itself writes "West Europe" now and then; None where none is shown."""
    return fold(location).replace(" ", "") or None
