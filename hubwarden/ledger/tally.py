"""What happened within the last hour, counted for the limits; and which withdrawals wait for a person."""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from functools import partial
from typing import Any

from azure.data.tables import UpdateMode

from hubwarden.errors import RacedError
from hubwarden.ledger.failures import translated
from hubwarden.ledger.storage import StorageAccount, in_transactions
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
        self._table = self._tally.client

    async def note(self, what: Counted, things: Sequence[tuple[str, str]], now: float) -> tuple[str, ...]:
        """Counts things ahead of doing them, each with what it is about and its own name; gives the notes' names.

        The same thing noted twice within the hour, by two instances or by a second try, counts once.
        """
        names = [f"{now:017.3f}-{uuid.uuid4().hex[:12]}" for _ in things]
        rows = [
            {"PartitionKey": what.value, "RowKey": name, "About": about, "Thing": _digest(thing)}
            for name, (about, thing) in zip(names, things, strict=True)
        ]
        for some in in_transactions(rows):
            operations = [("upsert", row) for row in some]
            with translated(f"noting what is {what}"):
                await self._tally.run(partial(self._table.submit_transaction, operations))
        return tuple(names)

    async def settle(self, what: Counted, thing: str, now: float) -> None:
        """A thing is done, and counts for itself from now on: one that comes under its name later is another."""
        digest = _digest(thing)
        rows = [row for row in await self._rows(what.value, since=f"{now - HOUR:017.3f}") if row["Thing"] == digest]
        for row in rows:
            place = {"PartitionKey": what.value, "RowKey": row["RowKey"], "About": row["About"]}
            await self._put({**place, "Thing": _digest(f"{rows[0]['RowKey']} {thing}")})

    async def take_back(self, what: Counted, names: Iterable[str]) -> None:
        """What was noted is not done after all."""
        for name in names:
            await self._delete(what.value, name)

    async def within_hour(self, what: Counted, now: float, *, without: Iterable[str] = ()) -> Counter[str]:
        """How many things there were within the last hour, `without` some, by what they are about."""
        rows = await self._rows(what.value, since=f"{now - HOUR:017.3f}")
        left_out = {_digest(thing) for thing in without}
        things = {(row["About"], row["Thing"]) for row in rows if row["Thing"] not in left_out}
        return Counter(about for about, _ in things)

    async def forget_before(self, now: float) -> None:
        """Removes notes that no hour holds any more."""
        for what in Counted:
            for row in await self._rows(what.value, until=f"{now - HOUR:017.3f}"):
                await self._delete(what.value, row["RowKey"])

    async def withheld(self) -> frozenset[RecordKey]:
        """The records whose withdrawal waits for a person."""
        return frozenset(
            RecordKey(ResourceId.parse(row["Zone"]), row["Name"], RecordType(row["Type"]))
            for row in await self._rows(_WITHHELD)
        )

    async def withhold(self, keys: Iterable[RecordKey]) -> None:
        """These withdrawals wait for a person from now on."""
        for key in keys:
            place = {"Zone": str(key.zone), "Name": key.name, "Type": key.type.value}
            await self._put({"PartitionKey": _WITHHELD, "RowKey": _row(key), **place})

    async def release(self, keys: Iterable[RecordKey]) -> None:
        """These wait no longer: a person let them through, or nobody asks for their withdrawal any more."""
        for key in keys:
            await self._delete(_WITHHELD, _row(key))

    async def ours(self) -> Mapping[str, int]:
        """How many records of ours the last sweep counted, by the key of the zone's id."""
        return {row["About"]: row["Count"] for row in await self._rows(_OURS)}

    async def note_ours(self, counts: Mapping[str, int]) -> None:
        """What a sweep counted."""
        for zone, count in counts.items():
            await self._put({"PartitionKey": _OURS, "RowKey": _digest(zone), "About": zone, "Count": count})

    async def _rows(self, partition: str, *, since: str = "", until: str = "~") -> list[Mapping[str, Any]]:
        limits = {"key": partition, "from": since, "to": until}

        async def query() -> list[Mapping[str, Any]]:
            asked = "PartitionKey eq @key and RowKey ge @from and RowKey lt @to"
            return [entity async for entity in self._table.query_entities(asked, parameters=limits)]

        with translated(f"counting what was {partition}"):
            return await self._tally.run(query)

    async def _put(self, entity: dict[str, Any]) -> None:
        with translated(f"noting what is {entity['PartitionKey']}"):
            await self._tally.run(lambda: self._table.upsert_entity(entity, UpdateMode.REPLACE))

    async def _delete(self, partition: str, row: str) -> None:
        try:
            with translated(f"taking back what was {partition}"):
                await self._table.delete_entity(partition, row)
        except RacedError:
            return  # another instance was faster


def _row(key: RecordKey) -> str:
    return _digest(f"{key.zone.key}|{key.name}|{key.type}")


def _digest(text: str) -> str:
    """Table keys have a limit that zone ids and names together might reach."""
    return hashlib.sha256(text.encode()).hexdigest()
