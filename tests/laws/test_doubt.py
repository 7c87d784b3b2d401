"""Whatever answer leaves a doubt writes nothing, withdraws nothing, loses nothing, and stops nobody else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from azure.data.tables.aio import TableClient
from azure.functions import QueueMessage

from handlers import work as door
from hubwarden.errors import LedgerUnavailableError
from hubwarden.model.plan import Drop, HeldReason
from hubwarden.model.report import Result, Status
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import OneEndpoint
from hubwarden.model.work import WorkItem
from hubwarden.runtime import Runtime
from tests.azure import BLOB_ZONE, HUB, SPOKE, resource_id
from tests.estate import TENANT, Estate, config, held, written
from tests.laws.conftest import Founding, invocation, restarted
from tests.laws.test_failure import WITHIN, fault, waiting
from tests.laws.test_withdrawal import published


def one(endpoint: str, *, thorough: bool = False) -> OneEndpoint:
    return OneEndpoint(ResourceId.parse(endpoint), thorough)


async def of_two_names(estate: Estate) -> str:
    """An endpoint that wants the records st1 and st1-b."""
    account = await estate.azure.spoke()
    members = [
        {"groupId": "blob", "memberName": name, "fqdns": [f"{name}.blob.core.windows.net"], "zone": BLOB_ZONE,
         "publicAddress": "203.0.113.7"}
        for name in ("st1", "st1-b")
    ]  # fmt: skip
    return await estate.azure.endpoint("pe1", await estate.azure.target(account, members))


@pytest.mark.parametrize("status", [(401, "ExpiredToken"), (403, "AuthorizationFailed"), (404, "SubscriptionNotFound")])
async def test_a_tenancy_that_is_not_shown_now_is_asked_for_again(estate: Estate, status: tuple[int, str]) -> None:
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke())
    answer = {"status": status[0], "code": status[1], "times": 4}
    await estate.azure.sim("POST", "faults", fault("GET", f"/subscriptions/{SPOKE}$", **answer))
    looked = await estate.hubwarden.look(one(endpoint), within=WITHIN)
    assert looked.report is not None
    assert held(looked.report) == [HeldReason.NAME_NOT_ALLOWED]
    assert looked.next_look is not None
    await estate.azure.sim("DELETE", "faults")
    estate.time.seconds += 31
    assert written(await estate.look(endpoint)) == {"st1": ["10.1.0.4"]}


async def test_while_even_the_hub_is_not_shown_nothing_is_judged(estate: Estate) -> None:
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke())
    answer = {"status": 403, "code": "AuthorizationFailed", "times": 9}
    await estate.azure.sim("POST", "faults", fault("GET", f"/subscriptions/{HUB}$", **answer))
    looked = await estate.hubwarden.look(one(endpoint), within=WITHIN)
    assert looked.report is None
    assert looked.next_look is not None


@pytest.mark.every_right  # the reader of the estate does not see that it lives elsewhere
@pytest.mark.parametrize(
    "answer",
    [
        {"status": 404, "code": "SubscriptionNotFound"},
        {"status": 400, "code": "InvalidResourceName"},
        {"status": 401, "code": "ExpiredToken"},
    ],
)
async def test_a_candidate_for_a_move_whose_answer_proves_nothing(estate: Estate, answer: dict[str, Any]) -> None:
    endpoint = await published(estate)
    document = (await estate.azure.arm("GET", endpoint)).body
    elsewhere = "00000000-0000-0000-0000-0000000000cc"
    await estate.azure.subscription(elsewhere, tenant=TENANT)
    await estate.azure.resource_group("rg-spoke", elsewhere)
    await estate.azure.put({**document, "id": endpoint.replace(SPOKE, elsewhere)})
    await estate.azure.sim("POST", "faults", fault("GET", elsewhere, times=9, **answer))
    await estate.azure.sim("DELETE", "resources", id=endpoint)
    assert held(await estate.look(endpoint)) == [HeldReason.UNCERTAIN]
    assert await estate.addresses() == ["10.1.0.4"]


async def test_what_the_endpoints_owner_writes_does_not_prove_that_a_name_is_gone(estate: Estate) -> None:
    endpoint = await published(estate)
    document = (await estate.azure.arm("GET", endpoint)).body
    nic = (await estate.azure.arm("GET", document["properties"]["networkInterfaces"][0]["id"])).body
    nic["properties"]["ipConfigurations"][0]["properties"]["privateLinkConnectionProperties"]["fqdns"] = []
    document["properties"]["customDnsConfigs"] = [{"fqdn": "victim.blob.core.windows.net", "ipAddresses": ["10.1.0.4"]}]
    await estate.azure.put(document, nic)
    report = await estate.look(endpoint)
    assert held(report) == [HeldReason.NAME_NOT_ALLOWED, HeldReason.NOT_READY]
    assert await estate.addresses() == ["10.1.0.4"]


@pytest.mark.parametrize("code", ["SubscriptionNotFound", "ParentResourceNotFound", "ResourceGroupNotFound"])
async def test_a_record_that_is_not_shown_is_not_forgotten(estate: Estate, code: str) -> None:
    endpoint = await published(estate)
    await estate.delete_endpoint(endpoint)
    await estate.azure.sim("POST", "faults", fault("GET", "/A/st1", status=404, code=code))
    report = await estate.look(endpoint, thorough=True)
    assert held(report) == [HeldReason.UNCERTAIN]
    assert report.look_again
    assert await estate.addresses() == ["10.1.0.4"]
    await estate.look(endpoint)
    assert await estate.addresses() is None


async def test_a_record_that_may_not_be_read_holds_back_only_itself(estate: Estate) -> None:
    endpoint = await published(estate)
    await estate.azure.sim("POST", "faults", fault("GET", "/A/st1", status=403, code="AuthorizationFailed"))
    assert held(await estate.look(endpoint, thorough=True)) == [HeldReason.UNCERTAIN]
    assert not (await estate.look(endpoint, thorough=True)).plan.held


@pytest.mark.every_right  # a role can only be assigned at a group that is there
async def test_one_hubs_trouble_is_not_the_others(found: Founding) -> None:
    groups = [f"/subscriptions/{HUB}/resourceGroups/{name}" for name in ("rg-dns", "rg-nowhere")]
    hubs = [{"name": f"hub{number}", "zones": [group]} for number, group in enumerate(groups)]
    estate = await found(hubs=hubs)
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke())
    report = await estate.look(endpoint)
    assert written(report) == {"st1": ["10.1.0.4"]}
    assert held(report) == [HeldReason.UNCERTAIN]
    assert "hub1" in report.plan.held[0].detail
    assert report.look_again


async def test_an_answer_that_is_a_refusal_is_handed_on(estate: Estate) -> None:
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke())
    await estate.azure.sim("POST", "faults", fault("GET", "/privateEndpoints/", status=400, code="InvalidResourceName"))
    looked = await estate.hubwarden.look(one(endpoint), within=WITHIN)
    assert looked.report is not None
    assert held(looked.report) == [HeldReason.UNCERTAIN]
    assert looked.next_look is not None


async def test_what_was_done_is_told_whatever_the_second_look_meets(estate: Estate) -> None:
    endpoint = await of_two_names(estate)
    await estate.azure.sim("POST", "faults", fault("PUT", "/A/st1$", status=412, code="PreconditionFailed"))
    await estate.azure.sim(
        "POST", "faults", fault("GET", "/privateEndpoints/", skip=1, status=429, code="TooMany", retryAfter=99)
    )
    report = await estate.look(endpoint)
    assert report.status is Status.PARTIAL
    assert sorted(outcome.result for outcome in report.outcomes) == [Result.DONE, Result.RACED]
    assert report.look_again
    assert await estate.addresses("st1-b") is not None


async def test_a_write_that_failed_is_not_repeated_at_once(estate: Estate) -> None:
    endpoint = await of_two_names(estate)
    await estate.azure.sim("POST", "faults", fault("PUT", "/A/st1$", status=412, code="PreconditionFailed"))
    await estate.azure.sim("POST", "faults", fault("PUT", "/A/st1-b", status=429, code="TooMany", retryAfter=99))
    report = await estate.look(endpoint)
    assert [outcome.result for outcome in report.unfinished] == [Result.FAILED]
    assert await estate.addresses() is not None
    assert await estate.addresses("st1-b") is None


async def test_a_thorough_look_is_not_replaced_by_an_ordinary_one(found: Founding) -> None:
    estate = await found(followUps=["900ms"])
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke(), manual=True)
    await estate.hubwarden.look(one(endpoint), within=WITHIN)
    await estate.azure.sim("POST", "faults", fault("GET", "/privateEndpoints/", status=503, code="Busy", times=4))
    await estate.hubwarden.look(one(endpoint, thorough=True), within=WITHIN)
    assert [item["scope"]["thorough"] for item in await waiting(estate)] == [False, True]


async def test_an_index_that_does_not_show_the_subscription_yet(found: Founding) -> None:
    estate = await found(estate={"managementGroups": ["corp"]})
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke())
    looked = await estate.hubwarden.look(one(endpoint), within=WITHIN)
    assert looked.report is not None
    assert held(looked.report) == [HeldReason.OUTSIDE_ESTATE]
    assert looked.next_look is not None
    await estate.azure.subscription(SPOKE, tenant=TENANT, managementGroups=["corp"])
    estate.time.seconds += 31
    assert written(await estate.look(endpoint)) == {"st1": ["10.1.0.4"]}


async def test_what_a_newer_version_claims_is_left_to_it(estate: Estate) -> None:
    endpoint = await published(estate)
    async with TableClient.from_connection_string(estate.connection_string, "hubwardenclaims") as table:
        rows = [row async for row in table.list_entities()]
        for row in rows:
            row["Format"] = 2
            await table.update_entity(row)
        before = [dict(row) async for row in table.list_entities()]
        await estate.delete_endpoint(endpoint)
        looked = await estate.hubwarden.look(one(endpoint), within=WITHIN)
        assert looked.report is None
        assert looked.next_look is not None
        after = [dict(row) async for row in table.list_entities() if row["RowKey"] != "follow-up"]
    assert after == before
    assert await estate.addresses() == ["10.1.0.4"]


async def test_a_renamed_hub_counts_a_withdrawal_once(found: Founding, tmp_path: Path) -> None:
    estate = await found()
    endpoint = await published(estate)
    groups = [f"/subscriptions/{HUB}/resourceGroups/rg-dns"]
    await restarted(estate, tmp_path, hubs=[{"name": "new", "zones": groups}])
    assert not (await estate.look(endpoint, thorough=True)).plan.changes
    await estate.delete_endpoint(endpoint)
    report = await estate.look(endpoint)
    assert [type(change) for change in report.plan.changes] == [Drop]
    assert await estate.addresses() is None
    await estate.forget_calls()
    await estate.look(endpoint)
    assert len(await estate.calls()) == 1, "both claims are forgotten"


async def test_a_record_is_protected_under_any_of_its_public_names(found: Founding) -> None:
    estate = await found(records={"protected": ["kv1.vaultcore.azure.net"]})
    zone = "privatelink.vaultcore.azure.net"
    await estate.azure.zone(zone)
    vault = resource_id(SPOKE, "rg-spoke", "Microsoft.KeyVault/vaults", "kv1")
    names = ["kv1.vault.azure.net", "kv1.vaultcore.azure.net"]
    members = [
        {"groupId": "vault", "memberName": "default", "fqdns": names, "zone": zone, "publicAddress": "203.0.113.8"}
    ]
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.target(vault, members), groups=["vault"])
    await estate.look(endpoint)
    await estate.delete_endpoint(endpoint)
    assert held(await estate.look(endpoint)) == [HeldReason.PROTECTED]
    assert await estate.addresses("kv1", zone) == ["10.1.0.4"]


async def test_storage_that_is_silent_does_not_hold_a_door(
    estate: Estate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    monkeypatch.setattr("hubwarden.runtime.HAND_ON_WITHIN", 0.1)
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke())
    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        place = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/test"
        mute = f"AccountName=test;AccountKey=dGVzdA==;QueueEndpoint={place};TableEndpoint={place};"
        hubwarden = Runtime.build(config(tmp_path, estate.azure.url, mute))
        with pytest.raises(LedgerUnavailableError, match="storage is silent"):
            await hubwarden.look(one(endpoint), within=0.1)
        await hubwarden.close()
    assert not [call for call in await estate.calls() if not call.startswith("GET")]


@asynccontextmanager
async def outage(estate: Estate) -> AsyncIterator[None]:
    """While this lasts, nobody is at the address of the ledger's tables; what is put off is in the queue at once."""
    nobody = "AccountName=test;AccountKey=dGVzdA==;TableEndpoint=http://127.0.0.1:9/test;"
    async with TableClient.from_connection_string(nobody, "claims", retry_total=0) as unreachable:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(estate.hubwarden.rooms.claims._claims, "client", unreachable)
            patch.setattr("hubwarden.runtime.PUT_OFF", 0.0)
            yield


async def test_a_work_item_outlives_the_ledgers_outage(estate: Estate) -> None:
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke())
    item = WorkItem(one(endpoint), 1, estate.time.now())
    async with outage(estate):
        assert await estate.hubwarden.work(item, within=WITHIN) is None
        assert len(await waiting(estate)) == 1
        estate.time.seconds += 2 * 86400
        with pytest.raises(LedgerUnavailableError):
            await estate.hubwarden.work(item, within=WITHIN)


async def test_an_event_in_the_queue_outlives_the_ledgers_outage(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Law 12. It comes again as a work item, which holds nothing of the event, and of people, but where to look."""
    monkeypatch.setattr("hubwarden.runtime._process.runtime", estate.hubwarden)
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke())
    event = {
        "id": "1",
        "subject": endpoint,
        "eventType": "Microsoft.Resources.ResourceWriteSuccess",
        "data": {"claims": {"name": "Somebody"}},
    }
    async with outage(estate):
        message = QueueMessage(body=json.dumps(event).encode())
        await door.work.build("").get_user_function()(message, invocation())
        [item] = await waiting(estate)
    assert "Somebody" not in json.dumps(item)
    assert await estate.record() is None
    looked = await estate.hubwarden.work(WorkItem.from_json(json.dumps(item)), within=WITHIN)
    assert looked is not None
    assert await estate.addresses() == ["10.1.0.4"]


@pytest.mark.parametrize(
    "answer", [{"status": 403, "code": "AuthorizationFailed"}, {"status": 404, "code": "SubscriptionNotFound"}]
)
async def test_an_end_that_is_not_confirmed_after_the_records_were_read(estate: Estate, answer: dict[str, Any]) -> None:
    endpoint = await published(estate)
    await estate.delete_endpoint(endpoint)
    await estate.azure.sim("POST", "faults", fault("GET", "/privateEndpoints/", skip=1, **answer))
    assert held(await estate.look(endpoint, thorough=True)) == [HeldReason.UNCERTAIN]
    assert await estate.addresses() == ["10.1.0.4"]
    await estate.look(endpoint, thorough=True)
    assert await estate.addresses() is None


async def test_explaining_an_endpoint_outside_the_estate_asks_azure_nothing(estate: Estate) -> None:
    stranger = resource_id("00000000-0000-0000-0000-0000000000ee", "rg", "Microsoft.Network/privateEndpoints", "pe1")
    await estate.forget_calls()
    explanation = await estate.hubwarden.explain(ResourceId.parse(stranger))
    assert [each.reason for each in explanation.plan.held] == [HeldReason.OUTSIDE_ESTATE]
    assert await estate.calls() == []
