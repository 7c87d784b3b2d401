"""Who answered the connections that wait no longer, and when: as the ledger has it, and only of what still shows it."""

from __future__ import annotations

import pytest

from hubwarden.ledger.decisions import DECISION_FORMAT, DECISIONS_TABLE
from hubwarden.model.connection import POLICY, Decision
from hubwarden.model.endpoint import ConnectionStatus
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import OneTarget
from tests.contract import owners
from tests.estate import Estate
from tests.laws.conftest import Founding
from tests.laws.test_approvals import OWN, STORAGE, asked, by_hand, connections_of, guarded, target_of
from tests.laws.test_hostile_consumers import OWN_COSMOS, cosmos
from tests.laws.test_persons import ADA, decided, waiting
from tests.laws.test_providers import connection_at

APPROVED, REJECTED = ConnectionStatus.APPROVED, ConnectionStatus.REJECTED


async def listed(estate: Estate, status: ConnectionStatus = APPROVED) -> Decision:
    """The one connection of the estate with that status."""
    [found] = await estate.hubwarden.connections(status)
    return found


def whose(decision: Decision) -> tuple[str, str, float | None]:
    """Rule, person, and when."""
    return decision.rule, decision.who, decision.answered


async def test_an_answer_by_a_rule_is_told_with_the_rule_and_when(found: Founding) -> None:
    estate = await guarded(found, OWN)
    target = await target_of(estate, STORAGE)
    await asked(estate, target)
    await estate.hubwarden.run(OneTarget(ResourceId.parse(target)))
    answered = estate.time.now()
    estate.time.seconds += 3600
    assert whose(await listed(estate)) == ("own", POLICY, answered)


@pytest.mark.parametrize(("verdict", "status"), [("approve", APPROVED), ("reject", REJECTED)])
async def test_a_persons_answer_is_told_with_who_and_when(
    found: Founding, verdict: str, status: ConnectionStatus
) -> None:
    estate = await guarded(found)
    _, connection = await waiting(estate)
    await decided(estate, connection, verdict)
    assert whose(await listed(estate, status)) == ("", ADA, estate.time.now())


async def test_of_an_answer_that_somebody_gave_elsewhere_nobody_is_told(found: Founding) -> None:
    estate = await guarded(found)
    _, connection = await waiting(estate)
    await by_hand(estate, connection, "Approved")
    assert whose(await listed(estate)) == ("", POLICY, None)


async def test_what_somebody_changed_after_our_answer_is_not_told_as_ours(found: Founding) -> None:
    estate = await guarded(found, OWN)
    target = await target_of(estate, STORAGE)
    await asked(estate, target)
    await estate.hubwarden.run(OneTarget(ResourceId.parse(target)))
    [connection] = await connections_of(estate, target)
    await by_hand(estate, connection, "Rejected")
    assert whose(await listed(estate, REJECTED)) == ("", POLICY, None)


async def test_the_answer_to_one_of_the_same_name_before_it_is_not_told_of_one_made_anew(found: Founding) -> None:
    """The account names its connections after the endpoints (approval notes, "Cosmos DB"): only the words differ."""
    estate = await found(approvals={"rules": [OWN_COSMOS]})
    target = await cosmos(estate)
    endpoint = await asked(estate, target, groups=["Sql"])
    for _ in range(2):  # Azure is at work on it for a while
        await estate.hubwarden.run(OneTarget(ResourceId.parse(target)))
        await estate.azure.settle()
    assert (await listed(estate)).rule == "own"
    await estate.delete_endpoint(endpoint)
    await asked(estate, target, groups=["Sql"])
    document = await connection_at(estate, target)
    await owners.decide(estate.azure, document, "Approved", "as agreed by phone")
    assert whose(await listed(estate)) == ("", POLICY, None)


async def test_an_answer_that_a_newer_hubwarden_stored_is_left_to_it(found: Founding) -> None:
    estate = await guarded(found, OWN)
    target = await target_of(estate, STORAGE)
    await asked(estate, target)
    await estate.hubwarden.run(OneTarget(ResourceId.parse(target)))
    table = estate.hubwarden.rooms.account.table(DECISIONS_TABLE).client
    [row] = [each async for each in table.query_entities("PartitionKey eq 'closed'")]
    await table.update_entity({**row, "Format": DECISION_FORMAT + 1})
    assert whose(await listed(estate)) == ("", POLICY, None)
