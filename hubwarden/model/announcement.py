"""Announcement: something that was done or is held, as whoever listens at the topic is told of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What is told of: the type of the CloudEvent."""

    CONNECTION_APPROVED = "Hubwarden.Connection.Approved"
    CONNECTION_REJECTED = "Hubwarden.Connection.Rejected"
    CONNECTION_HELD = "Hubwarden.Connection.Held"
    CONNECTION_FAILED = "Hubwarden.Connection.Failed"
    RECORD_REGISTERED = "Hubwarden.Record.Registered"
    RECORD_WITHDRAWN = "Hubwarden.Record.Withdrawn"
    RECORD_HELD = "Hubwarden.Record.Held"

    @property
    def is_of_a_connection(self) -> bool:
        """Whether its subject is a connection; else it is a record, or an endpoint whose records have no names yet."""
        return self.value.startswith("Hubwarden.Connection.")


@dataclass(frozen=True, slots=True)
class Announcement:
    """One event: ids, names, addresses and codes; no word that a consumer wrote, and no person."""

    kind: Kind
    subject: str
    """The id of the connection, of the record set, or of the endpoint."""
    data: Mapping[str, object]
    time: float
    """When it was done or first seen held, in seconds since 1970."""
    id: str = ""
    """The same however often it is told; empty only until what it names is done."""


def digest(*parts: str) -> str:
    """A name that follows from these texts: the same for the same ones."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
