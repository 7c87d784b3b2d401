"""What a takeover would write and what stands in its way: computed from what was read, nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from hubwarden.dns.recreation import locked, recreators
from hubwarden.dns.takeover import is_doubtful, takeover_of
from hubwarden.dns.wants import Wishes
from hubwarden.model.endpoint import ConnectionStatus
from hubwarden.model.governance import AssignedDefinition, Assignment, Exemption, Lock, Policies, lies_within
from hubwarden.model.plan import Held, HeldReason, Want
from hubwarden.model.record import Keeper, RecordKey, RecordSet, Unread
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.takeover import (
    Gap,
    GroupZone,
    Obstacle,
    ObstacleReason,
    TakenOver,
    Takeover,
    TakeoverPlan,
    TakeoverReport,
    ZoneGroup,
)
from tests.unit.given import (
    BLOB,
    BLOB_ZONE,
    ENDPOINT,
    GUID,
    OTHER_ENDPOINT,
    OTHER_GUID,
    RULES,
    SPOKE,
    addresses,
    endpoint,
    hub,
    key,
    put,
    record,
    want,
    zone,
)

OTHER_ZONE = "privatelink.vaultcore.azure.net"
CORP = "/providers/Microsoft.Management/managementGroups/corp"
RG = f"/subscriptions/{SPOKE}/resourceGroups/rg-orders"
BLOB_POLICY = f"{CORP}/providers/Microsoft.Authorization/policyDefinitions/dns-blob"
HUBS = (hub(BLOB_ZONE),)
NOW = datetime(2026, 11, 22, tzinfo=UTC).timestamp()


def group(*zones: GroupZone, **changes: Any) -> ZoneGroup:
    """The zone group of `endpoint()`, by default with its one record."""
    shown = zones or (GroupZone("blob", zone(BLOB_ZONE).id, (key(),)),)
    whole = ZoneGroup(ResourceId.parse(f"{ENDPOINT}/privateDnsZoneGroups/default"), shown, settled=True)
    return replace(whole, **changes)


def made(**changes: Any) -> RecordSet:
    """The record as the zone group of `endpoint()` made it."""
    return record(**{"keeper": Keeper.ZONE_GROUP, "owner": None, "maker": GUID, **changes})


def foreseen(
    *,
    groups: tuple[ZoneGroup, ...] = (group(),),
    wants: tuple[Want, ...] = (want(),),
    held: tuple[Held, ...] = (),
    standing: dict[RecordKey, RecordSet | Unread | None] | None = None,
    keys: frozenset[RecordKey] = frozenset({key()}),
    hubs: Any = HUBS,
    rules: Any = RULES,
    **changes: Any,
) -> Takeover:
    """The takeover of `endpoint()`, with something changed."""
    shown = {key(): made()} if standing is None else standing
    return takeover_of(endpoint(**changes), groups, Wishes(wants, held), shown, keys, hubs, rules)


def reasons(takeover: Takeover) -> list[ObstacleReason]:
    """Why it is refused."""
    return [each.reason for each in takeover.obstacles]


def test_what_the_group_made_and_the_endpoint_wants_is_written_anew() -> None:
    takeover = foreseen()
    [written] = takeover.puts
    assert takeover.obstacles == ()
    assert (written.key, written.addresses, written.was, written.etag) == (key(), *[addresses("10.1.0.4")] * 2, None)
    assert (written.ttl, written.owner) == (put().ttl, put().owner)


def test_what_is_wanted_and_missing_is_written_along() -> None:
    """Nothing stands there: the deletion can take nothing away."""
    second = want(key=key("orders-secondary"), fqdn="orders-secondary.blob.core.windows.net")
    takeover = foreseen(wants=(want(), second), standing={key(): made(), second.key: None})
    assert [(each.key, each.was) for each in takeover.puts] == [(key(), addresses("10.1.0.4")), (second.key, ())]
    assert takeover.obstacles == ()


def test_what_others_hold_is_not_this_takeovers_business() -> None:
    second = want(key=key("orders-secondary"))
    takeover = foreseen(wants=(want(), second), standing={key(): made(), second.key: record(key=second.key)})
    assert [each.key for each in takeover.puts] == [key()]


def test_what_the_group_lists_and_does_not_stand_cannot_be_lost() -> None:
    assert foreseen(wants=(), standing={key(): None}).obstacles == ()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"settled": False}, ObstacleReason.NOT_READY, id="endpoint being changed"),
        pytest.param({"status": ConnectionStatus.PENDING}, ObstacleReason.NOT_APPROVED, id="pending"),
        pytest.param({"status": ConnectionStatus.REJECTED}, ObstacleReason.NOT_APPROVED, id="rejected"),
        pytest.param({"groups": (group(settled=False),)}, ObstacleReason.NOT_READY, id="group being changed"),
        pytest.param({"hubs": (hub(OTHER_ZONE),)}, ObstacleReason.FOREIGN_ZONE, id="a zone that is not ours"),
        pytest.param({"hubs": (hub(trouble="403"),)}, ObstacleReason.UNKNOWN, id="zones not shown"),
        pytest.param({"wants": ()}, ObstacleReason.NOT_WANTED, id="not wanted"),
        pytest.param({"standing": {key(): Unread("403")}}, ObstacleReason.UNKNOWN, id="not shown"),
        pytest.param(
            {"standing": {key(): made(addresses=addresses("10.1.0.9"))}},
            ObstacleReason.OTHER_ADDRESSES,
            id="other addresses",
        ),
        pytest.param({"standing": {key(): made(maker=OTHER_GUID)}}, ObstacleReason.OTHERS_RECORD, id="overwritten"),
        pytest.param({"standing": {key(): made(maker="")}}, ObstacleReason.OTHERS_RECORD, id="maker not named"),
        pytest.param({"standing": {key(): record()}}, ObstacleReason.OTHERS_RECORD, id="ours already"),
        pytest.param({"rules": replace(RULES, protected=frozenset({BLOB}))}, ObstacleReason.PROTECTED, id="protected"),
        pytest.param(
            {"rules": replace(RULES, protected=frozenset({f"orders.{BLOB_ZONE}"}))},
            ObstacleReason.PROTECTED,
            id="protected by its private name",
        ),
        pytest.param(
            {"groups": (), "keys": frozenset(), "standing": {key(): record()}}, ObstacleReason.NO_GROUP, id="no group"
        ),
        pytest.param({"groups": ()}, ObstacleReason.OTHERS_RECORD, id="left behind by a group that is gone"),
        pytest.param(
            {"groups": (), "standing": {key(): Unread("403")}}, ObstacleReason.UNKNOWN, id="left behind, not shown"
        ),
    ],
)
def test_nothing_is_lost_or_guessed(changes: dict[str, Any], reason: ObstacleReason) -> None:
    takeover = foreseen(**changes)
    assert reasons(takeover) == [reason]
    assert TakeoverPlan((takeover,)).ready == ()


def test_without_a_guid_or_with_two_groups_nothing_is_known() -> None:
    """Behaviour reference section 2.4: one group an endpoint; the guid tells whose a record is."""
    two = (group(), group(id=ResourceId.parse(f"{ENDPOINT}/privateDnsZoneGroups/other")))
    assert reasons(foreseen(groups=two)) == [ObstacleReason.UNKNOWN]
    assert reasons(foreseen(guid="")) == [ObstacleReason.UNKNOWN, ObstacleReason.OTHERS_RECORD]


def test_why_a_record_is_not_wanted_is_told_by_what_is_held() -> None:
    held = (
        Held(HeldReason.NO_ZONE, ENDPOINT, "no such zone", name="elsewhere.vault.azure.net"),
        Held(HeldReason.NAME_NOT_ALLOWED, ENDPOINT, "another tenant's", name="ORDERS.blob.core.windows.net"),
    )
    [obstacle] = foreseen(wants=(), held=held).obstacles
    assert "name_not_allowed (another tenant's)" in obstacle.detail
    assert "no_zone" not in obstacle.detail
    [unexplained] = foreseen(wants=()).obstacles
    assert "no such name" in unexplained.detail


def test_an_interrupted_takeover_is_finished() -> None:
    """The group is gone and nothing stands there: only the write is left."""
    takeover = foreseen(groups=(), standing={key(): None}, keys=frozenset())
    assert (takeover.group, takeover.obstacles) == (None, ())
    assert [each.why for each in takeover.puts] == ["wanted, and nothing stands there"]


# The hash


def test_the_hash_names_what_would_be_done_and_nothing_else() -> None:
    ready, refused = foreseen(), foreseen(settled=False)
    plan = TakeoverPlan((ready,))
    assert plan.hash == TakeoverPlan((ready, refused)).hash
    assert plan.refused == ()
    others = [
        TakeoverPlan(),
        TakeoverPlan((replace(ready, endpoint=OTHER_ENDPOINT),)),
        TakeoverPlan((replace(ready, group=None),)),
        TakeoverPlan((replace(ready, group=group(GroupZone("x", zone(OTHER_ZONE).id))),)),
        TakeoverPlan((replace(ready, puts=()),)),
        TakeoverPlan((replace(ready, puts=(replace(ready.puts[0], addresses=addresses("10.1.0.5")),)),)),
    ]
    assert len({plan.hash, *(each.hash for each in others)}) == 1 + len(others)


def test_the_longest_gap_is_told_over_all_endpoints() -> None:
    short, long = Gap(key(), 0.2), Gap(key("other"), 1.5)
    done = (TakenOver(foreseen(), "r1", gaps=(short, long)), TakenOver(foreseen(), "r2", gaps=(short,)))
    report = TakeoverReport(TakeoverPlan(), done)
    assert (report.longest, report.failed) == (long, False)
    assert TakeoverReport(TakeoverPlan()).longest is None
    assert TakeoverReport(TakeoverPlan(), (TakenOver(foreseen(), "r1", error="403"),)).failed


# What would make the group anew


def assigned(*definitions: AssignedDefinition, **changes: Any) -> Assignment:
    """An assignment at a management group, by default of a policy for blobs."""
    shown = definitions or (AssignedDefinition(BLOB_POLICY, "", "deployifnotexists", deploys_zone_groups=True),)
    where = f"{CORP}/providers/Microsoft.Authorization/policyAssignments/dns"
    return replace(Assignment(where, CORP, (), shown), **changes)


def exempt(**changes: Any) -> Exemption:
    """An exemption of the resource group from that assignment."""
    return replace(Exemption(f"{RG}/x", RG, assigned().id.upper()), **changes)


def in_the_way(*assignments: Assignment, exemptions: tuple[Exemption, ...] = ()) -> tuple[Obstacle, ...]:
    """What Azure Policy puts in the way of `endpoint()`."""
    return recreators(ENDPOINT, Policies(assignments, exemptions), NOW)


@pytest.mark.parametrize("scope", [CORP, f"/subscriptions/{SPOKE.upper()}", RG, str(ENDPOINT)])
@pytest.mark.parametrize("effect", ["deployifnotexists", "modify"])
def test_a_policy_that_deploys_zone_groups_is_in_the_way(scope: str, effect: str) -> None:
    definition = AssignedDefinition(BLOB_POLICY, "", effect, deploys_zone_groups=True)
    [obstacle] = in_the_way(assigned(definition, scope=scope))
    assert obstacle.reason is ObstacleReason.POLICY
    assert BLOB_POLICY in obstacle.detail


@pytest.mark.parametrize(
    "assignment",
    [
        pytest.param(assigned(scope=f"{RG}x"), id="another group"),
        pytest.param(assigned(scope=str(OTHER_ENDPOINT)), id="another endpoint"),
        pytest.param(assigned(excluded=(f"{RG}x", RG.upper())), id="the group is left out"),
        pytest.param(assigned(AssignedDefinition(BLOB_POLICY, "", "disabled", True)), id="disabled"),
        pytest.param(assigned(AssignedDefinition(BLOB_POLICY, "", "auditifnotexists", True)), id="only an audit"),
        pytest.param(assigned(AssignedDefinition(BLOB_POLICY, "", "deployifnotexists", False)), id="of other things"),
    ],
)
def test_a_policy_that_does_not_reach_the_endpoint_is_not(assignment: Assignment) -> None:
    assert in_the_way(assignment) == ()


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        pytest.param(AssignedDefinition(BLOB_POLICY, trouble="403 Forbidden"), "403 Forbidden", id="not readable"),
        pytest.param(AssignedDefinition(BLOB_POLICY, "", "", True), "computed", id="an effect that is computed"),
    ],
)
def test_what_cannot_be_known_is_in_the_way_too(definition: AssignedDefinition, said: str) -> None:
    [obstacle] = in_the_way(assigned(definition))
    assert obstacle.reason is ObstacleReason.UNKNOWN
    assert said in obstacle.detail


def test_an_exemption_for_good_takes_a_policy_out_of_the_way() -> None:
    member = AssignedDefinition(BLOB_POLICY, "blob", "deployifnotexists", deploys_zone_groups=True)
    for exemption in (exempt(), exempt(scope=CORP), exempt(references=frozenset({"blob", "file"}))):
        assert in_the_way(assigned(member), exemptions=(exemption,)) == ()
    unread = AssignedDefinition(BLOB_POLICY, trouble="403")
    assert in_the_way(assigned(unread), exemptions=(exempt(),)) == ()


@pytest.mark.parametrize(
    ("exemption", "said"),
    [
        pytest.param(exempt(expires=datetime(2027, 1, 2, tzinfo=UTC)), "ends on 2027-01-02", id="ends"),
        pytest.param(exempt(expires=datetime(2026, 1, 2, tzinfo=UTC)), "has ended", id="has ended"),
        pytest.param(exempt(conditional=True), "not judged", id="conditions of its own"),
        pytest.param(exempt(references=frozenset({"file"})), "", id="of another member"),
        pytest.param(exempt(scope=f"{RG}x"), "", id="of another group"),
        pytest.param(exempt(assignment="/other"), "", id="from another assignment"),
    ],
)
def test_any_other_exemption_does_not(exemption: Exemption, said: str) -> None:
    member = AssignedDefinition(BLOB_POLICY, "blob", "deployifnotexists", deploys_zone_groups=True)
    [obstacle] = in_the_way(assigned(member), exemptions=(exemption,))
    assert obstacle.reason is ObstacleReason.POLICY
    assert said in obstacle.detail
    assert ("exemption" in obstacle.detail) is bool(said)


def test_whether_a_management_group_that_is_left_out_has_the_endpoint_is_not_known() -> None:
    [obstacle] = in_the_way(assigned(excluded=(f"{CORP}-sandbox",)))
    assert "cannot be known" in obstacle.detail


@pytest.mark.parametrize("level", ["CanNotDelete", "readonly"])
@pytest.mark.parametrize(
    ("scope", "is_locked"),
    [
        (f"/subscriptions/{SPOKE}", True),
        (RG.upper(), True),
        (str(ENDPOINT), True),
        (f"{ENDPOINT}/privateDnsZoneGroups/default/x/y", True),
        (f"{RG}x", False),
        (str(OTHER_ENDPOINT), False),
    ],
)
def test_a_lock_over_the_group_or_beneath_it_is_in_the_way(level: str, scope: str, is_locked: bool) -> None:
    """Behaviour reference section 6.1: what lies above a lock cannot be deleted either."""
    found = locked([f"{ENDPOINT}/privateDnsZoneGroups/default"], [Lock("/x", scope, level)])
    assert [each.reason for each in found] == [ObstacleReason.LOCKED] * is_locked


def test_a_lock_of_no_level_that_is_known_locks_nothing() -> None:
    assert locked([RG], [Lock("/x", RG, "NotSpecified")]) == ()


def test_a_place_lies_within_a_scope_by_whole_parts() -> None:
    assert lies_within(f"{RG}/", RG.upper())
    assert not lies_within(f"{RG}-2/x", RG)


@pytest.mark.parametrize(
    ("standing", "doubtful"),
    [(made(), True), (Unread("403"), True), (None, False), (record(), False), (made(maker=OTHER_GUID), False)],
)
def test_what_may_be_the_groups_counts_as_far_as_it_may_still_be_so(
    standing: RecordSet | Unread | None, doubtful: bool
) -> None:
    assert is_doubtful(standing, GUID.upper()) is doubtful


def test_an_obstacle_reads_as_its_reason_and_its_detail() -> None:
    assert str(Obstacle(ObstacleReason.LOCKED, "by x")) == "locked: by x"
