"""A word about many records: private DNS takes 500 GETs in five minutes (behaviour reference section 6.3)."""

from __future__ import annotations

from pathlib import Path

import pytest

from hubwarden.model.plan import Claim
from hubwarden.model.report import Result, Status
from hubwarden.model.resource_id import ResourceId
from tests.estate import Estate, record_id
from tests.laws.conftest import restarted
from tests.laws.test_word import OTHER, planned, word
from tests.laws.test_word_ours import RENAMED, instances

MANY = 30


@pytest.fixture
async def estate(estate: Estate, tmp_path: Path) -> Estate:
    """Many records with a former mark in one zone."""
    mark = {"hubwarden": "1", "hubwarden_instance": "contoso", "hubwarden_endpoint": OTHER, "hubwarden_guid": ""}
    properties = {"ttl": 10, "aRecords": [{"ipv4Address": "10.1.0.4"}], "metadata": mark}
    kind = "Microsoft.Network/privateDnsZones/A"
    documents = [
        {"id": record_id(name), "name": name, "type": kind, "etag": f"etag-{name}", "properties": properties}
        for name in (f"st{n}" for n in range(MANY))
    ]
    await estate.azure.sim("POST", "resources", {"resources": documents})
    await restarted(estate, tmp_path, **RENAMED)
    return estate


async def reads_of_records(estate: Estate) -> int:
    """How many records were read one by one."""
    return len([call for call in await estate.calls() if call.startswith("GET") and "/A/" in call])


async def test_they_are_listed_and_none_is_read_by_itself(estate: Estate) -> None:
    """One by one, a word about more than 500 would never lead to the same plan twice."""
    plan = (await planned(estate, word("rename"))).plan
    assert (len(plan.changes), plan.held) == (MANY, ())
    report = await estate.hubwarden.run(word("rename"), plan=plan.hash)
    assert {outcome.result for outcome in report.outcomes} == {Result.DONE}
    assert await reads_of_records(estate) == 0
    assert await instances(estate, "st0", f"st{MANY - 1}") == ["adatum", "adatum"]


async def test_what_changed_since_it_was_listed_is_read_again(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Law 4: each write insists on the etag that was listed."""
    plan = (await planned(estate, word("rename"))).plan
    claims_of = estate.hubwarden.rooms.claims.of

    async def meanwhile(endpoint: ResourceId) -> tuple[Claim, ...]:
        await estate.write_by_hand("st7")
        return await claims_of(endpoint)

    monkeypatch.setattr(estate.hubwarden.rooms.claims, "of", meanwhile)
    report = await estate.hubwarden.run(word("rename"), plan=plan.hash)
    assert report.status is Status.DONE
    assert await estate.addresses("st7") == ["10.9.9.9"]
    assert await instances(estate, "st0") == ["adatum"]


async def test_a_zone_that_cannot_be_listed_is_read_record_by_record(estate: Estate) -> None:
    fault = {"service": "arm", "method": "GET", "path": "/ALL$", "status": 403, "code": "AuthorizationFailed"}
    await estate.azure.sim("POST", "faults", {**fault, "times": 1000})
    assert len((await planned(estate, word("rename"))).plan.changes) == MANY
    assert await reads_of_records(estate) == MANY
