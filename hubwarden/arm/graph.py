"""Resource Graph: whole answers to a query, page by page. It is an index: it hints, it never proves."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from azure.mgmt.resourcegraph.models import QueryRequest, QueryRequestOptions, QueryResponse

from hubwarden.arm.failures import translated
from hubwarden.arm.session import LONGEST_WAIT, ArmSession
from hubwarden.errors import InputError, RefusedError, ThrottledError, UnavailableError
from hubwarden.model.resource_id import GUID, ResourceId

_PAGE = 1000  # the most rows that Resource Graph gives at once
_SCOPE = 1000  # the most subscriptions that one question names
_PATIENCE = 3  # times that we ask again when asked to wait
_QUOTA_LASTS = 5.0  # seconds after which Resource Graph's quota is new
_TOO_LARGE = "ResponsePayloadTooLarge"
_GUID = re.compile(GUID, re.ASCII | re.IGNORECASE)
_BY_GUID = (
    "resources | where type =~ 'microsoft.network/privateendpoints' and properties.resourceGuid =~ '{guid}'"
    " | project id | order by id asc"
)


async def rows_of(
    session: ArmSession,
    query: str,
    *,
    management_groups: Sequence[str] = (),
    subscriptions: Collection[str] = (),
    about: str,
) -> list[Mapping[str, Any]]:
    """All rows of a query, over these management groups or subscriptions, or over everything that we may read.

    Raises UnavailableError where the answer is not whole: `resultTruncated`, a text, is "true" when rows were lost.
    """
    ordered = sorted(subscriptions)
    parts = [ordered[start : start + _SCOPE] for start in range(0, len(ordered), _SCOPE)] or [[]]
    return [row for part in parts for row in await _rows(session, query, management_groups, part, about)]


async def _rows(
    session: ArmSession, query: str, management_groups: Sequence[str], subscriptions: Sequence[str], about: str
) -> list[Mapping[str, Any]]:
    rows: list[Mapping[str, Any]] = []
    token: str | None = None
    size = _PAGE
    while True:
        options = QueryRequestOptions(top=size, skip_token=token, result_format="objectArray")
        request = QueryRequest(
            query=query,
            management_groups=list(management_groups) or None,
            subscriptions=list(subscriptions) or None,
            options=options,
        )
        try:
            page = await _page(session, request, about)
        except RefusedError as error:
            if _TOO_LARGE not in (error.code, *error.details) or size == 1:
                raise
            # A token has the page's size in it, so the rows so far are asked for anew.
            rows, token, size = [], None, size // 2
            continue
        if str(page.result_truncated).lower() == "true":
            raise UnavailableError(f"Resource Graph cut its answer short: {about}")
        rows += list(page.data)  # type: ignore[arg-type]
        token = page.skip_token
        if not token:
            return rows


async def _page(session: ArmSession, request: QueryRequest, about: str) -> QueryResponse:
    """One page. The SDK does not try a POST again after a 429, and Resource Graph's quota is back within seconds."""
    for _ in range(_PATIENCE):
        try:
            with translated("asking Resource Graph for", about):
                return await session.graph.resources(request)
        except ThrottledError as error:
            await session.sleep(min(error.retry_after or _QUOTA_LASTS, LONGEST_WAIT))
    with translated("asking Resource Graph for", about):
        return await session.graph.resources(request)


async def endpoints_with_guid(session: ArmSession, guid: str) -> tuple[ResourceId, ...]:
    """The private endpoints that the index shows under a resourceGuid: where a moved one may have gone."""
    if not _GUID.fullmatch(guid):
        raise InputError(f"{guid[:60]!r} is not a resourceGuid")
    rows = await rows_of(session, _BY_GUID.format(guid=guid), about=f"endpoints with resourceGuid {guid}")
    return tuple(ResourceId.parse(row["id"]) for row in rows)
