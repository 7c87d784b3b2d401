"""Looks at what ARM itself answers before any provider does (behaviour reference sections 3.8 and 6.1)."""

from __future__ import annotations

import uuid

from tests.contract.live.estate import NETWORK, AzureEstate, error_of
from tests.contract.live.sightings import NotSeenError, Seen, observes

# By these codes the product takes an endpoint for gone (docs/unverified.md).
_PROVE_ABSENCE = ("ResourceNotFound", "ResourceGroupNotFound")


@observes(
    "the 404 of an endpoint in a missing resource group",
    section="3.8",
    believed="ResourceGroupNotFound",
    version=NETWORK,
    ways=("ResourceGroupNotFound",),
)
async def missing_group(estate: AzureEstate) -> Seen:
    place = estate.place
    path = place.endpoint("any").replace(f"/resourceGroups/{place.group}/", f"/resourceGroups/hw{place.run}-none/")
    answer = await estate.ask("GET", path, version=NETWORK)
    if answer.status == 403:
        raise NotSeenError("needs Reader on the subscription")
    assert answer.status == 404, answer.body
    return Seen(error_of(answer)["code"], error_of(answer)["message"])


@observes(
    "the answer for a subscription that does not exist",
    section="6.1",
    believed="404 SubscriptionNotFound",
    version=NETWORK,
)
async def missing_subscription(estate: AzureEstate) -> Seen:
    path = estate.place.endpoint("any").replace(estate.place.subscription, str(uuid.uuid4()))
    answer = await estate.ask("GET", path, version=NETWORK)
    assert answer.status in (401, 403, 404), answer.body
    error = error_of(answer)
    assert error["code"] not in _PROVE_ABSENCE, "a subscription out of sight looks like a deleted endpoint"
    return Seen(f"{answer.status} {error['code']}")
