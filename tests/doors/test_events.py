"""The Event Grid door: what happens to a private endpoint happens to its names, however the news comes."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.azure import endpoint_request
from tests.doors.local_azure import PERSONAL, Spoke
from tests.estate import record_id


async def test_an_endpoint_comes_and_goes_and_its_name_with_it(spoke: Spoke) -> None:
    """The whole of it: a stock client creates and deletes, Event Grid tells, the app writes and withdraws."""
    network = await spoke.azure.network(spoke.subscription)
    body: Any = endpoint_request(spoke.account_id, subscription=spoke.subscription)
    poller = await network.private_endpoints.begin_create_or_update("rg-spoke", "pe1", body)
    endpoint = str((await poller.result()).id)
    await spoke.settle()
    record = (await spoke.azure.arm("GET", record_id(spoke.account))).body["properties"]
    assert record["aRecords"] == [{"ipv4Address": "10.1.0.4"}]
    assert record["metadata"]["hubwarden_instance"] == "contoso"
    assert record["metadata"]["hubwarden_endpoint"].lower() == endpoint.lower()
    assert await spoke.storage.claims(endpoint) == [f"{spoke.account}.blob.core.windows.net"]

    await (await network.private_endpoints.begin_delete("rg-spoke", "pe1")).result()
    await spoke.settle()
    assert await spoke.addresses() is None
    assert await spoke.storage.claims(endpoint) == []


def cloud_event(spoke: Spoke, subject: str, **more: object) -> dict[str, object]:
    """An event in the CloudEvents schema."""
    return {
        "specversion": "1.0",
        "id": "1",
        "source": f"/subscriptions/{spoke.subscription}",
        "subject": subject,
        "type": "Microsoft.Resources.ResourceWriteSuccess",
        "time": "2026-01-01T00:00:00Z",
        **more,
    }


async def test_what_is_told_in_the_cloud_events_schema_is_heard_too(silent: Spoke) -> None:
    event = cloud_event(silent, await silent.endpoint(), data={"claims": PERSONAL})
    assert await silent.deliver(event, content="application/cloudevents+json; charset=utf-8") == 202
    assert await silent.addresses() == ["10.1.0.4"]


async def test_a_batch_is_done_whole(silent: Spoke) -> None:
    accounts = [silent.account, f"{silent.account}b", f"{silent.account}c"]
    endpoints = []
    for number, account in enumerate(accounts):
        target = await silent.azure.storage_account(account, subscription=silent.subscription)
        endpoints.append(await silent.azure.endpoint(f"pe{number}", target, subscription=silent.subscription))
    assert await silent.happened(*endpoints) == 202
    assert [await silent.addresses(account) for account in accounts] == [["10.1.0.4"], ["10.1.0.5"], ["10.1.0.6"]]


async def test_told_many_times_at_once_it_leaves_one_right_record(silent: Spoke) -> None:
    endpoint = await silent.endpoint()
    spellings = [endpoint, endpoint.replace("resourceGroups", "resourcegroups"), endpoint.upper()]
    told = [silent.happened(*spellings) for _ in range(4)]
    assert await asyncio.gather(*told) == [202] * 4
    await silent.settle()
    assert await silent.addresses() == ["10.1.0.4"]
    plan = (await silent.ask("POST", "reconcile", {"endpoint": endpoint, "apply": False})).body["plan"]
    assert (plan["changes"], plan["held"], plan["unchanged"]) == ([], [], 1)
    assert len(await silent.storage.claims(endpoint)) == 1
    assert await silent.storage.follow_up(endpoint) is None


async def test_a_zone_group_that_comes_or_goes_is_a_reason_to_look_at_its_endpoint(silent: Spoke) -> None:
    """While the group serves the name it keeps it; the event of its end brings our record."""
    endpoint = await silent.endpoint()
    group = f"{endpoint}/privateDnsZoneGroups/default"
    zone = record_id(silent.account).partition("/A/")[0]
    body = {"properties": {"privateDnsZoneConfigs": [{"name": "c", "properties": {"privateDnsZoneId": zone}}]}}
    assert (await silent.azure.arm("PUT", group, body)).status == 201
    await silent.settle()
    assert await silent.happened(group) == 202
    record = (await silent.azure.arm("GET", record_id(silent.account))).body["properties"]
    assert list(record["metadata"]) == ["creator"], "the group's own, untouched"
    assert f"GET {endpoint}" in await silent.calls()

    await silent.delete(group)
    assert await silent.addresses() is None
    assert await silent.happened(group) == 202
    record = (await silent.azure.arm("GET", record_id(silent.account))).body["properties"]
    assert record["metadata"]["hubwarden_endpoint"] == endpoint
    assert await silent.storage.count() == 4, "each event brings two more looks, after 30 s and 2 min"
    await silent.storage.clear()


async def test_an_answer_to_a_connection_is_a_reason_to_look_at_its_endpoint(silent: Spoke) -> None:
    """Section 1.2: it raises an event for the connection, in its target's subscription, and none for the endpoint."""
    endpoint = await silent.endpoint(manual=True)
    [connection] = await silent.connections()
    connection["properties"]["privateLinkServiceConnectionState"].update(status="Approved", description="by its owner")
    assert (await silent.azure.arm("PUT", connection["id"], connection)).status in (200, 201)
    await silent.azure.settle()
    assert await silent.addresses() is None
    assert await silent.happened(connection["id"]) == 202
    assert await silent.addresses() == ["10.1.0.4"]
    assert await silent.storage.claims(endpoint) == [f"{silent.account}.blob.core.windows.net"]


async def test_a_group_that_is_deleted_takes_the_names_of_its_endpoints_with_it(silent: Spoke) -> None:
    """One event for the group may be all that tells of them."""
    endpoint = await silent.endpoint()
    assert await silent.happened(endpoint) == 202
    assert await silent.addresses() == ["10.1.0.4"]
    await silent.delete(endpoint)
    group = endpoint.partition("/providers/")[0]
    operation = {"operationName": "Microsoft.Resources/subscriptions/resourceGroups/delete"}
    assert await silent.deliver([silent.event(group, data=operation)]) == 202
    assert await silent.addresses() is None


async def test_an_event_that_comes_late_changes_nothing_that_is_right(silent: Spoke) -> None:
    """Creation and deletion told in the wrong order: the truth is read, so the order is nothing."""
    endpoint = await silent.endpoint()
    assert await silent.happened(endpoint) == 202
    await silent.delete(endpoint)
    gone = silent.event(endpoint, eventType="Microsoft.Resources.ResourceDeleteSuccess")
    for late in (gone, silent.event(endpoint), gone):
        assert await silent.deliver([late]) == 202
        assert await silent.addresses() is None
    await silent.settle()
    assert await silent.storage.claims(endpoint) == []
