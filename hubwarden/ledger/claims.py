"""The claims of endpoints on names, and the follow-up that an endpoint has waiting: one partition an endpoint."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from azure.core import MatchConditions
from azure.data.tables import UpdateMode

from hubwarden.errors import NewerFormatError, RacedError
from hubwarden.ledger.failures import translated
from hubwarden.ledger.storage import StorageAccount
from hubwarden.model.plan import Claim, ClaimState
from hubwarden.model.record import RecordKey, RecordType
from hubwarden.model.resource_id import ResourceId

CLAIMS_TABLE = "hubwardenclaims"
CLAIM_FORMAT = 1
_BATCH = 100  # Azure Tables takes at most 100 operations in one transaction
_FOLLOW_UP = "follow-up"


@dataclass(frozen=True, slots=True)
class FollowUp:
    """The one look that an endpoint has waiting in the work queue: which try, and when (seconds since 1970)."""

    attempt: int
    due: float
    thorough: bool = False


class Claims:
    """Claims and follow-ups in the table. Raises LedgerUnavailableError when storage does not do its part."""

    def __init__(self, account: StorageAccount) -> None:
        self._claims = account.table(CLAIMS_TABLE)
        self._table = self._claims.client

    async def of(self, endpoint: ResourceId) -> tuple[Claim, ...]:
        """The claims of one endpoint, in one query.

        Raises NewerFormatError where a newer Hubwarden has written one: the endpoint is left to it.
        """

        async def query() -> list[Mapping[str, Any]]:
            pages = self._table.query_entities("PartitionKey eq @key", parameters={"key": _partition(endpoint)})
            return [_with_version(entity) async for entity in pages]

        with translated(f"reading the claims of {endpoint}"):
            rows = await self._claims.run(query)
        if newer := [row["Format"] for row in rows if row["Format"] > CLAIM_FORMAT]:
            raise NewerFormatError(f"claims of {endpoint} have format {newer[0]}; this version knows {CLAIM_FORMAT}")
        return tuple(_to_claim(endpoint, row) for row in rows if row["RowKey"] != _FOLLOW_UP)

    async def store(self, claims: Iterable[Claim]) -> tuple[Claim, ...]:
        """Writes claims of one endpoint, whatever stood there, and gives them with their versions."""
        ordered = list(claims)
        stored: list[Claim] = []
        for start in range(0, len(ordered), _BATCH):
            batch = ordered[start : start + _BATCH]
            with translated(f"storing claims of {batch[0].endpoint}"):
                versions = await self._claims.run(partial(self._write, batch))
            stored += [replace(claim, version=version) for claim, version in zip(batch, versions, strict=True)]
        return tuple(stored)

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
        try:
            with translated(f"removing the claim of {claim.endpoint} on {claim.key}"):
                await self._table.delete_entity(
                    _partition(claim.endpoint),
                    _row(claim.hub, claim.key),
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


def _row(hub: str, key: RecordKey) -> str:
    return f"{hub.lower()}|{key.zone.key.replace('/', '|')}|{key.name}|{key.type}"


def _to_row(claim: Claim) -> dict[str, Any]:
    return {
        "PartitionKey": _partition(claim.endpoint),
        "RowKey": _row(claim.hub, claim.key),
        "Format": CLAIM_FORMAT,
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
    return Claim(
        endpoint=endpoint,
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


def _with_version(entity: Any) -> dict[str, Any]:
    return {**entity, "version": entity.metadata["etag"]}
