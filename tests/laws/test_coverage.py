"""Coverage, asked of the estate: each subscription is told of, and what cannot be asked is never told as covered."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from handlers import coverage
from hubwarden.errors import UnavailableError
from hubwarden.model.coverage import NEEDED, Coverage, Finding, Ours, app_id
from hubwarden.reconcile.coverage import coverage_of
from simulator.event_subscriptions import event_subscription, topic
from simulator.up import FILTER
from tests.azure import HUB, SPOKE, Azure, resource_id
from tests.collected import Collected
from tests.contract.test_roles import assign, define
from tests.estate import IDENTITY, TENANT, Estate, config
from tests.laws.conftest import Founding, invocation

APP = resource_id(HUB, "rg-hubwarden", "Microsoft.Web/sites", "func-hubwarden")
ANYBODYS = Ours()
OTHER_APP = resource_id(HUB, "rg-hubwarden", "Microsoft.Web/sites", "func-other")
NEW = "00000000-0000-0000-0000-0000000000cc"
ASKED = (*NEEDED, "Microsoft.Authorization/permissions/read", "Microsoft.Resources/subscriptions/providers/read")


def to_function(app: str = APP) -> dict[str, Any]:
    """An app's function `events`, as a destination."""
    return {"endpointType": "AzureFunction", "properties": {"resourceId": f"{app}/functions/events"}}


async def subscribe(
    azure: Azure,
    subscription: str,
    destination: dict[str, Any] | None = None,
    name: str = "hubwarden",
    wanted: dict[str, Any] | None = None,
    **properties: Any,
) -> str:
    """An event subscription for the events of a subscription; its id."""
    await azure.resource_group("rg-events", subscription)
    made = event_subscription(subscription, name, destination or to_function(), FILTER if wanted is None else wanted)
    made["properties"].update(properties)
    await azure.put(topic(subscription), made)
    return str(made["id"])


async def seen(estate: Estate, subscription: str = SPOKE, ours: Ours = ANYBODYS) -> tuple[Finding, str]:
    """What is found of one subscription, and what is said of it."""
    found = await coverage_of(estate.hubwarden.rooms, ours)
    [each] = [each for each in found.subscriptions if each.subscription == subscription]
    return each.finding, each.detail


async def every(estate: Estate) -> Coverage:
    return await coverage_of(estate.hubwarden.rooms, Ours())


async def test_a_subscription_whose_events_come_to_the_app_is_covered(estate: Estate) -> None:
    """With the filter that `python -m simulator up` uses."""
    for subscription in (HUB, SPOKE):
        await subscribe(estate.azure, subscription)
    found = await every(estate)
    assert [(each.subscription, each.finding) for each in found.subscriptions] == [
        (SPOKE, Finding.COVERED),
        (HUB, Finding.COVERED),
    ]
    assert {each.leads_to for each in found.subscriptions} == {(f"{APP}/functions/events",)}
    assert found.is_whole


async def test_a_subscription_without_any_is_told(estate: Estate) -> None:
    await subscribe(estate.azure, HUB)
    assert (await seen(estate))[0] is Finding.NO_SUBSCRIPTION
    await estate.azure.resource_group("rg-events")
    await estate.azure.put(topic(SPOKE))
    finding, said = await seen(estate)
    assert finding is Finding.NO_SUBSCRIPTION
    assert "has no event subscription" in said
    assert (await every(estate)).counts[Finding.COVERED] == 1


async def test_a_topic_of_another_source_counts_for_nobody(estate: Estate) -> None:
    """A system topic may tell of one resource group only (behaviour reference section 1.1)."""
    await subscribe(estate.azure, SPOKE)
    narrow = topic(SPOKE)
    narrow["properties"]["source"] += "/resourceGroups/rg-spoke"
    await estate.azure.put(narrow)
    assert (await seen(estate))[0] is Finding.NO_SUBSCRIPTION


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ({"provisioningState": "AwaitingManualAction"}, "is AwaitingManualAction"),
        ({"expirationTimeUtc": "2020-01-01T00:00:00Z"}, "expired at 2020-01-01"),
    ],
)
async def test_one_that_delivers_nothing_fails(estate: Estate, properties: dict[str, Any], said: str) -> None:
    await subscribe(estate.azure, SPOKE, **properties)
    finding, detail = await seen(estate)
    assert finding is Finding.FAILING
    assert said in detail


async def test_one_that_leaves_out_deletions_is_told(estate: Estate) -> None:
    wanted = {**FILTER, "includedEventTypes": ["Microsoft.Resources.ResourceWriteSuccess"]}
    await subscribe(estate.azure, SPOKE, wanted=wanted)
    finding, detail = await seen(estate)
    assert finding is Finding.FILTERED
    assert "endpoints deleted" in detail


async def test_another_apps_does_not_count_where_the_app_is_known(estate: Estate) -> None:
    await subscribe(estate.azure, SPOKE, to_function(OTHER_APP))
    assert (await seen(estate))[0] is Finding.COVERED
    assert (await seen(estate, ours=Ours(app_id(APP))))[0] is Finding.ELSEWHERE
    await subscribe(estate.azure, SPOKE, name="second")
    assert (await seen(estate, ours=Ours(app_id(APP))))[0] is Finding.COVERED


async def test_a_webhook_does_not_show_which_function_is_behind_it(estate: Estate) -> None:
    """Azure shows of its address no more than the base (REST reference, WebHookEventSubscriptionDestination)."""
    url = "https://func-hubwarden.azurewebsites.net/runtime/webhooks/eventgrid?functionName=events&code=secret"
    await subscribe(estate.azure, SPOKE, {"endpointType": "WebHook", "properties": {"endpointUrl": url}})
    [each] = [each for each in (await every(estate)).subscriptions if each.subscription == SPOKE]
    assert each.finding is Finding.ELSEWHERE
    assert each.leads_to == (f"WebHook {url.partition('?')[0]}",)


async def test_without_event_grid_registered_there_are_no_events(estate: Estate) -> None:
    await subscribe(estate.azure, SPOKE)
    await estate.azure.subscription(SPOKE, unregistered=["Microsoft.EventGrid"])
    assert await seen(estate) == (Finding.NOT_REGISTERED, "Microsoft.EventGrid is NotRegistered")


async def test_a_subscription_of_another_tenant_cannot_be_looked_into(estate: Estate) -> None:
    await subscribe(estate.azure, SPOKE)
    await estate.azure.subscription(SPOKE, tenant="00000000-0000-0000-0000-00000000ffff")
    assert await seen(estate) == (Finding.NO_RIGHTS, "it is in another tenant than the first hub's zones")


async def test_one_that_is_not_shown_is_not_taken_for_one_without_events(estate: Estate) -> None:
    await subscribe(estate.azure, SPOKE)
    await estate.azure.subscription(SPOKE, readable=False)
    assert await seen(estate) == (Finding.NO_RIGHTS, "Azure does not show it to whoever asks")


@pytest.fixture
async def limited(estate: Estate) -> AsyncIterator[Estate]:
    """Everything is subscribed, and roles count: Hubwarden may see the subscriptions, and no more."""
    for subscription in (HUB, SPOKE):
        await subscribe(estate.azure, subscription)
        await assign(estate.azure, f"/subscriptions/{subscription}", await define(estate.azure, "all", "*"), "system")
        reader = await define(estate.azure, "seen", "Microsoft.Resources/subscriptions/read")
        await assign(estate.azure, f"/subscriptions/{subscription}", reader, IDENTITY)
    await estate.azure.sim("POST", "settings", {"rbac": True})
    yield estate
    await estate.azure.sim("POST", "settings", {"rbac": False})


@pytest.mark.every_right  # until it takes them away itself
@pytest.mark.parametrize("missing", ASKED)
async def test_each_right_that_is_missing_is_named(limited: Estate, missing: str) -> None:
    """Without it a subscription could show no topic and no endpoint, and be taken for one without events."""
    role = await define(limited.azure, "own", *(action for action in ASKED if action != missing))
    await assign(limited.azure, f"/subscriptions/{SPOKE}", role, IDENTITY)
    finding, detail = await seen(limited)
    assert finding is Finding.NO_RIGHTS
    assert missing in detail


@pytest.mark.every_right  # until it takes them away itself
async def test_those_rights_are_enough(limited: Estate) -> None:
    role = await define(limited.azure, "own", *ASKED)
    await assign(limited.azure, f"/subscriptions/{SPOKE}", role, IDENTITY)
    found = await every(limited)
    assert [each.finding for each in found.subscriptions] == [Finding.COVERED, Finding.NO_RIGHTS]


@pytest.mark.parametrize(
    "path", ["/permissions$", "/providers/Microsoft.EventGrid$", "/systemTopics$", "/eventSubscriptions$"]
)
async def test_what_could_not_be_asked_is_unknown(estate: Estate, path: str) -> None:
    for subscription in (HUB, SPOKE):
        await subscribe(estate.azure, subscription)
    broken = {"service": "arm", "method": "GET", "path": f"{SPOKE}.*{path}", "status": 503, "times": 10}
    await estate.azure.sim("POST", "faults", {**broken, "retryAfter": 60})
    found = await every(estate)
    assert [each.finding for each in found.subscriptions] == [Finding.UNKNOWN, Finding.COVERED]
    assert not found.is_known
    await estate.azure.sim("DELETE", "faults")


async def test_a_document_of_another_shape_is_unknown(estate: Estate) -> None:
    await subscribe(estate.azure, SPOKE, expirationTimeUtc="tomorrow")
    assert (await seen(estate))[0] is Finding.UNKNOWN


async def test_a_topic_that_goes_meanwhile_is_not_there(estate: Estate) -> None:
    await subscribe(estate.azure, SPOKE)
    gone = {"code": "ResourceNotFound", "message": "The Resource was not found."}
    fault = {"service": "arm", "method": "GET", "path": f"{SPOKE}.*/eventSubscriptions$", "status": 404}
    await estate.azure.sim("POST", "faults", {**fault, "times": 1, "body": {"error": gone}})
    assert (await seen(estate))[0] is Finding.NO_SUBSCRIPTION


async def test_a_404_that_proves_nothing_is_unknown(estate: Estate) -> None:
    await subscribe(estate.azure, SPOKE)
    fault = {"service": "arm", "method": "GET", "path": f"{SPOKE}.*/eventSubscriptions$", "status": 404}
    await estate.azure.sim("POST", "faults", {**fault, "times": 1, "body": {"error": {"code": "NotFound"}}})
    assert (await seen(estate))[0] is Finding.UNKNOWN


async def test_subscriptions_under_a_management_group_are_asked_too(found: Founding) -> None:
    """A new one is in it as soon as Resource Graph shows it (behaviour reference section 5.3)."""
    estate = await found(estate={"managementGroups": ["corp"]})
    await estate.azure.subscription(NEW, tenant=TENANT, managementGroups=["corp"])
    assert [(each.subscription, each.finding) for each in (await every(estate)).subscriptions] == [
        (NEW, Finding.NO_SUBSCRIPTION)
    ]
    refused = {"service": "graph", "method": "POST", "path": "", "status": 503, "times": 10, "retryAfter": 60}
    await estate.azure.sim("POST", "faults", refused)
    estate.time.seconds += 3600
    with pytest.raises(UnavailableError):
        await every(estate)
    await estate.azure.sim("DELETE", "faults")


async def test_it_costs_so_many_requests_and_changes_nothing(estate: Estate) -> None:
    """Five GETs for each subscription; that of the first hub's zones is remembered, and Resource Graph not asked."""
    for subscription in (HUB, SPOKE):
        await subscribe(estate.azure, subscription)
    await estate.warm()
    assert (await every(estate)).is_whole
    calls = await estate.calls()
    assert len(calls) == 10
    assert all(call.startswith("GET ") for call in calls)
    assert await estate.calls("graph") == []


async def test_the_timer_counts_every_finding_and_warns_of_who_is_not_covered(
    estate: Estate,
    collected: Collected,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """What there is none of is told as 0, and events that go to another app do not come to this one."""
    await subscribe(estate.azure, HUB)
    await subscribe(estate.azure, SPOKE, to_function(OTHER_APP))
    settled = config(tmp_path, estate.azure.url, estate.connection_string)
    within = replace(settled, environment=replace(settled.environment, app=app_id(APP)))
    monkeypatch.setattr(coverage, "runtime", lambda: estate.hubwarden)
    monkeypatch.setattr(coverage, "settings", lambda: within)
    caplog.set_level(logging.INFO)
    await coverage.coverage.build("").get_user_function()(SimpleNamespace(past_due=True), invocation())
    expected = dict.fromkeys((("hubwarden.coverage", finding.value) for finding in Finding), 0)
    expected |= {("hubwarden.coverage", "covered"): 1, ("hubwarden.coverage", "elsewhere"): 1}
    assert collected.points("hubwarden.coverage") == expected
    [warning, summary] = [message for message in caplog.messages if message.startswith("coverage")]
    assert warning.startswith(f"coverage: subscription {SPOKE}: elsewhere: ")
    assert summary == "coverage, overdue: 1 covered, 1 elsewhere"


async def test_the_watch_warns_of_an_estate_of_which_nothing_is_shown(
    found: Founding, caplog: pytest.LogCaptureFixture
) -> None:
    estate = await found(estate={"managementGroups": ["nobody-is-under-it"]})
    assert not (await estate.hubwarden.watch_coverage(Ours())).is_whole
    assert "coverage: no subscription of the estate is shown" in caplog.messages
