"""Sees every write of a record at the moment when it is done, and judges Hubwarden's: laws 3, 5, 6 and 7."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from simulator import ids
from simulator.world import Change, World
from tests.azure import BLOB_ZONE
from tests.estate import IDENTITY
from tests.laws.truth import Living, Mark, Record, addresses_of, living, mark_of

_RECORDS = "Microsoft.Network/privateDnsZones/A"


@dataclass(slots=True)
class Watch:
    """What stands in the zone, who wrote it last, and which laws were broken so far."""

    world: World
    prefers: Collection[str] = ()
    """The subscriptions that the hub prefers."""
    broken: list[str] = field(default_factory=list)
    records: dict[str, Record] = field(default_factory=dict)
    """What stands now, by the name of the record."""
    dropped: list[str] = field(default_factory=list)
    """The names that Hubwarden left without a record."""
    _moments: list[list[Living]] = field(default_factory=list)
    """The endpoints as they were since the oldest run began that is still under way."""
    _runs: int = 0

    def __post_init__(self) -> None:
        self.world.listeners.append(self._see)

    @contextmanager
    def run(self) -> Iterator[None]:
        """While this lasts, whatever is so at any moment may be what Hubwarden knows."""
        if not self._runs:
            self._moments = [living(self.world)]
        self._runs += 1
        try:
            yield
        finally:
            self._runs -= 1

    def _see(self, change: Change) -> None:
        if not change.operation.startswith(f"{_RECORDS}/"):
            if self._runs:
                self._moments.append(living(self.world))
            return
        parsed = ids.parse(change.resource_id)
        if ids.parse(parsed.parent).name != BLOB_ZONE:
            return
        before, after = self.records.pop(parsed.name, None), self.world.document(change.resource_id)
        if after is not None:
            self.records[parsed.name] = after
        if change.principal == IDENTITY:
            self.broken += self._judged(parsed.name, before, after)
        if change.principal == IDENTITY and after is None:
            self.dropped.append(parsed.name)

    def _judged(self, name: str, before: Record | None, after: Record | None) -> Iterator[str]:
        was, now = mark_of(before), mark_of(after)
        if before is not None and was is None:
            yield f"law 3: {name} was somebody else's: {before['properties']}"
        if after is not None and now is None:
            yield f"law 3: {name} was written without our mark: {after['properties']}"
        if now is not None and not self._may_be_published(name, now, addresses_of(after)):
            yield f"law 6: {name} was published for {now}, whose connection is not approved, or with other addresses"
        if was is not None:
            yield from self._judged_end(name, was, now)

    def _may_be_published(self, name: str, mark: Mark, addresses: frozenset[str]) -> bool:
        return any(each.wants(name) and each.addresses[name] == addresses for each in self._seen(mark))

    def _seen(self, mark: Mark) -> list[Living]:
        """The endpoint of a mark, as it is and as it was."""
        return [each for moment in (*self._moments, living(self.world)) for each in moment if mark.names(each)]

    def _judged_end(self, name: str, was: Mark, now: Mark | None) -> Iterator[str]:
        """Whether its holder lost it, though it lives, is approved and wants it: an end is for ever, so now counts."""
        holder = self._holder(name, was)
        if holder is None or (now is not None and now.names(holder)):
            return
        if now is None:
            yield f"law 5: {name} was dropped, but {holder} lives and is approved"
            return
        better = [each for each in self._seen(now) if each.subscription in self.prefers]
        if holder.subscription in self.prefers or not any(each.target == holder.target for each in better):
            yield f"law 7: {name} was taken from {holder} for {now}"

    def _holder(self, name: str, mark: Mark) -> Living | None:
        """Who holds the record now; without a guid in the mark, only one who was there all the time."""
        for each in living(self.world):
            if mark.names(each) and each.wants(name):
                there = all(any(other.guid == each.guid for other in moment) for moment in self._moments)
                return each if mark.guid or there else None
        return None
