"""Who may do what in the local Azure of the doors: the app as infra has it, people at a shell as the pages name it.

The spokes are in one management group, at which the roles are assigned, as estate.bicep does it.
"""

from __future__ import annotations

from typing import Any

from tests.azure import HUB, Azure
from tests.rights import (
    APPROVER,
    AZURES_READER,
    READER,
    WRITER,
    actions_of,
    assignment,
    at_a_shell,
    role,
    to_take_over,
)

PEOPLE, APP = "spoke-team", "system"
"""Whose request it was: the rest of the world's, which may do everything, or the app's, which is as infra has it."""

OPERATOR, MOVER = "operator", "mover"
"""Who signs in at a shell: for what is done there every day, or to take zone groups over (docs/takeover.md)."""

ADA = "0b1d0000-0000-4000-8000-0000000000ad"
"""The object id of a person, who may approve connections (docs/deciding.md)."""

CORP = "corp"
"""The management group of the estate."""

_GROUP = f"/providers/Microsoft.Management/managementGroups/{CORP}"
_ZONES = f"/subscriptions/{HUB}/resourceGroups/rg-dns"


async def roles_count(azure: Azure) -> None:
    """From now on everybody may do what a role says, and nothing else."""
    documents = [*role("everything", {"*"}), *assignment("everything", "", PEOPLE)]
    for name in (READER, WRITER, APPROVER):
        documents += role(name, actions_of(name))
    for person in (OPERATOR, MOVER):
        documents += at_a_shell(person, [_GROUP], _ZONES)
    documents += to_take_over(MOVER, _GROUP)
    documents += [*assignment(AZURES_READER, _GROUP, ADA), *assignment(APPROVER, _GROUP, ADA)]
    await azure.put(*documents, *of_an_app(APP))
    await azure.sim("POST", "settings", {"rbac": True})


def of_an_app(principal: str) -> list[dict[str, Any]]:
    """The assignments that infra makes for the identity of an app."""
    on_estate = [each for name in (READER, APPROVER) for each in assignment(name, _GROUP, principal)]
    return [*on_estate, *assignment(WRITER, _ZONES, principal)]
