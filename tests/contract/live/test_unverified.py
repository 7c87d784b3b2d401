"""Looks at everything that no source states; fails only where it is as neither way of it has it."""

from __future__ import annotations

import pytest

from tests.contract.live.checks import CHECKS
from tests.contract.live.estate import AzureEstate
from tests.contract.live.sightings import NotSeenError, Seen, Sightings


@pytest.mark.parametrize("name", CHECKS)
async def test_it_is_one_of_the_ways_that_the_product_is_made_for(
    azure_estate: AzureEstate, sightings: Sightings, name: str
) -> None:
    check = CHECKS[name]
    try:
        seen = await check.observe(azure_estate)
    except NotSeenError as reason:
        sightings.seen.append((check, Seen("not seen", str(reason))))
        pytest.skip(str(reason))
    except AssertionError as error:
        sightings.seen.append((check, Seen("neither way", azure_estate.place.plain(str(error)))))
        raise
    sightings.seen.append((check, seen))
    assert seen.way
