"""What documents of Azure Resource Manager have alike, whatever they are of; any part may be missing, or be null."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from hubwarden.errors import InputError
from hubwarden.model.endpoint import ConnectionStatus
from hubwarden.model.resource_id import ResourceId, fold

Document = Mapping[str, Any]

AUTHORIZATION = "providers/Microsoft.Authorization"
"""What stands in an id between a scope and what people lay over it."""


def mapping(value: object) -> Document:
    """What a stranger's document has there, if it is an object."""
    return value if isinstance(value, Mapping) else {}


def id_or_none(value: object) -> ResourceId | None:
    """The id that a document has there, if it is one."""
    try:
        return ResourceId.parse(value)
    except InputError:
        return None


def to_tags(document: Document) -> tuple[tuple[str, str], ...]:
    """The tags of a resource's document; Azure shows none as {}, as null or not at all."""
    return tuple((str(name), str(value)) for name, value in dict(document.get("tags") or {}).items())


def to_status(text: object) -> ConnectionStatus:
    """The status that a text names, compared without case; any other carries no traffic and proves nothing."""
    for status in ConnectionStatus:
        if fold(str(text)) == fold(status):
            return status
    return ConnectionStatus.UNKNOWN


def has_succeeded(properties: Document) -> bool:
    """Whether provisioningState says that Azure is not at work, and has not failed."""
    return fold(str(properties.get("provisioningState") or "")) == "succeeded"


def to_moment(text: object) -> datetime | None:
    """A moment, in UTC where it does not say; None where there is none. Raises ValueError for what is no moment."""
    if not text:
        return None
    moment = datetime.fromisoformat(str(text))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def scope_of(extension: str) -> str:
    """What a lock, an assignment or an exemption lies at: all of its id before the authorization provider's part.

    Raises ValueError for the id of anything else.
    """
    return extension[: fold(extension).rindex(f"/{fold(AUTHORIZATION)}/")]
