"""Roles for the tests that say which of them Hubwarden has, and what of them it used."""

from __future__ import annotations

from tests.azure import HUB, SPOKE, Azure
from tests.estate import IDENTITY
from tests.laws.hub_zones import GROUP, NETWORK
from tests.rights import APPROVER, EVERYBODY_ELSE, MAKER, READER, WRITER, actions_of, assignment, role

SCOPES = {
    READER: (f"/subscriptions/{HUB}", f"/subscriptions/{SPOKE}"),
    WRITER: (GROUP,),
    MAKER: (GROUP, NETWORK),
    APPROVER: (f"/subscriptions/{SPOKE}",),
}


async def assign(azure: Azure, *roles: str) -> None:
    """From now on roles count: Hubwarden has these, and whoever plays the rest of the world has every right."""
    documents = [*role("everything", {"*"}), *assignment("everything", "", EVERYBODY_ELSE)]
    for name in roles:
        documents += role(name, actions_of(name))
        documents += [each for scope in SCOPES[name] for each in assignment(name, scope, IDENTITY)]
    await azure.put(*documents)
    await azure.sim("POST", "settings", {"rbac": True})


async def used(azure: Azure) -> set[str]:
    """What roles had to permit for Hubwarden's requests since the log was last emptied, in lower case."""
    found = await azure.requests()
    refused = [each for each in found if each["principal"] == IDENTITY and each["status"] == 403]
    assert not refused, refused
    return {action.lower() for each in found if each["principal"] == IDENTITY for action in each["actions"]}
