"""Whose sign-in ARM is asked with: at a shell, the person who decides.

The token is only read, and not verified: it is our own, and ARM takes none that is false.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from hubwarden.arm.session import ArmSession
from hubwarden.errors import NotDecidedError
from hubwarden.model.person import object_id


async def object_id_of_operator(session: ArmSession) -> str:
    """The object id of the person whose sign-in it is.

    Raises NotDecidedError for that of an app or a managed identity, UnavailableError where there is none.
    """
    who = person_in(await session.token())
    if who is None:
        raise NotDecidedError(
            "a decision needs a person, and this shell is signed in as an app or a managed identity: az login, and "
            "AZURE_TOKEN_CREDENTIALS=AzureCliCredential where the machine has an identity of its own"
        )
    return who


def person_in(token: str) -> str | None:
    """The object id in a person's token; None in any other.

    `idtyp` tells an app's token from a person's; where it is missing, a person's has scopes (`scp`) and no `roles`
    (Microsoft, "Access token claims reference").
    """
    claims = _claims(token)
    kind = claims.get("idtyp")
    is_persons = kind == "user" if kind is not None else bool(claims.get("scp")) and not claims.get("roles")
    return object_id(claims.get("oid")) if is_persons else None


def _claims(token: str) -> Mapping[str, Any]:
    """The claims of a JSON Web Token; none where it cannot be read as one, for it is opaque to all but its audience."""
    _, _, rest = token.partition(".")
    payload, _, _ = rest.partition(".")
    try:
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, Mapping) else {}
