"""The list of who claims each name (law 7): it never misses a claimant, for whoever is missed is not the next in turn.

Whom it lists too many costs a look; a sweep clears such away, and lists whoever is missing.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from azure.data.tables.aio import TableClient

from hubwarden.ledger.claims import NAMES_TABLE
from hubwarden.model.plan import Claim
from hubwarden.model.resource_id import ResourceId
from tests.estate import Estate, written
from tests.laws.test_contest import SECOND, contested


async def claim_of(estate: Estate, endpoint: str) -> Claim:
    """Its only claim."""
    [claim] = await estate.hubwarden.rooms.claims.of(ResourceId.parse(endpoint))
    return claim


async def is_listed(estate: Estate, claim: Claim, *endpoints: str) -> bool:
    """Whether these are listed for the name of a claim, and nobody else."""
    found = await estate.hubwarden.rooms.claims.claimants_of(claim.key)
    return found == {ResourceId.parse(endpoint) for endpoint in endpoints}


async def test_a_list_that_was_lost_is_made_anew_by_a_sweep(estate: Estate) -> None:
    first, second = await contested(estate, "pe1", "pe2")
    claim = await claim_of(estate, second)
    async with TableClient.from_connection_string(estate.connection_string, NAMES_TABLE) as table:
        async for row in table.list_entities():
            await table.delete_entity(row)
    assert await is_listed(estate, claim)
    await estate.sweep()
    assert await is_listed(estate, claim, first, second)
    await estate.delete_endpoint(first)
    assert written(await estate.look(first)) == {"st1": SECOND}, "no gap until the next sweep"


@pytest.mark.parametrize("is_forgotten_first", [True, False])
async def test_who_claims_a_name_while_another_host_forgets_the_claim_stays_listed(
    estate: Estate, is_forgotten_first: bool
) -> None:
    """Whoever claims it anew has seen the old claim, and so knows itself listed."""
    first, second = await contested(estate, "pe1", "pe2")
    claims, claim = estate.hubwarden.rooms.claims, await claim_of(estate, second)
    if is_forgotten_first:
        await claims.forget(claim)
    await claims.store([claim], listed=[claim.key])
    if not is_forgotten_first:
        await claims.forget(claim)
    assert (await claim_of(estate, second)).key == claim.key
    assert await is_listed(estate, claim, first, second)


async def test_who_has_had_no_claim_for_a_while_is_cleared_away_by_a_sweep(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever was listed just now may be about to store its claim."""
    first, second = await contested(estate, "pe1", "pe2")
    claim = await claim_of(estate, second)
    await estate.delete_endpoint(second)
    await estate.look(second)
    assert await estate.hubwarden.rooms.claims.of(claim.endpoint) == ()
    await estate.sweep()
    assert await is_listed(estate, claim, first, second)
    monkeypatch.setattr("hubwarden.ledger.claims._LINGERS", timedelta())
    await estate.sweep()
    assert await is_listed(estate, claim, first)


async def test_the_ended_who_are_still_listed_do_not_hide_the_one_who_wants_the_name(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many of them come first: the survivor takes over in the same run."""
    monkeypatch.setattr("hubwarden.reconcile.observe.SOME_CLAIMANTS", 2)
    holder, *ended, survivor = await contested(estate, "pe5", "pe1", "pe2", "pe9")
    claim = await claim_of(estate, survivor)
    for endpoint in ended:
        await estate.delete_endpoint(endpoint)
        await estate.look(endpoint)
        assert await estate.hubwarden.rooms.claims.of(ResourceId.parse(endpoint)) == ()
    assert await is_listed(estate, claim, holder, *ended, survivor)
    await estate.delete_endpoint(holder)
    assert written(await estate.look(holder)) == {"st1": ["10.1.0.7"]}
