"""The claims of endpoints on names, one partition an endpoint; and the one follow-up that each scope's subject has.

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
from azure.data.tables import TableEntity, UpdateMode

from hubwarden.errors import InputError, NewerFormatError, RacedError
from hubwarden.ledger.failures import translated
from hubwarden.ledger.storage import StorageAccount, in_transactions, read_all
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
    """The one look that is waiting in the work queue for a subject: which try, and when (seconds since 1970)."""

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
        self._names = account.table(NAMES_TABLE)

    async def of(self, endpoint: ResourceId) -> tuple[Claim, ...]:
        """The claims of one endpoint, in one query.

        Raises NewerFormatError where a newer Hubwarden has written one: the endpoint is left to it.
        """
        limits = {"key": _partition(endpoint)}
        rows = await self._claims.rows("PartitionKey eq @key", limits, f"reading the claims of {endpoint}")
        return tuple(_to_claim(endpoint, row) for row in rows if row["RowKey"] != _FOLLOW_UP)

    async def all(self) -> Ledger:
        """Every claim there is, a thousand to a request."""
        claims: dict[ResourceId, list[Claim]] = {}
        unread = set()
        rows = [row for row in await self._claims.every_row("reading all claims") if row["RowKey"] != _FOLLOW_UP]
        for endpoint, row in read_all(rows, lambda row: (_endpoint(row["PartitionKey"]), row)):
            try:
                claims.setdefault(endpoint, []).append(_to_claim(endpoint, row))
            except NewerFormatError:
                unread.add(endpoint)
        known = {endpoint: tuple(each) for endpoint, each in claims.items() if endpoint not in unread}
        return Ledger(known, frozenset(unread))

    async def claimants_in(self, group: ResourceId) -> frozenset[ResourceId]:
        """The endpoints of a resource group that have claims."""
        asked = "PartitionKey ge @from and PartitionKey lt @to"
        limits = {"from": _partition(group) + "|", "to": _partition(group) + "}"}
        rows = await self._claims.rows(asked, limits, f"reading the claims in {group}")
        claims = [row for row in rows if row["RowKey"] != _FOLLOW_UP]
        return frozenset(read_all(claims, lambda row: _endpoint(row["PartitionKey"])))

    async def claimants_of(self, key: RecordKey) -> frozenset[ResourceId]:
        """The endpoints that claim a name, or did a moment ago."""
        return await self._listed(_name(key), f"reading the claimants of {key}")

    async def _listed(self, partition: str, doing: str) -> frozenset[ResourceId]:
        rows = await self._names.rows("PartitionKey eq @key", {"key": partition}, doing)
        return frozenset(read_all(rows, lambda row: _endpoint(row["RowKey"])))

    async def wait_for(self, zone: ResourceId, endpoint: ResourceId) -> None:
        """Remembers for a while that an endpoint has names in a zone that is not there."""
        entity = {"PartitionKey": _partition(zone), "RowKey": _partition(endpoint)}
        await self._names.put(entity, f"noting that {endpoint} waits for {zone}")

    async def waiting_for(self, zone: ResourceId) -> frozenset[ResourceId]:
        """The endpoints that found a zone missing, within the last hour or so."""
        return await self._listed(_partition(zone), f"reading who waits for {zone}")

    async def mend_names(self, ledger: Ledger) -> None:
        """Lists every claimant that the second table misses, and clears away those that have had no claim for a while.

        One that was listed just now may be about to store its claim.
        """
        rows = await self._names.every_row("reading the claimants of all names")
        listed: dict[tuple[str, str], Any] = {(row["PartitionKey"], row["RowKey"]): row.metadata for row in rows}
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
        await self._names.put(entity, f"listing {claim.endpoint} as a claimant of {claim.key}")

    async def _write(self, batch: Sequence[Claim]) -> list[str]:
        """The new versions. A transaction of one, the common case, would cost twice as much as a plain write."""
        if len(batch) == 1:
            return [(await self._claims.client.upsert_entity(_to_row(batch[0]), UpdateMode.REPLACE))["etag"]]
        operations = [("upsert", _to_row(claim), {"mode": UpdateMode.REPLACE}) for claim in batch]
        return [answer["etag"] for answer in await self._claims.client.submit_transaction(operations)]

    async def settle(self, claim: Claim) -> None:
        """Rewrites a claim that was stored before. Raises RacedError if it changed or went meanwhile."""
        with translated(f"settling the claim of {claim.endpoint} on {claim.key}"):
            await self._claims.client.update_entity(
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
                await self._claims.client.delete_entity(
                    _partition(claim.endpoint),
                    _name(claim.key),
                    etag=claim.version,
                    match_condition=MatchConditions.IfNotModified,
                )
        except RacedError:
            return

    async def follow_up(self, subject: ResourceId) -> FollowUp | None:
        """The one look that is waiting for what a scope is about; None where there is none."""
        row = await self._claims.row(_partition(subject), _FOLLOW_UP, f"reading the follow-up of {subject}")
        return FollowUp(int(row["Attempt"]), float(row["Due"]), bool(row["Thorough"])) if row else None

    async def note_follow_up(self, subject: ResourceId, follow_up: FollowUp) -> None:
        """Remembers the one look that is waiting."""
        entity = {
            "PartitionKey": _partition(subject),
            "RowKey": _FOLLOW_UP,
            "Format": CLAIM_FORMAT,
            "Attempt": follow_up.attempt,
            "Due": follow_up.due,
            "Thorough": follow_up.thorough,
        }
        await self._claims.put(entity, f"noting a follow-up of {subject}")

    async def close_follow_up(self, subject: ResourceId) -> None:
        """Forgets the waiting look, if there is one: there is nothing left to wait for."""
        await self._claims.delete(_partition(subject), [_FOLLOW_UP], f"closing the follow-up of {subject}")


def _partition(resource: ResourceId) -> str:
    """Table keys take no slashes; ids have no bars."""
    return resource.key.replace("/", "|")


def _endpoint(key: str) -> ResourceId:
    """The endpoint that has such a key."""
    return ResourceId.parse(key.replace("|", "/"))


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


def _to_claim(endpoint: ResourceId, row: TableEntity) -> Claim:
    """Raises NewerFormatError for what a newer version wrote, and for what no version did: it is left alone."""
    try:
        if row["Format"] > CLAIM_FORMAT:
            told = f"claims of {endpoint} have format {row['Format']}; this version knows {CLAIM_FORMAT}"
            raise NewerFormatError(told)
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
            version=row.metadata["etag"] or "",
        )
    except (InputError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise NewerFormatError(f"a claim of {endpoint} cannot be read: {error}") from error
