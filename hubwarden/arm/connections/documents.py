"""The documents of private endpoint connections, converted; providers differ in what they show, and in its spelling."""

from __future__ import annotations

from hubwarden.arm.documents import Document, mapping, to_status
from hubwarden.errors import InputError
from hubwarden.model.connection import Connection, connection_id
from hubwarden.model.endpoint import ConnectionStatus, private_endpoint_id
from hubwarden.model.resource_id import ResourceId, fold

STATE = "privateLinkServiceConnectionState"

# What properties.provisioningState says of an end; any other word is one of work, such as Updating or SQL's Approving.
# SQL ends in Ready, the others in Succeeded; azure-cli takes both for the end. Some show no such word at all.
_ENDS = ("", "succeeded", "ready")
_FAILURES = ("failed", "canceled")
_REMOVED = "removed"  # HDInsight says so of what others call Disconnected


def to_connection(document: Document) -> Connection:
    """The document of a connection as a Connection. Raises InputError where it has no id of one."""
    document = mapping(document)
    properties = mapping(document.get("properties"))
    state = mapping(properties.get(STATE))
    word, status = fold(str(properties.get("provisioningState") or "")), _status(state.get("status"))
    # What waits may be called Pending there, too: nothing is at work on it.
    waits = status is ConnectionStatus.PENDING and word == fold(ConnectionStatus.PENDING)
    return Connection(
        id=connection_id(document.get("id")),
        endpoint=_endpoint_or_none(mapping(properties.get("privateEndpoint")).get("id")),
        groups=groups_of(properties),
        status=status,
        message=str(state.get("description") or ""),
        settled=word in (*_ENDS, *_FAILURES) or waits,
        failed=word in _FAILURES,
        etag=_text(document, "etag", "eTag"),
        actions=_text(state, "actionsRequired", "actionRequired"),
    )


def groups_of(properties: Document) -> tuple[str, ...]:
    """Most show `groupIds` or nothing; Cosmos DB shows one `groupId`."""
    groups = properties.get("groupIds")
    if isinstance(groups, list):
        return tuple(map(str, groups))
    group = properties.get("groupId")
    return (group,) if isinstance(group, str) and group else ()


def _status(text: object) -> ConnectionStatus:
    """The common ones, and HDInsight's; Elastic SAN's Failed and Machine Learning's Timeout prove nothing."""
    return ConnectionStatus.DISCONNECTED if fold(str(text)) == _REMOVED else to_status(text)


def _text(document: Document, *spellings: str) -> str:
    """The first of a key's spellings that says something: storage and Recovery Services have their own."""
    return next((str(document[key]) for key in spellings if document.get(key)), "")


def _endpoint_or_none(value: object) -> ResourceId | None:
    try:
        return private_endpoint_id(value)
    except InputError:
        return None
