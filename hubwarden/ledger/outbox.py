"""The outbox: what is to be announced, from before it is done until the topic has taken it; and what was told as held.

All is one partition, so that an announcement and what it leaves to be remembered are stored together or not at all.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from itertools import count
from typing import Any

from hubwarden.errors import RacedError
from hubwarden.ledger.failures import translated
from hubwarden.ledger.storage import IN_ONE_TRANSACTION, Operation, StorageAccount, in_transactions, read_all
from hubwarden.model.announcement import Announcement, Kind, digest

OUTBOX_TABLE = "hubwardenoutbox"
OUTBOX_FORMAT = 1
_AT_ONCE = 5
_PARTITION = "outbox"
_EVENT, _TOLD = "event-", "told-"


class State(StrEnum):
    """How far an announcement got."""

    INTENDED = "intended"
    DUE = "due"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Kept:
    """An announcement in the outbox; `name` is what the ledger calls it, and sorts by time."""

    announcement: Announcement
    state: State
    name: str


class Outbox:
    """The outbox in its table. Raises LedgerUnavailableError when storage does not do its part."""

    def __init__(self, account: StorageAccount) -> None:
        self._outbox = account.table(OUTBOX_TABLE)
        self._table = self._outbox.client
        self._order = count()

    async def add(self, announcements: Iterable[Announcement], state: State) -> tuple[Kept, ...]:
        """Stores announcements of what is about to be done, or of what is done and due."""
        kept = [self._kept(each, state) for each in announcements]
        await self._outbox.transact([("upsert", _to_row(each)) for each in kept], "storing what is to be announced")
        return tuple(kept)

    async def settle(self, *, due: Sequence[Kept] = (), void: Sequence[Kept] = ()) -> None:
        """What was intended is done, and due; or it never will be, or was taken, and is forgotten."""
        changes: list[Operation] = [("upsert", _to_row(replace(each, state=State.DUE))) for each in due]
        changes += _deletions(each.name for each in void)
        await self._outbox.transact(changes, "settling what is to be announced")

    async def refused(self, kept: Kept) -> None:
        """The topic does not take this one: it is tried apart from now on."""
        row = _to_row(replace(kept, state=State.REFUSED))
        await self._outbox.transact([("upsert", row)], "noting what was refused")

    async def of(self, state: State, *, most: int) -> list[Kept]:
        """The oldest announcements in that state. What a newer Hubwarden has stored is left to it."""
        asked = "PartitionKey eq @key and RowKey ge @from and RowKey lt @to and State eq @state and Format le @format"
        limits = {**_limits(_EVENT), "state": state.value, "format": OUTBOX_FORMAT}
        rows = await self._outbox.rows(asked, limits, "reading what is to be announced", most=most)
        return read_all(rows, _to_kept)

    async def undelivered(self) -> int:
        """How many announcements are due or were refused: all that there are to tell, a thousand to a request."""
        asked = "PartitionKey eq @key and RowKey ge @from and RowKey lt @to and State ne @intended"
        limits = {**_limits(_EVENT), "intended": State.INTENDED.value}
        return len(await self._outbox.rows(asked, limits, "counting what is to be announced", columns=["RowKey"]))

    async def tell_once(self, announcements: Iterable[Announcement], *, among: str, looked: float | None = None) -> int:
        """Stores those that were not told of before, and how many; each is told again only after it has once ended.

        All are of types that begin with `among`. `looked` is when somebody began to look at all there is (seconds since
        1970): what was told of until then under such a type, and is none of these, is so no more.
        """
        wanted = {_told(each): each for each in announcements}
        known = await self._known(among) if wanted or looked is not None else {}
        news = [(name, each) for name, each in wanted.items() if name not in known]
        gate = asyncio.Semaphore(_AT_ONCE)

        async def tell(part: Sequence[tuple[str, Announcement]]) -> int:
            async with gate:
                return await self._tell(part)

        parts = in_transactions(news, IN_ONE_TRANSACTION // 2)  # each is two rows
        told = sum(await asyncio.gather(*map(tell, parts)))
        if looked is not None:
            ended = [name for name, at in known.items() if name not in wanted and at <= looked]
            await self._outbox.transact(_deletions(ended), "forgetting what was told")
        return told

    async def _tell(self, part: Sequence[tuple[str, Announcement]]) -> int:
        """Where another instance was faster with one, they are stored one by one."""
        operations: list[Operation] = []
        for name, announcement in part:
            kept = self._kept(replace(announcement, id=digest(name, f"{announcement.time}")), State.DUE)
            row = {"PartitionKey": _PARTITION, "RowKey": name, "Format": OUTBOX_FORMAT, "At": announcement.time}
            operations += [("create", row), ("upsert", _to_row(kept))]
        try:
            with translated("storing what is told of"):
                await self._outbox.run(partial(self._table.submit_transaction, operations))
        except RacedError:
            return sum([await self._tell([each]) for each in part]) if len(part) > 1 else 0
        return len(part)

    def _kept(self, announcement: Announcement, state: State) -> Kept:
        """Its name sorts by time, and within the same moment of one process by the order of the deeds."""
        name = f"{_EVENT}{announcement.time:017.3f}-{next(self._order):08d}-{uuid.uuid4().hex[:8]}"
        return Kept(announcement, state, name)

    async def _known(self, among: str) -> dict[str, float]:
        """What was told of under such a type, by name, and when."""
        asked = "PartitionKey eq @key and RowKey ge @from and RowKey lt @to"
        limits = _limits(f"{_TOLD}{among}")
        rows = await self._outbox.rows(asked, limits, "reading what was told", columns=["RowKey", "At"])
        return {row["RowKey"]: float(row["At"]) for row in rows}


def _deletions(names: Iterable[str]) -> list[Operation]:
    return [("delete", {"PartitionKey": _PARTITION, "RowKey": name}) for name in names]


def _limits(prefix: str) -> dict[str, Any]:
    return {"key": _PARTITION, "from": prefix, "to": f"{prefix}~"}


def _told(announcement: Announcement) -> str:
    """What an announcement is remembered by: whatever else changes, it is the same as long as this is."""
    said = json.dumps(announcement.data, sort_keys=True)
    return f"{_TOLD}{announcement.kind}-{digest(announcement.subject, said)}"


def _to_row(kept: Kept) -> dict[str, Any]:
    announcement = kept.announcement
    return {
        "PartitionKey": _PARTITION,
        "RowKey": kept.name,
        "Format": OUTBOX_FORMAT,
        "State": kept.state.value,
        "Kind": announcement.kind.value,
        "Subject": announcement.subject,
        "Data": json.dumps(announcement.data),
        "Time": announcement.time,
        "Id": announcement.id,
    }


def _to_kept(row: Mapping[str, Any]) -> Kept:
    announcement = Announcement(
        Kind(row["Kind"]), row["Subject"], json.loads(row["Data"]), float(row["Time"]), row["Id"]
    )
    return Kept(announcement, State(row["State"]), row["RowKey"])
