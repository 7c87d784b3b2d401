"""A person's word on records of ours: release lets go of what is not covered (law 14), rename gives a new mark."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from azure.data.tables.aio import TableClient

from hubwarden.errors import InputError, PlanChangedError
from hubwarden.ledger.claims import CLAIMS_TABLE
from hubwarden.ledger.tally import Counted
from hubwarden.model.plan import ClaimState, Drop, HeldReason, Plan, Put
from hubwarden.model.report import Report, Result, Status
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.word import Word
from tests.azure import BLOB_ZONE, HUB, SPOKE
from tests.estate import Estate, held
from tests.laws.conftest import Founding, restarted
from tests.laws.test_killed import MOST_WRITES, Killer, killer
from tests.laws.test_names import OWN_ZONE, SERVICE, given, partners_service
from tests.laws.test_settings_change import Changing, changed, served
from tests.laws.test_word import ACCOUNT, FABRIKAM, FQDN, NEWER, PRIVATE, mark, obeyed, planned, refused, word

__all__ = ["changed", "killer", "served"]

WITHOUT = {"estate": {"subscriptions": [HUB]}}
"""The spoke left the estate."""

HUB_WEU = {"name": "weu", "zones": [f"/subscriptions/{HUB}/resourceGroups/rg-dns"]}
ROW = {"type": "Microsoft.Storage/storageAccounts", "group": "blob", "suffix": "blob.core.windows.net"}
RENAMED = {"instance": "adatum", "formerly": ["contoso"]}


async def claims_of(estate: Estate, endpoint: str) -> list[ClaimState]:
    """What the ledger has of an endpoint."""
    return [claim.state for claim in await estate.hubwarden.rooms.claims.of(ResourceId.parse(endpoint))]


NO_LONGER_COVERED = [
    pytest.param(WITHOUT, id="the spoke left the estate"),
    pytest.param({"hubs": [{**HUB_WEU, "publishes": {"locations": ["northeurope"]}}]}, id="the hub publishes others"),
    pytest.param(
        {"hubs": [{**HUB_WEU, "zones": [f"/subscriptions/{HUB}/resourceGroups/rg-other"]}]}, id="the zones moved away"
    ),
    pytest.param({"records": {"addresses": ["192.168.0.0/16"]}}, id="the addresses are not allowed any more"),
    pytest.param({"catalog": {"rows": [{**ROW, "zone": "privatelink.blob.other.example"}]}}, id="another zone"),
]


@pytest.mark.parametrize("names", [(), (FQDN,), (PRIVATE,)])
@pytest.mark.parametrize("change", NO_LONGER_COVERED)
async def test_release_lets_go_of_what_the_settings_do_not_cover_any_more(
    estate: Estate, served: str, changed: Changing, change: dict[str, Any], names: tuple[str, ...]
) -> None:
    """And no sweep brings it back, until the settings cover it again: then the next one does."""
    await estate.azure.resource_group("rg-other", HUB)
    await changed(**change)
    assert HeldReason.NO_LONGER_COVERED in held(await estate.sweep())
    if names == (FQDN,) and "catalog" in change:
        names = (PRIVATE,)  # the public name means another zone now
    report = await obeyed(estate, word("release", *names))
    assert [type(each) for each in report.plan.changes] == [Drop]
    assert await estate.record() is None
    assert await claims_of(estate, served) == []
    for _ in range(2):
        assert (await estate.sweep()).plan.changes == ()
        await estate.look(served)
    assert await estate.record() is None
    await changed()
    await estate.look(served)
    assert await estate.addresses() == ["10.1.0.4"]


async def test_a_record_of_an_endpoint_that_is_gone_and_outside_is_released_too(
    estate: Estate, served: str, changed: Changing
) -> None:
    """Nobody looks at it any more, so nothing else ends it; whether it may be read at all does not matter."""
    await changed(**WITHOUT)
    await estate.delete_endpoint(served)
    await estate.azure.subscription(SPOKE, readable=False)
    await obeyed(estate, word("release"))
    assert await estate.record() is None


async def test_a_name_that_the_settings_gave_is_nobodys_after_its_release(found: Founding, tmp_path: Path) -> None:
    """No claim is left of it: neither a sweep nor another release finds anything to do or to tell."""
    estate = await found(records=given(SERVICE, fqdn=f"orders.{OWN_ZONE}"))
    await partners_service(estate)
    endpoint = await estate.azure.endpoint("pe-partner", SERVICE, groups=[])
    await estate.look(endpoint)
    await restarted(estate, tmp_path)
    await obeyed(estate, word("release"))
    assert await estate.addresses("orders", OWN_ZONE) is None
    assert await claims_of(estate, endpoint) == []
    assert held(await estate.sweep()) == [HeldReason.NO_NAMES]
    assert (await planned(estate, word("release"))).plan == Plan()


async def test_a_released_name_goes_to_the_next_who_wants_it(estate: Estate, served: str, changed: Changing) -> None:
    """In one write, without a gap."""
    other = "00000000-0000-0000-0000-0000000000cc"
    await estate.azure.subscription(other, tenant="00000000-0000-0000-0000-00000000aaaa")
    await estate.azure.resource_group("rg-spoke", other)
    await estate.azure.vnet(subscription=other, prefix="10.7.0.0/24")
    heir = await estate.azure.endpoint("pe2", ACCOUNT, subscription=other)
    await changed(estate={"subscriptions": [HUB, other]}, records={"foreignTargets": "publish"})
    assert HeldReason.CONTESTED in held(await estate.sweep())
    [change] = (await obeyed(estate, word("release", FQDN))).plan.changes
    assert isinstance(change, Put)
    assert (await mark(estate))["hubwarden_endpoint"] == heir
    assert await claims_of(estate, served) == []
    assert (await estate.sweep()).plan.changes == ()


async def test_what_is_covered_is_not_released(estate: Estate, served: str) -> None:
    plan = (await planned(estate, word("release", FQDN))).plan
    assert refused(plan) == [HeldReason.NOT_APPLICABLE]
    assert "which wants it" in plan.held[0].detail
    assert (await planned(estate, word("release"))).plan == Plan()


async def test_what_a_look_withdraws_by_itself_needs_no_word(estate: Estate, served: str) -> None:
    await estate.delete_endpoint(served)
    plan = (await planned(estate, word("release", FQDN))).plan
    assert refused(plan) == [HeldReason.NOT_APPLICABLE]
    assert "the endpoint is gone" in plan.held[0].detail


async def test_what_is_in_doubt_is_not_released(estate: Estate, served: str) -> None:
    """Law 5: a right that is missing proves nothing, and is no change of the settings."""
    await estate.azure.subscription(SPOKE, readable=False)
    assert HeldReason.UNCERTAIN in refused((await planned(estate, word("release", FQDN))).plan)
    assert await estate.addresses() == ["10.1.0.4"]


async def test_while_nobody_knows_whose_the_target_is_its_record_is_not_released(
    found: Founding, tmp_path: Path
) -> None:
    """The endpoint is ours, its target is in a subscription that ARM does not show now."""
    estate = await found(records={"foreignTargets": "publish"})
    elsewhere = "00000000-0000-0000-0000-0000000000dd"
    await estate.azure.subscription(elsewhere, tenant="00000000-0000-0000-0000-00000000aaaa")
    await estate.azure.resource_group("rg-spoke", elsewhere)
    account = await estate.azure.storage_account("st9", subscription=elsewhere)
    await estate.azure.endpoint("pe9", account)
    await estate.sweep()
    assert await estate.addresses("st9") == ["10.1.0.4"]
    await estate.azure.subscription(elsewhere, readable=False)
    await restarted(estate, tmp_path)
    assert refused((await planned(estate, word("release", f"st9.{BLOB_ZONE}"))).plan) == [HeldReason.NAME_NOT_ALLOWED]


async def test_a_protected_name_is_not_released(estate: Estate, served: str, changed: Changing) -> None:
    await changed(**WITHOUT, records={"protected": [FQDN]})
    assert refused((await planned(estate, word("release"))).plan) == [HeldReason.PROTECTED]


async def test_what_was_covered_again_since_the_plan_is_not_released(
    estate: Estate, served: str, changed: Changing
) -> None:
    await changed(**WITHOUT)
    plan = (await planned(estate, word("release"))).plan
    await changed()
    with pytest.raises(PlanChangedError):
        await estate.hubwarden.run(word("release"), plan=plan.hash)
    assert await estate.addresses() == ["10.1.0.4"]


async def test_a_release_insists_on_what_was_seen(estate: Estate, served: str, changed: Changing) -> None:
    await changed(**WITHOUT)
    plan = (await planned(estate, word("release"))).plan
    fault = {"service": "arm", "method": "DELETE", "path": "/A/st1$", "status": 412, "code": "PreconditionFailed"}
    await estate.azure.sim("POST", "faults", {**fault, "times": 2, "when": "before"})
    report = await estate.hubwarden.run(word("release"), plan=plan.hash)
    assert [outcome.result for outcome in report.outcomes] == [Result.RACED, Result.RACED]
    assert report.status is Status.FAILED
    assert await estate.addresses() == ["10.1.0.4"]


async def test_a_release_uses_up_nothing_of_the_limits(found: Founding, tmp_path: Path) -> None:
    """Law 9: a person let it through, whatever the limits are."""
    estate = await found()
    for name in ("st1", "st2", "st3"):
        await estate.azure.endpoint(f"pe-{name}", await estate.azure.storage_account(name))
    await estate.sweep()
    limits = {"records": {"limits": {"perZone": 1, "withdrawals": 1}}}
    await restarted(estate, tmp_path, **WITHOUT, **limits)
    report = await obeyed(estate, word("release"))
    assert (len(report.outcomes), report.plan.over_limit) == (3, ())
    assert await estate.hubwarden.rooms.tally.withheld() == frozenset()
    assert not await estate.hubwarden.rooms.tally.within_hour(Counted.WITHDRAWN, estate.time.now())


async def test_a_ledger_that_a_newer_version_wrote_is_left_to_it(
    estate: Estate, served: str, changed: Changing
) -> None:
    """The record is not released past claims that cannot be read."""
    async with TableClient.from_connection_string(estate.connection_string, CLAIMS_TABLE) as table:
        for row in [dict(row) async for row in table.list_entities()]:
            await table.upsert_entity({**row, "Format": 99})
    await changed(**WITHOUT)
    report = await planned(estate, word("release", FQDN))
    assert refused(report.plan) == [HeldReason.UNCERTAIN]
    assert await estate.addresses() == ["10.1.0.4"]


async def instances(estate: Estate, *names: str) -> list[str]:
    """Whose mark each record bears."""
    return [(await mark(estate, name))["hubwarden_instance"] for name in names]


@pytest.fixture
async def all_kinds(estate: Estate, changed: Changing) -> list[str]:
    """Three of ours before the name changed: covered, of an endpoint in doubt, outside the estate; and a stranger's."""
    other = "00000000-0000-0000-0000-0000000000cc"
    await estate.azure.subscription(other, tenant="00000000-0000-0000-0000-00000000aaaa")
    await estate.azure.resource_group("rg-spoke", other)
    await estate.azure.vnet(subscription=other, prefix="10.7.0.0/24")
    both = {"estate": {"subscriptions": [HUB, SPOKE, other]}}
    await changed(**both)
    endpoints = [await estate.azure.endpoint("pe1", ACCOUNT)]
    for name, where in (("st2", SPOKE), ("st3", other)):
        account = await estate.azure.storage_account(name)
        endpoints.append(await estate.azure.endpoint(f"pe-{name}", account, subscription=where))
    await estate.sweep()
    assert await instances(estate, "st1", "st2", "st3") == ["contoso"] * 3
    await estate.write_by_hand("st4", **FABRIKAM)
    await estate.write_by_hand("st5", **NEWER)
    fault = {"service": "arm", "method": "GET", "path": "privateEndpoints/pe-st2", "status": 403, "times": 1000}
    await estate.azure.sim("POST", "faults", {**fault, "code": "AuthorizationFailed"})
    await changed(**RENAMED)
    return endpoints


async def test_rename_gives_every_record_of_ours_the_new_mark_and_changes_nothing_else(
    estate: Estate, all_kinds: list[str]
) -> None:
    before = {name: await estate.record(name) for name in ("st1", "st2", "st3", "st4", "st5")}
    report = await obeyed(estate, word("rename"))
    assert len(report.plan.changes) == 3
    for name in ("st1", "st2", "st3"):
        old, new = before[name], await estate.record(name)
        assert old is not None
        assert new is not None
        marked = {**old["properties"]["metadata"], "hubwarden_instance": "adatum"}
        assert new["properties"] == {**old["properties"], "metadata": marked}
    assert [await estate.record(name) for name in ("st4", "st5")] == [before["st4"], before["st5"]]
    for endpoint, name in zip(all_kinds, ("st1", "st2", "st3"), strict=True):
        record = await estate.record(name)
        [claim] = await estate.hubwarden.rooms.claims.of(ResourceId.parse(endpoint))
        assert record is not None
        assert (claim.state, claim.etag, claim.key.name) == (ClaimState.SERVED, record["etag"], name)
    again = (await planned(estate, word("rename"))).plan
    assert (again.changes, again.held) == ((), ())
    assert (await estate.sweep()).plan.changes == ()


async def test_a_renamed_record_goes_with_its_endpoint_at_one_call(estate: Estate, all_kinds: list[str]) -> None:
    """Its claim knows the new etag."""
    await obeyed(estate, word("rename"))
    await estate.delete_endpoint(all_kinds[0])
    await estate.warm()
    report = await estate.look(all_kinds[0])
    assert [outcome.result for outcome in report.outcomes] == [Result.DONE]
    assert await estate.record("st1") is None


async def test_rename_finds_what_stands_in_a_zone_that_is_no_hubs_any_more(
    estate: Estate, served: str, changed: Changing
) -> None:
    await estate.azure.resource_group("rg-other", HUB)
    moved = {"hubs": [{**HUB_WEU, "zones": [f"/subscriptions/{HUB}/resourceGroups/rg-other"]}]}
    await changed(**RENAMED, **moved)
    await obeyed(estate, word("rename"))
    assert await instances(estate, "st1") == ["adatum"]


async def test_rename_needs_no_ledger(estate: Estate, served: str, changed: Changing) -> None:
    """What stands bears its mark; a claim is not made up for it, for nobody looked for which name it is."""
    for claim in await estate.hubwarden.rooms.claims.of(ResourceId.parse(served)):
        await estate.hubwarden.rooms.claims.forget(claim)
    await changed(**RENAMED, **WITHOUT)
    await obeyed(estate, word("rename"))
    assert await instances(estate, "st1") == ["adatum"]
    assert await claims_of(estate, served) == []


async def test_a_protected_name_keeps_its_former_mark(estate: Estate, served: str, changed: Changing) -> None:
    await changed(**RENAMED, records={"protected": [FQDN]})
    assert refused((await planned(estate, word("rename"))).plan) == [HeldReason.PROTECTED]


async def test_a_rename_insists_on_what_was_seen(estate: Estate, served: str, changed: Changing) -> None:
    """Somebody else takes the record meanwhile: it is theirs."""
    await changed(**RENAMED)
    plan = (await planned(estate, word("rename"))).plan
    store = estate.hubwarden.rooms.claims.store

    async def meanwhile(*args: Any, **options: Any) -> Any:
        await estate.write_by_hand(addresses=["10.1.0.4"], **FABRIKAM)
        return await store(*args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(estate.hubwarden.rooms.claims, "store", meanwhile)
        report = await estate.hubwarden.run(word("rename"), plan=plan.hash)
    assert [outcome.result for outcome in report.outcomes] == [Result.RACED]
    assert refused(report.plan) == [HeldReason.NOT_APPLICABLE]
    assert await instances(estate, "st1") == ["fabrikam"]


@pytest.mark.parametrize("verb", ["rename", "release"])
async def test_killed_after_any_write_the_same_word_finishes_it(
    estate: Estate, changed: Changing, killer: Killer, verb: str
) -> None:
    """With half of it done the plan is another, so it is planned again."""
    settings = RENAMED if verb == "rename" else WITHOUT
    names = ("st1", "st2")
    endpoints = [await estate.azure.endpoint(f"pe-{name}", await estate.azure.storage_account(name)) for name in names]
    for after in range(1, MOST_WRITES):
        await changed()
        await estate.sweep()
        await changed(**settings)
        said = word(verb)
        plan = (await planned(estate, said)).plan
        assert len(plan.changes) == len(names)
        killed = await killer.kills(estate.hubwarden.run(said, plan=plan.hash), after)
        await changed(**settings)
        await finished(estate, said)
        if verb == "rename":
            assert await instances(estate, *names) == ["adatum"] * 2
        else:
            assert [await estate.record(name) for name in names] == [None, None]
        estate.time.seconds += 1000
        assert (await estate.sweep()).plan.changes == ()
        await start_over(estate, changed, verb)
        if not killed:
            assert after > len(endpoints)
            return
    raise AssertionError("the word has more writes than were tried")


async def finished(estate: Estate, said: Word) -> Report:
    """Whatever is left is planned and done."""
    plan = (await planned(estate, said)).plan
    report = await estate.hubwarden.run(said, plan=plan.hash)
    assert report.status is Status.DONE
    assert (await planned(estate, said)).plan.changes == ()
    return report


async def start_over(estate: Estate, changed: Changing, verb: str) -> None:
    """The records bear their old mark again."""
    if verb == "rename":
        await changed(instance="contoso", formerly=["adatum"])
        estate.time.seconds += 1000
        await estate.sweep()


async def test_rename_takes_no_names() -> None:
    with pytest.raises(InputError, match="takes no names"):
        word("rename", FQDN)


async def test_rename_can_be_held_to_a_zone(estate: Estate, served: str, changed: Changing) -> None:
    await changed(**RENAMED)
    assert (await planned(estate, word("rename", zone="privatelink.file.core.windows.net"))).plan == Plan()
    assert len((await planned(estate, word("rename", zone=BLOB_ZONE))).plan.changes) == 1
