"""How ARM refuses a subscription of another tenant: nobody has verified it for managed identities, so a switch."""

from __future__ import annotations

from tests.azure import HUB, SPOKE, Azure

OURS, THEIRS = "00000000-0000-0000-0000-00000000aaaa", "00000000-0000-0000-0000-00000000cccc"
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


async def test_in_our_own_tenant_it_is_a_right_that_is_missing(azure: Azure) -> None:
    """Azure, 403 AuthorizationFailed (behaviour reference section 6.1)."""
    for setting in ("401", "404"):
        await azure.sim("POST", "settings", {"foreignSubscriptions": setting})
        await two_tenants(azure, theirs=OURS.upper())

        assert (await azure.arm("GET", PATH)).body["error"]["code"] == "AuthorizationFailed"
