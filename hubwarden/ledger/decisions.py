"""The decisions that are to be answered: each is stored as intended before its connection is written, closed after.

Open ones are one partition, so that a sweep finds them with one query; closed ones are the record of what was answered,
by time. A connection has one open answer at a time, whoever gives it: so no two give different ones at once. Its name
follows from what was decided, and on what: a run that is repeated after a crash finds it there, so that each answer is
one row, however often it took. Nothing that a consumer wrote is stored: no message, no tag; but digests of the words
that the connection may show if the answer is ours. Of a person who decided, only the object id is, and what was said
as the reason.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from azure.core import MatchConditions
from azure.data.tables import TableEntity, UpdateMode

from hubwarden.errors import RacedError
from hubwarden.ledger.failures import translated
from hubwarden.ledger.storage import StorageAccount, in_transactions, read_all
from hubwarden.model.connection import POLICY, Decision, Verdict
from hubwarden.model.endpoint import ConnectionStatus
from hubwarden.model.facts import Facts
from hubwarden.model.report import Result
from hubwarden.model.resource_id import ResourceId

DECISIONS_TABLE = "hubwardendecisions"
DECISION_FORMAT = 1
_LONGEST_GROUPS, _LONGEST_FACTS = 2000, 20000  # characters
_OPEN, _CLOSED = "open", "closed"
_FAILED = "failed-"
_STORING, _FORGETTING = "storing what is to be answered", "forgetting old decisions"
_TOLD = ["Connection", "Endpoint", "Verdict", "Rule", "IntendedAt", "Decision", "Who", "Words", "HeldUntil", "ClosedAt"]
FORGOTTEN_AT_ONCE = 1000
"""Closed decisions; what is older still goes with the next call."""


@dataclass(frozen=True, slots=True)
class Intended:
    """A decision that was about to be answered; `at` is when, in seconds since 1970."""

    connection: ResourceId
    endpoint: ResourceId | None
    verdict: Verdict
    rule: str
    at: float
    name: str
    """What it is known by: it follows from what was decided, and on what."""
    groups: tuple[str, ...] = ()
    """Those decided on; empty where they were not known, or were more than is stored."""
    taken_at: float | None = None
    """When Azure took the answer, and was still at work on it; None where that is not so."""
    run: str = ""
    who: str = POLICY
    said: str = ""
    """The own words of the person who decided."""
    facts: str = "{}"
    """What it was decided on, as JSON: ids and codes."""
    words: tuple[str, ...] = field(default=(), compare=False)
    """Digests of the descriptions by which the answer is known as this one; empty where an older version stored it."""
    held_until: float = 0.0
    """Until when it is that run's alone, in seconds since 1970."""
    again: bool = field(default=False, compare=False)
    """Whether an earlier run left it open: Azure may have taken that run's answer."""
    etag: str = field(default="", compare=False)
    """Of its row while it is open; empty where that is not known."""

    @property
    def kept_as(self) -> str:
        """What the ledger calls it for ever: it sorts by time."""
        return f"{self.at:017.3f}-{self.name}"

    def may_have_said(self, description: str) -> bool:
        """Whether a connection with this description may show this very answer, and not somebody else's.

        It may show what was written, what it showed before, for not every provider need take a description, or none.
        """
        return not self.words or not description.strip() or _digest(description) in self.words


@dataclass(frozen=True, slots=True)
class Given:
    """An answer that a connection has shown; `at` is since when, as far as is known, in seconds since 1970."""

    answer: Intended
    at: float


class Decisions:
    """Decisions in the table. Raises LedgerUnavailableError when storage does not do its part."""

    def __init__(self, account: StorageAccount) -> None:
        self._decisions = account.table(DECISIONS_TABLE)
        self._table = self._decisions.client

    async def intend(
        self, decisions: Iterable[Decision], now: float, run: str = "", *, lasts: float
    ) -> tuple[Intended | None, ...]:
        """Stores decisions ahead of answering them, in their order; None for a connection that has another open answer.

        What is stored is the run's alone for as long as it `lasts` (seconds), or until it is let go. What was left open
        then goes on as it was, where the same is decided; anything else waits for somebody to look what came of it.
        """
        intended = [replace(_intended(decision, now, run), held_until=now + lasts) for decision in decisions]
        stored: list[Intended | None] = []
        for some in in_transactions(intended):
            stored += await self._open(some, now)
        return tuple(stored)

    async def _open(self, batch: Sequence[Intended], now: float) -> list[Intended | None]:
        with suppress(RacedError), translated(_STORING):
            operations = [("create", _to_row(each)) for each in batch]
            made = await self._decisions.run(partial(self._table.submit_transaction, operations))
            return [replace(each, etag=told["etag"]) for each, told in zip(batch, made, strict=True)]
        return [await self._open_one(each, now) for each in batch]

    async def _open_one(self, intended: Intended, now: float) -> Intended | None:
        with suppress(RacedError), translated(_STORING):
            made = await self._table.create_entity(_to_row(intended))
            return replace(intended, etag=made["etag"])
        with suppress(RacedError), translated(_STORING):
            row = await self._table.get_entity(_OPEN, _row_key(intended))
            if row["Format"] > DECISION_FORMAT:
                return None
            found = next(iter(read_all([row], _to_intended)), None)
            if found is None or found.name != intended.name or found.taken_at is not None:
                return None
            if found.run == intended.run != "":
                return found  # its own, stored by a try of which Storage gave no answer
            if found.held_until <= now:
                words = tuple(sorted({*found.words, *intended.words})) if found.words else ()
                return await self._changed(replace(found, held_until=intended.held_until, again=True, words=words))
        return None

    async def let_go(self, intended: Intended) -> None:
        """Notes that nobody is at it any more, though nobody knows what came of it."""
        with suppress(RacedError), translated(f"letting go of the answer to {intended.connection}"):
            await self._changed(replace(intended, held_until=0.0))

    async def _changed(self, intended: Intended) -> Intended:
        """Writes an open one that is as it was when it was read."""
        told = await self._table.update_entity(
            _to_row(intended), UpdateMode.REPLACE, etag=intended.etag, match_condition=MatchConditions.IfNotModified
        )
        return replace(intended, etag=told["etag"])

    async def note_taken(self, intended: Intended, now: float) -> None:
        """Notes that Azure took the answer and is at work on it, so that nobody sends it again."""
        row = _to_row(replace(intended, taken_at=now))
        await self._decisions.put(row, f"noting the answer to {intended.connection}")

    async def close(self, intended: Intended, result: Result, now: float) -> None:
        """Notes what came of it. It may be closed twice: by its run, and by a sweep that found it open.

        Tries that fail, or come too late, are one row, the last one's, until one is done: an index that is stuck may
        bring them about every minute. Who came too late leaves what is done as it is.
        """
        name = intended.kept_as if result is Result.DONE else f"{_FAILED}{intended.name}"
        after = intended.verdict.status.value if result is Result.DONE else ""
        closed = {"PartitionKey": _CLOSED, "RowKey": name, "Result": result.value, "After": after, "ClosedAt": now}
        row = {**_to_row(intended), **closed}
        with translated(f"closing the decision on {intended.connection}"):
            await self._decisions.run(lambda: self._table.upsert_entity(row, UpdateMode.REPLACE))
            # Nothing happens where there is no such row: somebody else was faster, or no try has failed.
            if result is Result.DONE or await self._is_kept(intended):
                await self._table.delete_entity(_CLOSED, f"{_FAILED}{intended.name}")
            await self._end(intended)

    async def _is_kept(self, intended: Intended) -> bool:
        """Whether another run has gone on with it, and come to its end; looked at after what failed is noted."""
        return await self._decisions.row(_CLOSED, intended.kept_as, _STORING, columns=["RowKey"]) is not None

    async def _end(self, intended: Intended) -> None:
        """It is open no longer, unless somebody else goes on with it since."""
        as_read: dict[str, Any] = {}
        if intended.etag:
            as_read = {"etag": intended.etag, "match_condition": MatchConditions.IfNotModified}
        with suppress(RacedError), translated(f"closing the decision on {intended.connection}"):
            await self._table.delete_entity(_OPEN, _row_key(intended), **as_read)

    async def forget(self, before: float) -> int:
        """Removes decisions that were closed before a moment (seconds since 1970), some at once; how many."""
        by_time = {"key": _CLOSED, "from": "", "to": f"{before:017.3f}", "before": before}
        failed = {"key": _CLOSED, "from": _FAILED, "to": f"{_FAILED}~", "before": before}
        keys = [*await self._closed_before(by_time), *await self._closed_before(failed)]
        await self._decisions.delete(_CLOSED, keys, _FORGETTING)
        return len(keys)

    async def _closed_before(self, limits: dict[str, Any]) -> list[str]:
        asked = "PartitionKey eq @key and RowKey ge @from and RowKey lt @to and ClosedAt lt @before"
        rows = await self._decisions.rows(asked, limits, _FORGETTING, columns=["RowKey"], most=FORGOTTEN_AT_ONCE)
        return [row["RowKey"] for row in rows]

    async def given(self, status: ConnectionStatus) -> dict[ResourceId, Given]:
        """The last answers by which connections came to show that status; what a newer Hubwarden stored is left out."""
        asked = "PartitionKey eq @key and Result eq @done and After eq @after and Format le @format"
        limits = {"key": _CLOSED, "done": Result.DONE.value, "after": status.value, "format": DECISION_FORMAT}
        rows = await self._decisions.rows(asked, limits, "reading what was answered", columns=_TOLD)
        given = read_all(rows, lambda row: Given(_to_intended(row), float(row["ClosedAt"])))
        return {each.answer.connection: each for each in given}  # they come by time, so the last one stands

    async def open(self) -> tuple[Intended, ...]:
        """What was never closed, the oldest first: a run ended between its word and its deed, or got no answer.

        What a newer Hubwarden has stored is left to it.
        """
        asked = "PartitionKey eq @key and Format le @format"
        limits = {"key": _OPEN, "format": DECISION_FORMAT}
        rows = await self._decisions.rows(asked, limits, "reading the open decisions")
        return tuple(sorted(read_all(rows, _to_intended), key=lambda each: each.at))


def _intended(decision: Decision, now: float, run: str) -> Intended:
    connection = decision.connection
    endpoint = connection.endpoint.key if connection.endpoint else ""
    said = [connection.id.key, endpoint, sorted(connection.groups), connection.etag, decision.verdict, decision.rule]
    said += [] if decision.who == POLICY else [decision.who, decision.said]
    return Intended(
        connection=connection.id,
        endpoint=connection.endpoint,
        verdict=decision.verdict,
        rule=decision.rule,
        at=now,
        name=hashlib.sha256(json.dumps(said).encode()).hexdigest()[:32],
        groups=connection.groups,
        run=run,
        who=decision.who,
        said=decision.said,
        words=(_digest(decision.note), _digest(connection.message)),
        facts=_codes(decision.facts) if decision.facts else "{}",
    )


def _digest(description: str) -> str:
    return hashlib.sha256(description.strip().encode(errors="replace")).hexdigest()[:16]


def _codes(facts: Facts) -> str:
    """What was known, without the words of the consumer's that are in no id."""
    known = {
        "consumer": facts.consumer,
        "inEstate": facts.in_estate,
        "tenancy": facts.tenancy.value,
        "consumerManagementGroups": facts.consumer_management_groups,
        "managers": None if facts.managers is None else [str(each) for each in facts.managers],
        "targetType": facts.target_type,
        "targetSubscription": facts.target_subscription,
        "targetManagementGroups": facts.target_management_groups,
        "targetLocation": facts.target_location,
        "age": facts.age,
    }
    text = json.dumps({name: value for name, value in known.items() if value is not None})
    return text if len(text) <= _LONGEST_FACTS else "{}"


def _to_row(intended: Intended) -> dict[str, Any]:
    groups = json.dumps(intended.groups)
    return {
        "PartitionKey": _OPEN,
        "RowKey": _row_key(intended),
        "Format": DECISION_FORMAT,
        "Decision": intended.name,
        "Connection": str(intended.connection),
        "Endpoint": str(intended.endpoint or ""),
        "Verdict": intended.verdict.value,
        "Rule": intended.rule,
        "IntendedAt": intended.at,
        "Groups": groups if len(groups) <= _LONGEST_GROUPS else "[]",
        "TakenAt": intended.taken_at or 0.0,
        "Before": ConnectionStatus.PENDING.value,
        "Run": intended.run,
        "Who": intended.who,
        "Said": intended.said,
        "Facts": intended.facts,
        "Words": ",".join(intended.words),
        "HeldUntil": intended.held_until,
    }


def _row_key(intended: Intended) -> str:
    """Of an open one: its connection's alone, so that a connection has one."""
    return hashlib.sha256(intended.connection.key.encode()).hexdigest()


def _to_intended(row: TableEntity) -> Intended:
    return Intended(
        connection=ResourceId.parse(row["Connection"]),
        endpoint=ResourceId.parse(row["Endpoint"]) if row["Endpoint"] else None,
        verdict=Verdict(row["Verdict"]),
        rule=row["Rule"],
        at=float(row["IntendedAt"]),
        name=row["Decision"],
        groups=tuple(json.loads(row.get("Groups") or "[]")),
        taken_at=row.get("TakenAt") or None,
        run=row.get("Run") or "",
        who=row.get("Who") or POLICY,
        said=row.get("Said") or "",
        facts=row.get("Facts") or "{}",
        words=tuple(filter(None, (row.get("Words") or "").split(","))),
        held_until=float(row["HeldUntil"]),
        etag=row.metadata["etag"] or "",
    )
