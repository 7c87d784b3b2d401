"""Law 10, whose a consumer is: foreign where ARM itself names another tenant, and never for want of an answer."""

from __future__ import annotations

from typing import Any

import pytest

from hubwarden.arm.subscriptions import Tenant, tenant_of
from hubwarden.model.connection import Verdict
from hubwarden.model.endpoint import ConnectionStatus, Tenancy
from tests.estate import TENANT, Estate
from tests.laws.conftest import Founding
from tests.laws.test_approvals import (
    STORAGE,
    STRANGER,
    answered,
    fault,
    guarded,
    of_subscription,
    pending,
    rule,
    statuses,
    target_of,
)

REJECTED, PENDING = ConnectionStatus.REJECTED, ConnectionStatus.PENDING
THEIRS, OTHERS = "00000000-0000-0000-0000-00000000cccc", "00000000-0000-0000-0000-00000000dddd"
FOREIGN = rule("strangers", "reject", foreign=True)
ISSUER = "https://sts.windows.net"


def refusal(*tenants: str, code: str = "InvalidAuthenticationTokenTenant") -> dict[str, Any]:
    """ARM's answer to a token of the wrong tenant; for several tenants it lists them."""
    listed = ",".join(f"{ISSUER}/{tenant}/" for tenant in tenants)
    which = "the tenant" if len(tenants) == 1 else "one of the tenants"
    message = (
        f"The access token is from the wrong issuer '{ISSUER}/{TENANT}/'. It must match {which} '{listed}' associated "
        "with this subscription. Please use the authority (URL) 'https://login.windows.net/0' to get the token."
    )
    return {"error": {"code": code, "message": message}}


async def a_strangers(found: Founding, *rules: Any) -> tuple[Estate, str]:
    """An estate with these rules, and a storage account that an endpoint in an unknown subscription asks for."""
    estate = await guarded(found, *rules)
    target = await target_of(estate, STORAGE)
    await of_subscription(estate, target, STRANGER)
    return estate, target


@pytest.mark.parametrize(("answer", "status"), [("401", REJECTED), ("404", PENDING)])
async def test_a_refusal_that_names_another_tenant_proves_it(
    found: Founding, answer: str, status: ConnectionStatus
) -> None:
    """Which of the two ARM answers is unverified: a 404 proves nothing, and what is not known holds."""
    estate, target = await a_strangers(found, FOREIGN)
    await estate.azure.sim("POST", "settings", {"foreignSubscriptions": answer})
    await estate.azure.subscription(STRANGER, tenant=THEIRS, readable=False)
    await answered(estate, target)
    assert await statuses(estate, target) == [status]


async def test_a_right_that_is_missing_proves_nothing(found: Founding) -> None:
    estate, target = await a_strangers(found, FOREIGN)
    await estate.azure.subscription(STRANGER, tenant=TENANT, readable=False)
    [decision] = (await answered(estate, target)).decisions
    assert (decision.verdict, decision.rule) == (Verdict.HOLD, "strangers")


@pytest.mark.parametrize(
    ("status", "body", "tenant"),
    [
        pytest.param(401, refusal(THEIRS.upper()), THEIRS, id="one"),
        pytest.param(401, refusal(THEIRS, THEIRS), THEIRS, id="one twice"),
        pytest.param(401, refusal(THEIRS, OTHERS), None, id="several"),
        pytest.param(401, refusal(), None, id="none"),
        pytest.param(401, refusal(f"{THEIRS}1"), None, id="no guid"),
        pytest.param(401, refusal(THEIRS, code="InvalidAuthenticationToken"), None, id="another code"),
        pytest.param(403, refusal(THEIRS), None, id="another status"),
        pytest.param(401, {"error": {"code": "InvalidAuthenticationTokenTenant"}}, None, id="no words"),
        pytest.param(401, {"error": [THEIRS]}, None, id="another shape"),
    ],
)
async def test_only_that_very_refusal_names_a_tenant(
    found: Founding, status: int, body: dict[str, Any], tenant: str | None
) -> None:
    """The tenant of our own token, which the words name first, is not the subscription's."""
    estate = await found()
    path = f"/subscriptions/{STRANGER}$"
    await estate.azure.sim("POST", "faults", fault("GET", path, status=status, body=body, times=9))
    read = await tenant_of(estate.hubwarden.rooms.arm, STRANGER)
    assert read == (Tenant(tenant, is_shown=False) if tenant else None)


async def test_a_refusal_never_makes_a_subscription_ours(found: Founding) -> None:
    """It would contradict itself; only a subscription that ARM shows is ours."""
    estate = await found()
    path = f"/subscriptions/{STRANGER}$"
    await estate.azure.sim("POST", "faults", fault("GET", path, status=401, body=refusal(TENANT), times=9))
    assert await estate.hubwarden.rooms.estate.tenancy(STRANGER) is Tenancy.UNKNOWN


@pytest.mark.every_right  # also in subscriptions that are not of the estate
async def test_a_subscription_that_moves_between_two_runs_is_judged_anew(found: Founding) -> None:
    """Design, section 3: a subscription's tenancy is remembered for an hour, and never for a decision."""
    ours = rule("ours", "approve", types=[STORAGE], **{"in": "tenant"})
    estate, target = await a_strangers(found, ours, FOREIGN)
    await estate.azure.subscription(STRANGER, tenant=TENANT)
    [decision] = (await answered(estate, target, applies=False)).decisions
    assert (decision.verdict, decision.rule) == (Verdict.APPROVE, "ours")
    await estate.azure.subscription(STRANGER, tenant=THEIRS, readable=False)
    [decision] = (await answered(estate, target, applies=False)).decisions
    assert (decision.verdict, decision.rule) == (Verdict.REJECT, "strangers")


async def test_within_a_run_one_answer_counts_for_all_of_a_subscriptions_requests(found: Founding) -> None:
    """The first answer is as old as the run; so no two of its connections are judged by different tenants."""
    ours = rule("ours", "approve", types=[STORAGE], **{"in": "tenant"})
    estate, target = await a_strangers(found, ours, FOREIGN)
    await of_subscription(estate, target, STRANGER, "second")
    await estate.azure.subscription(STRANGER, tenant=TENANT)
    moved = refusal(THEIRS)
    await estate.azure.sim(
        "POST", "faults", fault("GET", f"/subscriptions/{STRANGER}$", status=401, body=moved, skip=1, times=9)
    )
    decisions = (await answered(estate, target, applies=False)).decisions
    assert [each.rule for each in decisions] == ["ours", "ours"]
    assert {each.rule for each in (await answered(estate, target, applies=False)).decisions} == {"strangers"}


OURS_UPPER = "00000000-0000-0000-0000-0000000000CC"
LOOK_ALIKES = [
    pytest.param("00000000-0000-0000-0000-0000000000%63%63", id="percent"),
    pytest.param("00000000-0000-0000-0000-0000000000\u217d\u217d", id="unicode"),
    pytest.param("00000000-0000-0000-0000-0000000000\u0441\u0441", id="cyrillic"),
    pytest.param("pls.00000000-0000-0000-0000-0000000000cc.westeurope.azure.privatelinkservice", id="alias"),
    pytest.param(f"{STRANGER}/../{STRANGER}", id="dots"),
]


@pytest.mark.parametrize("subscription", LOOK_ALIKES)
async def test_an_id_that_only_looks_like_ours_is_nobodys(found: Founding, subscription: str) -> None:
    """An id is read as Azure writes it, or not at all: then no rule approves or rejects whoever asks."""
    allowed = rule("allowed", "approve", types=[STORAGE], subscriptions=[STRANGER])
    estate = await guarded(found, FOREIGN, allowed)
    await estate.azure.subscription(STRANGER, tenant=TENANT)
    target = await target_of(estate, STORAGE)
    endpoint = f"/subscriptions/{subscription}/resourceGroups/rg/providers/Microsoft.Network/privateEndpoints/pe"
    await estate.azure.put(pending(target, endpoint, "hostile"))
    [decision] = (await answered(estate, target)).decisions
    assert (decision.verdict, decision.connection.endpoint) == (Verdict.HOLD, None)
    assert await statuses(estate, target) == [PENDING]


@pytest.mark.every_right  # also in subscriptions that are not of the estate
async def test_an_id_in_other_letters_is_the_same(found: Founding) -> None:
    """Azure spells ids in several ways (behaviour reference section 6.5); tenancy and rules compare without case."""
    allowed = rule("allowed", "approve", types=[STORAGE], subscriptions=[STRANGER])
    estate = await guarded(found, FOREIGN, allowed)
    await estate.azure.subscription(STRANGER, tenant=TENANT.upper())
    target = await target_of(estate, STORAGE)
    await of_subscription(estate, target, OURS_UPPER)
    [decision] = (await answered(estate, target)).decisions
    assert (decision.verdict, decision.rule) == (Verdict.APPROVE, "allowed")
