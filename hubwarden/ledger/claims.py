"""The claims of endpoints on names, and the follow-up that an endpoint has waiting: one partition an endpoint.

A second table lists the claimants of each name. It is written before a claim, so that it never misses one; whom it
lists too many is found out by reading the claims themselves, and a sweep clears away after a while.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

from azure.core import MatchConditions
from azure.data.tables import UpdateMode

from hubwarden.errors import InputError, NewerFormatError, RacedError
from hubwarden.ledger.failures import translated
from hubwarden.ledger.storage import StorageAccount, in_transactions
from hubwarden.model.plan import Claim, ClaimState
from hubwarden.model.record import RecordKey, RecordType
from hubwarden.model.resource_id import ResourceId

CLAIMS_TABLE = "hubwardenclaims"
NAMES_TABLE = "hubwardennames"
CLAIM_FORMAT = 1
_FOLLOW_UP = "follow-up"
_LINGERS = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class FollowUp:
    """The one look that an endpoint has waiting in the work queue: which try, and when (seconds since 1970)."""

    attempt: int
    due: float
    thorough: bool = False


@dataclass(frozen=True, slots=True)
class Ledger:
    """All claims there are; `unread` are the endpoints whose claims cannot be read, and which are left alone."""

    claims: Mapping[ResourceId, tuple[Claim, ...]]
    unread: frozenset[ResourceId] = frozenset()

    @property
    def every(self) -> Iterator[Claim]:
        """All claims, whosesoever."""
        return (claim for claims in self.claims.values() for claim in claims)


class Claims:
    """Claims and follow-ups in the table. Raises LedgerUnavailableError when storage does not do its part."""

    def __init__(self, account: StorageAccount) -> None:
        self._claims = account.table(CLAIMS_TABLE)
        self._table = self._claims.client
        self._names = account.table(NAMES_TABLE)

    async def of(self, endpoint: ResourceId) -> tuple[Claim, ...]:
        """The claims of one endpoint, in one query.

        Raises NewerFormatError where a newer Hubwarden has written one: the endpoint is left to it.
        """

        async def query() -> list[Mapping[str, Any]]:
            pages = self._table.query_entities("PartitionKey eq @key", parameters={"key": _partition(endpoint)})
            return [_with_version(entity) async for entity in pages]

        with translated(f"reading the claims of {endpoint}"):
            rows = await self._claims.run(query)
        return tuple(_to_claim(endpoint, row) for row in rows if row["RowKey"] != _FOLLOW_UP)

    async def all(self) -> Ledger:
        """Every claim there is, a thousand to a request."""
        rows = await self._rows(None, "reading all claims")
        claims: dict[ResourceId, list[Claim]] = {}
        unread = set()
        for row in rows:
            if row["RowKey"] == _FOLLOW_UP:
                continue
            endpoint = ResourceId.parse(row["PartitionKey"].replace("|", "/"))
            try:
                claims.setdefault(endpoint, []).append(_to_claim(endpoint, row))
            except NewerFormatError:
                unread.add(endpoint)
        known = {endpoint: tuple(each) for endpoint, each in claims.items() if endpoint not in unread}
        return Ledger(known, frozenset(unread))

    async def claimants_in(self, group: ResourceId) -> frozenset[ResourceId]:
        """The endpoints of a resource group that have claims."""
        prefix = _partition(group) + "|"
        rows = await self._rows((prefix, prefix[:-1] + "}"), f"reading the claims in {group}")
        return frozenset(
            ResourceId.parse(row["PartitionKey"].replace("|", "/")) for row in rows if row["RowKey"] != _FOLLOW_UP
        )

    async def claimants_of(self, key: RecordKey) -> frozenset[ResourceId]:
        """The endpoints that claim a name, or did a moment ago."""
        return await self._listed(_name(key), f"reading the claimants of {key}")

    async def _listed(self, partition: str, doing: str) -> frozenset[ResourceId]:
        async def query() -> list[str]:
            pages = self._names.client.query_entities("PartitionKey eq @key", parameters={"key": partition})
            return [entity["RowKey"] async for entity in pages]

        with translated(doing):
            found = await self._names.run(query)
        return frozenset(ResourceId.parse(each.replace("|", "/")) for each in found)

    async def wait_for(self, zone: ResourceId, endpoint: ResourceId) -> None:
        """Remembers for a while that an endpoint has names in a zone that is not there."""
        entity = {"PartitionKey": _partition(zone), "RowKey": _partition(endpoint)}
        with translated(f"noting that {endpoint} waits for {zone}"):
            await self._names.run(lambda: self._names.client.upsert_entity(entity, UpdateMode.REPLACE))

    async def waiting_for(self, zone: ResourceId) -> frozenset[ResourceId]:
        """The endpoints that found a zone missing, within the last hour or so."""
        return await self._listed(_partition(zone), f"reading who waits for {zone}")

    async def mend_names(self, ledger: Ledger) -> None:
        """Lists every claimant that the second table misses, and clears away those that have had no claim for a while.

        One that was listed just now may be about to store its claim.
        """

        async def query() -> dict[tuple[str, str], Any]:
            pages = self._names.client.list_entities()
            return {(row["PartitionKey"], row["RowKey"]): row.metadata async for row in pages}

        with translated("reading the claimants of all names"):
            listed = await self._names.run(query)
        claimed = {(_name(claim.key), _partition(claim.endpoint)): claim for claim in ledger.every}
        for place in claimed.keys() - listed.keys():
            await self._list(claimed[place])
        unread = {_partition(endpoint) for endpoint in ledger.unread}
        # Storage's own clock, of which the newest row is the last that was heard.
        newest = max((metadata["timestamp"] for metadata in listed.values()), default=None)
        for (name, endpoint), metadata in listed.items():
            if (name, endpoint) in claimed or endpoint in unread or newest - metadata["timestamp"] < _LINGERS:
                continue
            with suppress(RacedError), translated(f"clearing a claimant of {name}"):
                await self._names.client.delete_entity(
                    name, endpoint, etag=metadata["etag"], match_condition=MatchConditions.IfNotModified
                )

    async def _rows(self, partitions: tuple[str, str] | None, doing: str) -> list[Mapping[str, Any]]:
        async def query() -> list[Mapping[str, Any]]:
            if partitions is None:
                pages = self._table.list_entities()
            else:
                limits = {"from": partitions[0], "to": partitions[1]}
                pages = self._table.query_entities("PartitionKey ge @from and PartitionKey lt @to", parameters=limits)
            return [_with_version(entity) async for entity in pages]

        with translated(doing):
            return await self._claims.run(query)

    async def store(self, claims: Iterable[Claim], *, listed: Collection[RecordKey] = ()) -> tuple[Claim, ...]:
        """Writes claims of one endpoint, whatever stood there, and gives them with their versions.

        `listed` are the names that the endpoint is known to claim already.
        """
        ordered = list(claims)
        stored: list[Claim] = []
        await asyncio.gather(*(self._list(claim) for claim in ordered if claim.key not in listed))
        for batch in in_transactions(ordered):
            with translated(f"storing claims of {batch[0].endpoint}"):
                versions = await self._claims.run(partial(self._write, batch))
            stored += [replace(claim, version=version) for claim, version in zip(batch, versions, strict=True)]
        return tuple(stored)

    async def _list(self, claim: Claim) -> None:
        entity = {"PartitionKey": _name(claim.key), "RowKey": _partition(claim.endpoint)}
        with translated(f"listing {claim.endpoint} as a claimant of {claim.key}"):
            await self._names.run(lambda: self._names.client.upsert_entity(entity, UpdateMode.REPLACE))

    async def _write(self, batch: Sequence[Claim]) -> list[str]:
        """The new versions. A transaction of one, the common case, would cost twice as much as a plain write."""
        if len(batch) == 1:
            return [(await self._table.upsert_entity(_to_row(batch[0]), UpdateMode.REPLACE))["etag"]]
        operations = [("upsert", _to_row(claim), {"mode": UpdateMode.REPLACE}) for claim in batch]
        return [answer["etag"] for answer in await self._table.submit_transaction(operations)]

    async def settle(self, claim: Claim) -> None:
        """Rewrites a claim that was stored before. Raises RacedError if it changed or went meanwhile."""
        with translated(f"settling the claim of {claim.endpoint} on {claim.key}"):
            await self._table.update_entity(
                _to_row(claim),
                mode=UpdateMode.REPLACE,
                etag=claim.version,
                match_condition=MatchConditions.IfNotModified,
            )

    async def forget(self, claim: Claim) -> None:
        """Removes a claim, unless it changed meanwhile: then somebody needs it again."""
        if not claim.version:
            return  # it was rebuilt from a mark, and never stored
        try:
            with translated(f"removing the claim of {claim.endpoint} on {claim.key}"):
                await self._table.delete_entity(
                    _partition(claim.endpoint),
                    _name(claim.key),
                    etag=claim.version,
                    match_condition=MatchConditions.IfNotModified,
                )
        except RacedError:
            return

    async def follow_up(self, endpoint: ResourceId) -> FollowUp | None:
        """The one look that the endpoint has waiting."""
        try:
            with translated(f"reading the follow-up of {endpoint}"):
                row = await self._table.get_entity(_partition(endpoint), _FOLLOW_UP)
        except RacedError:
            return None  # there is none, or not even a table yet
        return FollowUp(int(row["Attempt"]), float(row["Due"]), bool(row["Thorough"]))

    async def note_follow_up(self, endpoint: ResourceId, follow_up: FollowUp) -> None:
        """Remembers the one look that the endpoint has waiting."""
        entity = {
            "PartitionKey": _partition(endpoint),
            "RowKey": _FOLLOW_UP,
            "Format": CLAIM_FORMAT,
            "Attempt": follow_up.attempt,
            "Due": follow_up.due,
            "Thorough": follow_up.thorough,
        }
        with translated(f"noting a follow-up of {endpoint}"):
            await self._claims.run(lambda: self._table.upsert_entity(entity, UpdateMode.REPLACE))

    async def close_follow_up(self, endpoint: ResourceId) -> None:
        """Forgets the waiting look: there is nothing left to wait for."""
        with translated(f"closing the follow-up of {endpoint}"):
            await self._table.delete_entity(_partition(endpoint), _FOLLOW_UP)


def _partition(endpoint: ResourceId) -> str:
    """Table keys take no slashes; ids have no bars."""
    return endpoint.key.replace("/", "|")


def _name(key: RecordKey) -> str:
    return f"{_partition(key.zone)}|{key.name}|{key.type}"


def _to_row(claim: Claim) -> dict[str, Any]:
    return {
        "PartitionKey": _partition(claim.endpoint),
        "RowKey": _name(claim.key),
        "Format": CLAIM_FORMAT,
        "Endpoint": str(claim.endpoint),
        "Guid": claim.guid,
        "Hub": claim.hub,
        "Zone": str(claim.key.zone),
        "Name": claim.key.name,
        "Type": claim.key.type.value,
        "Fqdn": claim.fqdn,
        "Addresses": ",".join(str(address) for address in claim.addresses),
        "Ttl": claim.ttl,
        "State": claim.state.value,
        "RecordETag": claim.etag,
        "WrittenAt": claim.written_at,
    }


def _to_claim(endpoint: ResourceId, row: Mapping[str, Any]) -> Claim:
    """Raises NewerFormatError for what a newer version wrote, and for what no version did: it is left alone."""
    if row["Format"] > CLAIM_FORMAT:
        raise NewerFormatError(f"claims of {endpoint} have format {row['Format']}; this version knows {CLAIM_FORMAT}")
    try:
        return Claim(
            endpoint=ResourceId.parse(row["Endpoint"]),
            guid=row["Guid"],
            hub=row["Hub"],
            key=RecordKey(ResourceId.parse(row["Zone"]), row["Name"], RecordType(row["Type"])),
            fqdn=row["Fqdn"],
            addresses=tuple(ipaddress.ip_address(text) for text in row["Addresses"].split(",") if text),
            ttl=row["Ttl"],
            state=ClaimState(row["State"]),
            etag=row["RecordETag"],
            written_at=row["WrittenAt"],
            version=row["version"],
        )
    except (InputError, ValueError, KeyError, AttributeError) as error:
        raise NewerFormatError(f"a claim of {endpoint} cannot be read: {error}") from error


def _with_version(entity: Any) -> dict[str, Any]:
    return {**entity, "version": entity.metadata["etag"]}
