"""What an answer costs in calls to ARM: one read, one write, and looks until the answer shows; and one for each
subscription that asks, however many of its connections wait in a run."""

from __future__ import annotations

from collections import Counter
from typing import Any
from urllib.parse import urlsplit

import pytest
from azure.core.pipeline.transport import AioHttpTransport

from hubwarden.ledger.decisions import DECISIONS_TABLE
from hubwarden.ledger.sights import SIGHTS_TABLE
from hubwarden.model.report import Result
from hubwarden.model.scope import Pending
from tests.azure import SPOKE, resource_id
from tests.estate import TENANT, Estate
from tests.laws.conftest import Founding
from tests.laws.test_approvals import OWN, SERVER, SERVICE, STORAGE, VAULT, asked, guarded, pending, rule, target_of


async def counted(estate: Estate, answers: int) -> tuple[Counter[str], int]:
    """The calls to ARM, by method, and to Resource Graph, of one run over whatever waits, all of which it answers."""
    await estate.warm()
    report = await estate.hubwarden.run(Pending())
    assert [each.result for each in report.outcomes] == [Result.DONE] * answers
    calls = Counter(call.split(" ")[0] for call in await estate.calls())
    return calls, len(await estate.calls("graph"))


@pytest.mark.parametrize(
    ("target_type", "answers", "looks"), [(STORAGE, 2, 1), (SERVICE, 2, 1), (VAULT, 1, 2), (SERVER, 1, 2)]
)
async def test_an_answer_costs_a_read_a_write_and_looks_until_it_shows(
    found: Founding, target_type: str, answers: int, looks: int
) -> None:
    """Approval notes: a vault and a SQL server show their answers late; law 10: each is read before, and read back."""
    estate = await guarded(found, OWN)
    for number in range(answers):
        await asked(estate, await target_of(estate, target_type, f"t{number}"), f"pe{number}")
    calls, questions = await counted(estate, answers)
    subscriptions = 1
    assert calls == {"GET": subscriptions + answers * (1 + looks), "PUT": answers}
    assert questions == 1, "what waits, for all of them"


@pytest.mark.every_right  # also in subscriptions that are not of the estate
@pytest.mark.parametrize("each", [1, 3])
async def test_whose_a_subscription_is_is_asked_once_however_much_waits(found: Founding, each: int) -> None:
    estate = await guarded(found, rule("ours", types=[STORAGE], **{"in": "tenant"}))
    target = await target_of(estate, STORAGE)
    subscriptions = [f"00000000-0000-0000-0000-{number:012}" for number in range(4)]
    for subscription in subscriptions:
        await estate.azure.subscription(subscription, tenant=TENANT)
        for name in (f"pe{number}" for number in range(each)):
            endpoint = resource_id(subscription, "rg", "Microsoft.Network/privateEndpoints", name)
            await estate.azure.put(pending(target, endpoint, f"{subscription[-1]}-{name}"))
    answers = len(subscriptions) * each
    calls, _ = await counted(estate, answers)
    assert calls == {"GET": len(subscriptions) + 2 * answers, "PUT": answers}


async def test_what_no_rule_needs_to_know_costs_nothing(found: Founding) -> None:
    """A rule over what the connection itself shows asks ARM nothing; what is held costs no call at all."""
    held = {"name": "all", "then": "hold", "when": {"target": {"types": [STORAGE]}}}
    by_subscription = rule("spoke", types=[SERVICE], subscriptions=[SPOKE])
    estate = await guarded(found, held, by_subscription)
    await asked(estate, await target_of(estate, STORAGE), "pe1")
    calls, _ = await counted(estate, 0)
    assert calls == {}
    await asked(estate, await target_of(estate, SERVICE, "t2"), "pe2")
    calls, _ = await counted(estate, 1)
    assert calls == {"GET": 2, "PUT": 1}


@pytest.mark.parametrize("count", [0, 1, 3])
async def test_a_minutes_run_at_rest_asks_once_what_waits_and_reads_twice(
    found: Founding, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """However many wait for a person: since when, and what is under way; where nobody waits, Storage is not asked."""
    estate = await guarded(found)
    for number in range(count):
        await asked(estate, await target_of(estate, STORAGE, f"t{number}"), f"pe{number}")
    await estate.hubwarden.run(Pending())
    stored: list[str] = []
    sends = AioHttpTransport.send

    async def send(transport: Any, request: Any, **options: Any) -> Any:
        if not request.url.startswith(estate.azure.url):
            stored.append(f"{request.method} {urlsplit(request.url).path.rpartition('/')[2]}")
        return await sends(transport, request, **options)

    monkeypatch.setattr(AioHttpTransport, "send", send)
    calls, questions = await counted(estate, 0)
    assert (calls, questions) == ({}, 1)
    assert sorted(stored) == [f"GET {table}()" for table in (DECISIONS_TABLE, SIGHTS_TABLE)] * bool(count)
