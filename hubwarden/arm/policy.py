"""Azure Policy over a resource group: which enforced assignments may deploy DNS zone groups, and what is exempt.

Sources: Microsoft's REST reference (Policy Assignments - List For Resource Group, Policy Exemptions - List For Resource
Group, Policy Definitions - Get, Policy Set Definitions - Get) and its pages on the structure of assignments and
definitions. Of a definition with versions the newest is read.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from hubwarden.arm.documents import AUTHORIZATION, Document, scope_of, to_moment
from hubwarden.arm.failures import shaped, translated
from hubwarden.arm.memory import Memory
from hubwarden.arm.session import ArmSession
from hubwarden.errors import HubwardenError, InputError
from hubwarden.model.governance import AssignedDefinition, Assignment, Exemption, Policies
from hubwarden.model.resource_id import ResourceId, fold

_API_VERSION = "2023-04-01"
_EXEMPTIONS_VERSION = "2022-07-01-preview"
_AT_ONCE = 10
_NOT_ENFORCED = "donotenforce"
_ZONE_GROUPS = "privatednszonegroups"
_SET = "/policysetdefinitions/"
_PARAMETER = re.compile(r"\[\s*parameters\(\s*'([^']+)'\s*\)\s*\]", re.IGNORECASE)
# Of a subscription, of a management group, or built in; what goes into a URL is nothing else.
_DEFINITION_ID = re.compile(
    r"(/subscriptions/[0-9a-f-]{36}|/providers/Microsoft\.Management/managementGroups/[\w.()-]{1,90})?"
    r"/providers/Microsoft\.Authorization/policy(Set)?Definitions/[^/\\?#%&<>*:+\x00-\x1f]{1,128}",
    re.IGNORECASE,
)

_Values = dict[str, str | None]
"""What parameters are, by their names in lower case; None where that cannot be known."""


class PolicyReader:
    """Reads what Azure Policy lists for resource groups; what was read once stays read."""

    def __init__(self, session: ArmSession) -> None:
        self._session = session
        self._groups: Memory[ResourceId, Policies] = Memory()
        self._definitions: Memory[str, Document | HubwardenError] = Memory()
        self._gate = asyncio.Semaphore(_AT_ONCE)

    async def over(self, group: ResourceId) -> Policies:
        """What is assigned and exempt for a resource group. Raises DeniedError, InputError, TemporaryError.

        A definition that cannot be read is told of in its place.
        """
        return await self._groups.recall(group, partial(self._over, group))

    async def _over(self, group: ResourceId) -> Policies:
        with translated("listing the policy assignments over", group):
            assigned = await self._session.list_all(f"{group}/{AUTHORIZATION}/policyAssignments", _API_VERSION)
        with translated("listing the policy exemptions over", group):
            path = f"{group}/{AUTHORIZATION}/policyExemptions"
            exempt = await self._session.list_all(path, _EXEMPTIONS_VERSION)
        return Policies(
            tuple([await self._assignment(each) for each in assigned if _is_enforced(each)]),
            tuple(map(to_exemption, exempt)),
        )

    async def _assignment(self, document: Document) -> Assignment:
        with shaped(f"the policy assignment {str(document.get('id'))[:200]}"):
            assignment, properties = str(document["id"]), document["properties"]
            assigned = str(properties["policyDefinitionId"])
            given, overrides = _given(properties), list(properties.get("overrides") or ())
            excluded = tuple(map(str, properties.get("notScopes") or ()))
        if _SET in fold(assigned):
            definitions = await self._members(assigned, given)
        else:
            definitions = [await self._definition(assigned, "", given)]
        return Assignment(
            assignment,
            scope_of(assignment),
            excluded,
            tuple(overridden(each, overrides) for each in definitions),
        )

    async def _members(self, assigned: str, given: _Values) -> list[AssignedDefinition]:
        """Every policy of a set, with the parameters that the set hands on to it."""
        document = await self._read(assigned)
        if isinstance(document, HubwardenError):
            return [AssignedDefinition(assigned, trouble=str(document))]
        with shaped(f"the policy set {assigned[:200]}"):
            properties = document["properties"]
            known = {**_defaults(properties.get("parameters")), **given}
            members = [
                (str(each["policyDefinitionId"]), fold(str(each.get("policyDefinitionReferenceId") or "")), each)
                for each in properties["policyDefinitions"]
            ]
            handed_on = [{key: resolved(value, known) for key, value in _given(each).items()} for *_, each in members]
        return await asyncio.gather(
            *(
                self._definition(member, reference, values)
                for (member, reference, _), values in zip(members, handed_on, strict=True)
            )
        )

    async def _definition(self, definition: str, reference: str, given: _Values) -> AssignedDefinition:
        document = await self._read(definition)
        if isinstance(document, HubwardenError):
            return AssignedDefinition(definition, reference, trouble=str(document))
        with shaped(f"the policy {definition[:200]}"):
            properties = document["properties"]
            then = properties["policyRule"]["then"]
            known = {**_defaults(properties.get("parameters")), **given}
            effect = resolved(str(then["effect"]), known)
            deploys = any(_ZONE_GROUPS in fold(text) for text in _texts(then.get("details")))
        return AssignedDefinition(definition, reference, fold(effect or ""), deploys)

    async def _read(self, definition: str) -> Document | HubwardenError:
        """A definition or a set; or why it cannot be read, which is an answer, too."""
        return await self._definitions.recall(fold(definition), partial(self._ask_for, definition))

    async def _ask_for(self, definition: str) -> Document | HubwardenError:
        if not _DEFINITION_ID.fullmatch(definition):
            return InputError(f"{definition[:200]!r} is not the id of a policy definition")
        try:
            async with self._gate:
                with translated("reading", definition):
                    return await self._session.get(definition, _API_VERSION)
        except HubwardenError as error:
            return error


def to_exemption(document: Document) -> Exemption:
    """The document of an exemption as an Exemption. Raises InputError for what has another shape than Azure's."""
    exemption = str(document.get("id"))
    with shaped(f"the policy exemption {exemption[:200]}"):
        properties = document["properties"]
        return Exemption(
            id=exemption,
            scope=scope_of(exemption),
            assignment=str(properties["policyAssignmentId"]),
            references=frozenset(fold(str(each)) for each in properties.get("policyDefinitionReferenceIds") or ()),
            expires=to_moment(properties.get("expiresOn")),
            conditional=bool(properties.get("resourceSelectors")),
        )


def overridden(definition: AssignedDefinition, overrides: Sequence[Document]) -> AssignedDefinition:
    """A policy with the effect that its assignment's overrides give it; unknown where they pick by something else.

    An override picks the members of a set by their references; without selectors it is for all (Microsoft's page on the
    structure of assignments). Which of several counts is not documented.
    """
    effects: set[str] = set()
    for override in overrides:
        with shaped(f"an override of {definition.id[:200]}"):
            if fold(str(override["kind"])) != "policyeffect":
                continue
            picks = [_picks(selector, definition.reference) for selector in override.get("selectors") or ()]
            if False not in picks:
                effects.add("" if None in picks else fold(str(override["value"])))
    if not effects:
        return definition
    return replace(definition, effect=effects.pop() if len(effects) == 1 else "")


def resolved(value: str | None, known: Mapping[str, str | None]) -> str | None:
    """A literal as it is, and a parameter's value; None for any other expression, which is not computed here."""
    if value is None or not value.startswith("[") or value.startswith("[["):
        return value
    parameter = _PARAMETER.fullmatch(value.strip())
    return known.get(fold(parameter.group(1))) if parameter else None


def _picks(selector: Mapping[str, Any], reference: str) -> bool | None:
    """Whether a selector picks a policy; None where that depends on what is not looked at here."""
    if fold(str(selector["kind"])) != "policydefinitionreferenceid":
        return None
    inside = {fold(str(each)) for each in selector.get("in") or ()}
    outside = {fold(str(each)) for each in selector.get("notIn") or ()}
    return reference in inside if inside else reference not in outside


def _is_enforced(document: Document) -> bool:
    properties = document.get("properties") or {}
    return fold(str(properties.get("enforcementMode") or "")) != _NOT_ENFORCED


def _given(properties: Mapping[str, Any]) -> _Values:
    """Parameters as they are given: only texts can be an effect, or become one."""
    parameters = properties.get("parameters") or {}
    return {fold(name): _text(each["value"]) for name, each in parameters.items() if "value" in each}


def _defaults(parameters: Mapping[str, Any] | None) -> _Values:
    return {
        fold(name): _text(each["defaultValue"]) for name, each in (parameters or {}).items() if "defaultValue" in each
    }


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _texts(value: object) -> Iterator[str]:
    """Every text in a document, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
