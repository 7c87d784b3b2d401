"""Consumers and providers that choose the moment: an answer is counted, comes to an end and is one row all the same."""

from __future__ import annotations

import pytest

from hubwarden.ledger.decisions import DECISIONS_TABLE
from hubwarden.model.endpoint import ConnectionStatus
from hubwarden.model.plan import HeldReason
from hubwarden.model.report import Result
from hubwarden.model.scope import Pending
from hubwarden.reconcile.answer import close_open
from tests.estate import Estate
from tests.laws.conftest import Founding
from tests.laws.test_announced_after_a_crash import rows_of_answers
from tests.laws.test_approvals import OWN, STORAGE, answered, asked, by_hand, connections_of, guarded, target_of
from tests.laws.test_hostile_consumers import OWN_COSMOS, cosmos
from tests.laws.test_providers import SQL, ruled, waiting_at
from tests.laws.test_slow_providers import answered_and_shown, between

APPROVED = ConnectionStatus.APPROVED


async def members_of(estate: Estate, target: str) -> None:
    groups = [{"groupId": each, "memberName": each, "fqdns": [f"{each}.example"]} for each in ("Sql", "MongoDB")]
    await estate.azure.target(target, groups)


async def test_an_approval_that_fell_to_another_counts(found: Founding, monkeypatch: pytest.MonkeyPatch) -> None:
    """Law 9: Cosmos DB has no etag, so whoever is made anew in that moment is approved; it counts."""
    estate = await found(approvals={"rules": [OWN_COSMOS], "limits": {"approve": 1}})
    target = await cosmos(estate)
    await members_of(estate, target)
    endpoint = await asked(estate, target, groups=["Sql"])

    async def anew() -> None:
        await estate.delete_endpoint(endpoint)
        await asked(estate, target, groups=["MongoDB"])

    with monkeypatch.context() as patch:
        await between(estate, patch, anew)
        [outcome] = (await answered(estate, target)).outcomes
    assert outcome.result is Result.FAILED
    await estate.azure.settle()  # Cosmos DB is at work on it for a while
    assert [each.status for each in await connections_of(estate, target)] == [APPROVED], "it is another's"
    await asked(estate, target, "pe2", groups=["Sql"])
    assert [each.reason for each in (await answered(estate, target)).held] == [HeldReason.OVER_LIMIT]


@pytest.mark.parametrize("status", ["Approved", "Rejected"])
async def test_an_answer_that_azure_never_ends_with_has_failed_though_nobody_finds_it_waiting(
    found: Founding, caplog: pytest.LogCaptureFixture, status: str
) -> None:
    """Its last follow-up met an outage, and it is listed among those that wait no more: a sweep says so, once."""
    estate = await ruled(found, SQL)
    target, endpoint = await waiting_at(estate, SQL)
    await answered_and_shown(estate, target, endpoint, status, {"provisioningState": "Updating"})
    decisions = estate.hubwarden.rooms.decisions
    estate.time.seconds += sum(estate.hubwarden.rooms.follow_ups) - 60
    await close_open(estate.hubwarden.rooms)
    assert len(await decisions.open()) == 1
    estate.time.seconds += 120
    await close_open(estate.hubwarden.rooms)
    assert await decisions.open() == ()
    assert [row["Result"] for row in await rows_of_answers(estate)] == ["failed"]
    assert [each for each in caplog.records if each.levelname == "ERROR" and "never came to an end" in each.message]


async def test_an_index_that_is_stuck_makes_no_row_a_minute(found: Founding) -> None:
    """Somebody was faster, and the index goes on showing that it waits: the ledger keeps that once."""
    estate = await guarded(found, OWN)
    target = await target_of(estate, STORAGE)
    await asked(estate, target)
    await estate.azure.sim("POST", "settings", {"graphLagMs": 3_600_000})
    [connection] = await connections_of(estate, target)
    await by_hand(estate, connection, "Rejected")
    for _ in range(4):
        [outcome] = (await estate.hubwarden.run(Pending())).outcomes
        assert outcome.result is Result.RACED
        estate.time.seconds += 60
    table = estate.hubwarden.rooms.account.table(DECISIONS_TABLE)
    assert [row["Result"] for row in await table.every_row("a test")] == ["raced"]
    assert await estate.hubwarden.rooms.decisions.forget(estate.time.now() + 1) == 1
