"""Law 13: what one endpoint or record brings can only hold itself; the run goes on, and it is told."""

from __future__ import annotations

from typing import Any

import pytest

from hubwarden.model.plan import HeldReason
from hubwarden.model.report import Status
from hubwarden.model.resource_id import ResourceId
from tests.azure import SPOKE, resource_id
from tests.estate import Estate, held

ACCOUNT = resource_id(SPOKE, "rg-spoke", "Microsoft.Storage/storageAccounts", "st1")
BROKEN = resource_id(SPOKE, "rg-spoke", "Microsoft.Network/privateEndpoints", "broken")


def broken(**properties: Any) -> dict[str, Any]:
    """An endpoint of another shape than Azure's."""
    return {
        "id": BROKEN,
        "name": "broken",
        "type": "Microsoft.Network/privateEndpoints",
        "location": "westeurope",
        "properties": {"provisioningState": "Succeeded", "resourceGuid": "g", **properties},
    }


@pytest.mark.parametrize(
    "properties",
    [
        pytest.param({"privateLinkServiceConnections": "none"}, id="text for a list"),
        pytest.param({"privateLinkServiceConnections": [7]}, id="a number for a connection"),
        pytest.param(
            {"privateLinkServiceConnections": [{"properties": {"privateLinkServiceConnectionState": "Approved"}}]},
            id="text for a state",
        ),
        pytest.param({"privateLinkServiceConnections": [{"properties": {"groupIds": 5}}]}, id="a number for groups"),
        pytest.param({"privateLinkServiceConnections": [], "customDnsConfigs": ["x"]}, id="text for a name"),
    ],
)
async def test_an_endpoint_that_cannot_be_read_holds_only_itself(estate: Estate, properties: dict[str, Any]) -> None:
    await estate.azure.endpoint("pe1", ACCOUNT)
    await estate.azure.put(broken(**properties))
    report = await estate.sweep()
    assert report.status is Status.DONE
    assert await estate.addresses() == ["10.1.0.4"], "the others are served"
    assert set(held(report)) <= {HeldReason.MALFORMED, HeldReason.NOT_APPROVED}
    assert [each.endpoint for each in report.plan.held] == [ResourceId.parse(BROKEN)]
    assert (await estate.look(BROKEN)).plan.held[0].reason is report.plan.held[0].reason


async def test_a_record_that_cannot_be_read_holds_only_its_name(estate: Estate) -> None:
    endpoint = await estate.azure.endpoint("pe1", ACCOUNT)
    await estate.azure.endpoint("pe2", await estate.azure.storage_account("st2"))
    await estate.write_by_hand(addresses=["10.9.9.9"])
    shown = await estate.record()
    assert shown is not None
    shown["properties"]["aRecords"] = [{"ipv4Address": "not an address"}]
    await estate.azure.put(shown)
    report = await estate.sweep()
    assert await estate.addresses("st2") is not None
    assert held(report) == [HeldReason.UNCERTAIN]
    assert report.plan.held[0].endpoint == ResourceId.parse(endpoint)
