"""What happened within the last hour, counted for the limits; and which withdrawals wait for a person."""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from azure.data.tables import TableEntity

from hubwarden.ledger.storage import StorageAccount, read_all
from hubwarden.model.record import RecordKey, RecordType
from hubwarden.model.resource_id import ResourceId

TALLY_TABLE = "hubwardentally"
HOUR = 3600.0
_WITHHELD = "withheld"
_OURS = "ours"


class Counted(StrEnum):
    """What is counted: by zone for withdrawals, in all for answers."""

    WITHDRAWN = "withdrawn"
    APPROVED = "approved"
    REJECTED = "rejected"


class Tally:
    """Counts in the table, shared by all instances. Raises LedgerUnavailableError when storage does not do its part."""

    def __init__(self, account: StorageAccount) -> None:
        self._tally = account.table(TALLY_TABLE)

    async def note(self, what: Counted, things: Sequence[tuple[str, str]], now: float) -> tuple[str, ...]:
        """Counts things ahead of doing them, each with what it is about and its own name; gives the notes' names.

        The same thing noted twice within the hour, by two instances or by a second try, counts once.
        """
        names = [f"{now:017.3f}-{uuid.uuid4().hex[:12]}" for _ in things]
        notes = [{"About": about, "Thing": _digest(thing)} for about, thing in things]
        await self._put(what.value, dict(zip(names, notes, strict=True)))
        return tuple(names)

    async def settle(self, what: Counted, thing: str, now: float) -> None:
        """A thing is done, and counts for itself from now on: one that comes under its name later is another."""
        digest = _digest(thing)
        rows = [row for row in await self._rows(what.value, since=f"{now - HOUR:017.3f}") if row["Thing"] == digest]
        another = _digest(f"{rows[0]['RowKey']} {thing}") if rows else ""
        await self._put(what.value, {row["RowKey"]: {"About": row["About"], "Thing": another} for row in rows})

    async def take_back(self, what: Counted, names: Collection[str]) -> None:
        """What was noted is not done after all."""
        await self._delete(what.value, names)

    async def within_hour(self, what: Counted, now: float, *, without: Iterable[str] = ()) -> Counter[str]:
        """How many things there were within the last hour, `without` some, by what they are about."""
        rows = await self._rows(what.value, since=f"{now - HOUR:017.3f}")
        left_out = {_digest(thing) for thing in without}
        things = {(row["About"], row["Thing"]) for row in rows if row["Thing"] not in left_out}
        return Counter(about for about, _ in things)

    async def forget_before(self, now: float) -> None:
        """Removes notes that no hour holds any more."""
        for what in Counted:
            rows = await self._rows(what.value, until=f"{now - HOUR:017.3f}")
            await self._delete(what.value, [row["RowKey"] for row in rows])

    async def withheld(self) -> frozenset[RecordKey]:
        """The records whose withdrawal waits for a person."""
        return frozenset(read_all(await self._rows(_WITHHELD), _to_key))

    async def withhold(self, keys: Iterable[RecordKey]) -> None:
        """These withdrawals wait for a person from now on."""
        rows = {_row(key): {"Zone": str(key.zone), "Name": key.name, "Type": key.type.value} for key in keys}
        await self._put(_WITHHELD, rows)

    async def release(self, keys: Iterable[RecordKey]) -> None:
        """These wait no longer: a person let them through, or nobody asks for their withdrawal any more."""
        await self._delete(_WITHHELD, {_row(key) for key in keys})

    async def ours(self) -> Mapping[str, int]:
        """How many records of ours the last sweep counted, by the key of the zone's id."""
        return {row["About"]: row["Count"] for row in await self._rows(_OURS)}

    async def note_ours(self, counts: Mapping[str, int]) -> None:
        """What a sweep counted."""
        await self._put(_OURS, {_digest(zone): {"About": zone, "Count": count} for zone, count in counts.items()})

    async def _rows(self, partition: str, *, since: str = "", until: str = "~") -> list[TableEntity]:
        asked = "PartitionKey eq @key and RowKey ge @from and RowKey lt @to"
        limits = {"key": partition, "from": since, "to": until}
        return await self._tally.rows(asked, limits, f"counting what was {partition}")

    async def _put(self, partition: str, rows: Mapping[str, Mapping[str, Any]]) -> None:
        """Writes rows, by their keys, whatever stood there."""
        whole = [{"PartitionKey": partition, "RowKey": key, **row} for key, row in rows.items()]
        await self._tally.put_all(whole, f"noting what is {partition}")

    async def _delete(self, partition: str, rows: Collection[str]) -> None:
        await self._tally.delete(partition, rows, f"taking back what was {partition}")


def _to_key(row: Mapping[str, Any]) -> RecordKey:
    return RecordKey(ResourceId.parse(row["Zone"]), row["Name"], RecordType(row["Type"]))


def _row(key: RecordKey) -> str:
    return _digest(f"{key.zone.key}|{key.name}|{key.type}")


def _digest(text: str) -> str:
    """Table keys have a limit that zone ids and names together might reach."""
    return hashlib.sha256(text.encode()).hexdigest()
