"""Policies and locks as Azure lists them: by Microsoft's REST reference of each list and get, and azure-cli's help."""

from __future__ import annotations

from typing import Any

import pytest

from tests.azure import BLOB_ZONE, HUB, SPOKE, Azure, resource_id

SUBSCRIPTION = f"/subscriptions/{SPOKE}"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg-spoke"
ACCOUNT = resource_id(SPOKE, "rg-spoke", "Microsoft.Storage/storageAccounts", "st1")
OTHER_GROUP = f"{SUBSCRIPTION}/resourceGroups/rg-other"
CORP = "/providers/Microsoft.Management/managementGroups/corp"
ROOT = "/providers/Microsoft.Management/managementGroups/root"
ELSEWHERE = "/providers/Microsoft.Management/managementGroups/elsewhere"
SCOPES = (ROOT, CORP, ELSEWHERE, SUBSCRIPTION, GROUP, ACCOUNT, OTHER_GROUP, f"/subscriptions/{HUB}")
VERSIONS = {"policyAssignments": "2023-04-01", "policyExemptions": "2022-07-01-preview", "locks": "2020-05-01"}


async def laid_over(azure: Azure, kind: str) -> None:
    """One of that kind at each scope, named by the scope."""
    for scope in SCOPES if kind != "locks" else SCOPES[3:]:
        await azure.put(
            {
                "id": f"{scope}/providers/Microsoft.Authorization/{kind}/x",
                "name": "x",
                "properties": {"level": "ReadOnly"},
            }
        )


async def listed(azure: Azure, scope: str, kind: str) -> list[str]:
    """The scopes at which those lie that are listed at a scope."""
    path = f"{scope}/providers/Microsoft.Authorization/{kind}"
    answer = await azure.arm("GET", path, version=VERSIONS[kind])
    assert answer.status == 200, answer.body
    return sorted(each["id"].rpartition("/providers/")[0] for each in answer.body["value"])


@pytest.mark.parametrize("kind", ["policyAssignments", "policyExemptions"])
@pytest.mark.parametrize(
    ("scope", "beneath"), [(ACCOUNT, [ACCOUNT]), (GROUP, [GROUP, ACCOUNT]), (SUBSCRIPTION, [*SCOPES[3:7]])]
)
async def test_what_applies_to_a_scope_is_listed_from_above_and_beneath(
    estate: Azure, kind: str, scope: str, beneath: list[str]
) -> None:
    """Microsoft's REST reference, Policy Assignments - List For Resource Group: without $filter, those that apply
    directly or from containing scopes, as well as any applied to resources contained within."""
    await laid_over(estate, kind)
    above = [each for each in SCOPES[:6] if each != ELSEWHERE and len(each) < len(scope)]
    assert await listed(estate, scope, kind) == sorted({*above, *beneath, ROOT, CORP})


@pytest.mark.parametrize("inherited", [True, False])
async def test_locks_are_listed_at_a_resource(estate: Azure, inherited: bool) -> None:
    """azure-cli's help of `lock list`: includes locks in the associated group and subscription; Microsoft's REST
    reference, Management Locks - List At Resource Level, says: for a resource or any level below. So it is a switch."""
    await laid_over(estate, "locks")
    await estate.sim("POST", "settings", {"inheritedLocksListed": inherited})
    above = [SUBSCRIPTION, GROUP] if inherited else []
    assert await listed(estate, ACCOUNT, "locks") == sorted([*above, ACCOUNT])
    assert await listed(estate, SUBSCRIPTION, "locks") == sorted(SCOPES[3:7])


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("policyDefinitions", "PolicyDefinitionNotFound"),
        ("policySetDefinitions", "PolicySetDefinitionNotFound"),
    ],
)
@pytest.mark.parametrize("place", ["", SUBSCRIPTION, CORP])
async def test_a_definition_is_read_where_it_is_defined(estate: Azure, kind: str, code: str, place: str) -> None:
    """Microsoft's REST reference: Policy Definitions - Get, Get At Management Group, Get Built In; so for sets."""
    path = f"{place}/providers/Microsoft.Authorization/{kind}/dns"
    document: dict[str, Any] = {"id": path, "name": "dns", "properties": {"policyType": "Custom"}}
    missing = await estate.arm("GET", path, version="2023-04-01")
    assert (missing.status, missing.body["error"]["code"]) == (404, code)
    await estate.put(document)
    assert (await estate.arm("GET", path.upper(), version="2023-04-01")).body == document


async def test_what_is_listed_of_a_missing_place_is_its_absence(estate: Azure) -> None:
    """Azure, the gateway speaks of groups, the list of resources (behaviour reference section 3.8)."""
    for scope in (f"{GROUP}x", f"{ACCOUNT}x"):
        answer = await estate.arm("GET", f"{scope}/providers/Microsoft.Authorization/locks", version="2020-05-01")
        assert answer.status == 404


async def test_reading_locks_is_a_right_of_its_own(estate: Azure) -> None:
    """Azure, reading needs the action of the type that is read (behaviour reference section 2.8)."""
    await estate.sim("POST", "settings", {"rbac": True})
    answer = await estate.arm("GET", f"{GROUP}/providers/Microsoft.Authorization/locks", version="2020-05-01")
    assert answer.status == 403
    assert "'Microsoft.Authorization/locks/read'" in answer.body["error"]["message"]


async def test_a_filter_is_not_guessed_at(estate: Azure, capsys: pytest.CaptureFixture[str]) -> None:
    """What nobody asks for is not simulated."""
    path = f"{GROUP}/providers/Microsoft.Authorization/policyAssignments"
    answer = await estate.arm("GET", path, query={"$filter": "atScope()"}, version="2023-04-01")
    assert answer.status == 501
    assert path in capsys.readouterr().err


async def test_a_zone_has_locks_like_any_resource(estate: Azure) -> None:
    """Azure, a lock on a zone lies at the zone (behaviour reference section 6.1)."""
    zone = resource_id(HUB, "rg-dns", "Microsoft.Network/privateDnsZones", BLOB_ZONE)
    await estate.put(
        {"id": f"{zone}/providers/Microsoft.Authorization/locks/x", "properties": {"level": "CanNotDelete"}}
    )
    assert await listed(estate, zone, "locks") == [zone]
