"""Whether a resource of the estate's has a request made that comes from a network of Microsoft's: asked of Azure."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from hubwarden.approval.managed import could_have_made, is_clear, is_the_only_one
from hubwarden.arm.connections import list_connections
from hubwarden.arm.managed_endpoints import managed_endpoints_of, managers_in_index
from hubwarden.errors import HubwardenError, NotFoundError
from hubwarden.model.connection import Connection
from hubwarden.model.endpoint import Tenancy
from hubwarden.model.facts import Facts
from hubwarden.model.managed import ManagedEndpoint
from hubwarden.model.resource_id import ResourceId
from hubwarden.reconcile.at_once import some_at_once
from hubwarden.reconcile.rooms import Rooms

if TYPE_CHECKING:
    from hubwarden.reconcile.facts import Surroundings

MOST_ASKED = 200
"""Resources that are asked in a run for their managed endpoints; where there are more, none is asked."""

INDEX_LASTS = 600.0
"""Seconds after which the index is believed to show whatever could have made a connection (it states no bound itself:
behaviour reference section 5.3)."""


log = logging.getLogger(__name__)


async def managed_in_estate(rooms: Rooms) -> tuple[ManagedEndpoint, ...] | None:
    """The managed endpoints of the estate's resources of the types that the policy names.

    None where one resource does not tell, or there are too many to ask: then any of them could be the one.
    """
    try:
        members = await rooms.estate.members()
        managers = await managers_in_index(rooms.arm, members, rooms.policy.managers)
        if len(managers) > MOST_ASKED:
            log.warning("approve: nobody's manager is known: %d resources could be it", len(managers))
            return None
        shown = await some_at_once(lambda each: _of(rooms, each), managers)
    except HubwardenError as error:
        log.warning("approve: nobody's manager is known: %s", error)
        return None
    return tuple(endpoint for some in shown for endpoint in some)


async def _of(rooms: Rooms, manager: ResourceId) -> tuple[ManagedEndpoint, ...]:
    try:
        return await managed_endpoints_of(rooms.arm, manager)
    except NotFoundError as error:
        if not error.proves_absence:
            raise
        return ()  # the index has not heard yet that it is gone


async def with_manager(rooms: Rooms, around: Surroundings, connection: Connection, facts: Facts) -> Facts:
    """The facts with the consumer's tenancy: Microsoft's where exactly one resource of ours is proven to manage it.

    Another tenant's only where none of ours could, not even one that the index does not show yet: ARM may show
    Microsoft's own subscriptions as another tenant's, and a rejection is final. Unchanged where that is not known.
    Raises InputError, DeniedError, NotFoundError, TemporaryError.
    """
    if facts.consumer is None:
        return facts
    whose = await around.tenancy(facts.consumer)
    endpoints = await around.managed_endpoints() if whose is not Tenancy.OURS else ()
    if endpoints is None:
        return facts
    possible = could_have_made(connection, endpoints)
    if not possible:
        age = await around.age(connection) if whose is Tenancy.FOREIGN else INDEX_LASTS
        return facts if age is None or age < INDEX_LASTS else replace(facts, tenancy=whose, managers=())
    [first, *others] = possible
    if others or not is_clear(first, connection):
        return facts
    if await around.tenancy(first.manager.subscription) is not Tenancy.OURS:
        return facts  # its subscription went to another tenant, though the settings still name it
    # Only now: a connection that the endpoint was seen to have must be among those that are looked at.
    shown = await list_connections(rooms.arm, connection.target, whole=True)
    strangers = [each for each in shown if not await _is_ours(around, each)]
    if not is_the_only_one(connection, strangers, first, endpoints):
        return facts
    # Whoever may write to the resource may take its endpoint away meanwhile, and leave a stranger's alone there.
    if first not in await managed_endpoints_of(rooms.arm, first.manager):
        return facts
    groups = first.groups or None
    return replace(
        facts,
        tenancy=Tenancy.MICROSOFT,
        managers=(first.manager,),
        groups=groups if facts.groups is None else facts.groups,
    )


async def _is_ours(around: Surroundings, connection: Connection) -> bool:
    endpoint = connection.endpoint
    return endpoint is not None and await around.tenancy(endpoint.subscription) is Tenancy.OURS
