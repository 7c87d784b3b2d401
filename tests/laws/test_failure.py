"""Law 12: a failed write is an Outcome, and nothing is acknowledged that was not done or handed on. Law 8 and law 13:
what one endpoint brings can only hold itself."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest
from azure.storage.queue import TextBase64DecodePolicy
from azure.storage.queue.aio import QueueClient

from hubwarden.errors import LedgerUnavailableError, TemporaryError
from hubwarden.model.plan import HeldReason
from hubwarden.model.report import Result, Status
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import OneEndpoint
from hubwarden.model.work import WorkItem
from tests.azure import BLOB_ZONE, HUB, SPOKE, resource_id
from tests.estate import Estate, held, written
from tests.laws.conftest import Founding

WITHIN = 100.0


def fault(method: str, path: str, **more: Any) -> dict[str, Any]:
    """A fault of ARM, once unless said otherwise."""
    return {"service": "arm", "method": method, "path": path, "times": 1, "when": "before", **more}


async def waiting(estate: Estate) -> list[dict[str, Any]]:
    """The work items in the queue that are visible now."""
    queue = QueueClient.from_connection_string(
        estate.connection_string, "hubwarden-work", message_decode_policy=TextBase64DecodePolicy()
    )
    async with queue:
        return [json.loads(message.content) for message in await queue.peek_messages(max_messages=32)]


@pytest.mark.parametrize(
    ("status", "code", "temporary"),
    [
        (403, "AuthorizationFailed", False),
        (409, "AnotherOperationInProgress", True),
        (409, "ScopeLocked", False),
        (429, "SubscriptionRequestsThrottled", True),
        (500, "InternalServerError", True),
        (400, "BadRequest", False),
    ],
)
async def test_a_failed_write_is_an_outcome_and_is_handed_on(
    found: Founding, status: int, code: str, temporary: bool, caplog: pytest.LogCaptureFixture
) -> None:
    estate = await found(followUps=["10ms"])
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke())
    await estate.azure.sim("POST", "faults", fault("PUT", "/A/st1", status=status, code=code, times=4))
    looked = await estate.hubwarden.look(OneEndpoint(ResourceId.parse(endpoint)), within=WITHIN)
    assert looked.report is not None
    assert looked.report.status is Status.FAILED
    (outcome,) = looked.report.outcomes
    assert (outcome.result, outcome.temporary) == (Result.FAILED, temporary)
    assert code in outcome.error
    assert "st1.privatelink.blob.core.windows.net" in outcome.error
    with caplog.at_level("INFO"):
        looked.tell(logging.getLogger("test"), "door")
    assert code in caplog.text, "never only a log line, but that, too"
    assert "0 of 1 changes done" in caplog.text
    (item,) = await waiting(estate)
    assert item["scope"]["endpoint"] == endpoint
    await estate.azure.sim("DELETE", "faults")
    again = await estate.hubwarden.work(WorkItem.from_json(json.dumps(item)), within=WITHIN)
    assert again is not None
    assert not again.gave_up
    assert await estate.addresses() == ["10.1.0.4"]


async def test_what_azure_asks_to_wait_is_waited_for_in_the_queue(found: Founding) -> None:
    estate = await found(followUps=["10ms"])
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke())
    await estate.azure.sim("POST", "faults", fault("PUT", "/A/st1", status=429, code="TooMany", retryAfter=120))
    looked = await estate.hubwarden.look(OneEndpoint(ResourceId.parse(endpoint)), within=WITHIN)
    assert looked.next_look == pytest.approx(estate.time.now() + 120)
    writes = [each for each in await estate.azure.requests() if each["path"].endswith("/A/st1")]
    assert len(writes) == 1, "nobody slept on it"


async def test_the_tries_end_and_say_so(found: Founding) -> None:
    estate = await found(followUps=["10ms", "10ms"])
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke())
    await estate.azure.sim("POST", "faults", fault("PUT", "/A/st1", status=403, code="AuthorizationFailed", times=9))
    scope = OneEndpoint(ResourceId.parse(endpoint))
    attempts = [await estate.hubwarden.look(scope, within=WITHIN, attempt=attempt) for attempt in range(3)]
    assert [looked.gave_up for looked in attempts] == [False, False, True]


async def test_a_mere_wait_ends_quietly(found: Founding) -> None:
    estate = await found(followUps=["10ms"])
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke(), manual=True)
    scope = OneEndpoint(ResourceId.parse(endpoint))
    first = await estate.hubwarden.look(scope, within=WITHIN)
    assert first.next_look is not None
    last = await estate.hubwarden.look(scope, within=WITHIN, attempt=1)
    assert last.next_look is None
    assert not last.gave_up


async def test_one_follow_up_for_an_endpoint_however_often_it_is_told(found: Founding) -> None:
    estate = await found(followUps=["900ms", "900ms"])
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke(), manual=True)
    scope = OneEndpoint(ResourceId.parse(endpoint))
    for _ in range(5):
        await estate.hubwarden.look(scope, within=WITHIN)
    assert len(await waiting(estate)) == 1


async def test_a_follow_up_that_another_replaced_is_not_done(found: Founding) -> None:
    estate = await found(followUps=["10ms", "10ms"])
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke(), manual=True)
    scope = OneEndpoint(ResourceId.parse(endpoint))
    await estate.hubwarden.look(scope, within=WITHIN)
    (old,) = await waiting(estate)
    estate.time.seconds += 5
    await estate.hubwarden.look(scope, within=WITHIN)
    assert await estate.hubwarden.work(WorkItem.from_json(json.dumps(old)), within=WITHIN) is None


async def test_a_run_that_takes_too_long_is_handed_on(found: Founding) -> None:
    estate = await found(followUps=["10ms"])
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke())
    await estate.azure.sim("POST", "faults", fault("GET", "/privateEndpoints/pe1", delayMs=5000))
    looked = await estate.hubwarden.look(OneEndpoint(ResourceId.parse(endpoint)), within=0.05)
    assert looked.report is None
    assert len(await waiting(estate)) == 1


async def test_with_storage_down_nothing_is_written(estate: Estate, azurite_down: str) -> None:
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke())
    await estate.forget_calls()
    with pytest.raises(LedgerUnavailableError):
        await estate.look(endpoint)
    with pytest.raises(LedgerUnavailableError):
        await estate.hubwarden.look(OneEndpoint(ResourceId.parse(endpoint)), within=WITHIN)
    assert not [call for call in await estate.calls() if not call.startswith("GET")]


async def test_a_crash_after_the_claim_leaves_nothing_that_the_next_look_does_not_finish(estate: Estate) -> None:
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke())
    await estate.azure.sim("POST", "faults", fault("PUT", "/A/st1", delayMs=10_000, when="after"))
    run = asyncio.create_task(estate.look(endpoint))
    await estate.until(estate.addresses)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    report = await estate.look(endpoint)
    assert len(report.plan.unchanged) == 1, "the record is there, with our mark, and now the claim knows it"
    await estate.delete_endpoint(endpoint)
    await estate.look(endpoint)
    assert await estate.addresses() is None


async def test_a_crash_before_the_record_and_the_endpoint_gone(estate: Estate) -> None:
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke())
    await estate.azure.sim("POST", "faults", fault("PUT", "/A/st1", status=500, code="Died", times=4))
    await estate.look(endpoint)
    await estate.delete_endpoint(endpoint)
    report = await estate.look(endpoint)
    assert not report.plan.changes
    await estate.forget_calls()
    await estate.look(endpoint)
    assert len(await estate.calls()) == 1, "the claim was forgotten"


async def test_two_hosts_on_one_event(estate: Estate) -> None:
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke())
    reports = await asyncio.gather(*(estate.look(endpoint) for _ in range(4)))
    assert not [report for report in reports if report.unfinished]
    assert await estate.addresses() == ["10.1.0.4"]
    assert not (await estate.look(endpoint, thorough=True)).plan.changes


async def test_a_creation_that_a_deletion_overtakes_leaves_no_record(estate: Estate) -> None:
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke())
    await estate.azure.sim("POST", "faults", fault("PUT", "/A/st1", delayMs=300))
    creating = asyncio.create_task(estate.look(endpoint))

    async def write_has_begun() -> bool:
        return any(each["path"].endswith("/A/st1") for each in await estate.azure.requests())

    await estate.until(write_has_begun)
    await estate.delete_endpoint(endpoint)
    await estate.look(endpoint)
    await creating
    assert await estate.addresses() is None


async def test_a_zone_deleted_under_a_write_is_held_as_missing(estate: Estate) -> None:
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke())
    await estate.warm()
    await estate.azure.sim(
        "DELETE", "resources", id=resource_id(HUB, "rg-dns", "Microsoft.Network/privateDnsZones", BLOB_ZONE)
    )
    assert held(await estate.look(endpoint)) == [HeldReason.NO_ZONE, HeldReason.UNCERTAIN]


async def test_a_zone_that_appears_is_found_soon(estate: Estate) -> None:
    target = resource_id(SPOKE, "rg-spoke", "Microsoft.KeyVault/vaults", "kv1")
    zone = "privatelink.vaultcore.azure.net"
    members = [
        {"groupId": "vault", "memberName": "default", "fqdns": ["kv1.vault.azure.net"], "zone": zone,
         "publicAddress": "203.0.113.8"}
    ]  # fmt: skip
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.target(target, members), groups=["vault"])
    assert held(await estate.look(endpoint)) == [HeldReason.NO_ZONE]
    await estate.azure.zone(zone)
    estate.time.seconds += 31
    assert written(await estate.look(endpoint)) == {"kv1": ["10.1.0.4"]}


async def test_one_bad_name_holds_back_only_itself(estate: Estate) -> None:
    account = await estate.azure.spoke()
    members = [
        {"groupId": "blob", "memberName": f"m{position}", "fqdns": [fqdn], "zone": BLOB_ZONE,
         "publicAddress": "203.0.113.7"}
        for position, fqdn in enumerate(
            ["st1.blob.core.windows.net", "kv9.vault.azure.net", "login.contoso.com", "a b.blob.core.windows.net"]
        )
    ]  # fmt: skip
    await estate.azure.target(account, members)
    report = await estate.look(await estate.azure.endpoint("pe1", account))
    assert set(written(report)) == {"st1"}
    assert held(report) == [HeldReason.NAME_NOT_ALLOWED] * 3


async def test_an_owners_word_for_somebody_elses_account_is_not_taken(estate: Estate) -> None:
    """`customDnsConfigs` can be written by the endpoint's owner."""
    await estate.azure.sim("POST", "settings", {"nicLagMs": 3_600_000})
    wish = [
        {"fqdn": "victim.blob.core.windows.net", "ipAddresses": ["10.1.0.4"]},
        {"fqdn": "st1.blob.core.windows.net", "ipAddresses": ["10.1.0.4"]},
    ]
    account = await estate.azure.spoke()
    endpoint = await estate.azure.endpoint("pe1", account, wait=False, customDnsConfigs=wish)

    async def has_succeeded() -> bool:
        document = (await estate.azure.arm("GET", endpoint)).body
        return bool(document["properties"]["provisioningState"] == "Succeeded")

    await estate.until(has_succeeded)
    report = await estate.look(endpoint)
    assert held(report) == [HeldReason.NAME_NOT_ALLOWED]
    assert written(report) == {"st1": ["10.1.0.4"]}


async def test_an_address_outside_the_private_ranges_is_not_published(found: Founding) -> None:
    estate = await found(records={"addresses": ["192.168.0.0/16"]})
    report = await estate.look(await estate.azure.endpoint("pe1", await estate.azure.spoke()))
    assert held(report) == [HeldReason.NAME_NOT_ALLOWED]


async def test_a_target_not_known_to_be_ours_is_held_unless_the_owner_says_otherwise(found: Founding) -> None:
    foreign = "00000000-0000-0000-0000-0000000000ff"
    for policy, reasons in (("hold", [HeldReason.NAME_NOT_ALLOWED]), ("publish", [])):
        estate = await found(records={"foreignTargets": policy})
        await estate.azure.subscription(foreign, tenant="00000000-0000-0000-0000-00000000ffff")
        await estate.azure.resource_group("rg-far", foreign)
        account = await estate.azure.storage_account("stfar", "rg-far", foreign)
        endpoint = await estate.azure.endpoint(f"pe-{policy}", account)
        assert held(await estate.look(endpoint)) == reasons


async def test_a_private_link_service_brings_no_names(estate: Estate) -> None:
    account = await estate.azure.spoke()
    endpoint = await estate.azure.endpoint("pe1", account)
    document = (await estate.azure.arm("GET", endpoint)).body
    connection = document["properties"]["privateLinkServiceConnections"][0]["properties"]
    for target in (
        "pls.5f0c6d2e.westeurope.azure.privatelinkservice",
        account.replace("Storage/storageAccounts", "Network/privateLinkServices"),
    ):
        connection["privateLinkServiceId"] = target
        await estate.azure.put(document)
        # The interface still shows the account's name, which such a service may claim no more than any other.
        assert held(await estate.look(endpoint)) == [HeldReason.NAME_NOT_ALLOWED, HeldReason.NO_NAMES]


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param({"status": 400, "body": {"statusCode": 400, "message": "No User Assigned Identity"}}, id="400"),
        pytest.param({"status": 500}, id="500"),
        pytest.param({"reset": True}, id="reset"),
    ],
)
async def test_without_a_token_it_is_for_another_time(estate: Estate, trouble: dict[str, Any]) -> None:
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke())
    await estate.azure.sim(
        "POST",
        "faults",
        {"service": "identity", "method": "GET", "path": "token", "times": 99, "when": "before", **trouble},
    )
    with pytest.raises(TemporaryError):
        await estate.look(endpoint)
    await estate.azure.sim("DELETE", "faults")
    assert written(await estate.look(endpoint)) == {"st1": ["10.1.0.4"]}
