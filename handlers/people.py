"""Who asks over HTTP: only whether the person whom the platform has signed in is one of those who may decide.

App Service puts the header in place of any that comes from outside, but only while its authentication is on; so it is
believed only then. No name and no claim of a person is logged or stored.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import azure.functions as func

if TYPE_CHECKING:
    from hubwarden.config.loading import Config

PRINCIPAL = "X-MS-CLIENT-PRINCIPAL"
LARGEST = 64 * 1024
"""Characters of the header; a token's groups are at most 200, and more are no groups at all but a reference."""

_GROUPS = "groups"


def may_decide(config: Config, req: func.HttpRequest) -> bool:
    """Whether somebody is signed in who may decide; where the platform signs nobody in, nobody may, with any header."""
    return config.environment.knows_people and is_one_of(config.people, req)


def is_one_of(people: Collection[str], req: func.HttpRequest) -> bool:
    """Whether the person whom the header names has one of these app roles, or is in one of these groups."""
    principal = _principal(req.headers.get(PRINCIPAL, ""))
    claims = principal.get("claims")
    return isinstance(claims, list) and any(_grants(claim, principal.get("role_typ"), people) for claim in claims)


def _grants(claim: object, role_type: object, people: Collection[str]) -> bool:
    if not isinstance(claim, dict):
        return False
    kind, value = claim.get("typ"), claim.get("val")
    return isinstance(kind, str) and kind in (role_type, _GROUPS) and isinstance(value, str) and value in people


def _principal(header: str) -> dict[str, Any]:
    """What the header says, or nothing where it says nothing that can be read."""
    try:
        principal = json.loads(base64.b64decode(header, validate=True)) if len(header) <= LARGEST else None
    except (ValueError, RecursionError):
        return {}
    return principal if isinstance(principal, dict) else {}
