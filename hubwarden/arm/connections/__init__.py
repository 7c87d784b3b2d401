"""Private endpoint connections of the resources that endpoints lead to: listed, read, and answered.

Private link services have a client of their own; the other providers are told apart by providers.csv.
"""

from __future__ import annotations

import logging
from typing import Any

from azure.mgmt.network import models

from hubwarden.arm.connections.codecs import answer_of
from hubwarden.arm.connections.documents import to_connection
from hubwarden.arm.connections.providers import Body, answers, known_types, knows, places_of, provider_of
from hubwarden.arm.documents import Document, mapping
from hubwarden.arm.failures import translated
from hubwarden.arm.session import ONCE, ArmSession
from hubwarden.errors import InputError, RacedError, UnavailableError
from hubwarden.model.connection import CONNECTIONS, Connection, Decision, Verdict
from hubwarden.model.endpoint import ConnectionStatus
from hubwarden.model.resource_id import ResourceId, folded
from hubwarden.telemetry.tracing import spanned

__all__ = [
    "answer_connection",
    "answers",
    "is_same",
    "known_types",
    "knows",
    "list_connections",
    "places_of",
    "read_connection",
    "to_connection",
]

log = logging.getLogger(__name__)


async def list_connections(session: ArmSession, target: ResourceId, *, whole: bool = False) -> tuple[Connection, ...]:
    """The connections of a resource, whatever their status. Raises NotFoundError, DeniedError, TemporaryError.

    One that cannot be read, or is not the resource's own, costs only itself; where the `whole` matters it raises
    InputError.
    """
    with translated("listing the connections of", target):
        documents = await _documents_of(session, target)
    found = []
    for document in documents:
        try:
            found.append(_own(to_connection(document), target))
        except InputError as error:
            if whole:
                raise
            log.warning("connections: one of %s cannot be read: %s", target, error)
    return tuple(found)


async def read_connection(session: ArmSession, connection: ResourceId) -> Connection:
    """A connection as its resource shows it now.

    Raises NotFoundError, DeniedError, TemporaryError; and UnavailableError where another one's document comes back.
    """
    found = to_connection(await _read(session, connection))
    if found.id != connection:
        raise UnavailableError(f"reading {connection} gave the document of {found.id}")
    return found


@spanned("answer connection")
async def answer_connection(session: ArmSession, decision: Decision, note: str) -> None:
    """Approves or rejects a connection as decided (law 10); that Azure takes it does not mean that it shows it yet.

    It is read just before. Raises RacedError unless it still waits, for the same endpoint and groups, and in the same
    words: a rule may have asked for them. `note` becomes its description.
    """
    if decision.verdict is Verdict.HOLD:
        raise InputError("a connection that is held is not answered")
    decided = decision.connection
    document = await _read(session, decided.id)
    found = to_connection(document)
    if found.status is not ConnectionStatus.PENDING or not found.settled:
        raise RacedError(
            f"{decided.id} waits no longer: it is {found.status}{'' if found.settled else ' and changing'}"
        )
    if not is_same(found, decided) or found.message != decided.message:
        raise RacedError(f"{decided.id} is another's now: what was decided on is not what asks")
    with translated(f"answering ({decision.verdict})", decided.id):
        await _write(session, found, document, decision.verdict, note)


def is_same(found: Connection, decided: Connection) -> bool:
    """Whether what was decided on is what is there; groups count where both show them, for providers differ in that."""
    known = found.groups and decided.groups
    same_groups = folded(found.groups) == folded(decided.groups)
    return found.id == decided.id and found.endpoint == decided.endpoint and (same_groups or not known)


def _own(connection: Connection, target: ResourceId) -> Connection:
    """A connection of the target, or of a part of it such as a slot: whether that may be answered has been asked."""
    if not connection.id.key.startswith(f"{target.key}/"):
        raise InputError(f"{connection.id} is none of its own")
    return connection


async def _documents_of(session: ArmSession, target: ResourceId) -> list[Document]:
    provider = provider_of(target)
    if provider.body is Body.SDK:
        services = session.network(target.subscription).private_link_services
        pages = services.list_private_endpoint_connections(target.group, target.name)
        return [each.as_dict() async for each in pages]
    if not provider.lists_children:
        resource = await session.get(str(target), provider.resource_version)
        shown = mapping(resource.get("properties")).get(CONNECTIONS) or []
        return shown if isinstance(shown, list) else [shown]
    return list(await session.list_all(f"{target}/{CONNECTIONS}", provider.api_version))


async def _read(session: ArmSession, connection: ResourceId) -> Document:
    with translated("reading", connection):
        target = connection.parent
        provider = provider_of(target)
        if provider.body is Body.SDK:
            services = session.network(target.subscription).private_link_services
            shown = await services.get_private_endpoint_connection(target.group, target.name, connection.name)
            return shown.as_dict()
        return await session.get(str(connection), provider.api_version)


async def _write(session: ArmSession, found: Connection, document: Document, verdict: Verdict, note: str) -> None:
    target = found.target
    provider = provider_of(target)
    if provider.body is None:
        raise InputError(f"connections of {target.type} are shown, and cannot be answered")
    body: dict[str, Any] = answer_of(provider.body, document, verdict, note)
    if provider.body is Body.SDK:
        services = session.network(target.subscription).private_link_services
        shown = models.PrivateEndpointConnection(body)
        place = (target.group, target.name, found.id.name)
        await services.update_private_endpoint_connection(*place, shown, **ONCE)
        return
    insisting = {"If-Match": found.etag} if provider.insists and found.etag else {}
    await session.send(provider.verb, str(found.id), provider.api_version, body, insisting)
