"""The calls under /_sim: how the scene is set, and what they say to somebody who sets it wrongly."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.server import Simulator
from simulator.settings import Settings
from simulator.world import HOME_TENANT, Change, Member
from tests.azure import BLOB_ZONE, HUB, SPOKE, Azure, resource_id

ACCOUNT = resource_id(SPOKE, "rg-spoke", "Microsoft.Storage/storageAccounts", "st1")
ENDPOINT = resource_id(SPOKE, "rg-spoke", "Microsoft.Network/privateEndpoints", "pe1")


async def refusal(azure: Azure, method: str, call: str, body: Any) -> str:
    """What a wrong call is told."""
    answer = await azure.ask(method, f"/_sim/{call}", body)
    assert answer.status == 400, answer.body
    return str(answer.body["error"])


async def test_a_subscription_is_made_and_changed(azure: Azure, simulator: Simulator) -> None:
    """Subscriptions move, and are hidden (behaviour reference section 2.5); what is not told stays."""
    await azure.sim("POST", "subscriptions", {"id": SPOKE, "managementGroups": ["corp"]})
    made = simulator.world.subscriptions[SPOKE]
    await azure.sim("POST", "subscriptions", {"id": SPOKE.upper(), "tenant": "t-2", "readable": False})
    moved = simulator.world.subscriptions[SPOKE]

    assert (made.tenant, made.management_groups, made.readable) == (HOME_TENANT, ("corp",), True)
    assert (moved.tenant, moved.management_groups, moved.readable) == ("t-2", ("corp",), False)


@pytest.mark.parametrize(
    ("call", "body", "named"),
    [
        ("subscriptions", {}, "needs id"),
        ("subscriptions", [], "JSON object"),
        ("subscriptions", {"id": 1}, "'id' must be a string"),
        ("subscriptions", {"id": "s", "state": "x"}, "Allowed: id, tenant, managementGroups, readable"),
        ("subscriptions", {"id": "s", "readable": "no"}, "'readable' must be a boolean"),
        ("subscriptions", {"id": "s", "managementGroups": [1]}, "list of strings"),
        ("targets", {"members": []}, "needs id"),
        ("targets", {"id": "st1"}, "not a resource id"),
        ("targets", {"id": ACCOUNT, "members": [{}]}, "A member needs groupId, memberName, fqdns"),
        ("targets", {"id": ACCOUNT, "members": ["x"]}, "A member is a JSON object"),
        ("targets", {"id": ACCOUNT, "members": [{"groupId": "b", "memberName": "b", "fqdns": "x"}]}, "'fqdns'"),
        ("resources", {}, "needs resources"),
        ("resources", {"resources": [{}]}, "with an id"),
        ("resources", {"resources": ["x"]}, "with an id"),
        ("resources", {"resources": [{"id": "/x"}]}, "not a resource id"),
        ("resources", {"resources": [{"id": "/subscriptions/s"}]}, "/_sim/subscriptions"),
        ("resources", {"resources": [{"id": f"{ACCOUNT}/x"}]}, "not a resource id"),
        ("resources", {"resources": [{"id": "/subscriptions/s/resourceGroups/g/x/y"}]}, "not a resource id"),
        ("resources", {"resources": [{"id": ACCOUNT}]}, "/_sim/subscriptions first"),
        ("resources", {"resources": [], "emit": 1}, "'emit'"),
        ("settings", [], "JSON object"),
        ("settings", {"quota": 1}, "There is no setting 'quota'. Allowed: latencyMs, operationMs"),
        ("settings", {"latencyMs": -1}, "whole number"),
        ("settings", {"latencyMs": True}, "whole number"),
        ("settings", {"nicWhilePending": 1}, "true or false"),
        ("settings", {"expandNics": "some"}, '"full" or "ids"'),
        ("settings", {"dnsNetwork": "vnet"}, "resource id or null"),
        ("settle", {"timeout": "x"}, "number of seconds"),
        ("settle", {"timeout": -1}, "number of seconds"),
        ("settle", {"wait": 1}, "Allowed: timeout"),
        ("settle", [1], "JSON object"),
        ("clock", {"advance": "1"}, "number of seconds"),
        ("clock", {}, "needs advance"),
        ("snapshot", [], "JSON object"),
        ("snapshot", {"zones": []}, "Allowed: settings, subscriptions"),
        ("snapshot", {"resources": {}}, "'resources' must be a list"),
    ],
)
async def test_a_wrong_body_is_told_what_is_right(azure: Azure, call: str, body: Any, named: str) -> None:
    """A mistake in a test or a rehearsal must not look like Azure's behaviour (behaviour reference section 10)."""
    assert named in await refusal(azure, "POST", call, body)


async def test_what_is_no_json_is_refused(azure: Azure) -> None:
    """The same for what cannot be read at all (behaviour reference section 10)."""
    async with azure.session.post(f"{azure.url}/_sim/settle", data="{") as response:
        assert response.status == 400


async def test_requests_to_a_service_that_is_none_are_not_merely_none(azure: Azure) -> None:
    """A slip in a question must not look like silence (behaviour reference section 10)."""
    told = await refusal(azure, "GET", "requests?service=ARM", None)
    assert told == "There is no service 'ARM'. Allowed: arm, graph, identity, eventgrid, topic."


async def test_a_call_nobody_knows(azure: Azure) -> None:
    """An unknown call fails loudly (behaviour reference section 10)."""
    assert (await azure.ask("POST", "/_sim/frobnicate", {})).status == 501


async def test_documents_are_stored_as_given_and_announced(azure: Azure, simulator: Simulator) -> None:
    """Documents put in from outside emit their write and delete events (behaviour reference section 1.2)."""
    await azure.subscription()
    changes: list[Change] = []
    simulator.world.listeners.append(changes.append)
    document = {"id": ACCOUNT, "kind": "odd", "properties": {"a": [1, {"b": None}]}}

    await azure.sim("POST", "resources", {"resources": [document]})
    await azure.sim("POST", "resources", {"resources": [{**document, "kind": "quiet"}], "emit": False})
    await azure.sim("DELETE", "resources", id=ACCOUNT.upper())

    assert simulator.world.document(ACCOUNT) is None
    assert [(change.operation, change.resource_id, change.principal) for change in changes] == [
        ("Microsoft.Storage/storageAccounts/write", ACCOUNT, "simulator"),
        ("Microsoft.Storage/storageAccounts/delete", ACCOUNT, "simulator"),
    ]
    assert (await azure.ask("DELETE", "/_sim/resources", query={"id": ACCOUNT})).status == 404
    assert (await azure.ask("DELETE", "/_sim/resources")).status == 404


async def test_what_lies_under_a_document_goes_with_it(azure: Azure, simulator: Simulator) -> None:
    """Children and extensions are part of their resource (behaviour reference section 6.5)."""
    account = await azure.spoke()
    extension = f"{account}/providers/Microsoft.EventGrid/eventSubscriptions/events"
    await azure.put({"id": f"{account}/blobServices/default"}, {"id": extension})

    await azure.sim("DELETE", "resources", id=account)

    assert simulator.world.document(extension) is None
    assert simulator.world.documents("Microsoft.Storage/storageAccounts/blobServices") == []


async def test_the_world_knows_its_documents(azure: Azure, simulator: Simulator) -> None:
    """Ids and types are compared without case (behaviour reference section 6.5)."""
    await azure.spoke()
    await azure.hub()
    world = simulator.world
    await azure.vnet("vnet-b", group="rg-b")
    await azure.vnet("vnet-hub", group="rg-hub", subscription=HUB)

    def names(**where: str) -> list[str]:
        return [each["name"] for each in world.documents("MICROSOFT.network/virtualnetworks", **where)]

    found = world.document(ACCOUNT.upper())
    assert found is not None
    assert found["id"] == ACCOUNT
    assert names() == ["vnet-b", "vnet-spoke", "vnet-hub"]
    assert names(subscription=SPOKE.upper()) == ["vnet-b", "vnet-spoke"]
    assert names(resource_group="RG-spoke") == ["vnet-spoke"]
    assert names(subscription=HUB, resource_group="rg-spoke") == []


async def test_a_target_is_known_by_its_id(azure: Azure, simulator: Simulator) -> None:
    """Members have a group, a name, names, a zone and a public address (behaviour reference section 2.7)."""
    await azure.spoke()

    target = simulator.world.targets[ACCOUNT.lower()]

    member = Member("blob", "blob", ("st1.blob.core.windows.net",), BLOB_ZONE, "203.0.113.7")
    assert (target.id, target.members, target.auto_approve) == (ACCOUNT, (member,), ())


async def test_settings_are_shown_and_changed(azure: Azure) -> None:
    """Every unverified fact is a switch with a stated default (behaviour reference section 0)."""
    assert await azure.sim("GET", "settings") == Settings().document()

    changed = await azure.sim("POST", "settings", {"nicLagMs": 5, "dnsNetwork": "/subscriptions/x"})

    assert (changed["nicLagMs"], changed["dnsNetwork"], changed["operationMs"]) == (5, "/subscriptions/x", 50)
    assert (await azure.sim("POST", "settings", {"dnsNetwork": None}))["dnsNetwork"] is None


async def test_latency(azure: Azure) -> None:
    """Every ARM request takes its time (behaviour reference section 8.8)."""
    await azure.subscription()
    await azure.sim("POST", "settings", {"latencyMs": 20})

    await azure.arm("GET", "/subscriptions")

    (request,) = await azure.requests()
    assert request["ms"] >= 20


async def test_requests_are_logged(azure: Azure) -> None:
    """Tests count calls (behaviour reference section 6.3)."""
    await azure.spoke()
    await azure.sim("DELETE", "requests")
    await azure.arm("GET", ENDPOINT, query={"$expand": "networkInterfaces"})

    (request,) = await azure.requests()
    ms = request.pop("ms")

    assert ms >= 0
    assert request.pop("n") > 1
    assert request == {
        "service": "arm",
        "method": "GET",
        "path": ENDPOINT,
        "query": "api-version=2024-06-01&$expand=networkInterfaces",
        "apiVersion": "2024-06-01",
        "principal": "system",
        "actions": ["Microsoft.Network/privateEndpoints/read"],
        "status": 404,
    }
    assert [each["service"] for each in await azure.sim("GET", "requests")] == ["identity", "arm"]
    await azure.sim("DELETE", "requests")
    assert await azure.sim("GET", "requests") == []


async def test_settling_waits_for_what_is_under_way(azure: Azure, simulator: Simulator) -> None:
    """A test waits for the end of everything, never for a while (behaviour reference section 6.4)."""
    account = await azure.spoke()
    await azure.hold_operations()
    await azure.endpoint("pe1", account, wait=False)

    left = await azure.ask("POST", "/_sim/settle", {"timeout": 0})
    assert left.status == 408
    assert left.body["left"] == [f"Microsoft.Network/privateEndpoints/write of {ENDPOINT}"]
    await azure.end_operations()
    assert await azure.sim("POST", "settle") == {"left": []}


async def test_settling_asks_everyone_twice(azure: Azure, simulator: Simulator) -> None:
    """What ends may have begun something else (behaviour reference section 1.6)."""
    answers = [["a"], [], ["b"], [], []]

    async def check() -> list[str]:
        return answers.pop(0)

    simulator.idle_checks.append(check)

    await azure.settle()

    assert answers == []


async def test_time_can_be_put_forward(azure: Azure, simulator: Simulator) -> None:
    """What is due happens in its order, the rest later (behaviour reference section 6.4)."""
    happened: list[str] = []
    before = simulator.clock.now()
    simulator.clock.call_later(60, lambda: happened.append("second"))
    simulator.clock.call_later(30, lambda: happened.append("first"))
    simulator.clock.call_later(7200, lambda: happened.append("last"))

    await azure.advance(3600)

    assert happened == ["first", "second"]
    assert simulator.clock.now() - before >= 3600
    assert simulator.clock.moment().timestamp() == pytest.approx(simulator.clock.now(), abs=5)
    await azure.advance(3600)
    assert happened == ["first", "second", "last"]


async def test_a_snapshot_brings_the_world_back(azure: Azure, simulator: Simulator) -> None:
    """A world can be kept and put back, names an owner wrote and a lag included (behaviour reference section 2.6)."""
    account = await azure.spoke()
    await azure.sim("POST", "settings", {"nicLagMs": 60_000})
    await azure.endpoint("pe1", account, customDnsConfigs=[{"fqdn": "own.example", "ipAddresses": ["10.1.0.4"]}])
    changes: list[Change] = []
    simulator.world.listeners.append(changes.append)
    before = await azure.world()

    await azure.sim("POST", "snapshot", {})
    assert (await azure.world())["resources"] == []
    assert await azure.sim("GET", "settings") == Settings().document()
    await azure.sim("POST", "snapshot", before)

    assert await azure.world() == before
    interface_id = (await azure.arm("GET", ENDPOINT)).body["properties"]["networkInterfaces"][0]["id"]

    async def shown() -> Any:
        (configuration,) = (await azure.arm("GET", interface_id)).body["properties"]["ipConfigurations"]
        return configuration["properties"]["privateLinkConnectionProperties"]["fqdns"]

    assert await shown() == []
    await azure.advance(61)
    assert await shown() == ["st1.blob.core.windows.net"]
    assert (await azure.arm("GET", ENDPOINT)).body["properties"]["customDnsConfigs"][0]["fqdn"] == "own.example"
    await azure.endpoint("pe2", account)
    assert any(change.operation == "Microsoft.Network/privateEndpoints/write" for change in changes)


async def test_a_snapshot_waits_for_operations(azure: Azure) -> None:
    """Half of a long operation cannot be told (behaviour reference section 6.4)."""
    account = await azure.spoke()
    await azure.hold_operations()
    await azure.endpoint("pe1", account, wait=False)

    answer = await azure.ask("GET", "/_sim/snapshot")

    assert (answer.status, len(answer.body["left"])) == (409, 1)


async def test_a_snapshot_replaces_what_is_under_way(azure: Azure, simulator: Simulator) -> None:
    """An operation of the world before does not end in the world after (behaviour reference section 6.4)."""
    account = await azure.spoke()
    await azure.sim("POST", "settings", {"nicLagMs": 60_000})
    await azure.endpoint("pe1", account)
    await azure.hold_operations()
    await azure.arm("DELETE", ENDPOINT)

    await azure.sim("POST", "snapshot", {"settings": {"latencyMs": 0}})
    await azure.end_operations()

    assert simulator.world.under_way() == []
    assert list(simulator.world.store) == []


async def test_a_simulator_listens_on_loopback_only_and_can_be_started_again(simulator: Simulator) -> None:
    """The simulator is for this machine (behaviour reference section 7.4)."""
    assert simulator.url.startswith("https://127.0.0.1:")
    await simulator.stop()
    await simulator.stop()
    await simulator.start()
    assert simulator.environment()["ARM_ENDPOINT"] == simulator.url
    assert simulator.environment()["IDENTITY_ENDPOINT"] == f"{simulator.url}/_identity/token"
