"""The US Government and China clouds: their names, their zones, and tokens for their own ARM."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import pytest
from azure.core.credentials_async import AsyncTokenCredential

from hubwarden.arm.session import ArmSession
from hubwarden.config.environment import read_environment
from hubwarden.runtime.building import credential_of
from tests.azure import HUB
from tests.estate import IDENTITY
from tests.laws.conftest import Founding

CLOUDS = {
    "public": ("core.windows.net", "https://management.azure.com", "https://management.azure.com"),
    "usgov": (
        "core.usgovcloudapi.net",
        "https://management.usgovcloudapi.net",
        "https://management.core.usgovcloudapi.net",
    ),
    "china": (
        "core.chinacloudapi.cn",
        "https://management.chinacloudapi.cn",
        "https://management.chinacloudapi.cn",
    ),
}
"""How storage is called, where ARM is, and for whom its tokens are (azure-core's AzureClouds)."""


@pytest.mark.parametrize("cloud", CLOUDS)
async def test_a_clouds_names_stand_in_its_zones_and_its_tokens_are_for_its_arm(cloud: str, found: Founding) -> None:
    """Behaviour reference section 7.3: the audience follows the cloud, wherever ARM's endpoint is."""
    suffix, _, audience = CLOUDS[cloud]
    estate = await found(cloud=cloud)
    zone = f"privatelink.blob.{suffix}"
    await estate.azure.zone(zone, subscription=HUB)
    member = {"groupId": "blob", "memberName": "blob", "fqdns": [f"st1.blob.{suffix}"], "zone": zone}
    account = await estate.azure.storage_account("st1")
    await estate.azure.target(account, [{**member, "publicAddress": "203.0.113.7"}], ["*"])
    await estate.forget_calls()
    report = await estate.look(await estate.azure.endpoint("pe1", account))
    assert report.plan.held == ()
    assert await estate.addresses("st1", zone) == ["10.1.0.4"]
    queries = [parse_qs(request["query"]) for request in await estate.azure.requests("identity")]
    assert audience in [query["resource"][0].rstrip("/") for query in queries if query.get("client_id") == [IDENTITY]]


class Nobody(AsyncTokenCredential):
    """A credential that is never asked."""

    async def get_token(self, *scopes: str, **_: Any) -> Any:
        raise AssertionError(scopes)

    async def close(self) -> None:
        """Nothing to end."""

    async def __aexit__(self, *_: object) -> None:
        """Nothing to end."""


@pytest.mark.parametrize("cloud", CLOUDS)
async def test_a_clouds_arm_is_where_azure_core_says(cloud: str) -> None:
    session = ArmSession(Nobody(), cloud=cloud)
    assert session.endpoint == CLOUDS[cloud][1]
    await session.close()


@pytest.mark.parametrize(
    ("cloud", "authority"),
    [("public", None), ("usgov", "login.microsoftonline.us"), ("china", "login.chinacloudapi.cn")],
)
def test_at_a_shell_the_clouds_own_authority_is_asked(
    cloud: str, authority: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr("azure.identity.aio.DefaultAzureCredential", lambda **options: asked.append(options))
    credential_of(read_environment({}), "", cloud)
    assert asked == [{"authority": authority}]
