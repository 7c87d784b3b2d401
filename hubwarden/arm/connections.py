"""Private endpoint connections of the resources that endpoints lead to: listed, read, answered, and read back.

Private link services have a client of their own; the other providers are told apart by providers.csv.
"""

from __future__ import annotations

import copy
import csv
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from azure.mgmt.network import models

from hubwarden.arm.endpoints import Document, to_status
from hubwarden.arm.failures import translated
from hubwarden.arm.session import ONCE, ArmSession
from hubwarden.errors import InputError, RacedError, UnavailableError
from hubwarden.model.connection import CONNECTIONS, Connection, Decision, Verdict, connection_id
from hubwarden.model.endpoint import PRIVATE_LINK_SERVICE, ConnectionStatus, private_endpoint_id
from hubwarden.model.resource_id import ResourceId, fold

LONGEST_NOTE = 140
"""Characters; what Azure takes as the description of a connection."""

PATIENCE = 8.0
"""Seconds for which an answered connection is read back until it shows the answer."""

# SQL ends in Ready, the others in Succeeded; azure-cli takes both for the end. Some show no such word at all.
_STAYS = ("succeeded", "ready", "")
_STATE = "privateLinkServiceConnectionState"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Provider:
    api_version: str
    verb: str
    lists_children: bool
    insists: bool


def knows(target: ResourceId) -> bool:
    """Whether the connections of such a resource can be listed and answered."""
    return target.is_a(PRIVATE_LINK_SERVICE) or fold(target.type) in _providers()


async def list_connections(session: ArmSession, target: ResourceId) -> tuple[Connection, ...]:
    """The connections of a resource, whatever their status. Raises NotFoundError, DeniedError, TemporaryError.

    One that cannot be read costs only itself.
    """
    with translated("listing the connections of", target):
        documents = await _documents_of(session, target)
    found = []
    for document in documents:
        try:
            found.append(to_connection(document))
        except InputError as error:
            log.warning("connections: one of %s cannot be read: %s", target, error)
    return tuple(found)


async def read_connection(session: ArmSession, connection: ResourceId) -> Connection:
    """A connection as its resource shows it now. Raises NotFoundError, DeniedError, TemporaryError."""
    return to_connection(await _read(session, connection))


async def answer_connection(
    session: ArmSession,
    decision: Decision,
    note: str,
    *,
    now: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]],
) -> Connection:
    """Approves or rejects a connection as decided, and gives it as it shows the answer (law 10).

    It is read just before. Raises RacedError unless it still waits, for the same endpoint and groups; UnavailableError
    if it does not show the answer within PATIENCE. `note` becomes its description.
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
    if not _is_same(found, decided):
        raise RacedError(f"{decided.id} is another's now: what was decided on is not what asks")
    with translated(f"answering ({decision.verdict})", decided.id):
        await _write(session, found, _answered(document, decision.verdict, note))
    return await _read_back(session, decision, now, sleep)


async def _read_back(
    session: ArmSession, decision: Decision, now: Callable[[], float], sleep: Callable[[float], Awaitable[None]]
) -> Connection:
    """Azure may accept an answer and show the old state for a while (a recording of a container registry does)."""
    decided, wanted = decision.connection, decision.verdict.status
    began, wait = now(), 0.5
    while True:
        found = await read_connection(session, decided.id)
        if found.endpoint != decided.endpoint:
            raise RacedError(f"{decided.id} is another's now: it was answered for {decided.endpoint}")
        if found.settled and found.status is wanted:
            return found
        if found.settled and found.status is not ConnectionStatus.PENDING:
            raise RacedError(f"{decided.id} was answered by somebody else, too: it is {found.status}")
        if now() - began + wait > PATIENCE:
            raise UnavailableError(f"{decided.id} was answered, and does not show it yet: it is {found.status}")
        await sleep(wait)
        wait *= 2


def to_connection(document: Document) -> Connection:
    """The document of a connection as a Connection. Raises InputError where it has no id of one."""
    document = _mapping(document)
    properties = _mapping(document.get("properties"))
    state = _mapping(properties.get(_STATE))
    groups = properties.get("groupIds")
    return Connection(
        id=connection_id(document.get("id")),
        endpoint=_endpoint_or_none(_mapping(properties.get("privateEndpoint")).get("id")),
        groups=tuple(map(str, groups)) if isinstance(groups, list) else (),
        status=to_status(state.get("status")),
        message=str(state.get("description") or ""),
        settled=fold(str(properties.get("provisioningState") or "")) in _STAYS,
        etag=str(document.get("etag") or ""),
    )


def _answered(document: Document, verdict: Verdict, note: str) -> dict[str, Any]:
    """The whole document back with a new status and description: providers differ in what else they insist on.

    The description is never null or empty: SQL refuses that (approval notes, azure-cli issue 20752).
    """
    changed = copy.deepcopy(dict(document))
    properties = changed["properties"]
    description = note[:LONGEST_NOTE].strip() or verdict.status.value
    properties[_STATE] = {
        **_mapping(properties.get(_STATE)),
        "status": verdict.status.value,
        "description": description,
    }
    return changed


async def _documents_of(session: ArmSession, target: ResourceId) -> list[Document]:
    if target.is_a(PRIVATE_LINK_SERVICE):
        services = session.network(target.subscription).private_link_services
        pages = services.list_private_endpoint_connections(target.group, target.name)
        return [each.as_dict() async for each in pages]
    provider = _provider_of(target)
    if not provider.lists_children:
        resource = await session.get(str(target), provider.api_version)
        return list(_mapping(resource.get("properties")).get(CONNECTIONS) or ())
    return list(await session.list_all(f"{target}/{CONNECTIONS}", provider.api_version))


async def _read(session: ArmSession, connection: ResourceId) -> Document:
    with translated("reading", connection):
        target = connection.parent
        if target.is_a(PRIVATE_LINK_SERVICE):
            services = session.network(target.subscription).private_link_services
            shown = await services.get_private_endpoint_connection(target.group, target.name, connection.name)
            return shown.as_dict()
        return await session.get(str(connection), _provider_of(target).api_version)


async def _write(session: ArmSession, connection: Connection, body: dict[str, Any]) -> None:
    target = connection.target
    if target.is_a(PRIVATE_LINK_SERVICE):
        services = session.network(target.subscription).private_link_services
        shown = models.PrivateEndpointConnection(body)
        place = (target.group, target.name, connection.id.name)
        await services.update_private_endpoint_connection(*place, shown, **ONCE)
        return
    provider = _provider_of(target)
    insisting = {"If-Match": connection.etag} if provider.insists and connection.etag else {}
    await session.send(provider.verb, str(connection.id), provider.api_version, body, insisting)


def _provider_of(target: ResourceId) -> _Provider:
    try:
        return _providers()[fold(target.type)]
    except KeyError:
        raise InputError(f"connections of {target.type[:200]} cannot be answered by this version") from None


@cache
def _providers() -> Mapping[str, _Provider]:
    text = resources.files("hubwarden.arm").joinpath("providers.csv").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {
        fold(row["type"]): _Provider(
            row["api_version"], row["verb"], row["list"] == "children", row["if_match"] == "yes"
        )
        for row in csv.DictReader(lines)
    }


def _endpoint_or_none(value: object) -> ResourceId | None:
    try:
        return private_endpoint_id(value)
    except InputError:
        return None


def _is_same(found: Connection, decided: Connection) -> bool:
    """Whether what was decided on is what is there; groups count where both show them, for providers differ in that."""
    known = found.groups and decided.groups
    same_groups = {fold(group) for group in found.groups} == {fold(group) for group in decided.groups}
    return found.id == decided.id and found.endpoint == decided.endpoint and (same_groups or not known)


def _mapping(value: object) -> Mapping[str, Any]:
    """What a stranger's document has there, if it is an object."""
    return value if isinstance(value, Mapping) else {}
