"""The App Service token endpoint, and the tokens it has given out (behaviour reference section 7.1)."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from urllib.parse import urlsplit

from simulator.clock import Clock
from simulator.inputs import fields
from simulator.refusals import By, Refusal
from simulator.wire import Reply, Request

PATH = "/_identity/token"
SYSTEM = "system"
_LIFETIME = 86_400
ARM = frozenset({"management.azure.com", "management.core.usgovcloudapi.net", "management.chinacloudapi.cn"})
"""ARM in the public, US Government and China clouds, as azure-core names them."""
AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
"""The client id of the Azure CLI, for which a person's token is."""
EVENT_GRID = frozenset({"eventgrid.azure.net"})
"""Custom topics, in every cloud, as azure-eventgrid names them."""


class Identity:
    """Gives tokens to whoever knows the secret header, and knows its own tokens again."""

    def __init__(self, clock: Clock) -> None:
        self.header = secrets.token_hex(16)
        self._clock = clock
        self._given: dict[str, tuple[str, str]] = {}  # each token, with its principal and its audience

    def answer(self, request: Request) -> Reply:
        """A token for the client id asked for, or for the app's own identity."""
        if request.method != "GET":
            return _refused(405, "Only GET is allowed.")
        if request.headers.get("X-IDENTITY-HEADER") != self.header:
            return _refused(401, "The X-IDENTITY-HEADER header is missing or wrong.")
        if request.api_version != "2019-08-01":
            return _refused(400, f"Unsupported api-version '{request.api_version}'.")
        resource = request.query.get("resource", "")
        if urlsplit(resource).hostname not in ARM | EVENT_GRID:
            return _refused(400, f"invalid_scope: no resource '{resource}'.")
        client_id = request.query.get("client_id") or SYSTEM
        claims = {"appid": client_id, "oid": client_id, "idtyp": "app"}
        body = {
            "access_token": self._issue(client_id, resource, claims),
            "expires_on": str(int(self._clock.now()) + _LIFETIME),
            "resource": resource,
            "token_type": "Bearer",
            "client_id": client_id,
        }
        return Reply(200, body)

    def sign_in(self, request: Request) -> Reply:
        """A person's token for ARM, as `az account get-access-token` prints it; the claims are those of such a token.

        Raises ValueError for a body without an object id and a name.
        """
        told = fields(request.body, "The body", {"oid": str, "name": str}, required=("oid", "name"))
        oid, name = told["oid"], told["name"]
        claims = {"appid": AZURE_CLI, "idtyp": "user", "scp": "user_impersonation", "oid": oid, "upn": name}
        token = self._issue(oid, "https://management.azure.com", {**claims, "unique_name": name, "name": name})
        expires = int(self._clock.now()) + _LIFETIME
        return Reply(200, {"accessToken": token, "expires_on": expires, "tenant": "common", "tokenType": "Bearer"})

    def principal(self, authorization: str | None, audiences: frozenset[str] = ARM) -> str:
        """Whose token it is. Raises Refusal if it is none that was given out here, or one for somebody else."""
        if not authorization:
            message = "Authentication failed. The 'Authorization' header is missing."
            raise Refusal("AuthenticationFailed", message, by=By.GATEWAY)
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or token not in self._given:
            raise Refusal("InvalidAuthenticationToken", "The access token is invalid.", by=By.GATEWAY)
        principal, resource = self._given[token]
        if urlsplit(resource).hostname not in audiences:
            message = f"The access token has been obtained for wrong audience or resource '{resource}'."
            raise Refusal("InvalidAuthenticationTokenAudience", message, by=By.GATEWAY)
        return principal

    def _issue(self, principal: str, resource: str, claims: Mapping[str, str]) -> str:
        now = int(self._clock.now())
        parts = ({"alg": "none", "typ": "JWT"}, {"aud": resource, **claims, "iat": now, "exp": now + _LIFETIME})
        encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
        token = ".".join([*encoded, secrets.token_urlsafe(16)])
        self._given[token] = (principal, resource)
        return token


def _refused(status: int, message: str) -> Reply:
    return Reply(status, {"statusCode": status, "message": message})
