"""Resource Graph: whole answers to a query, page by page. It is an index: it hints, it never proves."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from azure.mgmt.resourcegraph.models import QueryRequest, QueryRequestOptions

from hubwarden.arm.failures import translated
from hubwarden.arm.session import ArmSession
from hubwarden.errors import InputError, UnavailableError
from hubwarden.model.resource_id import ResourceId

_PAGE = 1000  # the most rows that Resource Graph gives at once
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_BY_GUID = (
    "resources | where type =~ 'microsoft.network/privateendpoints' and properties.resourceGuid =~ '{guid}'"
    " | project id | order by id asc"
)


async def rows_of(
    session: ArmSession, query: str, *, management_groups: Sequence[str] = (), about: str
) -> list[Mapping[str, Any]]:
    """All rows of a query, over these management groups or over everything that we may read.

    Raises UnavailableError where the answer is not whole: `resultTruncated`, a text, is "true" when rows were lost.
    """
    rows: list[Mapping[str, Any]] = []
    token: str | None = None
    while True:
        options = QueryRequestOptions(top=_PAGE, skip_token=token, result_format="objectArray")
        request = QueryRequest(query=query, management_groups=list(management_groups) or None, options=options)
        with translated("asking Resource Graph for", about):
            page = await session.graph.resources(request)
        if str(page.result_truncated).lower() == "true":
            raise UnavailableError(f"Resource Graph cut its answer short: {about}")
        rows += list(page.data)  # type: ignore[arg-type]
        token = page.skip_token
        if not token:
            return rows


async def endpoints_with_guid(session: ArmSession, guid: str) -> tuple[ResourceId, ...]:
    """The private endpoints that the index shows under a resourceGuid: where a moved one may have gone."""
    if not _GUID.fullmatch(guid):
        raise InputError(f"{guid[:60]!r} is not a resourceGuid")
    rows = await rows_of(session, _BY_GUID.format(guid=guid), about=f"endpoints with resourceGuid {guid}")
    return tuple(ResourceId.parse(row["id"]) for row in rows)
