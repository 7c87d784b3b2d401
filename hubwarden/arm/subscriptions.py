"""Subscriptions: which tenant they are in, and which belong to the estate."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from azure.core.exceptions import HttpResponseError

from hubwarden.arm.failures import ELSEWHERE, shaped, translated
from hubwarden.arm.graph import rows_of
from hubwarden.arm.session import ArmSession
from hubwarden.errors import DeniedError, NotFoundError
from hubwarden.model.resource_id import GUID, fold

_API_VERSION = "2022-12-01"
_SUBSCRIPTIONS = (
    "resourcecontainers | where type =~ 'microsoft.resources/subscriptions'"
    " | project id, subscriptionId | order by id asc"
)

_ABOVE = (
    "resourcecontainers | where type =~ 'microsoft.resources/subscriptions'"
    " | project id, subscriptionId, chain = properties.managementGroupAncestorsChain | order by id asc"
)


_TENANT = rf"({GUID})(?![0-9a-f-])"
_MATCHES = re.compile(r"must match (?:the tenant|one of the tenants) '([^']*)'", re.IGNORECASE)
_ISSUER = re.compile(rf"https://[a-z0-9.-]+/{_TENANT}", re.ASCII | re.IGNORECASE)
_AUTHORITY = re.compile(rf"""authorization_uri="?https://[a-z0-9.-]+/{_TENANT}""", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Tenant:
    """The tenant that ARM names for a subscription, in lower case."""

    id: str
    is_shown: bool
    """Whether ARM showed us the subscription; where it only refused our token, it can be any tenant but ours."""


async def tenant_of(session: ArmSession, subscription: str) -> Tenant | None:
    """The tenant that ARM names for a subscription; None where it names none.

    ARM names it in the subscription's document, and where it refuses a token of another tenant: 401
    InvalidAuthenticationTokenTenant (Microsoft's list of common deployment errors), whose message and header name the
    tenant, or several (unverified for managed identities). A 403 or a 404 says nothing of the tenant.
    """
    try:
        with translated("reading subscription", subscription):
            try:
                body = await session.get(f"/subscriptions/{subscription}", _API_VERSION)
            except HttpResponseError as error:
                if elsewhere := _elsewhere(error):
                    return Tenant(elsewhere, is_shown=False)
                raise
    except (NotFoundError, DeniedError):
        return None
    shown = fold(str(body.get("tenantId") or ""))
    return Tenant(shown, is_shown=True) if shown else None


def _elsewhere(error: HttpResponseError) -> str | None:
    """The one tenant of which ARM wants a token; None where it says something else, or names several."""
    if error.status_code != 401 or error.error is None or error.error.code != ELSEWHERE:
        return None
    headers: Mapping[str, str] = getattr(error.response, "headers", {})
    named = _AUTHORITY.findall(headers.get("WWW-Authenticate", ""))
    for tenants in _MATCHES.findall(str(error.error.message)):
        named += _ISSUER.findall(tenants)
    found = set(map(fold, named))
    return found.pop() if len(found) == 1 else None


async def subscriptions_under(session: ArmSession, management_groups: Iterable[str]) -> frozenset[str]:
    """The ids of all subscriptions beneath these management groups, as Resource Graph shows them.

    Raises UnavailableError when the answer is not whole.
    """
    groups = list(management_groups)
    rows = await rows_of(session, _SUBSCRIPTIONS, management_groups=groups, about=", ".join(groups))
    return frozenset(fold(str(row["subscriptionId"])) for row in rows)


async def subscriptions_shown(session: ArmSession, subscriptions: Collection[str]) -> frozenset[str]:
    """Those of these subscriptions that Resource Graph shows. Raises UnavailableError when the answer is not whole."""
    rows = await rows_of(session, _SUBSCRIPTIONS, subscriptions=subscriptions, about="subscriptions")
    return frozenset(fold(str(row["subscriptionId"])) for row in rows)


async def read_subscription(session: ArmSession, subscription: str) -> Mapping[str, Any]:
    """The document of a subscription. Raises DeniedError, NotFoundError and TemporaryError: it is not shown."""
    with translated("reading subscription", subscription):
        return await session.get(f"/subscriptions/{subscription}", _API_VERSION)


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
