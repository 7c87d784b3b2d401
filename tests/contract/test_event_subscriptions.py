"""System topics, event subscriptions, permissions and resource providers: by Microsoft's REST reference of each."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.event_subscriptions import event_subscription, topic
from tests.azure import HUB, SPOKE, Answer, Azure
from tests.contract.test_roles import READER, assign, define

SUBSCRIPTION = f"/subscriptions/{SPOKE}"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg-spoke"
TOPICS = f"{SUBSCRIPTION}/providers/Microsoft.EventGrid/systemTopics"
QUEUE = {
    "endpointType": "StorageQueue",
    "properties": {"resourceId": "/subscriptions/x", "queueName": "hubwarden-work"},
}
URL = "https://func.azurewebsites.net/runtime/webhooks/eventgrid"
HOOK = {"endpointType": "WebHook", "properties": {"endpointUrl": f"{URL}?functionName=events&code=secret"}}


async def ask(azure: Azure, path: str, version: str = "2022-06-15") -> Answer:
    """A GET."""
    return await azure.arm("GET", path, version=version)


async def subscribed(azure: Azure, *destinations: dict[str, Any]) -> str:
    """The spoke's system topic with an event subscription for each destination; the topic's id."""
    made = topic(SPOKE)
    await azure.resource_group("rg-events")
    await azure.put(made, *(event_subscription(SPOKE, f"e{n}", to, {}) for n, to in enumerate(destinations)))
    return str(made["id"])


async def test_a_subscriptions_system_topics_are_listed_and_no_others(estate: Azure) -> None:
    made = await subscribed(estate)
    assert [each["id"] for each in (await ask(estate, TOPICS)).body["value"]] == [made]
    assert (await ask(estate, TOPICS.replace(SPOKE, HUB))).body["value"] == []


async def test_a_topics_event_subscriptions_are_listed(estate: Azure) -> None:
    made = await subscribed(estate, QUEUE, QUEUE)
    listed = (await ask(estate, f"{made}/eventSubscriptions")).body["value"]
    assert [each["name"] for each in listed] == ["e0", "e1"]
    assert listed[0]["properties"]["destination"] == QUEUE
    assert (await ask(estate, f"{made}/eventSubscriptions/e0")).body == listed[0]


async def test_what_is_not_there_is_not_found(estate: Azure) -> None:
    made = await subscribed(estate)
    for path in (f"{made}-2/eventSubscriptions", f"{made}/eventSubscriptions/e0"):
        answer = await ask(estate, path)
        assert (answer.status, answer.body["error"]["code"]) == (404, "ResourceNotFound")


async def test_of_a_webhooks_address_only_the_base_is_shown(estate: Azure) -> None:
    """The query has the key (REST reference, WebHookEventSubscriptionDestination: endpointBaseUrl is read-only)."""
    made = await subscribed(estate, HOOK)
    [listed] = (await ask(estate, f"{made}/eventSubscriptions")).body["value"]
    one = (await ask(estate, f"{made}/eventSubscriptions/e0")).body
    for shown in (listed, one):
        assert shown["properties"]["destination"] == {"endpointType": "WebHook", "properties": {"endpointBaseUrl": URL}}


async def test_a_resource_provider_is_registered_unless_it_was_said_not_to_be(estate: Azure) -> None:
    """REST reference, Providers - Get."""
    path = f"{SUBSCRIPTION}/providers/microsoft.eventgrid"
    before = (await ask(estate, path, "2021-04-01")).body
    await estate.subscription(SPOKE, unregistered=["Microsoft.EventGrid"])
    after = (await ask(estate, path, "2021-04-01")).body
    assert (before["namespace"], before["registrationState"]) == ("Microsoft.EventGrid", "Registered")
    assert after == {**before, "registrationState": "NotRegistered"}
    network = await ask(estate, f"{SUBSCRIPTION}/providers/Microsoft.Network", "2021-04-01")
    assert network.body["registrationState"] == "Registered"


async def test_another_resource_provider_is_not_simulated(estate: Azure) -> None:
    assert (await ask(estate, f"{SUBSCRIPTION}/providers/Microsoft.Compute", "2021-04-01")).status == 501


async def permissions(azure: Azure, scope: str) -> list[tuple[list[str], list[str]]]:
    """What whoever asks may do there: actions, and those taken out of them."""
    answer = await ask(azure, f"{scope}/providers/Microsoft.Authorization/permissions", "2022-04-01")
    assert answer.status == 200, answer.body
    return [(each["actions"], each["notActions"]) for each in answer.body["value"]]


async def test_everything_is_permitted_while_roles_do_not_count(estate: Azure) -> None:
    assert await permissions(estate, SUBSCRIPTION) == [(["*"], [])]


async def test_permissions_are_those_of_the_roles_at_the_scope_and_above(estate: Azure) -> None:
    """REST reference, Permissions: all that the caller has there."""
    own = await define(estate, "own", "Microsoft.EventGrid/*", but=("Microsoft.EventGrid/*/write",))
    await assign(estate, SUBSCRIPTION, READER)
    await assign(estate, GROUP, own)
    await assign(estate, f"/subscriptions/{HUB}", own)
    await estate.sim("POST", "settings", {"rbac": True})
    async with Azure(estate.url, "guest") as guest:
        assert await permissions(guest, SUBSCRIPTION) == [(["*/read"], [])]
        assert sorted(await permissions(guest, GROUP)) == [
            (["*/read"], []),
            (["Microsoft.EventGrid/*"], ["Microsoft.EventGrid/*/write"]),
        ]


@pytest.mark.parametrize(
    ("path", "action"),
    [
        (f"{SUBSCRIPTION}/providers/Microsoft.Authorization/permissions", "Microsoft.Authorization/permissions/read"),
        (f"{SUBSCRIPTION}/providers/Microsoft.EventGrid", "Microsoft.Resources/subscriptions/providers/read"),
        (TOPICS, "Microsoft.EventGrid/systemTopics/read"),
        (
            f"{topic(SPOKE)['id']}/eventSubscriptions",
            "Microsoft.EventGrid/systemTopics/eventSubscriptions/read",
        ),
    ],
)
async def test_each_needs_its_own_action(estate: Azure, path: str, action: str) -> None:
    """The actions as Microsoft's list of permissions names them."""
    await subscribed(estate)
    own = await define(estate, "own", action)
    await estate.sim("POST", "settings", {"rbac": True})
    async with Azure(estate.url, "guest") as guest:
        assert (await ask(guest, path)).status == 403
        await assign(estate, SUBSCRIPTION, own)
        assert (await ask(guest, path)).status == 200
