"""The rights that infra gives Hubwarden, put into a simulator in which roles count (its setting `rbac`).

Hubwarden's identity has the roles of infra/roles where infra assigns them, a person at a shell those that the pages
name; the rest of the world, which the tests play with an identity of their own, may do everything.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from hubwarden.config.loading import Config
from hubwarden.model.resource_id import ResourceId
from tests.azure import HUB, Azure
from tests.house.sources import ROOT

ROLES = ROOT / "infra" / "roles"
TYPES: dict[str, list[str]] = json.loads((ROLES / "connection-types.json").read_text(encoding="utf-8"))

READER, WRITER, MAKER, APPROVER = "estate-reader", "record-writer", "zone-maker", "connection-approver"
EVERYBODY_ELSE = "system"

AZURES_READER, DNS_CONTRIBUTOR = "acdd72a7-3385-48ef-bd42-f606fba81ae7", "b12aa53e-6015-4669-85d0-8515ebb3ae7f"
"""Azure's own roles Reader and Private DNS Zone Contributor, which a person at a shell has."""
ZONE_GROUPS = "zone-groups"


def actions_of(role: str) -> set[str]:
    """What a role permits, in lower case, as infra/roles.bicep makes it of the role's file."""
    told: dict[str, Any] = json.loads((ROLES / f"{role}.json").read_text(encoding="utf-8"))
    types = TYPES["answered"] if role == APPROVER else [*TYPES["shown"], *TYPES["answered"]]
    of_types = {action.replace("{type}", each) for action in told["actionsOfTypes"] for each in types}
    return {action.lower() for action in {*told["actions"], *of_types}}


def scopes_of(config: Config) -> dict[str, tuple[str | ResourceId, ...]]:
    """Where infra assigns each role for these settings (main.bicep, or estate.bicep for a management group)."""
    of_zones = {group.subscription for hub in config.hubs for group in hub.zone_groups}
    estate = tuple(f"/subscriptions/{each}" for each in sorted(config.subscriptions))
    groups = tuple(f"/providers/Microsoft.Management/managementGroups/{each}" for each in config.management_groups)
    making = [hub for hub in config.hubs if hub.creates_zones]
    return {
        READER: (*estate, *groups, *(f"/subscriptions/{each}" for each in of_zones - config.subscriptions)),
        WRITER: tuple(group for hub in config.hubs for group in hub.zone_groups),
        MAKER: tuple(scope for hub in making for scope in (*hub.zone_groups, *hub.networks)),
        APPROVER: (*estate, *groups),
    }


async def grant(azure: Azure, config: Config, principal: str) -> None:
    """From now on roles count: that identity has what infra gives it for these settings, beside what it had."""
    documents = [*role("everything", {"*"}), *assignment("everything", "", EVERYBODY_ELSE)]
    for name, scopes in scopes_of(config).items():
        documents += role(name, actions_of(name))
        documents += [each for scope in scopes for each in assignment(name, str(scope), principal)]
    await azure.put(*documents)
    await azure.sim("POST", "settings", {"rbac": True})


def at_a_shell(person: str, estate: Iterable[str], zones: str) -> list[dict[str, Any]]:
    """What a person needs who looks and writes records there (docs/install.md, "The roles")."""
    looks = [each for scope in estate for each in assignment(AZURES_READER, scope, person)]
    return [*looks, *assignment(DNS_CONTRIBUTOR, zones, person)]


def to_take_over(person: str, spokes: str) -> list[dict[str, Any]]:
    """What one needs beside that who takes zone groups over (docs/takeover.md, "Whose rights")."""
    removing = {"Microsoft.Network/privateEndpoints/privateDnsZoneGroups/*"}
    return [*role(ZONE_GROUPS, removing), *assignment(ZONE_GROUPS, spokes, person)]


def role(name: str, actions: set[str]) -> list[dict[str, Any]]:
    """A role's definition."""
    permissions = [{"actions": sorted(actions), "notActions": []}]
    return [{"id": _definition(name), "properties": {"roleName": name, "permissions": permissions}}]


def assignment(name: str, scope: str, principal: str) -> list[dict[str, Any]]:
    """The assignment of a role at a scope, of which "" is the root above everything."""
    assignment_id = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}-{principal}"
    return [{"id": assignment_id, "properties": {"principalId": principal, "roleDefinitionId": _definition(name)}}]


def _definition(name: str) -> str:
    return f"/subscriptions/{HUB}/providers/Microsoft.Authorization/roleDefinitions/{name}"
