"""How the contract tests ask Resource Graph."""

from __future__ import annotations

from typing import Any

from tests.azure import Answer, Azure

PATH = "/providers/Microsoft.ResourceGraph/resources"


async def ask(azure: Azure, query: str, **body: Any) -> Answer:
    """A query as it goes over the wire."""
    return await azure.arm("POST", PATH, {"query": query, **body}, version="2021-03-01")


async def rows(azure: Azure, query: str, **body: Any) -> list[dict[str, Any]]:
    """The rows a query gives."""
    answer = await ask(azure, query, **body)
    assert answer.status == 200, answer.body
    found: list[dict[str, Any]] = answer.body["data"]
    return found


async def ids(azure: Azure, query: str, **body: Any) -> list[str]:
    """The last parts of the ids a query gives."""
    return [str(row.get("id") or row["subscriptionId"]).rsplit("/", 1)[-1] for row in await rows(azure, query, **body)]
