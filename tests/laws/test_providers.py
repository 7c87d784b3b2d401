"""Every shape in which a provider wants its connections answered, and every peculiarity of the approval notes (law 10).

Input: a manual request, through the simulator. Observed: what its target shows, what the consumer's stock client shows,
and what was sent.
"""

from __future__ import annotations

from typing import Any

import pytest

from hubwarden.model.connection import Verdict
from hubwarden.model.endpoint import ConnectionStatus
from hubwarden.model.plan import HeldReason
from hubwarden.model.report import Result
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import Pending
from tests.azure import resource_id
from tests.contract import owners
from tests.estate import IDENTITY, Estate
from tests.laws.conftest import Founding
from tests.laws.test_approvals import SERVICE, STORAGE, VAULT, guarded, rule, target_of

SQL, COSMOS = "Microsoft.Sql/servers", "Microsoft.DocumentDB/databaseAccounts"
BATCH, SITE = "Microsoft.Batch/batchAccounts", "Microsoft.Web/sites"
REGISTRY, HUBS = "Microsoft.ContainerRegistry/registries", "Microsoft.Synapse/privateLinkHubs"
VAULTS, MESSAGES = "Microsoft.RecoveryServices/vaults", "Microsoft.ServiceBus/namespaces"

SHAPES = [
    STORAGE,  # the whole, at once, from a list
    REGISTRY,  # the whole, later
    SQL,  # with words of its own, and a description
    MESSAGES,  # later, and nothing tells where to look
    VAULT,  # under its etag, from the resource itself
    COSMOS,  # from the resource itself, named after the endpoint
    VAULTS,  # from the resource itself, with an eTag
    BATCH,  # a PATCH
    "Microsoft.ApiManagement/service",  # a request
    "Microsoft.DataFactory/factories",  # the endpoint and the state
    "microsoft.insights/privateLinkScopes",
    SERVICE,  # by a client of its own
]

PARTNER = "00000000-0000-0000-0000-0000000000dd"
"""A subscription that we cannot look at."""

Shown = dict[str, Any]


async def ruled(found: Founding, target_type: str, then: str = "approve", **changes: Any) -> Estate:
    """An estate that answers own requests to such resources so; to hold takes no rule."""
    rules = [] if then == "hold" else [rule("own", then, types=[target_type], **{"in": "estate"})]
    return await guarded(found, *rules, **changes)


async def waiting_at(estate: Estate, target_type: str, group: str = "g1", name: str = "t1") -> tuple[str, str]:
    """A resource of that type, and an endpoint whose request waits there; their ids."""
    if target_type == SERVICE:
        target = await target_of(estate, SERVICE)
        return target, await estate.azure.endpoint("pe1", target, manual=True, groups=[])
    target = await owners.target(estate.azure, target_type, name, group)
    return target, await estate.azure.endpoint("pe1", target, manual=True, groups=[group], message="let me in")


async def connection_at(estate: Estate, target: str) -> Shown:
    """The one connection that the resource's own document shows."""
    [shown] = await owners.shown(estate.azure, target)
    return shown


def state_of(shown: Shown) -> Shown:
    state: Shown = shown["properties"]["privateLinkServiceConnectionState"]
    return state


async def consumers_view(estate: Estate, endpoint: str) -> str | None:
    """The status that the stock client shows the endpoint's owner."""
    client = await estate.azure.network()
    found = await client.private_endpoints.get("rg-spoke", ResourceId.parse(endpoint).name)
    [connection] = found.manual_private_link_service_connections or []
    state = connection.private_link_service_connection_state
    return str(state.status) if state else None


async def sent(estate: Estate) -> list[str]:
    """The verbs of what Hubwarden wrote to connections."""
    found = await estate.azure.requests()
    written = [each for each in found if each["method"] != "GET" and each["principal"] == IDENTITY]
    return [each["method"] for each in written if "/privateendpointconnections/" in each["path"].lower()]


@pytest.mark.parametrize("target_type", SHAPES)
@pytest.mark.parametrize(("then", "status"), [("approve", "Approved"), ("reject", "Rejected"), ("hold", "Pending")])
async def test_every_shape_is_approved_rejected_and_held(
    found: Founding, target_type: str, then: str, status: str
) -> None:
    """Approval notes, all subjects about bodies, verbs and lists; both sides of the connection show the answer."""
    estate = await ruled(found, target_type, then)
    target, endpoint = await waiting_at(estate, target_type)
    report = await estate.look(endpoint)
    assert [each.verdict for each in report.decisions] == [then]
    assert [each.result for each in report.outcomes if each.key != endpoint] == [Result.DONE] * (then != "hold")
    shown = await connection_at(estate, target)
    assert state_of(shown)["status"] == status
    assert await consumers_view(estate, endpoint) == status
    if then == "hold":
        assert await sent(estate) == []
    else:
        assert state_of(shown)["description"] == f"{status} by Hubwarden (contoso): rule own"
        assert await sent(estate) == ["PATCH" if target_type == BATCH else "PUT"]


async def test_the_stock_storage_client_sees_what_was_answered(found: Founding) -> None:
    """The view of the target's owner, of the one service whose client is at hand besides the network's."""
    estate = await ruled(found, STORAGE)
    target = await estate.azure.storage_account("st7")
    await estate.look(await estate.azure.endpoint("pe1", target, manual=True, groups=["blob"]))
    client = await estate.azure.storage()
    [shown] = [each async for each in client.private_endpoint_connections.list("rg-spoke", "st7")]
    assert shown.private_link_service_connection_state is not None
    assert shown.private_link_service_connection_state.status == "Approved"


@pytest.mark.parametrize(
    "target_type",
    [
        "Microsoft.Sql/managedInstances",
        "Microsoft.DBforMySQL/servers",
        "Microsoft.DBforPostgreSQL/servers",
        "Microsoft.DBforMariaDB/servers",
        "Microsoft.HybridCompute/privateLinkScopes",
        "Microsoft.Devices/IotHubs",
        "Microsoft.Devices/provisioningServices",
        "Microsoft.DigitalTwins/digitalTwinsInstances",
    ],
)
async def test_those_that_need_a_description_get_one(found: Founding, target_type: str) -> None:
    """Approval notes, "description null": 400 without one."""
    estate = await ruled(found, target_type)
    target, endpoint = await waiting_at(estate, target_type)
    await estate.look(endpoint)
    assert state_of(await connection_at(estate, target))["status"] == "Approved"


@pytest.mark.parametrize("word", ["Approving", "Updating"])
async def test_what_azure_is_at_work_on_is_not_answered(found: Founding, word: str) -> None:
    """Approval notes, "provisioningState": Pending and on its way is somebody's answer already."""
    estate = await ruled(found, SQL)
    target, endpoint = await waiting_at(estate, SQL)
    shown = await connection_at(estate, target)
    shown["properties"]["provisioningState"] = word
    await estate.azure.put(shown)
    report = await estate.look(endpoint)
    assert HeldReason.NOT_READY in {held.reason for held in report.plan.held if held.connection}
    assert report.look_again
    assert await sent(estate) == []


async def test_a_pending_connection_may_be_called_pending_twice(found: Founding) -> None:
    """Where provisioningState repeats the status, nothing is at work on it."""
    estate = await ruled(found, SITE)
    target, endpoint = await waiting_at(estate, SITE)
    shown = await connection_at(estate, target)
    shown["properties"]["provisioningState"] = "Pending"
    await estate.azure.put(shown)
    await estate.look(endpoint)
    assert state_of(await connection_at(estate, target))["status"] == "Approved"


async def test_key_vaults_etag_is_insisted_on(found: Founding, monkeypatch: pytest.MonkeyPatch) -> None:
    """Approval notes, "Key Vault": the connection has an etag."""
    estate = await ruled(found, VAULT)
    _, endpoint = await waiting_at(estate, VAULT)
    headers = await spied(estate, monkeypatch)
    await estate.look(endpoint)
    [each] = headers
    assert each["If-Match"].startswith('W/"')


async def test_batch_is_patched_under_its_etag(found: Founding, monkeypatch: pytest.MonkeyPatch) -> None:
    """Approval notes, "Batch": PATCH, optional If-Match; what changed meanwhile is raced, and decided anew."""
    estate = await ruled(found, BATCH)
    target, endpoint = await waiting_at(estate, BATCH)
    session = estate.hubwarden.rooms.arm
    send = session.send

    async def late(method: str, path: str, version: str, body: Any, headers: Any) -> None:
        monkeypatch.setattr(session, "send", send)
        await estate.azure.put({**await connection_at(estate, target), "etag": 'W/"other"'})
        await send(method, path, version, body, headers)

    monkeypatch.setattr(session, "send", late)
    report = await estate.look(endpoint)
    assert [each.result for each in report.outcomes] == [Result.RACED]
    assert "412" in report.outcomes[0].error
    await estate.look(endpoint)
    assert state_of(await connection_at(estate, target))["status"] == "Approved"


async def spied(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """The headers of what is sent from now on."""
    session, noted = estate.hubwarden.rooms.arm, []
    send = session.send

    async def noting(method: str, path: str, version: str, body: Any, headers: Any) -> None:
        noted.append(dict(headers))
        await send(method, path, version, body, headers)

    monkeypatch.setattr(session, "send", noting)
    return noted


async def test_cosmos_shows_one_group(found: Founding) -> None:
    """Approval notes, "Cosmos DB": `groupId`, singular; the rule's groups are compared with it."""
    own = rule("own", types=[COSMOS], groups=["Sql"], **{"in": "estate"})
    estate = await guarded(found, own)
    _, endpoint = await waiting_at(estate, COSMOS, group="Sql")
    [decision] = (await estate.look(endpoint)).decisions
    assert (decision.verdict, decision.connection.groups) == (Verdict.APPROVE, ("Sql",))


async def test_synapse_hubs_are_left_to_a_person(found: Founding) -> None:
    """Approval notes, "Synapse hubs": only GET and list."""
    estate = await ruled(found, HUBS)
    _, endpoint = await waiting_at(estate, HUBS)
    report = await estate.look(endpoint)
    [held] = [held for held in report.plan.held if held.connection]
    assert held.reason is HeldReason.UNKNOWN_PROVIDER
    assert [each.verdict for each in report.decisions] == [Verdict.HOLD]
    assert await sent(estate) == []


@pytest.mark.parametrize("on_site", [True, False])
async def test_the_connection_of_a_slot_is_found(found: Founding, on_site: bool) -> None:
    """Approval notes, "App Service slots": the endpoint names the site; which shows it is unverified, so a switch."""
    slots = "Microsoft.Web/sites/slots"
    own = rule("own", types=[SITE, slots], **{"in": "estate"})
    estate = await guarded(found, own)
    await estate.azure.sim("POST", "settings", {"slotConnectionsOnSite": on_site})
    site = await owners.target(estate.azure, SITE, group="sites-Stage")
    slot = f"{site}/slots/Stage"
    await estate.azure.put({"id": slot, "name": "Stage", "properties": {}})
    endpoint = await estate.azure.endpoint("pe1", site, manual=True, groups=["sites-Stage"])
    await estate.look(endpoint)
    assert state_of(await connection_at(estate, site if on_site else slot))["status"] == "Approved"
    assert await consumers_view(estate, endpoint) == "Approved"


# The connection is found by the endpoint's id, and one is expected.


async def twin_of(estate: Estate, target: str, **changes: Any) -> None:
    """Another connection of the same endpoint, as one that is left from its predecessor."""
    shown = await connection_at(estate, target)
    properties = {**shown["properties"], **changes}
    await estate.azure.put({**shown, "id": f"{shown['id']}-old", "name": "old", "properties": properties})


@pytest.mark.parametrize("groups", [["g1"], ["other"]])
async def test_two_that_wait_for_one_endpoint_are_held(found: Founding, groups: list[str]) -> None:
    """An endpoint has one connection: which of the two is its own nobody can tell."""
    estate = await ruled(found, STORAGE)
    target, endpoint = await waiting_at(estate, STORAGE)
    await twin_of(estate, target, groupIds=groups)
    for report in (await estate.look(endpoint), await estate.hubwarden.run(Pending())):
        held = [held for held in report.plan.held if held.connection]
        assert [each.reason for each in held] == [HeldReason.UNCERTAIN] * 2
        assert [each.verdict for each in report.decisions] == [Verdict.HOLD] * 2
    assert await sent(estate) == []


async def test_one_that_was_answered_before_is_no_second(found: Founding) -> None:
    estate = await ruled(found, STORAGE)
    target, endpoint = await waiting_at(estate, STORAGE)
    await twin_of(estate, target, privateLinkServiceConnectionState={"status": "Disconnected"})
    report = await estate.look(endpoint)
    assert [each.result for each in report.outcomes] == [Result.DONE]


async def test_an_endpoint_whose_target_shows_nothing_of_it_is_held(found: Founding) -> None:
    estate = await ruled(found, STORAGE)
    target, endpoint = await waiting_at(estate, STORAGE)
    await estate.azure.sim("DELETE", "resources", id=(await connection_at(estate, target))["id"])
    report = await estate.look(endpoint)
    assert HeldReason.UNCERTAIN in {held.reason for held in report.plan.held}
    assert report.look_again


# What people must do.


async def test_a_rejection_is_not_taken_back_and_what_helps_is_said(found: Founding) -> None:
    """Approval notes, "after rejection": Cosmos DB and storage refuse to approve what was rejected."""
    estate = await ruled(found, COSMOS)
    target, endpoint = await waiting_at(estate, COSMOS)
    await owners.decide(estate.azure, await connection_at(estate, target), "Rejected")
    await estate.hubwarden.run(Pending())
    report = await estate.look(endpoint)
    assert report.decisions == ()
    assert await sent(estate) == []
    [told] = await estate.hubwarden.connections(ConnectionStatus.REJECTED)
    assert "rule own would approve it now: delete the endpoint and create it anew" in told.reason
    explanation = await estate.hubwarden.explain(ResourceId.parse(endpoint))
    assert [each.detail for each in explanation.plan.held if each.connection] == [told.reason]


async def test_what_the_consumer_must_do_is_reported(found: Founding) -> None:
    """`actionsRequired`, as after a region was added to a Cosmos DB account; Recreate is the one action Azure names."""
    estate = await ruled(found, COSMOS)
    target, endpoint = await waiting_at(estate, COSMOS)
    await estate.look(endpoint)
    shown = await connection_at(estate, target)
    state_of(shown)["actionsRequired"] = "Recreate"
    await estate.azure.put(shown)
    [held] = [each for each in (await estate.sweep()).plan.held if each.reason is HeldReason.ACTION_REQUIRED]
    assert held.connection == ResourceId.parse(shown["id"])
    assert "consumer must recreate the endpoint" in held.detail
    [listed] = await estate.hubwarden.connections(ConnectionStatus.APPROVED)
    assert listed.reason == "it is Approved; its consumer must act: Recreate"


# Types that the index does not show.


@pytest.mark.parametrize("shown", [True, False])
async def test_a_sweep_asks_arm_for_what_the_index_does_not_show(found: Founding, shown: bool) -> None:
    """Of which types Resource Graph shows connections is unverified, so a switch; a consumer elsewhere tells nobody."""
    estate = await guarded(found, rule("partner", types=[STORAGE], subscriptions=[PARTNER]))
    target = await target_of(estate, STORAGE)
    await estate.azure.sim("POST", "settings", {"graphConnections": shown})
    asking = resource_id(PARTNER, "rg", "Microsoft.Network/privateEndpoints", "pe")
    await estate.azure.put(stranger_at(target, asking))
    await estate.hubwarden.run(Pending())
    assert state_of(await connection_at(estate, target))["status"] == ("Approved" if shown else "Pending")
    await estate.sweep()
    assert state_of(await connection_at(estate, target))["status"] == "Approved"


async def test_a_target_that_cannot_be_listed_costs_a_sweep_nothing_else(found: Founding) -> None:
    estate = await guarded(found, rule("partner", types=[STORAGE], subscriptions=[PARTNER]))
    hidden, target = await target_of(estate, STORAGE, "t2"), await target_of(estate, STORAGE)
    await estate.azure.sim("POST", "settings", {"graphConnections": False})
    asking = resource_id(PARTNER, "rg", "Microsoft.Network/privateEndpoints", "pe")
    await estate.azure.put(stranger_at(target, asking))
    denied = {"service": "arm", "method": "GET", "path": f"{hidden}/", "times": 9, "when": "before", "status": 403}
    await estate.azure.sim("POST", "faults", {**denied, "code": "AuthorizationFailed"})
    await estate.sweep()
    assert state_of(await connection_at(estate, target))["status"] == "Approved"


def stranger_at(target: str, endpoint: str) -> Shown:
    return {
        "id": f"{target}/privateEndpointConnections/stranger",
        "name": "stranger",
        "properties": {
            "privateEndpoint": {"id": endpoint},
            "privateLinkServiceConnectionState": {"status": "Pending", "description": "", "actionRequired": "None"},
            "provisioningState": "Succeeded",
        },
    }
