"""The managed identity endpoint, and what ARM says to a caller without a token."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.identity.aio import ManagedIdentityCredential

from simulator.server import Simulator
from tests.azure import Azure

TOKEN = "/_identity/token"


async def test_the_stock_credential_gets_a_token_and_keeps_it(azure: Azure) -> None:
    """Azure, one request, then the cache (behaviour reference section 7.1)."""
    first = await azure.credential.get_token("https://management.azure.com/.default")
    second = await azure.credential.get_token("https://management.azure.com/.default")

    assert first.token == second.token
    (request,) = await azure.requests("identity")
    assert (request["status"], request["principal"], request["apiVersion"]) == (200, "system", "2019-08-01")


async def test_the_principal_is_the_client_id_asked_for(azure: Azure) -> None:
    """Azure, a user-assigned identity is asked for by its client id (behaviour reference section 7.1)."""
    async with ManagedIdentityCredential(client_id="11111111-aaaa") as credential:
        token = await credential.get_token("https://management.azure.com/.default")
    await azure.subscription()

    path = "/subscriptions?api-version=2022-12-01"
    answer = await azure.ask("GET", path, headers={"Authorization": f"Bearer {token.token}"})

    assert answer.status == 200
    assert [each["principal"] for each in await azure.requests("arm")] == ["11111111-aaaa"]


@pytest.mark.parametrize("resource", ["https://management.azure.com", "https://management.azure.com/"])
async def test_the_response_is_as_app_service_words_it(azure: Azure, simulator: Simulator, resource: str) -> None:
    """Azure, the fields of a token response (behaviour reference section 7.1)."""
    query = {"api-version": "2019-08-01", "resource": resource, "client_id": "abc"}
    headers = {"X-IDENTITY-HEADER": simulator.identity.header}

    answer = await azure.ask("GET", TOKEN, headers=headers, query=query)

    assert set(answer.body) == {"access_token", "expires_on", "resource", "token_type", "client_id"}
    assert answer.body["expires_on"].isdecimal()
    assert (answer.body["resource"], answer.body["token_type"], answer.body["client_id"]) == (resource, "Bearer", "abc")


@pytest.mark.parametrize(
    ("method", "query", "known", "status"),
    [
        pytest.param("GET", {"resource": "https://management.azure.com"}, False, 401, id="wrong header"),
        pytest.param("GET", {"resource": "https://vault.azure.net"}, True, 400, id="another audience"),
        pytest.param("GET", {}, True, 400, id="no audience"),
        pytest.param("GET", {"resource": "https://management.azure.com", "api-version": "1"}, True, 400, id="version"),
        pytest.param("POST", {"resource": "https://management.azure.com"}, True, 405, id="method"),
    ],
)
async def test_what_is_not_a_token_request_is_refused(
    azure: Azure, simulator: Simulator, method: str, query: dict[str, str], known: bool, status: int
) -> None:
    """Azure, errors carry statusCode and message (behaviour reference section 7.1)."""
    headers = {"X-IDENTITY-HEADER": simulator.identity.header if known else "wrong"}

    answer = await azure.ask(method, TOKEN, headers=headers, query={"api-version": "2019-08-01", **query})

    assert answer.status == status
    assert answer.body["statusCode"] == status
    assert answer.body["message"]


async def test_a_persons_token_is_as_the_azure_cli_prints_it(azure: Azure) -> None:
    """Microsoft, "Access token claims reference": idtyp and scp tell a person's token from an app's."""
    oid = "0b1d0000-0000-4000-8000-000000000001"
    shown = await azure.sim("POST", "tokens", {"oid": oid, "name": "ada@contoso.example"})
    await azure.subscription()
    path = "/subscriptions?api-version=2022-12-01"
    answer = await azure.ask("GET", path, headers={"Authorization": f"Bearer {shown['accessToken']}"})
    apps = (await azure.credential.get_token("https://management.azure.com/.default")).token

    assert answer.status == 200
    assert [each["principal"] for each in await azure.requests("arm")] == [oid]
    assert set(shown) == {"accessToken", "expires_on", "tenant", "tokenType"}
    persons = claims_of(shown["accessToken"])
    assert (persons["oid"], persons["idtyp"], persons["scp"]) == (oid, "user", "user_impersonation")
    assert persons["upn"] == "ada@contoso.example"
    assert (claims_of(apps)["idtyp"], "scp" in claims_of(apps)) == ("app", False)
    refused = await azure.ask("POST", "/_sim/tokens", {"oid": oid})
    assert (refused.status, "name" in refused.body["error"]) == (400, True)


def claims_of(token: str) -> Any:
    """What a token says."""
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


async def test_a_refused_token_is_an_authentication_error(azure: Azure) -> None:
    """Azure, a 400 of the token endpoint is not tried again (behaviour reference section 7.1)."""
    await azure.sim("POST", "faults", {"service": "identity", "status": 400, "body": {"statusCode": 400}})

    with pytest.raises(ClientAuthenticationError):
        await azure.credential.get_token("https://management.azure.com/.default")
    assert len(await azure.requests("identity")) == 1


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        (None, "AuthenticationFailed"),
        ("Bearer made-up", "InvalidAuthenticationToken"),
        ("Basic x", "InvalidAuthenticationToken"),
    ],
)
async def test_arm_wants_a_token_that_was_given_here(azure: Azure, authorization: str | None, code: str) -> None:
    """Azure, 401 in the shape of ARM errors (behaviour reference section 6.1)."""
    headers = {"Authorization": authorization} if authorization else {}

    answer = await azure.ask("GET", "/subscriptions?api-version=2022-12-01", headers=headers)

    assert (answer.status, answer.body["error"]["code"]) == (401, code)
    assert answer.headers["x-ms-failure-cause"] == "gateway"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


async def test_the_stock_client_maps_the_refusal(azure: Azure) -> None:
    """Azure, e.error.code is filled for a 401 (behaviour reference section 7.5)."""
    await azure.subscription()
    await azure.sim("POST", "faults", {"service": "arm", "status": 401, "code": "InvalidAuthenticationToken"})

    with pytest.raises(HttpResponseError) as raised:
        await (await azure.network()).private_endpoints.get("rg", "pe")
    assert raised.value.status_code == 401
