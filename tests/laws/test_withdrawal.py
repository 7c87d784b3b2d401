"""Law 5: nothing is dropped but on proof. Law 6: a name is published only while its connection is Approved."""

from __future__ import annotations

from typing import Any

import pytest

from hubwarden.errors import TemporaryError
from hubwarden.model.plan import HeldReason
from tests.azure import SPOKE
from tests.estate import TENANT, Estate, held, written


async def published(estate: Estate, name: str = "pe1") -> str:
    """An endpoint whose record is in the zone."""
    endpoint = await estate.azure.endpoint(name, await estate.azure.spoke())
    await estate.azure.subscription(SPOKE, tenant=TENANT)
    await estate.look(endpoint)
    assert await estate.addresses() == ["10.1.0.4"]
    await estate.forget_calls()
    return endpoint


def refusal(status: int, code: str) -> dict[str, Any]:
    """ARM answers every read of an endpoint so."""
    return {
        "service": "arm", "method": "GET", "path": "/privateEndpoints/", "times": 50, "when": "before",
        "status": status, "code": code,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "InvalidAuthenticationToken"),
        (403, "AuthorizationFailed"),
        (404, "SubscriptionNotFound"),
        (404, "ParentResourceNotFound"),
        (404, "NotFound"),
    ],
)
@pytest.mark.parametrize("thorough", [False, True])
async def test_an_answer_that_proves_nothing_withdraws_nothing(
    estate: Estate, status: int, code: str, thorough: bool
) -> None:
    endpoint = await published(estate)
    await estate.azure.sim("POST", "faults", refusal(status, code))
    report = await estate.look(endpoint, thorough=thorough)
    assert held(report) == [HeldReason.UNCERTAIN]
    assert report.look_again
    assert await estate.addresses() == ["10.1.0.4"]


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_no_answer_at_all_is_for_another_time(estate: Estate, status: int) -> None:
    endpoint = await published(estate)
    await estate.azure.sim("POST", "faults", refusal(status, "ServerError"))
    with pytest.raises(TemporaryError):
        await estate.look(endpoint)
    assert await estate.addresses() == ["10.1.0.4"]


@pytest.mark.parametrize("code", ["ResourceNotFound", "ResourceGroupNotFound"])
async def test_a_plain_404_is_proof_while_the_subscription_answers(estate: Estate, code: str) -> None:
    endpoint = await published(estate)
    await estate.azure.sim("POST", "faults", refusal(404, code))
    await estate.look(endpoint)
    assert await estate.addresses() is None


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"readable": False}, id="hidden"),
        pytest.param({"tenant": "00000000-0000-0000-0000-00000000ffff"}, id="moved to another tenant"),
    ],
)
async def test_a_404_is_no_proof_while_the_subscription_does_not_answer(estate: Estate, change: dict[str, Any]) -> None:
    endpoint = await published(estate)
    await estate.delete_endpoint(endpoint)
    await estate.azure.sim("POST", "faults", refusal(404, "ResourceNotFound"))
    await estate.azure.subscription(SPOKE, **change)
    assert held(await estate.look(endpoint)) == [HeldReason.UNCERTAIN]
    assert await estate.addresses() == ["10.1.0.4"]


async def test_the_subscription_is_asked_anew_for_a_withdrawal(estate: Estate) -> None:
    endpoint = await published(estate)
    await estate.warm()
    await estate.delete_endpoint(endpoint)
    await estate.forget_calls()
    await estate.look(endpoint)
    assert f"GET /subscriptions/{SPOKE}" in await estate.calls()


async def test_a_moved_endpoint_takes_its_record_over(estate: Estate) -> None:
    endpoint = await published(estate)
    document = (await estate.azure.arm("GET", endpoint)).body
    await estate.azure.resource_group("rg-new")
    moved = endpoint.replace("rg-spoke", "rg-new")
    interface = document["properties"]["networkInterfaces"]
    await estate.azure.put(
        {**document, "id": moved, "properties": {**document["properties"], "networkInterfaces": interface}}
    )
    await estate.azure.sim("DELETE", "resources", id=endpoint)
    report = await estate.look(endpoint)
    assert held(report) == [HeldReason.UNCERTAIN]
    assert "moved" in report.plan.held[0].detail
    assert await estate.addresses() == ["10.1.0.4"], "no gap"
    assert written(await estate.look(moved)) == {"st1": ["10.1.0.4"]}
    record = await estate.record()
    assert record is not None
    assert record["properties"]["metadata"]["hubwarden_endpoint"] == moved
    await estate.look(endpoint)
    assert not (await estate.look(endpoint)).plan.held, "the old place has nothing left to say"
    assert await estate.addresses() == ["10.1.0.4"]


@pytest.mark.every_right  # the reader of the estate does not see that it lives elsewhere
async def test_an_endpoint_that_may_have_been_moved_out_of_sight_keeps_its_record(estate: Estate) -> None:
    endpoint = await published(estate)
    document = (await estate.azure.arm("GET", endpoint)).body
    hidden = "00000000-0000-0000-0000-0000000000cc"
    await estate.azure.subscription(hidden, tenant=TENANT)
    await estate.azure.resource_group("rg-spoke", hidden)
    await estate.azure.put({**document, "id": endpoint.replace(SPOKE, hidden)})
    await estate.azure.sim("POST", "faults", {**refusal(403, "AuthorizationFailed"), "path": hidden})
    await estate.azure.sim("DELETE", "resources", id=endpoint)
    assert held(await estate.look(endpoint)) == [HeldReason.UNCERTAIN]
    assert await estate.addresses() == ["10.1.0.4"]


async def test_an_endpoint_recreated_under_its_name_before_we_looked(estate: Estate) -> None:
    endpoint = await published(estate)
    account = await estate.azure.spoke()
    await estate.delete_endpoint(endpoint)
    await estate.azure.endpoint("decoy", account, groups=["blob"])
    await estate.azure.endpoint("pe1", account)
    report = await estate.look(endpoint)
    assert written(report) == {"st1": ["10.1.0.5"]}
    assert await estate.addresses() == ["10.1.0.5"], "changed in place, with no gap"


async def set_connection(estate: Estate, endpoint: str, **state: str) -> None:
    """What the endpoint shows of its connection, exactly so."""
    document = (await estate.azure.arm("GET", endpoint)).body
    for connection in document["properties"]["privateLinkServiceConnections"]:
        connection["properties"]["privateLinkServiceConnectionState"].update(state)
    await estate.azure.put(document)


@pytest.mark.parametrize("status", ["Rejected", "Disconnected", "rejected"])
async def test_an_ended_connection_withdraws_the_name(estate: Estate, status: str) -> None:
    endpoint = await published(estate)
    await set_connection(estate, endpoint, status=status)
    report = await estate.look(endpoint)
    assert held(report) == [HeldReason.NOT_APPROVED]
    assert not report.look_again
    assert await estate.addresses() is None


@pytest.mark.parametrize("status", ["Pending", "Timeout", ""])
async def test_a_connection_in_doubt_withdraws_nothing(estate: Estate, status: str) -> None:
    endpoint = await published(estate)
    await set_connection(estate, endpoint, status=status)
    assert set(held(await estate.look(endpoint))) == {HeldReason.NOT_APPROVED}
    assert await estate.addresses() == ["10.1.0.4"]


async def test_an_endpoint_that_shows_no_names_for_a_while_keeps_its_record(estate: Estate) -> None:
    endpoint = await published(estate)
    document = (await estate.azure.arm("GET", endpoint)).body
    document["properties"]["networkInterfaces"] = []
    document["properties"]["customDnsConfigs"] = []
    await estate.azure.put(document)
    assert set(held(await estate.look(endpoint))) == {HeldReason.NOT_READY}
    assert await estate.addresses() == ["10.1.0.4"]


async def test_a_name_that_the_endpoint_no_longer_has_is_withdrawn(estate: Estate) -> None:
    endpoint = await published(estate)
    nic_id = (await estate.azure.arm("GET", endpoint)).body["properties"]["networkInterfaces"][0]["id"]
    nic = (await estate.azure.arm("GET", nic_id)).body
    link = nic["properties"]["ipConfigurations"][0]["properties"]["privateLinkConnectionProperties"]
    link["fqdns"] = ["st1new.blob.core.windows.net"]
    await estate.azure.put(nic)
    await estate.look(endpoint)
    assert await estate.addresses() is None
    assert await estate.addresses("st1new") == ["10.1.0.4"]


async def test_a_pending_connection_publishes_nothing_until_it_is_approved(estate: Estate) -> None:
    account = await estate.azure.spoke()
    endpoint = await estate.azure.endpoint("pe1", account, manual=True, message="please")
    report = await estate.look(endpoint)
    assert held(report) == [HeldReason.NOT_APPROVED]
    assert report.look_again
    assert await estate.addresses() is None
    storage = await estate.azure.storage()
    connections = [each async for each in storage.private_endpoint_connections.list("rg-spoke", "st1")]
    assert connections[0].name is not None
    await storage.private_endpoint_connections.put("rg-spoke", "st1", connections[0].name, _approved(connections[0]))
    await estate.azure.settle()
    await estate.look(endpoint)
    assert await estate.addresses() == ["10.1.0.4"]


async def test_no_connection_is_ever_answered(estate: Estate) -> None:
    """Law 10, in a version that answers none: a pending connection stays as it is."""
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke(), manual=True)
    for thorough in (False, True):
        await estate.look(endpoint, thorough=thorough)
    connection = (await estate.azure.arm("GET", endpoint)).body["properties"]["manualPrivateLinkServiceConnections"][0]
    assert connection["properties"]["privateLinkServiceConnectionState"]["status"] == "Pending"


def _approved(connection: Any) -> Any:
    """The connection as its owner sends it back."""
    connection.properties.private_link_service_connection_state.status = "Approved"
    return connection
