"""Roles: with `rbac` on, whoever asks needs an assignment for what it does, and sees only what it may read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from simulator import roles
from simulator.server import Simulator
from tests.azure import BLOB_ZONE, HUB, SPOKE, Azure, endpoint_request, resource_id
from tests.contract.graph import ids

READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
DNS_CONTRIBUTOR = "b12aa53e-6015-4669-85d0-8515ebb3ae7f"
GROUP = f"/subscriptions/{HUB}/resourceGroups/rg-dns"
ZONE_ID = f"{GROUP}/providers/Microsoft.Network/privateDnsZones/{BLOB_ZONE}"
RECORD = f"{ZONE_ID}/A/x"
ACCOUNT = resource_id(SPOKE, "rg-spoke", "Microsoft.Storage/storageAccounts", "st1")
ENDPOINT = resource_id(SPOKE, "rg-spoke", "Microsoft.Network/privateEndpoints", "pe1")
BODY = {"properties": {"ttl": 10}}
APPROVAL = {"properties": {"privateLinkServiceConnectionState": {"status": "Approved", "description": "ok"}}}
CORP = "/providers/Microsoft.Management/managementGroups/corp"


@pytest.fixture
async def guest(estate: Azure) -> AsyncIterator[Azure]:
    """Somebody without a role, in one tenant where roles count; the system's identity may do everything."""
    await estate.subscription(HUB, tenant="t-1")  # as the spoke
    await assign(estate, f"/subscriptions/{SPOKE}", CONTRIBUTOR, "system")
    await assign(estate, f"/subscriptions/{HUB}", CONTRIBUTOR, "system")
    await estate.sim("POST", "settings", {"rbac": True})
    async with Azure(estate.url, "Guest") as guest:
        yield guest


async def assign(azure: Azure, scope: str, role: str, principal: str = "guest") -> str:
    """A role assignment; its id."""
    assignment_id = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{role}-{principal}"
    definition = f"/subscriptions/{SPOKE}/providers/Microsoft.Authorization/roleDefinitions/{role}"
    await azure.put({"id": assignment_id, "properties": {"principalId": principal, "roleDefinitionId": definition}})
    return assignment_id


async def define(azure: Azure, name: str, *actions: str, but: tuple[str, ...] = ()) -> str:
    """A role definition; its name."""
    definition_id = f"/subscriptions/{SPOKE}/providers/Microsoft.Authorization/roleDefinitions/{name}"
    permissions = [{"actions": list(actions), "notActions": list(but)}]
    await azure.put({"id": definition_id, "properties": {"roleName": name, "permissions": permissions}})
    return name


async def may(azure: Azure, method: str, path: str, body: Any = None) -> bool:
    """Whether the request is let through, whatever becomes of it."""
    answer = await azure.arm(method, path, body)
    if answer.status != 403:
        return True
    assert answer.body["error"]["code"] == "AuthorizationFailed"
    return False


async def test_roles_count_only_if_asked_for(estate: Azure) -> None:
    """Without `rbac` everybody may do everything (behaviour reference section 10, point 10)."""
    async with Azure(estate.url, "guest") as guest:
        assert await may(guest, "PUT", RECORD, BODY)


@pytest.mark.parametrize(
    ("method", "path", "action"),
    [
        ("GET", ZONE_ID, "Microsoft.Network/privateDnsZones/read"),
        ("GET", f"{GROUP}/providers/Microsoft.Network/privateDnsZones", "Microsoft.Network/privateDnsZones/read"),
        ("PUT", RECORD, "Microsoft.Network/privateDnsZones/A/write"),
        ("PATCH", RECORD, "Microsoft.Network/privateDnsZones/A/write"),
        ("DELETE", RECORD, "Microsoft.Network/privateDnsZones/A/delete"),
        ("POST", f"{ZONE_ID}/frobnicate", "Microsoft.Network/privateDnsZones/frobnicate/action"),
        ("POST", f"{GROUP}/moveResources", "Microsoft.Resources/subscriptions/resourceGroups/moveResources/action"),
        ("GET", f"/subscriptions/{HUB}/locations", "Microsoft.Resources/subscriptions/locations/read"),
        ("GET", f"/subscriptions/{HUB}", "Microsoft.Resources/subscriptions/read"),
        ("GET", GROUP, "Microsoft.Resources/subscriptions/resourceGroups/read"),
        ("GET", f"{GROUP}x", "Microsoft.Resources/subscriptions/resourceGroups/read"),  # nor is it told what is not
    ],
)
async def test_every_request_needs_its_action(guest: Azure, method: str, path: str, action: str) -> None:
    """Azure, 403 AuthorizationFailed names who, what and where (behaviour reference section 6.1)."""
    answer = await guest.arm(method, path, BODY if method != "GET" else None)

    assert (answer.status, answer.body["error"]["code"]) == (403, "AuthorizationFailed")
    assert answer.body["error"]["message"] == (
        "The client 'Guest' with object id 'Guest' does not have authorization to perform action "
        f"'{action}' over scope '{path}' or the scope is invalid. If access was recently granted, please refresh your "
        "credentials."
    )
    assert answer.headers["x-ms-failure-cause"] == "gateway"
    await assign(guest, f"/subscriptions/{HUB}", await define(guest, "one-thing", action.upper()))
    assert await may(guest, method, path, BODY if method != "GET" else None)


async def test_the_stock_client_sees_the_refusal(guest: Azure) -> None:
    """Azure, a missing role is a 403 (behaviour reference sections 2.8, 6.1)."""
    with pytest.raises(HttpResponseError) as raised:
        await (await guest.private_dns()).private_zones.get("rg-dns", BLOB_ZONE)

    assert raised.value.status_code == 403
    assert raised.value.error is not None
    assert raised.value.error.code == "AuthorizationFailed"
    await assign(guest, GROUP, READER)
    assert (await (await guest.private_dns()).private_zones.get("rg-dns", BLOB_ZONE)).name == BLOB_ZONE


@pytest.mark.parametrize("scope", [f"/subscriptions/{HUB}", GROUP, GROUP.upper(), ZONE_ID])
async def test_a_role_holds_at_its_scope_and_below(guest: Azure, scope: str) -> None:
    """Azure, an assignment is inherited downwards (behaviour reference section 2.8)."""
    await assign(guest, scope, READER)

    assert await may(guest, "GET", ZONE_ID)
    assert await may(guest, "GET", f"{ZONE_ID}/ALL")
    assert not await may(guest, "GET", f"{ZONE_ID}x") or scope.lower() in (GROUP.lower(), f"/subscriptions/{HUB}")
    assert not await may(guest, "PUT", RECORD, BODY)
    assert not await may(guest, "GET", ACCOUNT)


async def test_a_role_of_a_management_group_holds_in_its_subscriptions(guest: Azure) -> None:
    """Azure, management groups are above subscriptions (behaviour reference section 2.8)."""
    await assign(guest, CORP, READER)

    assert await may(guest, "GET", ACCOUNT)
    assert not await may(guest, "GET", ZONE_ID)
    assert [each["subscriptionId"] for each in (await guest.arm("GET", "/subscriptions")).body["value"]] == [SPOKE]
    await guest.subscription(HUB, managementGroups=["CORP"])
    assert await may(guest, "GET", ZONE_ID)


async def test_an_assignment_is_taken_away(guest: Azure) -> None:
    """Azure, without the assignment the right is gone (behaviour reference section 2.8)."""
    assignment_id = await assign(guest, GROUP, READER)
    assert await may(guest, "GET", ZONE_ID)

    await guest.sim("DELETE", "resources", id=assignment_id)

    assert not await may(guest, "GET", ZONE_ID)


async def test_not_actions_and_unknown_roles(guest: Azure) -> None:
    """Azure, notActions take away from actions, of one role only (behaviour reference section 2.8)."""
    await assign(guest, GROUP, "00000000-0000-0000-0000-00000000dead")
    assert not await may(guest, "GET", ZONE_ID)

    most = await define(guest, "most", "Microsoft.Network/*", but=("Microsoft.Network/privateDnsZones/*/delete",))
    await assign(guest, GROUP, most)
    assert await may(guest, "PUT", RECORD, BODY)
    assert not await may(guest, "DELETE", RECORD)

    await assign(guest, GROUP, await define(guest, "rest", "*/delete"))
    assert await may(guest, "DELETE", RECORD)


async def test_built_in_roles(guest: Azure) -> None:
    """Azure, the roles that come with it, by their ids (behaviour reference section 2.8)."""
    await assign(guest, f"/subscriptions/{HUB}", DNS_CONTRIBUTOR)
    assert await may(guest, "PUT", RECORD, BODY)
    assert await may(guest, "DELETE", RECORD)
    assert await may(guest, "GET", GROUP)
    put = await guest.arm("PUT", ZONE_ID, {"location": "global"})
    assert await may(guest, "GET", put.headers["Azure-AsyncOperation"])
    assert not await may(guest, "DELETE", GROUP)

    await assign(guest, f"/subscriptions/{SPOKE}", CONTRIBUTOR)
    assert await may(guest, "PUT", f"/subscriptions/{SPOKE}/resourceGroups/new", {"location": "westeurope"})
    rights = f"/subscriptions/{SPOKE}/providers/Microsoft.Authorization/roleAssignments/x"
    assert not await may(guest, "PUT", rights, {})


async def test_who_answers_a_connection_needs_a_right_on_the_target(guest: Azure, estate: Azure) -> None:
    """Azure, privateEndpointConnectionsApproval/action besides the write (behaviour reference sections 2.8, 4.3)."""
    await estate.endpoint("pe1", ACCOUNT, manual=True)
    listed = await estate.arm("GET", f"{ACCOUNT}/privateEndpointConnections")
    (connection,) = [each["id"] for each in listed.body["value"]]
    storage = "Microsoft.Storage/storageAccounts"
    await assign(guest, ACCOUNT, await define(guest, "half", f"{storage}/privateEndpointConnections/*"))

    refused = await guest.arm("PUT", connection, APPROVAL)

    assert (refused.status, refused.body["error"]["code"]) == (403, "AuthorizationFailed")
    message = refused.body["error"]["message"]
    assert f"'{storage}/privateEndpointConnectionsApproval/action' over scope '{ACCOUNT}'" in message
    await assign(guest, ACCOUNT, await define(guest, "other-half", f"{storage}/privateEndpointConnectionsApproval/*"))
    assert (await guest.arm("PUT", connection, APPROVAL)).status == 200


async def test_an_automatic_request_needs_the_right_to_approve(guest: Azure) -> None:
    """Azure, who may not approve must ask by hand (behaviour reference section 2.6; the code is unverified)."""
    await assign(guest, SPOKE_GROUP, await define(guest, "network", "Microsoft.Network/*"))

    refused = await guest.arm("PUT", ENDPOINT, endpoint_request(ACCOUNT))
    waiting = await guest.arm("PUT", ENDPOINT, endpoint_request(ACCOUNT, manual=True))

    assert (refused.status, refused.body["error"]["code"]) == (403, "LinkedAuthorizationFailed")
    missing = "Microsoft.Storage/storageAccounts/privateEndpointConnectionsApproval/action"
    assert f"'{missing}' on the linked scope(s) '{ACCOUNT}'" in refused.body["error"]["message"]
    assert waiting.status == 201
    assert (await guest.arm("PUT", f"{ENDPOINT}2", endpoint_request("alias"))).status == 400  # the provider's word
    await assign(guest, SPOKE_GROUP, CONTRIBUTOR)
    assert (await guest.arm("PUT", f"{ENDPOINT}2", endpoint_request(ACCOUNT))).status == 201


SPOKE_GROUP = f"/subscriptions/{SPOKE}/resourceGroups/rg-spoke"


async def test_the_index_shows_what_may_be_read(guest: Azure) -> None:
    """Azure, a missing role looks like an empty result (behaviour reference section 2.8)."""
    everything = "resources | project id | order by id asc"
    containers = "resourcecontainers | project id | order by id asc"
    assert await ids(guest, everything) == []
    assert await ids(guest, containers) == []

    reads = await define(guest, "zones", "Microsoft.Network/privateDnsZones/*")
    await assign(guest, GROUP, reads)
    assert await ids(guest, everything) == [BLOB_ZONE]
    assert await ids(guest, "dnsresources | project id") == ["@"]

    await assign(guest, f"/subscriptions/{SPOKE}", READER)
    assert await ids(guest, everything) == ["vnet-spoke", "st1", BLOB_ZONE]
    assert await ids(guest, containers) == [SPOKE, "rg-spoke"]


async def test_a_hidden_subscription_stays_hidden(guest: Azure) -> None:
    """A subscription that is not readable is so for everybody (behaviour reference section 2.8)."""
    await assign(guest, f"/subscriptions/{HUB}", READER)
    await guest.subscription(HUB, tenant="t-1", readable=False)

    assert not await may(guest, "GET", ZONE_ID)
    assert await ids(guest, "resources | project id") == []


def test_rights_end_at_the_name(simulator: Simulator) -> None:
    """Azure, a scope is a path, not the beginning of a text (behaviour reference section 2.8)."""
    grant = roles.Grant("/subscriptions/s/resourcegroups/rg", (("microsoft\\.x/.*", "(?!)"),))
    rights = roles.Rights("p", unlimited=False, grants=(grant,))

    assert rights.allow("Microsoft.X/y/read", "/subscriptions/s/resourceGroups/RG/providers/Microsoft.X/y/z")
    assert not rights.allow("Microsoft.X/y/read", "/subscriptions/s/resourceGroups/rg2/providers/Microsoft.X/y/z")
    assert not rights.allow("Microsoft.X/y/read", "/providers/Microsoft.X/y/z")
