"""Which zone groups are not taken over: nothing may be lost, nothing may make the group anew, and nothing is guessed.

Each test also has the refused plan applied, which does nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hubwarden.model.takeover import ObstacleReason
from tests.azure import BLOB_ZONE, SPOKE, resource_id
from tests.estate import Estate, record_id
from tests.laws.conftest import Founding, readdress
from tests.laws.takeovers import (
    AUTHORIZATION,
    CORP,
    GROUP,
    Moments,
    Takeovers,
    assignment,
    group_id,
    may_take_over,
    person_at,
    policy,
    zone_id,
)

STORAGE = "Microsoft.Storage/storageAccounts"
SANDBOX = "/providers/Microsoft.Management/managementGroups/sandbox"


@pytest.fixture
async def takeovers(estate: Estate, tmp_path: Path) -> AsyncIterator[Takeovers]:
    """The estate with the default settings, its spoke beneath a management group, and a person at its shell."""
    await may_take_over(estate)
    moments = Moments(estate.time)
    person = person_at(estate, tmp_path, moments)
    await estate.azure.subscription(SPOKE, managementGroups=["corp"])
    yield Takeovers(estate, person, moments)
    await person.close()


async def reasons(takeovers: Takeovers, endpoint: str) -> list[ObstacleReason]:
    """Why an endpoint is refused; and its group is still there."""
    found = [reason for reason, _ in await takeovers.why_not(endpoint)]
    assert await takeovers.has_group(endpoint)
    return found


# Nothing is lost


async def test_a_zone_that_is_not_ours_serves_other_networks(takeovers: Takeovers) -> None:
    other = await takeovers.estate.azure.zone(group="rg-other")
    endpoint = await takeovers.grouped(zones=[zone_id(), other])
    [(reason, detail)] = await takeovers.why_not(endpoint)
    assert (reason, other in detail) == (ObstacleReason.FOREIGN_ZONE, True)


async def test_a_record_that_hubwarden_would_not_write_would_be_lost(found: Founding, tmp_path: Path) -> None:
    """The hub publishes other places only."""
    estate = await found(
        hubs=[
            {
                "name": "weu",
                "zones": [zone_id().partition("/providers")[0]],
                "publishes": {"locations": ["northeurope"]},
            }
        ]
    )
    await may_take_over(estate)
    moments = Moments(estate.time)
    person = person_at(estate, tmp_path, moments)
    takeovers = Takeovers(estate, person, moments)
    [(reason, detail)] = await takeovers.why_not(await takeovers.grouped())
    assert (reason, "no_hub" in detail) == (ObstacleReason.NOT_WANTED, True)
    await person.close()


async def test_a_record_found_by_its_metadata_alone_counts(takeovers: Takeovers) -> None:
    """The group does not list it, but it says whose it is."""
    endpoint = await takeovers.grouped()
    creator = (await takeovers.record())["metadata"]["creator"]
    await takeovers.estate.write_by_hand("left", creator=creator)
    [(reason, detail)] = await takeovers.why_not(endpoint)
    assert (reason, detail.startswith(f"left.{BLOB_ZONE} A")) == (ObstacleReason.NOT_WANTED, True)


async def test_a_record_that_neither_the_group_lists_nor_the_index_shows_is_written_anew(takeovers: Takeovers) -> None:
    """It bears the endpoint's guid where the endpoint wants it; what is not shown there stands in the way."""
    await takeovers.estate.azure.sim("POST", "settings", {"graphLagMs": 3_600_000})
    endpoint = await takeovers.grouped()
    group = (await takeovers.estate.azure.arm("GET", group_id(endpoint))).body
    group["properties"]["privateDnsZoneConfigs"][0]["properties"]["recordSets"] = []
    await takeovers.estate.azure.put(group)
    [planned] = (await takeovers.plan(endpoint)).ready
    assert [put.key.name for put in planned.puts] == ["st1"]
    await takeovers.fault(method="GET", path="/A/st1$", status=403, code="AuthorizationFailed")
    assert await reasons(takeovers, endpoint) == [ObstacleReason.UNKNOWN]


async def test_what_an_index_that_lags_still_shows_does_not(takeovers: Takeovers) -> None:
    endpoint = await takeovers.grouped()
    creator = (await takeovers.record())["metadata"]["creator"]
    await takeovers.estate.write_by_hand("left", creator=creator)
    await takeovers.estate.azure.sim("POST", "settings", {"graphLagMs": 3_600_000})
    await takeovers.estate.azure.advance(3_600)
    await takeovers.estate.delete_by_hand("left")
    assert len((await takeovers.plan(endpoint)).ready) == 1


async def test_other_addresses_than_the_endpoints(takeovers: Takeovers) -> None:
    endpoint = await takeovers.grouped()
    await readdress(takeovers.estate, endpoint, "10.1.0.9")
    assert await reasons(takeovers, endpoint) == [ObstacleReason.OTHER_ADDRESSES]


async def test_a_record_that_another_endpoints_group_overwrote(takeovers: Takeovers) -> None:
    """The last writer wins, and whoever goes first takes the record along (behaviour reference section 2.4)."""
    first = await takeovers.grouped()
    second = await takeovers.estate.azure.endpoint("pe2", resource_id(SPOKE, "rg-spoke", STORAGE, "st1"))
    await takeovers.attach(second, zone_id())
    assert await reasons(takeovers, first) == [ObstacleReason.OTHERS_RECORD]
    assert len((await takeovers.plan(second)).ready) == 1


async def test_a_protected_name(found: Founding, tmp_path: Path) -> None:
    estate = await found(records={"protected": ["st1.blob.core.windows.net"]})
    await may_take_over(estate)
    moments = Moments(estate.time)
    person = person_at(estate, tmp_path, moments)
    takeovers = Takeovers(estate, person, moments)
    assert await reasons(takeovers, await takeovers.grouped()) == [ObstacleReason.PROTECTED]
    await person.close()


@pytest.mark.parametrize("status", ["Rejected", "Pending", "Disconnected"])
async def test_a_connection_that_is_not_approved(takeovers: Takeovers, status: str) -> None:
    endpoint = await takeovers.grouped()
    document = (await takeovers.estate.azure.arm("GET", endpoint)).body
    [connection] = document["properties"]["privateLinkServiceConnections"]
    connection["properties"]["privateLinkServiceConnectionState"]["status"] = status
    await takeovers.estate.azure.put(document)
    assert ObstacleReason.NOT_APPROVED in await reasons(takeovers, endpoint)


async def test_an_endpoint_or_a_group_that_is_being_changed(takeovers: Takeovers) -> None:
    endpoint = await takeovers.grouped()
    for changing in (endpoint, group_id(endpoint)):
        document = (await takeovers.estate.azure.arm("GET", changing)).body
        properties = {**document["properties"], "provisioningState": "Updating"}
        await takeovers.estate.azure.put({**document, "properties": properties})
        assert ObstacleReason.NOT_READY in await reasons(takeovers, endpoint)
        await takeovers.estate.azure.put(document)
    assert len((await takeovers.plan(endpoint)).ready) == 1


async def test_an_endpoint_without_a_group_or_none_at_all(takeovers: Takeovers) -> None:
    """With its record there, there is nothing to do; what was never there is told of as such."""
    endpoint = await takeovers.estate.azure.endpoint("pe1", await takeovers.estate.azure.spoke())
    await takeovers.estate.look(endpoint)
    for each in (endpoint, f"{endpoint}-gone"):
        [(reason, _)] = await takeovers.why_not(each)
        assert reason is ObstacleReason.NO_GROUP
    assert (await takeovers.plan()).takeovers == ()


async def test_an_endpoint_of_another_estate(takeovers: Takeovers) -> None:
    elsewhere = "00000000-0000-0000-0000-0000000000ee"
    [(reason, _)] = await takeovers.why_not(resource_id(elsewhere, "rg", "Microsoft.Network/privateEndpoints", "pe"))
    assert reason is ObstacleReason.OUTSIDE_ESTATE


# What cannot be known is refused


@pytest.mark.parametrize(
    "path",
    [
        "privateEndpoints/pe1$",
        "pe1/privateDnsZoneGroups$",
        "/A/st1$",
        "policyAssignments$",
        "policyExemptions$",
        "rg-spoke/providers/Microsoft.Authorization/locks$",
        f"{BLOB_ZONE}/providers/Microsoft.Authorization/locks$",
        f"{SPOKE}/providers/Microsoft.Authorization/locks$",
    ],
)
@pytest.mark.parametrize(("status", "code"), [(403, "AuthorizationFailed"), (503, "ServerBusy")])
async def test_what_cannot_be_read(takeovers: Takeovers, path: str, status: int, code: str) -> None:
    endpoint = await takeovers.grouped()
    await takeovers.fault(method="GET", path=path, status=status, code=code)
    [(reason, detail)] = await takeovers.why_not(endpoint)
    assert (reason, code in detail) == (ObstacleReason.UNKNOWN, True)


async def test_an_endpoint_that_is_hidden(takeovers: Takeovers) -> None:
    """Any 404 but those that prove absence may be a missing right (law 5)."""
    endpoint = await takeovers.grouped()
    await takeovers.fault(method="GET", path="privateEndpoints/pe1$", status=404, code="SubscriptionNotFound")
    [(reason, _)] = await takeovers.why_not(endpoint)
    assert reason is ObstacleReason.UNKNOWN


async def test_a_group_of_another_shape(takeovers: Takeovers) -> None:
    endpoint = await takeovers.grouped()
    document = (await takeovers.estate.azure.arm("GET", group_id(endpoint))).body
    document["properties"]["privateDnsZoneConfigs"] = [{"name": "x", "properties": {"privateDnsZoneId": "nowhere"}}]
    await takeovers.estate.azure.put(document)
    assert await reasons(takeovers, endpoint) == [ObstacleReason.UNKNOWN]


# Locks


@pytest.mark.parametrize("level", ["CanNotDelete", "ReadOnly"])
@pytest.mark.parametrize("inherited", [True, False])
@pytest.mark.parametrize(
    "scope",
    [
        f"/subscriptions/{SPOKE}",
        GROUP,
        resource_id(SPOKE, "rg-spoke", "Microsoft.Network/privateEndpoints", "pe1"),
        zone_id(),
        zone_id().partition("/providers")[0],
        record_id("st1"),
    ],
    ids=["subscription", "group", "endpoint", "zone", "zone's group", "record"],
)
async def test_a_lock_over_the_endpoint_or_the_record(
    takeovers: Takeovers, scope: str, level: str, inherited: bool
) -> None:
    endpoint = await takeovers.grouped()
    await takeovers.estate.azure.sim("POST", "settings", {"inheritedLocksListed": inherited})
    lock = f"{scope}/{AUTHORIZATION}/locks/keep"
    await takeovers.estate.azure.put({"id": lock, "properties": {"level": level}})
    [(reason, detail)] = await takeovers.why_not(endpoint)
    assert (reason, lock in detail) == (ObstacleReason.LOCKED, True)


async def test_a_lock_on_another_record_or_endpoint_is_not_in_the_way(takeovers: Takeovers) -> None:
    endpoint = await takeovers.grouped()
    for scope in (record_id("other"), f"{endpoint}-2", zone_id(group="rg-other")):
        lock = f"{scope}/{AUTHORIZATION}/locks/keep"
        await takeovers.estate.azure.put({"id": lock, "properties": {"level": "ReadOnly"}})
    assert len((await takeovers.plan(endpoint)).ready) == 1


# What would make the group anew


SET_ID = f"{CORP}/{AUTHORIZATION}/policySetDefinitions/dns"


def policy_set(effect: Any = None) -> dict[str, Any]:
    """A set with the policy, as its document; `effect` is what the set hands on to it."""
    handed_on = {} if effect is None else {"effect": {"value": effect}}
    member = {
        "policyDefinitionId": policy()["id"],
        "policyDefinitionReferenceId": "Blob",
        "parameters": handed_on,
    }
    defaults = {"effectOfAll": {"type": "String", "defaultValue": "DeployIfNotExists"}}
    return {"id": SET_ID, "properties": {"parameters": defaults, "policyDefinitions": [member]}}


def given(effect: str, called: str = "effect") -> dict[str, Any]:
    """A parameter of an assignment."""
    return {"parameters": {called: {"value": effect}}}


BUILT_IN = {**policy(), "id": f"/{AUTHORIZATION}/policyDefinitions/06695360-db88-47f6-b976-7500d4297475"}
DEPLOYED = policy()
DEPLOYED["properties"]["policyRule"]["then"]["details"] = {
    "type": "Microsoft.Network/privateEndpoints",
    "deployment": {"resources": [{"type": "Microsoft.Network/privateEndpoints/privateDnsZoneGroups"}]},
}


@pytest.mark.parametrize(
    "documents",
    [
        pytest.param([policy(), assignment(policy()["id"])], id="by its default"),
        pytest.param([policy(), assignment(policy()["id"], GROUP)], id="on the group"),
        pytest.param([policy(default="Disabled"), assignment(policy()["id"], **given("modify"))], id="by a parameter"),
        pytest.param([policy("deployIfNotExists"), assignment(policy()["id"], **given("Disabled"))], id="literally"),
        pytest.param([BUILT_IN, assignment(BUILT_IN["id"], f"/subscriptions/{SPOKE}")], id="built in"),
        pytest.param([policy(), policy_set(), assignment(SET_ID)], id="in a set"),
        pytest.param([policy(), policy_set("[parameters('effectOfAll')]"), assignment(SET_ID)], id="by the set's own"),
        pytest.param(
            [policy(default="Disabled"), policy_set("DeployIfNotExists"), assignment(SET_ID)], id="by the set"
        ),
        pytest.param([DEPLOYED, assignment(policy()["id"])], id="within a deployment"),
        pytest.param([policy(), assignment(policy()["id"], notScopes=[f"{GROUP}x"])], id="another group left out"),
    ],
)
async def test_a_policy_that_would_make_it_anew(takeovers: Takeovers, documents: list[dict[str, Any]]) -> None:
    endpoint = await takeovers.grouped()
    await takeovers.estate.azure.put(*documents)
    [(reason, detail)] = await takeovers.why_not(endpoint)
    assert reason is ObstacleReason.POLICY
    assert documents[-1]["id"] in detail


def exemption(scope: str = GROUP, **properties: Any) -> dict[str, Any]:
    """An exemption from the assignment, as its document."""
    return {
        "id": f"{scope}/{AUTHORIZATION}/policyExemptions/x",
        "properties": {"policyAssignmentId": assignment("")["id"], "exemptionCategory": "Waiver", **properties},
    }


OF_OTHERS = policy()
OF_OTHERS["properties"]["policyRule"]["then"]["details"] = {"type": "Microsoft.Insights/diagnosticSettings"}
DISABLED = {"kind": "policyEffect", "value": "Disabled", "selectors": []}


@pytest.mark.parametrize(
    "documents",
    [
        pytest.param([policy(), assignment(policy()["id"], **given("Disabled"))], id="disabled"),
        pytest.param([policy("audit"), assignment(policy()["id"])], id="only an audit"),
        pytest.param([policy(), assignment(policy()["id"], enforcementMode="DoNotEnforce")], id="not enforced"),
        pytest.param([policy(), assignment(policy()["id"], notScopes=[GROUP.upper()])], id="left out"),
        pytest.param([policy(), assignment(policy()["id"], overrides=[DISABLED])], id="overridden"),
        pytest.param([policy(), assignment(policy()["id"], SANDBOX)], id="another management group"),
        pytest.param(
            [policy(), assignment(policy()["id"], resource_id(SPOKE, "rg-spoke", STORAGE, "st1"))],
            id="another resource",
        ),
        pytest.param([OF_OTHERS, assignment(policy()["id"])], id="deploys other things"),
        pytest.param([policy(), assignment(policy()["id"]), exemption()], id="exempt"),
        pytest.param([policy(), assignment(policy()["id"]), exemption(CORP)], id="exempt above"),
        pytest.param(
            [policy(), policy_set(), assignment(SET_ID), exemption(policyDefinitionReferenceIds=["BLOB"])],
            id="a member is exempt",
        ),
        pytest.param(
            [policy(), policy_set("[parameters('all')]"), assignment(SET_ID, **given("disabled", "all"))],
            id="disabled through the set",
        ),
    ],
)
async def test_a_policy_that_would_not(takeovers: Takeovers, documents: list[dict[str, Any]]) -> None:
    endpoint = await takeovers.grouped()
    await takeovers.estate.azure.put(*documents)
    assert len((await takeovers.plan(endpoint)).ready) == 1
    assert not (await takeovers.take_over(endpoint)).failed


@pytest.mark.parametrize(
    ("documents", "said"),
    [
        pytest.param([assignment(policy()["id"])], "PolicyDefinitionNotFound", id="no such definition"),
        pytest.param([assignment(SET_ID)], "PolicySetDefinitionNotFound", id="no such set"),
        pytest.param([policy_set(), assignment(SET_ID)], "PolicyDefinitionNotFound", id="no such member"),
        pytest.param([assignment("/subscriptions/../x")], "is not the id of a policy definition", id="not an id"),
        pytest.param(
            [policy("[if(equals('a', 'b'), 'c', 'd')]"), assignment(policy()["id"])], "computed", id="computed"
        ),
        pytest.param(
            [policy(), policy_set("[concat('deploy', 'IfNotExists')]"), assignment(SET_ID)], "computed", id="in the set"
        ),
        pytest.param([{**policy(), "properties": {}}, assignment(policy()["id"])], "cannot be read", id="no rule"),
        pytest.param([{**assignment(SET_ID), "properties": {}}], "cannot be read", id="no definition"),
        pytest.param(
            [policy(), assignment(policy()["id"]), exemption(expiresOn="soon")], "cannot be read", id="no date"
        ),
    ],
)
async def test_a_policy_of_which_that_cannot_be_known(
    takeovers: Takeovers, documents: list[dict[str, Any]], said: str
) -> None:
    endpoint = await takeovers.grouped()
    await takeovers.estate.azure.put(*documents)
    [(reason, detail)] = await takeovers.why_not(endpoint)
    assert (reason, said in detail) == (ObstacleReason.UNKNOWN, True), detail


async def test_policies_are_read_once_for_all_endpoints_of_a_group(takeovers: Takeovers) -> None:
    for number in range(3):
        await takeovers.grouped(f"pe{number}", f"st{number}")
    await takeovers.estate.azure.put(policy(), policy_set(), assignment(SET_ID))
    await takeovers.estate.forget_calls()
    assert len((await takeovers.plan()).refused) == 3
    asked = [each["path"] for each in await takeovers.estate.azure.requests() if "/policy" in each["path"]]
    assert len(asked) == len(set(asked)) == 4
