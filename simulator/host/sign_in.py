"""Who is signed in: the headers that App Service's authentication puts on a request, in place of the caller's own.

Nobody signs in at a local Azure. Its setting `principal` says who is, and the host asks for it with each request. What
the headers hold: Microsoft, "Work with user identities in Azure App Service authentication".
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Mapping
from typing import Any

import aiohttp

# The platform's front end sets these itself and never lets a caller's through.
PREFIX = "x-ms-client-principal"
_OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"


class SignIn:
    """Asks one simulator; without its address nobody is ever signed in."""

    def __init__(self, simulator: str) -> None:
        self._simulator = simulator
        self._session: aiohttp.ClientSession | None = None

    async def replaced(self, headers: Mapping[str, str]) -> dict[str, str]:
        """A request's headers with those of whoever is signed in; all names in lower case.

        Raises aiohttp.ClientError if the simulator does not answer.
        """
        own = {name.lower(): value for name, value in headers.items() if not name.lower().startswith(PREFIX)}
        principal = await self._principal()
        return own if principal is None else {**own, **principal_headers(principal)}

    async def close(self) -> None:
        """Closes the connection."""
        if self._session is not None:
            await self._session.close()

    async def _principal(self) -> Mapping[str, Any] | None:
        if not self._simulator:
            return None
        if self._session is None:
            self._session = aiohttp.ClientSession()
        async with self._session.get(f"{self._simulator}/_sim/settings") as response:
            found: Mapping[str, Any] | None = (await response.json())["principal"]
            return found


def principal_headers(principal: Mapping[str, Any]) -> dict[str, str]:
    """The headers for somebody with a name, an object id, roles and groups: a claim for each, in base64 of JSON.

    Without `oid`, the name makes one up; null stands for none. `claims` come along as they are.
    """
    name = str(principal["name"])
    oid = principal.get("oid", str(uuid.uuid5(uuid.NAMESPACE_DNS, name)))
    claims = [("name", name), *([(_OBJECT_ID, oid)] if oid else [])]
    claims += [("roles", each) for each in principal.get("roles", ())]
    claims += [("groups", each) for each in principal.get("groups", ())]
    document = {
        "auth_typ": "aad",
        "name_typ": "name",
        "role_typ": "roles",
        "claims": [*({"typ": kind, "val": value} for kind, value in claims), *principal.get("claims", ())],
    }
    return {
        PREFIX: base64.b64encode(json.dumps(document).encode()).decode(),
        f"{PREFIX}-name": name,
        f"{PREFIX}-id": str(oid or ""),
        f"{PREFIX}-idp": "aad",
    }
