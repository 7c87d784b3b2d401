"""Who may do what where: role definitions and assignments, which are documents like any other (setting `rbac`).

A definition's `actions` and `notActions` may have `*` in them; an assignment holds at the scope that its id lies under
and below it, a management group's for all its subscriptions (behaviour reference sections 2.8 and 6.1).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Any

from simulator import ids
from simulator.refusals import By, Refusal
from simulator.world import World

DEFINITIONS = "Microsoft.Authorization/roleDefinitions"
ASSIGNMENTS = "Microsoft.Authorization/roleAssignments"
_MANAGEMENT_GROUP = "/providers/microsoft.management/managementgroups/"
_BUILT_IN: dict[str, Any] = json.loads(files("simulator").joinpath("data/roles.json").read_text(encoding="utf-8"))


_EVERYTHING = {"actions": ["*"], "notActions": [], "dataActions": [], "notDataActions": []}


@dataclass(frozen=True, slots=True)
class Grant:
    """What one assignment permits, each pair of actions as regular expressions, at a scope in lower case."""

    scope: str
    permissions: tuple[tuple[str, str], ...]
    definition: str = ""


@dataclass(frozen=True, slots=True)
class Rights:
    """What a principal may do in this world at this moment; everything if roles do not count."""

    principal: str
    unlimited: bool
    grants: tuple[Grant, ...] = ()
    management_groups: Mapping[str, frozenset[str]] = field(default_factory=dict, compare=False)

    def allow(self, action: str, scope: str) -> bool:
        """Whether the action is permitted at that scope: by an assignment there or above."""
        if self.unlimited:
            return True
        scope = ids.key(scope)
        return any(self._covers(grant.scope, scope) and _permits(grant, action.lower()) for grant in self.grants)

    def over(self, scope: str) -> list[Grant]:
        """The assignments that hold at a scope: those made there or above."""
        scope = ids.key(scope)
        return [grant for grant in self.grants if self._covers(grant.scope, scope)]

    def reach(self, subscription: str) -> bool:
        """Whether there is any role over a subscription, or over something in it."""
        scope = f"/subscriptions/{subscription}".lower()
        return self.unlimited or any(
            self._covers(grant.scope, scope) or grant.scope.startswith(f"{scope}/") for grant in self.grants
        )

    def need(self, action: str, scope: str) -> None:
        """Raises Refusal, as the gateway words it, if the action is not permitted (behaviour reference section 6.1)."""
        if not self.allow(action, scope):
            raise forbidden(self.principal, action, scope)

    def _covers(self, granted: str, scope: str) -> bool:
        if granted.startswith(_MANAGEMENT_GROUP):
            subscription = scope.split("/")[2] if scope.startswith("/subscriptions/") else ""
            return granted.removeprefix(_MANAGEMENT_GROUP) in self.management_groups.get(subscription, ())
        return scope == granted or scope.startswith(f"{granted}/")


def rights_of(world: World, principal: str) -> Rights:
    """What the principal may do. An assignment whose definition nobody knows permits nothing."""
    if not world.settings.rbac:
        return Rights(principal, unlimited=True)
    grants = []
    for assignment in world.store.of_type(ASSIGNMENTS):
        properties = assignment.get("properties") or {}
        if str(properties.get("principalId", "")).lower() == principal.lower():
            definition = str(properties.get("roleDefinitionId", ""))
            permissions = tuple(
                (_pattern(tuple(each.get("actions") or ())), _pattern(tuple(each.get("notActions") or ())))
                for each in _defined(world, definition)
            )
            grants.append(Grant(ids.key(ids.parse(assignment["id"]).parent), permissions, definition))
    groups = {
        key: frozenset(group.lower() for group in each.management_groups) for key, each in world.subscriptions.items()
    }
    return Rights(principal, unlimited=False, grants=tuple(grants), management_groups=groups)


def forbidden(principal: str, action: str, scope: str) -> Refusal:
    """The 403 of a caller without a role (behaviour reference section 6.1)."""
    return Refusal(
        "AuthorizationFailed",
        f"The client '{principal}' with object id '{principal}' does not have authorization to perform action "
        f"'{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh "
        "your credentials.",
        by=By.GATEWAY,
    )


def link_forbidden(principal: str, action: str, scope: str, linked: str, missing: str) -> Refusal:
    """The 403 of a caller who lacks a right on what a write refers to (code unverified; section 6.1)."""
    return Refusal(
        "LinkedAuthorizationFailed",
        f"The client '{principal}' with object id '{principal}' has permission to perform action '{action}' on scope "
        f"'{scope}'; however, it does not have permission to perform action '{missing}' on the linked scope(s) "
        f"'{linked}' or the linked scope(s) are invalid.",
        by=By.GATEWAY,
    )


def permissions_at(world: World, principal: str, scope: str) -> list[dict[str, Any]]:
    """The permissions that a principal has at a scope, each as its role's definition spells it."""
    rights = rights_of(world, principal)
    if rights.unlimited:
        return [_EVERYTHING]
    nothing: dict[str, list[str]] = {name: [] for name in _EVERYTHING}
    return [{**nothing, **each} for grant in rights.over(scope) for each in _defined(world, grant.definition)]


def _defined(world: World, definition_id: str) -> list[dict[str, Any]]:
    """The permissions of a role, which is known by the last part of its id wherever it may be assigned."""
    name = definition_id.rsplit("/", 1)[-1].lower()
    defined = [each for each in world.store.of_type(DEFINITIONS) if ids.parse(each["id"]).name.lower() == name]
    found = (defined[0].get("properties") or {}) if defined else _BUILT_IN.get(name, {})
    permissions: list[dict[str, Any]] = found.get("permissions") or []
    return permissions


@lru_cache(maxsize=256)
def _pattern(actions: tuple[str, ...]) -> str:
    return "|".join(re.escape(action.lower()).replace(r"\*", ".*") for action in actions) or r"(?!)"


@lru_cache(maxsize=4096)
def _permits(grant: Grant, action: str) -> bool:
    return any(re.fullmatch(yes, action) and not re.fullmatch(no, action) for yes, no in grant.permissions)
