"""Subscriptions: which tenant they are in, and which belong to the estate."""

from __future__ import annotations

from collections.abc import Iterable

from hubwarden.arm.failures import shaped, translated
from hubwarden.arm.graph import rows_of
from hubwarden.arm.session import ArmSession
from hubwarden.errors import DeniedError, NotFoundError
from hubwarden.model.resource_id import fold

_API_VERSION = "2022-12-01"
_SUBSCRIPTIONS = (
    "resourcecontainers | where type =~ 'microsoft.resources/subscriptions'"
    " | project id, subscriptionId | order by id asc"
)

_ABOVE = (
    "resourcecontainers | where type =~ 'microsoft.resources/subscriptions'"
    " | project id, subscriptionId, chain = properties.managementGroupAncestorsChain | order by id asc"
)


async def tenant_of(session: ArmSession, subscription: str) -> str | None:
    """The tenant that ARM names for a subscription; None where it does not show us the subscription."""
    try:
        with translated("reading subscription", subscription):
            body = await session.get(f"/subscriptions/{subscription}", _API_VERSION)
    except (NotFoundError, DeniedError):
        return None
    return fold(str(body.get("tenantId") or "")) or None


async def subscriptions_under(session: ArmSession, management_groups: Iterable[str]) -> frozenset[str]:
    """The ids of all subscriptions beneath these management groups, as Resource Graph shows them.

    Raises UnavailableError when the answer is not whole.
    """
    groups = list(management_groups)
    rows = await rows_of(session, _SUBSCRIPTIONS, management_groups=groups, about=", ".join(groups))
    return frozenset(fold(str(row["subscriptionId"])) for row in rows)


async def management_groups_above(session: ArmSession, subscription: str) -> tuple[str, ...] | None:
    """The names of the management groups above a subscription, as Resource Graph shows them.

    None where it does not show the subscription, or no group above it: each has the tenant's root group above it.
    Raises UnavailableError when the answer is not whole.
    """
    rows = await rows_of(session, _ABOVE, subscriptions=[subscription], about=f"groups above {subscription}")
    for row in rows:
        if fold(str(row["subscriptionId"])) == fold(subscription):
            with shaped(f"the management groups above {subscription}"):
                return tuple(str(group["name"]) for group in row["chain"] or ()) or None
    return None
