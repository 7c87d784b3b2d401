"""The decisions that are to be answered: each is stored as intended before its connection is written, closed after.

Open ones are one partition, so that a sweep finds them with one query; closed ones are the record of what was answered,
by time. Nothing that a consumer wrote is stored: no message, no reason.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from azure.data.tables import UpdateMode

from hubwarden.ledger.failures import translated
from hubwarden.ledger.storage import StorageAccount
from hubwarden.model.connection import Decision, Verdict
from hubwarden.model.report import Result
from hubwarden.model.resource_id import ResourceId

DECISIONS_TABLE = "hubwardendecisions"
DECISION_FORMAT = 1
_BATCH = 100  # Azure Tables takes at most 100 operations in one transaction
_LONGEST_GROUPS = 2000  # characters
_OPEN, _CLOSED = "open", "closed"


@dataclass(frozen=True, slots=True)
class Intended:
    """A decision that was about to be answered; `at` is when, in seconds since 1970."""

    connection: ResourceId
    endpoint: ResourceId | None
    verdict: Verdict
    rule: str
    at: float
    name: str
    """What the ledger calls it: it sorts by time."""
    groups: tuple[str, ...] = ()
    """Those decided on; empty where they were not known, or were more than is stored."""
    taken: bool = False
    """Whether Azure took the answer, and was still at work on it then."""


class Decisions:
    """Decisions in the table. Raises LedgerUnavailableError when storage does not do its part."""

    def __init__(self, account: StorageAccount) -> None:
        self._decisions = account.table(DECISIONS_TABLE)
        self._table = self._decisions.client

    async def intend(self, decisions: Iterable[Decision], now: float) -> tuple[Intended, ...]:
        """Stores decisions ahead of answering them, in their order."""
        intended = [_intended(decision, now) for decision in decisions]
        for start in range(0, len(intended), _BATCH):
            operations = [("upsert", _to_row(each)) for each in intended[start : start + _BATCH]]
            with translated("storing what is to be answered"):
                await self._decisions.run(partial(self._table.submit_transaction, operations))
        return tuple(intended)

    async def note_taken(self, intended: Intended) -> None:
        """Notes that Azure took the answer and is at work on it, so that nobody sends it again."""
        with translated(f"noting the answer to {intended.connection}"):
            row = _to_row(replace(intended, taken=True))
            await self._decisions.run(lambda: self._table.upsert_entity(row, UpdateMode.REPLACE))

    async def close(self, intended: Intended, result: Result, now: float) -> None:
        """Notes what came of it. It may be closed twice: by its run, and by a sweep that found it open."""
        closed = {**_to_row(intended), "PartitionKey": _CLOSED, "Result": result.value, "ClosedAt": now}
        with translated(f"closing the decision on {intended.connection}"):
            await self._decisions.run(lambda: self._table.upsert_entity(closed, UpdateMode.REPLACE))
            await self._table.delete_entity(_OPEN, intended.name)  # nothing happens if somebody else was faster

    async def open(self) -> tuple[Intended, ...]:
        """What was never closed, the oldest first: a run ended between its word and its deed, or got no answer.

        What a newer Hubwarden has stored is left to it.
        """
        asked = "PartitionKey eq @key and Format le @format"
        parameters = {"key": _OPEN, "format": DECISION_FORMAT}

        async def query() -> list[Mapping[str, Any]]:
            return [entity async for entity in self._table.query_entities(asked, parameters=parameters)]

        with translated("reading the open decisions"):
            return tuple(_to_intended(row) for row in await self._decisions.run(query))


def _intended(decision: Decision, now: float) -> Intended:
    connection = decision.connection
    name = f"{now:017.3f}-{uuid.uuid4().hex}"
    return Intended(connection.id, connection.endpoint, decision.verdict, decision.rule, now, name, connection.groups)


def _to_row(intended: Intended) -> dict[str, Any]:
    groups = json.dumps(intended.groups)
    return {
        "PartitionKey": _OPEN,
        "RowKey": intended.name,
        "Format": DECISION_FORMAT,
        "Connection": str(intended.connection),
        "Endpoint": str(intended.endpoint or ""),
        "Verdict": intended.verdict.value,
        "Rule": intended.rule,
        "IntendedAt": intended.at,
        "Groups": groups if len(groups) <= _LONGEST_GROUPS else "[]",
        "Taken": intended.taken,
    }


def _to_intended(row: Mapping[str, Any]) -> Intended:
    return Intended(
        connection=ResourceId.parse(row["Connection"]),
        endpoint=ResourceId.parse(row["Endpoint"]) if row["Endpoint"] else None,
        verdict=Verdict(row["Verdict"]),
        rule=row["Rule"],
        at=float(row["IntendedAt"]),
        name=row["RowKey"],
        groups=tuple(json.loads(row.get("Groups") or "[]")),
        taken=row.get("Taken") is True,
    )
