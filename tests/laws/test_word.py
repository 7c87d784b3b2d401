"""A person's word: what adopt and replace take over, and what they never touch (laws 3, 4 and 9)."""

from __future__ import annotations

from typing import Any

import pytest

from hubwarden.errors import InputError, PlanChangedError, PlanOnlyError
from hubwarden.model.plan import ClaimState, HeldReason, Plan, Put
from hubwarden.model.report import Report, Result, Status
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.word import Verb, Word
from hubwarden.model.work import WorkItem
from tests.azure import BLOB_ZONE, HUB, SPOKE, resource_id
from tests.estate import TENANT, Estate, held
from tests.laws.conftest import Founding

ACCOUNT = resource_id(SPOKE, "rg-spoke", "Microsoft.Storage/storageAccounts", "st1")
FQDN = "st1.blob.core.windows.net"
PRIVATE = f"st1.{BLOB_ZONE}"
OTHER = f"/subscriptions/{SPOKE}/resourceGroups/rg-spoke/providers/Microsoft.Network/privateEndpoints/other"
FABRIKAM = {"hubwarden": "1", "hubwarden_instance": "fabrikam", "hubwarden_endpoint": OTHER, "hubwarden_guid": ""}
NEWER = {"hubwarden": "2", "hubwarden_instance": "contoso", "hubwarden_endpoint": OTHER}
NOBODYS = "5f0c6d2e-0000-4000-8000-000000000001"
SECOND_SPOKE = "00000000-0000-0000-0000-0000000000cc"


def word(verb: str, *names: str, **where: str) -> Word:
    """What a person says."""
    return Word.read(verb, names, **where)


async def planned(estate: Estate, said: Word) -> Report:
    """The plan of a word; nothing is written for it."""
    await estate.forget_calls()
    report = await estate.hubwarden.run(said, applies=False)
    assert report.mode == "plan"
    assert [call for call in await estate.calls() if not call.startswith(("GET", "POST"))] == []
    return report


async def obeyed(estate: Estate, said: Word) -> Report:
    """The word, planned and then applied by that plan's hash."""
    plan = (await planned(estate, said)).plan
    assert plan.changes
    report = await estate.hubwarden.run(said, plan=plan.hash)
    assert (report.mode, report.status, report.plan.hash) == ("apply", Status.DONE, plan.hash)
    return report


def group_mark(guid: str = NOBODYS) -> dict[str, str]:
    """What a zone group writes into a record's metadata (behaviour reference section 2.4)."""
    return {"creator": f"created by private endpoint pe-old with resource guid {guid}"}


async def mark(estate: Estate, name: str = "st1") -> dict[str, Any]:
    """The metadata of a record."""
    record = await estate.record(name)
    assert record is not None
    found: dict[str, Any] = record["properties"].get("metadata") or {}
    return found


async def guid_of(estate: Estate, endpoint: str) -> str:
    """The resourceGuid that Azure gave an endpoint."""
    return str((await estate.azure.arm("GET", endpoint)).body["properties"]["resourceGuid"])


async def auto_register(estate: Estate) -> None:
    """The record is one of a network that registers its machines."""
    document = await estate.record()
    assert document is not None
    document["properties"]["isAutoRegistered"] = True
    await estate.azure.put(document)


def refused(plan: Plan) -> list[HeldReason]:
    """Why nothing at all was to be done."""
    assert plan.changes == ()
    return sorted({each.reason for each in plan.held})


@pytest.mark.parametrize("names", [(), (FQDN,), (f"{FQDN.upper()}.",), (PRIVATE,)])
async def test_adopt_takes_an_unmarked_record_with_the_right_addresses_into_ownership(
    estate: Estate, names: tuple[str, ...]
) -> None:
    """Its addresses stay; the mark and the ttl are ours; the endpoint's end takes it along from then on."""
    endpoint = await estate.azure.endpoint("pe1", ACCOUNT)
    await estate.write_by_hand(addresses=["10.1.0.4"], note="terraform")
    assert held(await estate.look(endpoint)) == [HeldReason.SERVED_BY_OTHER]
    await obeyed(estate, word("adopt", *names))
    record = await estate.record()
    assert record is not None
    assert await estate.addresses() == ["10.1.0.4"]
    assert (record["properties"]["ttl"], (await mark(estate))["hubwarden_endpoint"]) == (10, endpoint)
    [claim] = await estate.hubwarden.rooms.claims.of(ResourceId.parse(endpoint))
    assert (claim.state, claim.etag) == (ClaimState.SERVED, record["etag"])
    assert (await estate.sweep()).plan.changes == ()
    await estate.delete_endpoint(endpoint)
    await estate.look(endpoint)
    assert await estate.record() is None


async def test_adopt_insists_on_what_was_seen(estate: Estate) -> None:
    """Law 4. Whoever is faster keeps the record, and the person is told."""
    await estate.azure.endpoint("pe1", ACCOUNT)
    await estate.write_by_hand(addresses=["10.1.0.4"])
    said = word("adopt", FQDN)
    plan = (await planned(estate, said)).plan
    fault = {"service": "arm", "method": "PUT", "path": "/A/st1$", "status": 412, "code": "PreconditionFailed"}
    await estate.azure.sim("POST", "faults", {**fault, "times": 2, "when": "before"})
    report = await estate.hubwarden.run(said, plan=plan.hash)
    assert {outcome.result for outcome in report.outcomes} == {Result.RACED}
    assert report.status is Status.FAILED
    assert "hubwarden" not in await mark(estate)


async def test_a_record_that_changed_after_the_plan_is_another_plan(estate: Estate) -> None:
    await estate.azure.endpoint("pe1", ACCOUNT)
    await estate.write_by_hand(addresses=["10.9.9.9"])
    said = word("replace", FQDN)
    plan = (await planned(estate, said)).plan
    await estate.write_by_hand(addresses=["10.9.9.8"])
    with pytest.raises(PlanChangedError):
        await estate.hubwarden.run(said, plan=plan.hash)
    assert await estate.addresses() == ["10.9.9.8"]


async def test_a_record_that_changes_while_the_plan_is_applied_is_not_overwritten(estate: Estate) -> None:
    """The second look after a 412 finds another change than the one that the person named."""
    await estate.azure.endpoint("pe1", ACCOUNT)
    await estate.write_by_hand(addresses=["10.9.9.9"])
    said = word("replace", FQDN)
    plan = (await planned(estate, said)).plan.hash
    store = estate.hubwarden.rooms.claims.store

    async def meanwhile(*args: Any, **options: Any) -> Any:
        await estate.write_by_hand(addresses=["10.9.9.8"])
        return await store(*args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(estate.hubwarden.rooms.claims, "store", meanwhile)
        report = await estate.hubwarden.run(said, plan=plan)
    assert [outcome.result for outcome in report.outcomes] == [Result.RACED]
    assert refused(report.plan) == [HeldReason.FOREIGN_CONFLICT]
    assert await estate.addresses() == ["10.9.9.8"]


STRANGERS = [
    pytest.param(FABRIKAM, id="another instance"),
    pytest.param(NEWER, id="a newer mark"),
    pytest.param({"hubwarden": "1", "hubwarden_instance": "contoso"}, id="a torn mark"),
    pytest.param(None, id="auto-registration"),
]


@pytest.mark.parametrize("verb", ["adopt", "replace", "release"])
@pytest.mark.parametrize("addresses", [["10.1.0.4"], ["10.9.9.9"]])
@pytest.mark.parametrize("metadata", STRANGERS)
async def test_no_word_takes_what_somebody_else_keeps(
    estate: Estate, verb: str, addresses: list[str], metadata: dict[str, str] | None
) -> None:
    await estate.azure.endpoint("pe1", ACCOUNT)
    await estate.write_by_hand(addresses=addresses, **(metadata or {}))
    if metadata is None:
        await auto_register(estate)
    before = await estate.record()
    report = await planned(estate, word(verb, FQDN))
    same = HeldReason.SERVED_BY_OTHER if addresses == ["10.1.0.4"] else HeldReason.FOREIGN_CONFLICT
    assert refused(report.plan) == [same]
    if verb == "adopt":
        assert (await planned(estate, word(verb))).plan == Plan(), "without names it is not even a candidate"
    assert await estate.record() == before


async def test_adopt_leaves_other_addresses_and_zone_groups_alone(estate: Estate) -> None:
    await estate.azure.endpoint("pe1", ACCOUNT)
    await estate.write_by_hand()
    assert refused((await planned(estate, word("adopt", FQDN))).plan) == [HeldReason.FOREIGN_CONFLICT]
    await estate.write_by_hand(addresses=["10.1.0.4"], **group_mark())
    assert refused((await planned(estate, word("adopt", FQDN))).plan) == [HeldReason.ZONE_GROUP]
    assert (await planned(estate, word("adopt"))).plan == Plan()


async def test_a_name_that_needs_no_word_is_refused_with_the_reason(estate: Estate) -> None:
    """Nothing stands there; nobody wants it; no hub has a zone; ours already."""
    endpoint = await estate.azure.endpoint("pe1", ACCOUNT)
    await estate.write_by_hand("nobodys")
    names = [FQDN, "absent.blob.core.windows.net", "nobodys.blob.core.windows.net", "st1.example.com"]
    plan = (await planned(estate, word("adopt", *names))).plan
    assert plan.changes == ()
    assert [each.reason for each in plan.held] == [*[HeldReason.NOT_APPLICABLE] * 3, HeldReason.NO_ZONE]
    details = " ".join(each.detail for each in plan.held)
    assert "a look at" in details
    assert "no endpoint of the estate wants it" in details
    await estate.look(endpoint)
    again = (await planned(estate, word("adopt", FQDN))).plan
    assert (again.held, len(again.unchanged)) == ((), 1), "what is ours already needs nothing"


async def test_a_name_whose_zone_was_not_asked_about_is_told_so(estate: Estate) -> None:
    """The hub has a zone for it, so that nobody may be told to make one."""
    await estate.azure.endpoint("pe1", ACCOUNT)
    await estate.write_by_hand(addresses=["10.1.0.4"])
    [held] = (await planned(estate, word("adopt", FQDN, zone="privatelink.vaultcore.azure.net"))).plan.held
    assert (held.reason, held.detail) == (HeldReason.NO_ZONE, "none of the zones that were asked about could hold it")


async def test_a_word_makes_no_other_change(estate: Estate) -> None:
    """Beside it a record is missing and another is wrong: that is for a look, and has no part in the hash."""
    await estate.azure.endpoint("pe1", ACCOUNT)
    await estate.write_by_hand(addresses=["10.1.0.4"])
    alone = (await planned(estate, word("adopt"))).plan
    await estate.azure.endpoint("pe2", await estate.azure.storage_account("st2"))
    beside = (await planned(estate, word("adopt"))).plan
    assert (beside.hash, len(beside.changes)) == (alone.hash, 1)
    report = await estate.hubwarden.run(word("adopt"), plan=alone.hash)
    assert [outcome.result for outcome in report.outcomes] == [Result.DONE]
    assert await estate.record("st2") is None


async def test_two_who_want_an_adopted_name(estate: Estate) -> None:
    """It goes to the one whose address it gives; the other is contested, and has its claim."""
    first = await estate.azure.endpoint("pe1", ACCOUNT)
    second = await estate.azure.endpoint("pe2", ACCOUNT)
    await estate.write_by_hand(addresses=["10.1.0.5"])
    report = await obeyed(estate, word("adopt", FQDN))
    assert held(report) == [HeldReason.CONTESTED]
    assert (await mark(estate))["hubwarden_endpoint"] == second
    [claim] = await estate.hubwarden.rooms.claims.of(ResourceId.parse(first))
    assert claim.state is ClaimState.HELD
    await estate.delete_endpoint(second)
    await estate.look(second)
    assert await estate.addresses() == ["10.1.0.4"]


@pytest.mark.parametrize("metadata", [{}, group_mark(), group_mark(NOBODYS.upper())])
async def test_replace_takes_over_a_named_record_with_other_addresses(estate: Estate, metadata: dict[str, str]) -> None:
    """Unmarked, or a zone group's whose endpoint is nowhere to be seen. Afterwards a sweep changes nothing."""
    endpoint = await estate.azure.endpoint("pe1", ACCOUNT)
    await estate.write_by_hand(**metadata)
    report = await obeyed(estate, word("replace", FQDN))
    [change] = report.plan.changes
    assert isinstance(change, Put)
    assert [str(each) for each in (*change.was, *change.addresses)] == ["10.9.9.9", "10.1.0.4"]
    assert await estate.addresses() == ["10.1.0.4"]
    assert (await mark(estate))["hubwarden_endpoint"] == endpoint
    sweep = await estate.sweep()
    assert (sweep.plan.changes, sweep.plan.held) == ((), ())


async def test_replace_takes_over_what_a_zone_group_left_with_the_right_addresses(estate: Estate) -> None:
    await estate.azure.endpoint("pe1", ACCOUNT)
    await estate.write_by_hand(addresses=["10.1.0.4"], **group_mark())
    await obeyed(estate, word("replace", FQDN))
    assert (await mark(estate))["hubwarden_instance"] == "contoso"


@pytest.mark.parametrize(
    "creator",
    [
        "created by private endpoint",
        "created by private endpoint pe-old with resource guid",
        "created by private endpoint pe-old with resource guid 5f0c6d2e",
    ],
)
async def test_a_zone_groups_record_that_does_not_say_whose_it_is_stays(estate: Estate, creator: str) -> None:
    await estate.azure.endpoint("pe1", ACCOUNT)
    await estate.write_by_hand(creator=creator)
    plan = (await planned(estate, word("replace", FQDN))).plan
    assert refused(plan) == [HeldReason.ZONE_GROUP]
    assert "does not say" in plan.held[0].detail


async def test_a_zone_groups_record_whose_endpoint_lives_stays(found: Founding) -> None:
    """In whatever subscription it lives that we may read; invisible to us, a person says that it is gone."""
    estate = await found(estate={"subscriptions": [HUB, SPOKE, SECOND_SPOKE]})
    await estate.azure.endpoint("pe1", ACCOUNT)
    await estate.azure.subscription(SECOND_SPOKE, tenant=TENANT)
    await estate.azure.resource_group("rg-spoke", SECOND_SPOKE)
    await estate.azure.vnet(subscription=SECOND_SPOKE, prefix="10.7.0.0/24")
    elsewhere = await estate.azure.endpoint("pe-old", ACCOUNT, subscription=SECOND_SPOKE)
    await estate.write_by_hand(**group_mark((await guid_of(estate, elsewhere)).upper()))
    plan = (await planned(estate, word("replace", FQDN))).plan
    assert refused(plan) == [HeldReason.ZONE_GROUP]
    assert "an endpoint with its resourceGuid is there" in plan.held[0].detail
    await estate.azure.subscription(SECOND_SPOKE, readable=False)
    await obeyed(estate, word("replace", FQDN))
    assert await estate.addresses() == ["10.1.0.4"]


async def test_a_zone_groups_record_of_the_very_endpoint_that_wants_it_stays(estate: Estate) -> None:
    """Also while the index does not know the endpoint yet: its zone group would write the record again."""
    endpoint = await estate.azure.endpoint("pe1", ACCOUNT)
    await estate.write_by_hand(**group_mark(await guid_of(estate, endpoint)))
    assert refused((await planned(estate, word("replace", FQDN))).plan) == [HeldReason.ZONE_GROUP]


async def test_replace_takes_names_one_by_one() -> None:
    with pytest.raises(InputError, match="one by one"):
        word("replace")


async def test_a_protected_name_is_not_taken_over(found: Founding) -> None:
    estate = await found(records={"protected": [FQDN]})
    await estate.azure.endpoint("pe1", ACCOUNT)
    await estate.write_by_hand()
    assert refused((await planned(estate, word("replace", FQDN))).plan) == [HeldReason.PROTECTED]
    await estate.write_by_hand(addresses=["10.1.0.4"])
    assert refused((await planned(estate, word("adopt"))).plan) == [HeldReason.PROTECTED]


async def test_what_a_word_withdraws_uses_up_nothing_of_the_limits(found: Founding) -> None:
    """Law 9: a person let it through."""
    estate = await found(records={"limits": {"perZone": 1}})
    accounts = [await estate.azure.storage_account(f"acct{number}") for number in range(3)]
    endpoints = [await estate.azure.endpoint(f"pe{number}", account) for number, account in enumerate(accounts)]
    for number in range(2):
        await estate.write_by_hand(f"acct{number}")
    await estate.look(endpoints[2])
    report = await obeyed(estate, word("replace", *(f"acct{number}.{BLOB_ZONE}" for number in range(2))))
    assert (len(report.outcomes), report.plan.over_limit) == (2, ())
    await estate.delete_endpoint(endpoints[2])
    assert (await estate.look(endpoints[2])).plan.over_limit == ()
    assert await estate.record("acct2") is None


async def test_a_lock_is_told(estate: Estate) -> None:
    await estate.azure.endpoint("pe1", ACCOUNT)
    await estate.write_by_hand()
    said = word("replace", FQDN)
    plan = (await planned(estate, said)).plan
    fault = {"service": "arm", "method": "PUT", "path": "/A/st1$", "status": 409, "code": "ScopeLocked"}
    await estate.azure.sim("POST", "faults", {**fault, "times": 1, "when": "before"})
    report = await estate.hubwarden.run(said, plan=plan.hash)
    assert held(report) == [HeldReason.LOCKED]
    assert report.status is Status.FAILED


async def test_a_word_can_be_held_to_a_zone_and_to_a_hub(found: Founding) -> None:
    other = {"name": "neu", "zones": [f"/subscriptions/{HUB}/resourceGroups/rg-neu"]}
    estate = await found(
        hubs=[{"name": "weu", "zones": [f"/subscriptions/{HUB}/resourceGroups/rg-dns"]}, other],
    )
    await estate.azure.resource_group("rg-neu", HUB)
    there = await estate.azure.zone(group="rg-neu")
    await estate.azure.endpoint("pe1", ACCOUNT)
    await estate.write_by_hand(addresses=["10.1.0.4"])
    body = {"properties": {"ttl": 60, "aRecords": [{"ipv4Address": "10.1.0.4"}]}}
    assert (await estate.azure.arm("PUT", f"{there}/A/st1", body)).status == 201
    assert len((await planned(estate, word("adopt"))).plan.changes) == 2
    assert (await planned(estate, word("adopt", zone="privatelink.file.core.windows.net"))).plan == Plan()
    [change] = (await obeyed(estate, word("adopt", FQDN, hub="neu", zone=BLOB_ZONE))).plan.changes
    assert (isinstance(change, Put) and change.hub) == "neu"
    assert "hubwarden" not in await mark(estate)
    with pytest.raises(InputError, match="'seu' is not one of the hubs: weu, neu"):
        await estate.hubwarden.run(word("adopt", hub="seu"))


async def test_a_hub_whose_zones_are_not_shown_is_a_doubt_and_no_refusal(estate: Estate) -> None:
    await estate.azure.endpoint("pe1", ACCOUNT)
    fault = {"service": "arm", "method": "GET", "path": "/privateDnsZones$", "status": 403, "times": 2}
    await estate.azure.sim("POST", "faults", {**fault, "code": "AuthorizationFailed"})
    report = await planned(estate, word("adopt", FQDN))
    assert refused(report.plan) == [HeldReason.UNCERTAIN]
    assert report.status is Status.PARTIAL


async def test_a_record_that_cannot_be_read_is_a_doubt(estate: Estate) -> None:
    await estate.write_by_hand()
    fault = {"service": "arm", "method": "GET", "path": "/A/st1$", "status": 403, "code": "AuthorizationFailed"}
    await estate.azure.sim("POST", "faults", fault)
    assert refused((await planned(estate, word("adopt", FQDN))).plan) == [HeldReason.UNCERTAIN]


async def test_a_word_alone_writes_nothing_even_where_it_may(estate: Estate) -> None:
    """Whoever can put a work item into the queue can put a word into it; the hash is in the ledger."""
    await estate.azure.endpoint("pe1", ACCOUNT)
    await estate.write_by_hand(addresses=["10.1.0.4"])
    report = await estate.hubwarden.run(word("adopt", FQDN))
    assert (report.mode, len(report.plan.changes), report.outcomes) == ("plan", 1, ())
    item = WorkItem(word("adopt", FQDN), attempt=0, due=estate.time.now())
    looked = await estate.hubwarden.work(item, within=100)
    assert looked is not None
    assert looked.report is not None
    assert (looked.report.mode, looked.next_look) == ("plan", None)
    assert "hubwarden" not in await mark(estate)


async def test_in_mode_plan_a_word_is_only_planned(found: Founding) -> None:
    estate = await found(mode="plan")
    await estate.azure.endpoint("pe1", ACCOUNT)
    await estate.write_by_hand(addresses=["10.1.0.4"])
    said = word("adopt", FQDN)
    plan = (await planned(estate, said)).plan
    with pytest.raises(PlanOnlyError):
        await estate.hubwarden.run(said, plan=plan.hash)
    assert "hubwarden" not in await mark(estate)


async def test_a_word_that_was_applied_is_kept_as_a_run_and_a_plan_is_not(estate: Estate) -> None:
    await estate.azure.endpoint("pe1", ACCOUNT)
    await estate.write_by_hand(addresses=["10.1.0.4"])
    report = await obeyed(estate, word("adopt", FQDN))
    [run], _ = await estate.hubwarden.runs(5)
    assert (run.id, run.scope, run.plan) == (report.run, word(Verb.ADOPT, FQDN), report.plan.hash)
