"""Rehearsal: what is known of the connections that wait, for policies that are only tried; nothing is changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hubwarden.approval.decide import open_questions
from hubwarden.arm.managed_endpoints import MANAGERS
from hubwarden.model.connection import Connection, Verdict
from hubwarden.model.endpoint import ConnectionStatus
from hubwarden.model.facts import FACTS, Facts
from hubwarden.model.judgement import Asking
from hubwarden.model.policy import Policy, Rule
from hubwarden.reconcile.at_once import some_at_once
from hubwarden.reconcile.facts import Surroundings, learnt
from hubwarden.reconcile.rooms import Rooms
from hubwarden.reconcile.waiting import everywhere


async def asking(rooms: Rooms, policies: Sequence[Policy], *, wholly: bool) -> tuple[Asking, ...]:
    """Whatever waits in the estate, with the facts on which these policies depend, or, `wholly`, all that there are.

    Each connection is asked for once, however many policies are tried.
    """
    found = {each.id: each for each in (await everywhere(rooms, thorough=True)).connections}
    waiting = [each for each in found.values() if each.status is ConnectionStatus.PENDING]
    # What is asked for once for all connections is asked for as all of these rules, or any others, would need it.
    rules = [rule for policy in policies for rule in policy.rules]
    any_manager = Rule("any manager", Verdict.HOLD, managed_by=MANAGERS)
    together = replace(rooms, policy=Policy((*rules, any_manager) if wholly else tuple(rules)))
    around = Surroundings(together)

    def asks(facts: Facts) -> frozenset[str]:
        if wholly:
            return frozenset(FACTS)
        return frozenset[str]().union(*(open_questions(policy, facts) for policy in policies))

    async def known(connection: Connection) -> Asking:
        return Asking(connection.id, connection.endpoint, await learnt(together, connection, around, asks))

    return tuple(await some_at_once(known, waiting))
