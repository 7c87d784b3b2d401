"""Ruling: what a person decides on one connection; of the person nothing is known but the directory's object id."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from hubwarden.errors import InputError
from hubwarden.model.connection import Verdict, connection_id
from hubwarden.model.endpoint import private_endpoint_id
from hubwarden.model.note import to_be_seen
from hubwarden.model.resource_id import GUID, ResourceId

LONGEST_REASON = 500
"""Characters that a person may say; the first 140 become the connection's description."""

_OBJECT_ID = re.compile(GUID, re.ASCII)


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a person says is to be answered to a connection, and why, in that person's own words."""

    connection: ResourceId
    verdict: Verdict
    reason: str = ""
    endpoint: ResourceId | None = None
    """Whose connection it is meant to be; None for whosever it is. Some providers name a connection after its endpoint,
    so that one made anew by somebody else has the same id."""

    @classmethod
    def read(cls, connection: object, verdict: object, reason: object = "", endpoint: object = None) -> Self:
        """Reads what a caller sent, without characters that cannot be seen. Raises InputError for anything else."""
        if not isinstance(verdict, str) or verdict not in (Verdict.APPROVE, Verdict.REJECT):
            raise InputError("'verdict' is approve or reject")
        if not isinstance(reason, str) or len(reason) > LONGEST_REASON:
            raise InputError(f"'reason' is text of at most {LONGEST_REASON} characters")
        whose = None if endpoint is None else private_endpoint_id(endpoint)
        return cls(connection_id(connection), Verdict(verdict), to_be_seen(reason).strip(), whose)


def object_id(value: object) -> str | None:
    """The object id of somebody in the directory, in lower case; None for what is none."""
    text = value.lower() if isinstance(value, str) else ""
    return text if _OBJECT_ID.fullmatch(text) else None
