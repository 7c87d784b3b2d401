"""What the settings name and Azure does not show, or does not permit: status and log say exactly what is missing and
what mends it, nothing is written meanwhile, and no sweep is told as whole.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from azure.data.tables.aio import TableClient
from azure.functions import HttpRequest

from handlers import api_read
from hubwarden.arm.remedies import MAKER, READER, WRITER
from hubwarden.ledger.findings import FINDINGS_FORMAT, FINDINGS_TABLE
from hubwarden.model.coverage import MOST_TOLD, Finding, Ours
from hubwarden.model.plan import HeldReason
from hubwarden.model.report import Status
from hubwarden.model.scope import Everything, Pending
from hubwarden.reconcile import reach
from hubwarden.reconcile.reach import MAKING, MOST_ASKED, WRITING
from hubwarden.runtime import Runtime
from tests import rights
from tests.azure import HUB, SPOKE
from tests.estate import IDENTITY, Estate, config
from tests.laws.conftest import Founding
from tests.laws.hub_zones import GROUP, NETWORK
from tests.laws.roles import assign
from tests.laws.test_approvals import OWN, PENDING, STORAGE, asked, guarded, statuses, target_of
from tests.laws.test_tenancy import THEIRS

pytestmark = pytest.mark.every_right  # each test says itself which rights there are

Standing = Callable[[Estate], Awaitable[dict[str, Any]]]
ZONES = "Microsoft.Network/privateDnsZones"
NOWHERE = f"/subscriptions/{HUB}/resourceGroups/rg-nowhere"


@pytest.fixture
def standing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Standing:
    """What `GET /api/status` answers."""

    async def asked(estate: Estate) -> dict[str, Any]:
        settled = config(tmp_path, estate.azure.url, estate.connection_string)
        monkeypatch.setattr(api_read, "runtime", lambda: estate.hubwarden)
        monkeypatch.setattr(api_read, "settings", lambda: settled)
        request = HttpRequest("GET", "/api/status", params={}, route_params={}, body=b"")
        answer = await api_read.api_status.build("").get_user_function()(request)
        assert answer.status_code == 200
        body: dict[str, Any] = json.loads(answer.get_body())
        return body

    return asked


async def swept_in_part(estate: Estate, caplog: pytest.LogCaptureFixture) -> str:
    """A sweep that was none of everything, and wrote nothing; what the log says of it."""
    caplog.clear()
    await estate.azure.endpoint("pe1", await estate.azure.storage_account())
    await estate.forget_calls()
    report = await estate.hubwarden.run(Everything())
    assert (report.complete, report.status) == (False, Status.PARTIAL)
    assert [call for call in await estate.calls() if not call.startswith("GET ")] == []
    told = {message.removeprefix("sweep: ") for message in caplog.messages if message.startswith("sweep: ")}
    assert {warning.detail for warning in report.plan.warnings} <= told
    return "\n".join(caplog.messages)


async def test_a_new_identity_without_a_role_is_told_which_ones_it_needs(
    found: Founding, standing: Standing, caplog: pytest.LogCaptureFixture
) -> None:
    """As right after a deployment; the roles take effect without a restart (behaviour reference section 6.1)."""
    estate = await found()
    await assign(estate.azure)
    log = await swept_in_part(estate, caplog)
    shown = await standing(estate)
    assert (shown["ready"], shown["identity"], shown["lastSweep"]) == (True, IDENTITY, None)
    zones, *subscriptions = shown["missing"]
    for said in (zones, log):
        assert (
            f"does not have authorization to perform action '{ZONES}/read' over scope '{GROUP}/providers/{ZONES}'"
            in said
        )
        assert f"hub weu: listing the zones of {GROUP}: Azure answered 403 AuthorizationFailed" in said
        assert f"assign the role '{WRITER}' to the app's identity at {GROUP}" in said
    for subscription, said in zip(sorted((HUB, SPOKE)), subscriptions, strict=True):
        wanted = f"assign the role '{READER}' to the app's identity at /subscriptions/{subscription}."
        assert wanted in said
        assert wanted in log

    await assign(estate.azure, rights.READER, rights.WRITER)
    assert (await standing(estate))["missing"] == []
    report = await estate.sweep()
    assert report.complete
    assert await estate.addresses() == ["10.1.0.4"]
    assert (await standing(estate))["lastSweep"]["run"] == report.run


async def test_a_right_to_write_that_is_missing_is_told_before_anything_is_to_be_written(
    found: Founding, standing: Standing, caplog: pytest.LogCaptureFixture
) -> None:
    """In mode plan nobody would be refused, so that applying would be the first to fail."""
    estate = await found()
    await assign(estate.azure, rights.READER)
    zones = [each for each in WRITING if each.endswith("/read")] + ["Microsoft.Network/privateDnsZones/ALL/read"]
    await estate.azure.put(
        *rights.role("zones-reader", set(zones)), *rights.assignment("zones-reader", GROUP, IDENTITY)
    )
    lacking = ", ".join(each for each in WRITING if not each.endswith("/read"))
    lack = f"not permitted: {lacking}. What to do: assign the role '{WRITER}' to the app's identity at {GROUP}."
    assert (await standing(estate))["missing"] == [lack]
    await estate.hubwarden.watch_coverage(Ours())
    assert f"coverage: {lack}" in caplog.messages
    await estate.azure.endpoint("pe1", await estate.azure.storage_account())
    report = await estate.hubwarden.run(Everything())
    [outcome] = report.outcomes
    assert report.status is Status.FAILED
    assert "perform action 'Microsoft.Network/privateDnsZones/A/write' over scope" in outcome.error
    assert await estate.record() is None


async def test_where_rights_are_not_shown_the_reader_is_missing(found: Founding, standing: Standing) -> None:
    """It has the action that lists them; the writer at the zones alone has not."""
    estate = await found(estate={"subscriptions": [SPOKE]})
    await assign(estate.azure, rights.WRITER)
    wanted = f"assign the role '{READER}' to the app's identity at /subscriptions/{HUB}."
    assert len([each for each in (await standing(estate))["missing"] if each.endswith(wanted)]) == 2


async def test_the_right_to_make_zones_is_asked_for_only_where_zones_are_made(
    found: Founding, standing: Standing
) -> None:
    """In the first of a hub's resource groups, whichever others share that group."""
    hub = {"name": "weu", "zones": [GROUP, f"{GROUP}-2"], "networks": [NETWORK], "createZones": True}
    estate = await found(hubs=[hub, {"name": "neu", "zones": [GROUP]}])
    await estate.azure.resource_group("rg-dns-2", HUB)
    await assign(estate.azure, rights.READER, rights.WRITER)
    await estate.azure.put(*rights.assignment(rights.WRITER, f"{GROUP}-2", IDENTITY))
    assert (await standing(estate))["missing"] == [
        f"not permitted: {', '.join(MAKING)}. What to do: assign the role '{MAKER}' to the app's identity at {GROUP}."
    ]


async def test_a_resource_group_that_is_not_there_is_named(
    found: Founding, standing: Standing, caplog: pytest.LogCaptureFixture
) -> None:
    estate = await found(hubs=[{"name": "weu", "zones": [NOWHERE]}])
    log = await swept_in_part(estate, caplog)
    [zones] = (await standing(estate))["missing"]
    for said in (zones, log):
        assert f"hub weu: listing the zones of {NOWHERE}: Azure answered 404 ResourceGroupNotFound" in said
        assert "What to do: make it, or correct weu.zones in hubs." in said


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("401", f"https://sts.windows.net/{THEIRS}/"),
        ("404", "there is no such subscription in the identity's tenant: correct estate, or zones in hubs."),
    ],
)
async def test_a_spoke_of_another_tenant_is_named(
    found: Founding, standing: Standing, caplog: pytest.LogCaptureFixture, answer: str, said: str
) -> None:
    """Which of the two ARM answers is unverified for managed identities; only the first names the tenant."""
    estate = await found()
    await estate.azure.sim("POST", "settings", {"foreignSubscriptions": answer})
    await estate.azure.subscription(SPOKE, tenant=THEIRS, readable=False)
    report = await estate.hubwarden.run(Everything())
    assert (report.complete, report.status) == (False, Status.PARTIAL)
    [missing] = (await standing(estate))["missing"]
    assert missing.startswith(f"reading subscription {SPOKE}: Azure answered {answer} ")
    assert said in missing
    assert f"sweep: {missing}" in caplog.messages


async def test_zones_of_another_tenant_are_named(
    found: Founding, standing: Standing, caplog: pytest.LogCaptureFixture
) -> None:
    estate = await found()
    await estate.azure.subscription(HUB, tenant=THEIRS, readable=False)
    log = await swept_in_part(estate, caplog)
    zones, subscription = (await standing(estate))["missing"]
    for said in (zones, subscription, log):
        assert f"https://sts.windows.net/{THEIRS}/" in said
        assert "an identity has no role in another tenant: take it out of" in said
    assert zones.startswith(f"hub weu: listing the zones of {GROUP}: ")
    assert subscription.startswith(f"reading subscription {HUB}: ")


async def test_a_management_group_that_shows_nothing_is_named(
    found: Founding, standing: Standing, caplog: pytest.LogCaptureFixture
) -> None:
    """The others' subscriptions are served; a group that does not exist cannot be told from one that is not shown."""
    estate = await found(estate={"managementGroups": ["corp", "crop"]})
    await estate.azure.subscription(SPOKE, managementGroups=["corp"])
    await estate.azure.endpoint("pe1", await estate.azure.storage_account())
    report = await estate.hubwarden.run(Everything())
    assert not report.complete
    assert await estate.addresses() == ["10.1.0.4"], "what is shown is served"
    [missing] = (await standing(estate))["missing"]
    scope = "/providers/Microsoft.Management/managementGroups/crop"
    assert missing == (
        "management group crop shows no subscription. What to do: "
        f"assign the role '{READER}' to the app's identity at {scope}, or correct estate."
    )
    assert f"sweep: {missing}" in caplog.messages


async def test_of_many_subscriptions_some_are_asked_about_and_the_others_counted(
    found: Founding, standing: Standing
) -> None:
    unknown = [f"00000000-0000-0000-0000-0000000{number:05x}" for number in range(MOST_ASKED + 5)]
    estate = await found(estate={"subscriptions": [SPOKE, *unknown]})
    *told, more = (await standing(estate))["missing"]
    assert len(told) == MOST_ASKED
    assert more == "5 more subscriptions of the estate are not shown either"


async def test_a_subscription_that_only_the_index_lacks_is_not_missing(
    found: Founding, standing: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Resource Graph shows a new one later than ARM does (behaviour reference section 5.3)."""

    async def nothing(_: object, subscriptions: Collection[str]) -> frozenset[str]:
        assert subscriptions == {HUB, SPOKE}
        return frozenset()

    estate = await found()
    monkeypatch.setattr(reach, "subscriptions_shown", nothing)
    assert (await standing(estate))["missing"] == []


async def test_what_azure_gives_no_answer_about_is_told_without_advice(found: Founding, standing: Standing) -> None:
    estate = await found()
    broken = {
        "service": "arm",
        "method": "GET",
        "path": "/privateDnsZones$",
        "status": 500,
        "code": "Oops",
        "times": 99,
    }
    await estate.azure.sim("POST", "faults", broken)
    [missing] = (await standing(estate))["missing"]
    await estate.azure.sim("DELETE", "faults")
    assert missing.startswith(f"hub weu: listing the zones of {GROUP}: Azure answered 500 Oops")
    assert "What to do" not in missing


@pytest.mark.parametrize("groups", [False, True])
async def test_an_index_that_does_not_answer_is_told(found: Founding, standing: Standing, groups: bool) -> None:
    estate = await found(estate={"managementGroups": ["corp"]} if groups else {"subscriptions": [SPOKE]})
    broken = {"service": "graph", "method": "POST", "path": "", "status": 503, "times": 99, "retryAfter": 60}
    await estate.azure.sim("POST", "faults", broken)
    missing = (await standing(estate))["missing"]
    assert len(missing) == 1 + groups
    assert {each.rpartition("asking Resource Graph for ")[2][:20] for each in missing} <= {
        "subscriptions: Azure",
        "corp: Azure answered",
    }
    await estate.azure.sim("DELETE", "faults")


async def test_an_app_without_an_identity_is_told_that_it_has_none(found: Founding, standing: Standing) -> None:
    """As where AZURE_CLIENT_ID names an identity that the app was not given (functions host reference)."""
    estate = await found()
    none = {"service": "identity", "path": "", "status": 400, "code": "invalid_request", "times": 99}
    await estate.azure.sim("POST", "faults", none)
    missing = (await standing(estate))["missing"]
    await estate.azure.sim("DELETE", "faults")
    assert missing
    assert [each for each in missing if "no token for Azure: " not in each] == []
    assert "the app uses its managed identity" in missing[0]


async def test_a_silent_azure_does_not_keep_the_status_from_whoever_asks(
    found: Founding, standing: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    estate = await found()
    monkeypatch.setattr(api_read, "ASKED_WITHIN", 0.0)
    shown = await standing(estate)
    assert shown["missing"] == ["Azure did not answer within 0 s, so what is missing is not known"]
    assert shown["queue"] == {"waiting": 0, "poison": 0}


@asynccontextmanager
async def closed_storage() -> AsyncIterator[str]:
    """The connection string of an account that refuses everybody."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        place = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/test"
        yield f"AccountName=test;AccountKey=dGVzdA==;QueueEndpoint={place};TableEndpoint={place};"


async def test_storage_that_refuses_the_identity_is_told_with_its_roles(
    found: Founding, standing: Standing, tmp_path: Path
) -> None:
    """Law 12: without the ledger nothing is written, and yet the status is answered."""
    estate = await found()
    async with closed_storage() as storage:
        await estate.hubwarden.close()
        estate.hubwarden = Runtime.build(config(tmp_path, estate.azure.url, storage), now=estate.time.now)
        shown = await standing(estate)
    [missing] = shown["missing"]
    assert missing.startswith("reading the last sweep: Azure Storage answered 403")
    assert "'Storage Table Data Contributor' and 'Storage Queue Data Contributor'" in missing
    assert (shown["lastSweep"], shown["queue"], shown["coverage"]) == (None, None, None)


async def test_the_last_findings_of_coverage_are_told_by_any_instance(
    found: Founding, standing: Standing, tmp_path: Path
) -> None:
    subscriptions = [f"00000000-0000-0000-0000-0000000{number:05x}" for number in range(MOST_TOLD + 1)]
    estate = await found(estate={"subscriptions": [SPOKE, *subscriptions]})
    assert (await standing(estate))["coverage"] is None
    await estate.hubwarden.watch_coverage(Ours())
    other = config(tmp_path, estate.azure.url, estate.connection_string)
    await estate.hubwarden.close()
    estate.hubwarden = Runtime.build(other, now=estate.time.now)
    told = (await standing(estate))["coverage"]
    assert told["measuredAt"].endswith("Z")
    assert told["counts"] == {
        each.value: {Finding.NO_RIGHTS: len(subscriptions), Finding.NO_SUBSCRIPTION: 1}.get(each, 0) for each in Finding
    }
    assert [each["finding"] for each in told["worst"]] == ["no_rights"] * MOST_TOLD, "the gravest come first"
    assert told["worst"][0]["detail"] == "Azure does not show it to whoever asks"
    assert told["worst"][0]["subscription"] in subscriptions


async def test_a_newer_hubwardens_findings_are_left_out_until_they_are_measured_anew(
    found: Founding, standing: Standing
) -> None:
    """After a return to an older version; a measurement is nobody's property."""
    estate = await found()
    await estate.hubwarden.watch_coverage(Ours())
    async with TableClient.from_connection_string(estate.connection_string, FINDINGS_TABLE) as table:
        row = await table.get_entity("coverage", "last")
        await table.update_entity({**row, "Format": FINDINGS_FORMAT + 1})
    assert (await standing(estate))["coverage"] is None
    await estate.hubwarden.watch_coverage(Ours())
    assert (await standing(estate))["coverage"]["counts"]["no_subscription"] == 2


async def test_a_right_to_answer_that_is_missing_is_a_failed_outcome_with_its_name(found: Founding) -> None:
    """Where answers may be given is the owner's word, so that only an answer shows where one may not."""
    estate = await guarded(found, OWN)
    await assign(estate.azure, rights.READER, rights.WRITER)
    target = await target_of(estate, STORAGE)
    await asked(estate, target)
    report = await estate.hubwarden.run(Pending())
    [outcome] = report.outcomes
    assert report.status is Status.FAILED
    assert f"perform action '{STORAGE}/privateEndpointConnections/write' over scope '{target}/" in outcome.error
    assert await statuses(estate, target) == [PENDING]


async def test_an_event_meanwhile_is_held_with_what_mends_it(found: Founding) -> None:
    """Law 12: it is looked at again, and nothing of it is lost."""
    estate = await found()
    await assign(estate.azure, rights.READER)
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.storage_account())
    report = await estate.look(endpoint)
    [told] = report.plan.held
    assert (told.reason, report.look_again, report.outcomes) == (HeldReason.UNCERTAIN, True, ())
    assert told.detail.endswith(f"assign the role '{WRITER}' to the app's identity at {GROUP}.")
    await assign(estate.azure, rights.READER, rights.WRITER)
    estate.time.seconds += 31
    await estate.look(endpoint)
    assert await estate.addresses() == ["10.1.0.4"]
