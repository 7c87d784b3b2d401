"""The roles that infra/roles defines, put into a simulator in which roles count (its setting `rbac`)."""

from __future__ import annotations

import json
from typing import Any

from tests.azure import HUB, SPOKE, Azure
from tests.estate import IDENTITY
from tests.house.sources import ROOT
from tests.laws.hub_zones import GROUP, NETWORK

ROLES = ROOT / "infra" / "roles"
TYPES: dict[str, list[str]] = json.loads((ROLES / "connection-types.json").read_text(encoding="utf-8"))

READER, WRITER, MAKER, APPROVER = "estate-reader", "record-writer", "zone-maker", "connection-approver"
# Where infra assigns each: the reader on the estate, the writer and the maker on the zones' group, the maker on the
# networks that zones are linked to as well, the approver where the owner says so.
SCOPES = {
    READER: (f"/subscriptions/{HUB}", f"/subscriptions/{SPOKE}"),
    WRITER: (GROUP,),
    MAKER: (GROUP, NETWORK),
    APPROVER: (f"/subscriptions/{SPOKE}",),
}
ALL = tuple(SCOPES)


def actions_of(role: str) -> set[str]:
    """What a role permits, in lower case, as infra/roles.bicep makes it of the role's file."""
    told: dict[str, Any] = json.loads((ROLES / f"{role}.json").read_text(encoding="utf-8"))
    types = TYPES["answered"] if role == APPROVER else [*TYPES["shown"], *TYPES["answered"]]
    of_types = {action.replace("{type}", each) for action in told["actionsOfTypes"] for each in types}
    return {action.lower() for action in {*told["actions"], *of_types}}


async def assign(azure: Azure, *roles: str) -> None:
    """From now on roles count: Hubwarden has these, and whoever plays the rest of the world has every right."""
    for subscription in (HUB, SPOKE):
        await _assign(azure, "everything", {"*"}, f"/subscriptions/{subscription}", "system")
    for role in roles:
        for scope in SCOPES[role]:
            await _assign(azure, role, actions_of(role), scope, IDENTITY)
    await azure.sim("POST", "settings", {"rbac": True})


async def _assign(azure: Azure, role: str, actions: set[str], scope: str, principal: str) -> None:
    definition = f"/subscriptions/{HUB}/providers/Microsoft.Authorization/roleDefinitions/{role}"
    permissions = [{"actions": sorted(actions), "notActions": []}]
    await azure.put({"id": definition, "properties": {"roleName": role, "permissions": permissions}})
    assignment = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{role}-{principal}"
    await azure.put({"id": assignment, "properties": {"principalId": principal, "roleDefinitionId": definition}})


async def used(azure: Azure) -> set[str]:
    """What roles had to permit for Hubwarden's requests since the log was last emptied, in lower case."""
    found = await azure.requests()
    refused = [each for each in found if each["principal"] == IDENTITY and each["status"] == 403]
    assert not refused, refused
    return {action.lower() for each in found if each["principal"] == IDENTITY for action in each["actions"]}
