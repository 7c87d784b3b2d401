"""Subscriptions: which tenant they are in, and which belong to the estate."""

from __future__ import annotations

from collections.abc import Iterable

from azure.mgmt.resourcegraph.models import QueryRequest, QueryRequestOptions

from hubwarden.arm.failures import translated
from hubwarden.arm.session import ArmSession
from hubwarden.errors import DeniedError, NotFoundError, UnavailableError
from hubwarden.model.resource_id import fold

_API_VERSION = "2022-12-01"
_PAGE = 1000
_SUBSCRIPTIONS = (
    "resourcecontainers | where type =~ 'microsoft.resources/subscriptions'"
    " | project id, subscriptionId | order by id asc"
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

    Raises UnavailableError when the answer is not whole (`resultTruncated` "true" means lost rows).
    """
    found: set[str] = set()
    token: str | None = None
    groups = list(management_groups)
    while True:
        options = QueryRequestOptions(top=_PAGE, skip_token=token, result_format="objectArray")
        query = QueryRequest(query=_SUBSCRIPTIONS, management_groups=groups, options=options)
        with translated("asking Resource Graph for the subscriptions of", ", ".join(groups)):
            page = await session.graph.resources(query)
        if str(page.result_truncated).lower() == "true":
            raise UnavailableError("Resource Graph cut the list of subscriptions short")
        rows: list[dict[str, str]] = list(page.data)  # type: ignore[arg-type]
        found |= {fold(row["subscriptionId"]) for row in rows}
        token = page.skip_token
        if not token:
            return frozenset(found)
