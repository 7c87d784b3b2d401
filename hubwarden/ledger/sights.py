"""Since when connections wait: one row for each that was seen waiting, with when it was first seen and last raised.

All are one partition, so that a run reads them with one query; those of one target are a range of it. A row is known by
its connection and the endpoint that asks: one made anew under the same id by another endpoint is another sight.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from azure.core import MatchConditions
from azure.data.tables import UpdateMode

from hubwarden.ledger.storage import Operation, StorageAccount, read_all
from hubwarden.model.announcement import digest
from hubwarden.model.resource_id import ResourceId

SIGHTS_TABLE = "hubwardensights"
SIGHT_FORMAT = 1
_PARTITION = "waiting"


@dataclass(frozen=True, slots=True)
class Sight:
    """A connection that waits: when it was first seen, and last raised (seconds since 1970; None for never)."""

    connection: ResourceId
    endpoint: ResourceId | None
    first: float
    raised: float | None = None
    guid: str = ""
    """The endpoint's resourceGuid; empty while it is not known."""
    version: str = field(default="", compare=False)
    """Its row's etag; empty while it is not stored."""

    @property
    def name(self) -> str:
        """What the ledger calls it."""
        return name_of(self.connection, self.endpoint)


@dataclass(frozen=True, slots=True)
class Seen:
    """Sights by their names; `unread` are the names of those that cannot be read, and which are left alone."""

    known: Mapping[str, Sight] = field(default_factory=dict)
    unread: frozenset[str] = frozenset()

    def of(self, connection: ResourceId, endpoint: ResourceId | None) -> Sight | None:
        """The sight of a connection; None where there is none, or none that can be read."""
        return self.known.get(name_of(connection, endpoint))


class Sights:
    """Sights in the table. Raises LedgerUnavailableError when storage does not do its part."""

    def __init__(self, account: StorageAccount) -> None:
        self._sights = account.table(SIGHTS_TABLE)

    async def of_targets(self, targets: Collection[ResourceId]) -> Seen:
        """What is known of these targets' connections, in one query; where they are several, of all there are."""
        if not targets:
            return Seen()
        [target, *others] = set(targets)
        return await (self.all() if others else self._between(_of_target(target)))

    async def all(self) -> Seen:
        """Every sight there is, a thousand to a request."""
        return await self._between("")

    async def note(self, sights: Iterable[Sight]) -> None:
        """Stores new sights, and what is now known of others; who was faster with one is right."""
        await self._sights.transact([_operation(sight) for sight in sights], "noting since when connections wait")

    async def raise_again(self, sights: Iterable[Sight], now: float) -> list[Sight]:
        """Stores that these are raised now; gives those with which no other instance was faster."""
        raised = [replace(each, raised=now) for each in sights]
        late = await self._sights.transact([_operation(each) for each in raised], "noting what was raised")
        return [each for place, each in enumerate(raised) if place not in late]

    async def forget(self, sights: Iterable[Sight]) -> None:
        """Removes sights of what waits no longer, unless they changed meanwhile."""
        deletions = [("delete", _to_row(each), _insisting(each)) for each in sights]
        await self._sights.transact(deletions, "forgetting what waits no longer")

    async def forget_answered(self, connection: ResourceId, endpoint: ResourceId | None) -> None:
        """Removes the sight of a connection that shows its answer; there may be none."""
        await self._sights.delete(
            _PARTITION, [name_of(connection, endpoint)], f"forgetting since when {connection} waited"
        )

    async def _between(self, prefix: str) -> Seen:
        asked = "PartitionKey eq @key and RowKey ge @from and RowKey lt @to"
        limits = {"key": _PARTITION, "from": prefix, "to": f"{prefix}~"}
        rows = await self._sights.rows(asked, limits, "reading since when connections wait")
        ours = [row for row in rows if row["Format"] <= SIGHT_FORMAT]
        known = dict(read_all(ours, lambda row: (row["RowKey"], _to_sight(row))))
        return Seen(known, frozenset(row["RowKey"] for row in rows if row["RowKey"] not in known))


def name_of(connection: ResourceId, endpoint: ResourceId | None) -> str:
    """What the ledger calls the sight of a connection: those of one target begin alike."""
    return f"{_of_target(connection.parent)}{digest(connection.key, endpoint.key if endpoint else '')}"


def _of_target(target: ResourceId) -> str:
    return f"{digest(target.key)}-"


def _operation(sight: Sight) -> Operation:
    if not sight.version:
        return ("create", _to_row(sight))
    return ("update", _to_row(sight), {"mode": UpdateMode.REPLACE, **_insisting(sight)})


def _insisting(sight: Sight) -> dict[str, Any]:
    return {"etag": sight.version, "match_condition": MatchConditions.IfNotModified}


def _to_row(sight: Sight) -> dict[str, Any]:
    return {
        "PartitionKey": _PARTITION,
        "RowKey": sight.name,
        "Format": SIGHT_FORMAT,
        "Connection": str(sight.connection),
        "Endpoint": str(sight.endpoint or ""),
        "Guid": sight.guid,
        "FirstSeen": sight.first,
        "Raised": sight.raised or 0.0,
    }


def _to_sight(row: Any) -> Sight:
    return Sight(
        connection=ResourceId.parse(row["Connection"]),
        endpoint=ResourceId.parse(row["Endpoint"]) if row["Endpoint"] else None,
        first=float(row["FirstSeen"]),
        raised=float(row["Raised"]) or None,
        guid=row["Guid"],
        version=row.metadata["etag"],
    )
