"""What people have laid over a scope, read only: policy assignments, exemptions and definitions, and management locks.

All are documents that POST /_sim/resources puts in. Sources: Microsoft's REST reference, Policy Assignments - List For
Resource Group and List For Resource, Policy Exemptions - List For Resource Group, Policy Definitions - Get, Get At
Management Group and Get Built In, Management Locks - List At Resource Level; and azure-cli's help of `lock list`.
"""

from __future__ import annotations

from simulator import ids
from simulator.arm.envelope import document, page
from simulator.documents import Document
from simulator.locks import LOCKS
from simulator.refusals import By, NotSimulatedError, Refusal
from simulator.wire import Reply, Request, Router
from simulator.world import World

_MANAGEMENT_GROUPS = "/providers/Microsoft.Management/managementGroups"
_SUBSCRIPTION = "/subscriptions/{subscription}"
_GROUP = f"{_SUBSCRIPTION}/resourceGroups/{{group}}"
_RESOURCE = f"{_GROUP}/providers/{{namespace}}/{{type}}/{{name}}"
_LISTS = "policyAssignments|policyExemptions|locks"
_DEFINITIONS = "policyDefinitions|policySetDefinitions"


def add_routes(router: Router) -> None:
    """Makes the authorization provider answer for policies and locks."""
    for scope in (_SUBSCRIPTION, _GROUP, _RESOURCE):
        router.add("GET", f"{scope}/providers/Microsoft.Authorization/{{kind:{_LISTS}}}", _list)
    for place in ("", _SUBSCRIPTION, f"{_MANAGEMENT_GROUPS}/{{management_group}}"):
        path = f"{place}/providers/Microsoft.Authorization/{{kind:{_DEFINITIONS}}}/{{definition}}"
        router.add("GET", path, _get_definition)


def _list(request: Request) -> Reply:
    """Everything at a scope, above it and beneath it, which is what Azure lists where no $filter is given."""
    if "$filter" in request.query:
        raise NotSimulatedError("a $filter")
    scope, kind = request.path.rsplit("/providers/", 1)
    if "name" in request.values:
        scope = str(request.world.need(scope)["id"])
    resource_type = f"Microsoft.Authorization/{kind.rsplit('/', 1)[-1]}"
    found = [each for each in request.world.store.of_type(resource_type) if _concerns(request.world, each, scope)]
    return page(request, found)


def _concerns(world: World, found: Document, scope: str) -> bool:
    lies_at, asked = ids.key(ids.parse(found["id"]).parent), ids.key(scope)
    if lies_at.startswith(f"{_MANAGEMENT_GROUPS}/".lower()):
        above = world.need_subscription(ids.parse(scope).subscription).management_groups
        return lies_at.rsplit("/", 1)[-1] in (group.lower() for group in above)
    is_above = asked.startswith(f"{lies_at}/")
    if is_above and ids.parse(found["id"]).type.lower() == LOCKS.lower() and not world.settings.inherited_locks_listed:
        return False
    return is_above or lies_at == asked or lies_at.startswith(f"{asked}/")


def _get_definition(request: Request) -> Reply:
    found = request.world.document(request.path)
    if found is None:
        kind, name = request.values["kind"].lower(), request.values["definition"]
        of_set = kind == "policysetdefinitions"
        code, what = ("PolicySetDefinitionNotFound", "policy set") if of_set else ("PolicyDefinitionNotFound", "policy")
        raise Refusal(code, f"The {what} definition '{name}' could not be found.", by=By.GATEWAY)
    return document(found)
