"""Who asks over HTTP: whether the person whom the platform has signed in may decide, and that person's object id.

App Service puts the header in place of any that comes from outside, but only while its authentication is on; so it is
believed only then. No name and no other claim of a person is read, logged or stored.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

import azure.functions as func

from hubwarden.model.person import object_id

if TYPE_CHECKING:
    from hubwarden.config.loading import Config

PRINCIPAL = "X-MS-CLIENT-PRINCIPAL"
LARGEST = 64 * 1024
"""Characters of the header; a token's groups are at most 200, and more are no groups at all but a reference."""

_GROUPS = "groups"
_ENTRA = "aad"
_OBJECT_ID = frozenset({"http://schemas.microsoft.com/identity/claims/objectidentifier", "oid"})
_SUBJECT = frozenset({"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier", "sub"})


def may_decide(config: Config, req: func.HttpRequest) -> bool:
    """Whether a person is signed in who may decide: an app with the same role may not."""
    return decider(config, req) is not None


def decider(config: Config, req: func.HttpRequest) -> str | None:
    """The object id of the person who is signed in and may decide; None where nobody is, or nobody with one name.

    Where the platform signs nobody in, nobody may, with any header.
    """
    believed = config.environment.knows_people and is_one_of(config.people, req)
    return person_in(req) if believed else None


def person_in(req: func.HttpRequest) -> str | None:
    """The object id of the person whom Microsoft Entra has signed in; None for an app, and where it is not plain whose.

    An app's token says so (`idtyp`), or has the object id as its subject (Microsoft, "Verify scopes and app roles
    protected web API"). The platform maps some names of claims and not others ("Work with user identities").
    """
    principal = _principal(req.headers.get(PRINCIPAL, ""))
    claims = principal.get("claims")
    if principal.get("auth_typ") != _ENTRA or not isinstance(claims, list):
        return None
    ids = {object_id(value) for value in _values(claims, _OBJECT_ID)}
    is_an_app = "app" in _values(claims, frozenset({"idtyp"})) or ids & {
        object_id(v) for v in _values(claims, _SUBJECT)
    }
    return ids.pop() if len(ids) == 1 and not is_an_app else None


def is_one_of(people: Collection[str], req: func.HttpRequest) -> bool:
    """Whether the person whom the header names has one of these app roles, or is in one of these groups.

    A group counts by its object id only: whoever may make groups may call one like a role.
    """
    principal = _principal(req.headers.get(PRINCIPAL, ""))
    claims = principal.get("claims")
    return isinstance(claims, list) and any(_grants(claim, principal.get("role_typ"), people) for claim in claims)


def _grants(claim: object, role_type: object, people: Collection[str]) -> bool:
    if not isinstance(claim, dict):
        return False
    kind, value = claim.get("typ"), claim.get("val")
    if not isinstance(kind, str) or not isinstance(value, str) or value not in people:
        return False
    return kind == role_type or (kind == _GROUPS and object_id(value) is not None)


def _values(claims: Iterable[object], kinds: Collection[str]) -> list[object]:
    """What the claims of these kinds say."""
    said = (claim for claim in claims if isinstance(claim, dict))
    return [claim.get("val") for claim in said if isinstance(claim.get("typ"), str) and claim["typ"] in kinds]


def _principal(header: str) -> dict[str, Any]:
    """What the header says, or nothing where it says nothing that can be read."""
    try:
        principal = json.loads(base64.b64decode(header, validate=True)) if len(header) <= LARGEST else None
    except (ValueError, RecursionError):
        return {}
    return principal if isinstance(principal, dict) else {}
