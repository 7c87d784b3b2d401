"""How ARM refuses a subscription of another tenant: nobody has verified it for managed identities, so a switch."""

from __future__ import annotations

import pytest

from tests.azure import HUB, SPOKE, Azure
from tests.contract.test_roles import CORP, READER, assign

OURS, THEIRS = "00000000-0000-0000-0000-00000000aaaa", "00000000-0000-0000-0000-00000000cccc"
OTHER = "00000000-0000-0000-0000-0000000000dd"
PATH = f"/subscriptions/{SPOKE}"


async def two_tenants(azure: Azure, *, theirs: str = THEIRS) -> None:
    """A subscription of ours that can be read, and one that cannot."""
    await azure.subscription(HUB, tenant=OURS)
    await azure.subscription(SPOKE, tenant=theirs, readable=False)


async def test_a_token_of_another_tenant_is_refused_with_the_name_of_the_right_one(azure: Azure) -> None:
    """Azure, the words as people have published them; the header says where such a token is to be had."""
    await two_tenants(azure)

    answer = await azure.arm("GET", PATH)

    assert (answer.status, answer.body["error"]["code"]) == (401, "InvalidAuthenticationTokenTenant")
    assert f"must match the tenant 'https://sts.windows.net/{THEIRS}/'" in answer.body["error"]["message"]
    wanted = f'Bearer authorization_uri="https://login.windows.net/{THEIRS}", error="invalid_token", '
    assert answer.headers["WWW-Authenticate"].startswith(wanted)


async def test_or_there_is_no_such_subscription(azure: Azure) -> None:
    await azure.sim("POST", "settings", {"foreignSubscriptions": "404"})
    await two_tenants(azure)

    answer = await azure.arm("GET", PATH)

    assert (answer.status, answer.body["error"]["code"]) == (404, "SubscriptionNotFound")


@pytest.mark.parametrize(
    ("switch", "status", "code"),
    [("401", 401, "InvalidAuthenticationTokenTenant"), ("404", 404, "SubscriptionNotFound")],
)
@pytest.mark.parametrize("place", [f"/subscriptions/{HUB}", f"/subscriptions/{HUB}/resourceGroups/rg-dns", CORP])
async def test_where_roles_count_a_caller_is_at_home_where_it_has_one(
    azure: Azure, switch: str, status: int, code: str, place: str
) -> None:
    """Be it over a subscription of the tenant, above it, or over something in it. Nobody's role reaches another's."""
    await azure.sim("POST", "settings", {"foreignSubscriptions": switch})
    await azure.subscription(HUB, tenant=OURS, managementGroups=["corp"])
    await azure.subscription(OTHER, tenant=OURS)
    await azure.subscription(SPOKE, tenant=THEIRS)
    await assign(azure, place, READER, "system")
    assert (await azure.arm("GET", PATH)).status == 200
    await azure.sim("POST", "settings", {"rbac": True})

    answer = await azure.arm("GET", PATH)

    assert (answer.status, answer.body["error"]["code"]) == (status, code)
    assert (await azure.arm("GET", f"/subscriptions/{OTHER}")).body["error"]["code"] == "AuthorizationFailed"


async def test_who_has_no_role_anywhere_lacks_a_right_everywhere(azure: Azure) -> None:
    """Of which tenant its token is nothing in the world says."""
    await azure.subscription(HUB, tenant=OURS)
    await azure.subscription(SPOKE, tenant=THEIRS)
    await azure.sim("POST", "settings", {"rbac": True})
    assert (await azure.arm("GET", PATH)).body["error"]["code"] == "AuthorizationFailed"


async def test_in_our_own_tenant_it_is_a_right_that_is_missing(azure: Azure) -> None:
    """Azure, 403 AuthorizationFailed (behaviour reference section 6.1)."""
    for setting in ("401", "404"):
        await azure.sim("POST", "settings", {"foreignSubscriptions": setting})
        await two_tenants(azure, theirs=OURS.upper())

        assert (await azure.arm("GET", PATH)).body["error"]["code"] == "AuthorizationFailed"
