"""The decision table: what to do about a wanted record, and about one that nothing wants any more.

Every row of the table in `hubwarden.dns.plan` has its case here, with the histories that lead to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubwarden.dns.plan import Party, Rules, joined, plan_records
from hubwarden.model.endpoint import ConnectionStatus, Endpoint, EndpointName, Gone, NameSource
from hubwarden.model.plan import Claim, Drop, Held, HeldReason, Plan, Put, Want
from hubwarden.model.record import Keeper, RecordKey, RecordSet, RecordType, Standing, Unread
from tests.unit.given import (
    BLOB,
    BLOB_ZONE,
    ENDPOINT,
    GUID,
    OTHER_ENDPOINT,
    OTHER_GUID,
    RULES,
    addresses,
    claim,
    endpoint,
    key,
    name,
    owner,
    put,
    record,
    want,
)

ELSEWHERE = addresses("10.9.9.9")
NEWER = {"keeper": Keeper.NEWER_HUBWARDEN, "owner": None}
ZONE_GROUP = {"keeper": Keeper.ZONE_GROUP, "owner": None}
AUTO = {"keeper": Keeper.AUTO_REGISTRATION, "owner": None}
UNMARKED = {"keeper": Keeper.UNMARKED, "owner": None}
FABRIKAM = {"owner": owner(instance="fabrikam")}
PROTECTING_PUBLIC = replace(RULES, protected=frozenset({BLOB}))
PROTECTING_PRIVATE = replace(RULES, protected=frozenset({f"orders.{BLOB_ZONE}"}))


def plan_wants(seen: Endpoint, wants: Iterable[Want], standing: Standing, rules: Rules) -> Plan:
    """The plan where one endpoint wants these records."""
    return plan_records([Party(seen, wants=tuple(wants))], standing, rules)


def plan_leftovers(
    seen: Endpoint | Gone, claims: Iterable[Claim], standing: Standing, rules: Rules, held: Iterable[Held] = ()
) -> Plan:
    """The plan where one endpoint claims these records and wants them no more."""
    return plan_records([Party(seen, leftovers=tuple(claims), held_names=tuple(held))], standing, rules)


def wanted(stands: RecordSet | Unread | None, *, seen: Endpoint | None = None, rules: Any = RULES) -> Plan:
    """The plan for the one wanted record, with this standing under its key."""
    return plan_wants(seen or endpoint(), [want()], {key(): stands}, rules)


def the_put(plan: Plan) -> Put:
    [change] = plan.changes
    assert isinstance(change, Put)
    assert (plan.held, plan.unchanged) == ((), ())
    return change


def the_held(plan: Plan) -> Held:
    [held] = plan.held
    assert (plan.changes, plan.unchanged) == ((), ())
    return held


def test_nothing_stands_there_so_it_is_created_and_only_if_there_is_still_nothing() -> None:
    assert the_put(wanted(None)) == put()


@pytest.mark.parametrize(
    ("stands", "seen"),
    [
        pytest.param(record(), endpoint(), id="to the letter"),
        pytest.param(
            record(owner=owner(endpoint=type(ENDPOINT).parse(str(ENDPOINT).lower()))), endpoint(), id="id cased"
        ),
        pytest.param(record(owner=owner(guid="")), endpoint(guid=""), id="an endpoint that shows no guid"),
    ],
)
def test_ours_as_wanted_is_left_as_it_is(stands: RecordSet, seen: Endpoint) -> None:
    assert wanted(stands, seen=seen) == Plan(unchanged=(key(),))


@pytest.mark.parametrize(
    ("stands", "seen", "why"),
    [
        pytest.param(record(addresses=ELSEWHERE), endpoint(), "the addresses differ", id="another address"),
        pytest.param(record(addresses=()), endpoint(), "the addresses differ", id="an empty record set"),
        pytest.param(
            record(addresses=(*addresses("10.1.0.4"), *ELSEWHERE)),
            endpoint(),
            "the addresses differ",
            id="one too many",
        ),
        pytest.param(record(ttl=3600), endpoint(), "the ttl differs", id="another ttl"),
        pytest.param(
            record(owner=owner(endpoint=OTHER_ENDPOINT)),
            endpoint(),
            "the mark differs",
            id="moved: same guid, other id",
        ),
        pytest.param(
            record(owner=owner(endpoint=OTHER_ENDPOINT, guid=GUID.upper())),
            endpoint(),
            "the mark differs",
            id="moved, guid in other case",
        ),
        pytest.param(
            record(owner=owner(guid=OTHER_GUID)), endpoint(), "the mark differs", id="made anew: same id, other guid"
        ),
        pytest.param(
            record(owner=owner(guid=OTHER_GUID), addresses=ELSEWHERE, ttl=60),
            endpoint(),
            "the addresses differ",
            id="everything differs",
        ),
        pytest.param(
            record(owner=owner(instance="oldname")), endpoint(), "the mark differs", id="the instance's former name"
        ),
    ],
)
def test_ours_that_differs_is_put_right_insisting_on_what_was_seen(stands: RecordSet, seen: Endpoint, why: str) -> None:
    change = the_put(wanted(stands, seen=seen))
    assert change == put(etag="e1", was=stands.addresses, why=why)
    assert change.owner == owner()


@pytest.mark.parametrize("same_addresses", [True, False])
def test_a_name_that_another_endpoint_holds_stays_with_it(same_addresses: bool) -> None:
    theirs = owner(endpoint=OTHER_ENDPOINT, guid=OTHER_GUID)
    held = the_held(wanted(record(owner=theirs, addresses=addresses("10.1.0.4") if same_addresses else ELSEWHERE)))
    assert (held.reason, held.waits, held.key, held.name) == (HeldReason.CONTESTED, True, key(), BLOB)
    assert str(OTHER_ENDPOINT) in held.detail


def test_two_endpoints_that_show_no_guid_are_not_taken_for_one() -> None:
    theirs = owner(endpoint=OTHER_ENDPOINT, guid="")
    assert the_held(wanted(record(owner=theirs), seen=endpoint(guid=""))).reason is HeldReason.CONTESTED


@pytest.mark.parametrize(
    ("whose", "reason_if_same", "reason_if_other", "by"),
    [
        pytest.param(ZONE_GROUP, HeldReason.ZONE_GROUP, HeldReason.ZONE_GROUP, "zone group", id="a zone group"),
        pytest.param(
            UNMARKED, HeldReason.SERVED_BY_OTHER, HeldReason.FOREIGN_CONFLICT, "unmarked", id="somebody without a mark"
        ),
        pytest.param(
            AUTO, HeldReason.SERVED_BY_OTHER, HeldReason.FOREIGN_CONFLICT, "auto-registration", id="auto-registration"
        ),
        pytest.param(
            NEWER, HeldReason.SERVED_BY_OTHER, HeldReason.FOREIGN_CONFLICT, "newer hubwarden", id="a newer format"
        ),
        pytest.param(
            FABRIKAM,
            HeldReason.SERVED_BY_OTHER,
            HeldReason.FOREIGN_CONFLICT,
            "instance fabrikam",
            id="another instance, for this very endpoint",
        ),
    ],
)
def test_what_is_not_ours_is_never_touched(
    whose: Mapping[str, Any], reason_if_same: HeldReason, reason_if_other: HeldReason, by: str
) -> None:
    same = the_held(wanted(record(**whose)))
    other = the_held(wanted(record(**whose, addresses=ELSEWHERE)))
    empty = the_held(wanted(record(**whose, addresses=())))
    assert (same.reason, other.reason, empty.reason) == (reason_if_same, reason_if_other, reason_if_other)
    assert other.detail == f"{key()} stands with 10.9.9.9 ({by}); wanted: 10.1.0.4"
    assert "stands with none" in empty.detail
    assert (same.waits, other.waits) == (False, False)


@pytest.mark.parametrize("rules", [PROTECTING_PUBLIC, PROTECTING_PRIVATE], ids=["public name", "private name"])
def test_a_protected_record_of_ours_is_not_changed(rules: Any) -> None:
    held = the_held(wanted(record(addresses=ELSEWHERE), rules=rules))
    assert (held.reason, held.waits, held.key, held.name) == (HeldReason.PROTECTED, False, key(), BLOB)


@pytest.mark.parametrize("rules", [PROTECTING_PUBLIC, PROTECTING_PRIVATE], ids=["public name", "private name"])
def test_a_protected_name_with_nothing_standing_is_created(rules: Any) -> None:
    assert the_put(wanted(None, rules=rules)) == put()


@pytest.mark.parametrize("rules", [PROTECTING_PUBLIC, PROTECTING_PRIVATE], ids=["public name", "private name"])
@pytest.mark.parametrize(
    "stands",
    [record(ttl=60), record(owner=owner(guid=OTHER_GUID)), record(owner=owner(instance="oldname"))],
    ids=["ttl", "guid", "instance"],
)
def test_a_protected_record_of_ours_is_not_even_marked_anew(stands: RecordSet, rules: Any) -> None:
    assert the_held(wanted(stands, rules=rules)).reason is HeldReason.PROTECTED


def test_a_protected_record_that_is_not_ours_is_held_for_that() -> None:
    theirs = record(owner=owner(endpoint=OTHER_ENDPOINT, guid=OTHER_GUID))
    assert the_held(wanted(record(**UNMARKED), rules=PROTECTING_PUBLIC)).reason is HeldReason.SERVED_BY_OTHER
    assert the_held(wanted(theirs, rules=PROTECTING_PUBLIC)).reason is HeldReason.CONTESTED


def test_a_protected_record_that_is_right_is_not_even_mentioned() -> None:
    assert wanted(record(), rules=PROTECTING_PUBLIC) == Plan(unchanged=(key(),))


def test_a_protected_name_protects_no_other() -> None:
    other = replace(RULES, protected=frozenset({"x" + BLOB, "blob.core.windows.net"}))
    assert the_put(wanted(record(ttl=60), rules=other)).etag == "e1"


UNREAD = Unread("reading record: Azure answered 403 AuthorizationFailed")


@pytest.mark.parametrize("rules", [RULES, PROTECTING_PUBLIC], ids=["as usual", "protected"])
def test_a_record_that_azure_does_not_show_is_not_written(rules: Any) -> None:
    assert the_held(wanted(UNREAD, rules=rules)) == Held(
        HeldReason.UNCERTAIN, ENDPOINT, UNREAD.detail, key(), BLOB, waits=True
    )


def test_a_record_that_azure_does_not_show_holds_no_other_back() -> None:
    aaaa = key(kind=RecordType.AAAA)
    wants = [want(), want(key=aaaa, addresses=addresses("fd00::4"))]
    plan = plan_wants(endpoint(), wants, {key(): UNREAD, aaaa: None}, RULES)
    assert [change.key for change in plan.changes] == [aaaa]
    assert [(held.reason, held.key) for held in plan.held] == [(HeldReason.UNCERTAIN, key())]


def test_each_wanted_record_is_decided_by_itself() -> None:
    aaaa, foreign = key(kind=RecordType.AAAA), key("billing")
    wants = [want(), want(key=aaaa, addresses=addresses("fd00::4")), want(key=foreign)]
    plan = plan_wants(endpoint(), wants, {key(): record(), aaaa: None, foreign: record(**UNMARKED)}, RULES)
    assert plan.unchanged == (key(),)
    assert [change.key for change in plan.changes] == [aaaa]
    assert [held.reason for held in plan.held] == [HeldReason.SERVED_BY_OTHER]


@given(st.sampled_from([None, record(addresses=ELSEWHERE), record(ttl=60), record(owner=owner(guid=OTHER_GUID))]))
def test_what_a_put_writes_needs_nothing_at_the_next_look(stands: RecordSet | None) -> None:
    change = the_put(wanted(stands))
    after = RecordSet(change.key, change.addresses, change.ttl, "e2", Keeper.HUBWARDEN, change.owner)
    assert wanted(after) == Plan(unchanged=(key(),))


# Leftovers: claims on what nothing wants any more.


OURS = record()


def left(seen: Endpoint | Gone, *, stands: RecordSet | Unread | None = OURS, rules: Any = RULES) -> Plan:
    """The plan for one claim that no want covers; by default our record stands under it."""
    return plan_leftovers(seen, [claim()], {key(): stands}, rules)


PROVEN = Gone(ENDPOINT, proven=True, detail="404 ResourceNotFound")
OTHER_NAMES = endpoint(name("other.blob.core.windows.net"))
REASONS_TO_DROP = [
    pytest.param(PROVEN, "the endpoint is gone", id="gone, and proven"),
    pytest.param(endpoint(status=ConnectionStatus.REJECTED), "the connection is Rejected", id="rejected"),
    pytest.param(endpoint(status=ConnectionStatus.DISCONNECTED), "the connection is Disconnected", id="disconnected"),
    pytest.param(
        endpoint(status=ConnectionStatus.DISCONNECTED, names=()),
        "the connection is Disconnected",
        id="and without names",
    ),
    pytest.param(OTHER_NAMES, "the endpoint has other names now", id="other names"),
]
REASONS_TO_KEEP = [
    pytest.param(
        Gone(ENDPOINT, proven=False, detail="404 NotFound"), HeldReason.UNCERTAIN, True, id="gone, but not proven"
    ),
    pytest.param(endpoint(settled=False), HeldReason.NOT_READY, True, id="Azure is at work"),
    pytest.param(
        endpoint(settled=False, status=ConnectionStatus.REJECTED),
        HeldReason.NOT_READY,
        True,
        id="rejected, not settled",
    ),
    pytest.param(replace(OTHER_NAMES, settled=False), HeldReason.NOT_READY, True, id="other names, not settled"),
    pytest.param(endpoint(status=ConnectionStatus.PENDING), HeldReason.NOT_APPROVED, True, id="pending again"),
    pytest.param(endpoint(status=ConnectionStatus.UNKNOWN), HeldReason.NOT_APPROVED, True, id="a status not known"),
    pytest.param(endpoint(names=()), HeldReason.NOT_READY, True, id="no names"),
    pytest.param(endpoint(), HeldReason.NO_LONGER_COVERED, False, id="the settings cover the name no more"),
    pytest.param(
        endpoint(name("x.blob.core.windows.net"), name("ORDERS.blob.core.windows.NET.")),
        HeldReason.NO_LONGER_COVERED,
        False,
        id="the name is still there, spelt otherwise",
    ),
]


@pytest.mark.parametrize(("seen", "why"), REASONS_TO_DROP)
def test_a_proven_end_withdraws_our_record_insisting_on_what_was_seen(seen: Endpoint | Gone, why: str) -> None:
    plan = left(seen)
    assert plan == Plan((Drop(key(), "e1", addresses("10.1.0.4"), ENDPOINT, why),))


@pytest.mark.parametrize(("seen", "reason", "waits"), REASONS_TO_KEEP)
def test_without_proof_the_record_stays(seen: Endpoint | Gone, reason: HeldReason, waits: bool) -> None:
    held = the_held(left(seen))
    assert (held.reason, held.waits) == (reason, waits)
    assert (held.endpoint, held.key, held.name) == (ENDPOINT, key(), BLOB)
    assert held.detail


@pytest.mark.parametrize(
    "stands",
    [
        pytest.param(None, id="nothing"),
        pytest.param(record(**UNMARKED), id="unmarked"),
        pytest.param(record(**ZONE_GROUP), id="a zone group's"),
        pytest.param(record(**AUTO), id="auto-registered"),
        pytest.param(record(**NEWER), id="a newer format"),
        pytest.param(record(**FABRIKAM), id="another instance's"),
        pytest.param(record(owner=owner(endpoint=OTHER_ENDPOINT)), id="moved: the new id has taken it over"),
        pytest.param(record(owner=owner(endpoint=OTHER_ENDPOINT, guid=OTHER_GUID)), id="another endpoint's"),
    ],
)
@pytest.mark.parametrize("seen", [PROVEN, OTHER_NAMES, endpoint()], ids=["gone", "other names", "not covered"])
def test_what_is_not_ours_for_this_endpoint_is_not_withdrawn(seen: Endpoint | Gone, stands: RecordSet | None) -> None:
    assert left(seen, stands=stands) == Plan()


@pytest.mark.parametrize("guid", [OTHER_GUID, "", GUID.upper()], ids=["an earlier one's", "none", "in upper case"])
def test_a_record_of_the_same_id_is_withdrawn_whatever_guid_it_bears(guid: str) -> None:
    """A write that failed leaves an earlier guid; whether one made anew holds it was asked of Azure before."""
    [change] = left(PROVEN, stands=record(owner=owner(guid=guid))).changes
    assert isinstance(change, Drop)


@pytest.mark.parametrize("seen", [PROVEN, OTHER_NAMES, endpoint(), endpoint(settled=False)])
def test_a_claimed_record_that_azure_does_not_show_is_in_doubt_and_not_withdrawn(seen: Endpoint | Gone) -> None:
    assert the_held(left(seen, stands=UNREAD)) == Held(
        HeldReason.UNCERTAIN, ENDPOINT, UNREAD.detail, key(), BLOB, waits=True
    )


def test_a_record_that_two_hubs_claim_is_withdrawn_once() -> None:
    both = [claim(), claim(hub="neu")]
    for seen, count in ((PROVEN, (1, 0)), (endpoint(), (0, 1))):
        plan = plan_leftovers(seen, both, {key(): record()}, RULES)
        assert (len(plan.changes), len(plan.held)) == count
    assert len(plan_leftovers(PROVEN, both, {key(): UNREAD}, RULES).held) == 1


SAID = name("other.blob.core.windows.net", source=NameSource.ENDPOINT)


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(endpoint(SAID), id="another name"),
        pytest.param(endpoint(name(BLOB, "fd00::4", source=NameSource.ENDPOINT)), id="the name, in another family"),
        pytest.param(endpoint(EndpointName(BLOB, (), NameSource.ENDPOINT)), id="the name, without an address"),
    ],
)
def test_what_only_the_owner_says_does_not_prove_that_a_name_is_gone(seen: Endpoint) -> None:
    held = the_held(left(seen))
    assert (held.reason, held.waits, held.key, held.name) == (HeldReason.NOT_READY, True, key(), BLOB)


def test_what_only_the_owner_says_keeps_nothing_that_has_ended() -> None:
    [change] = left(endpoint(SAID, status=ConnectionStatus.DISCONNECTED)).changes
    assert isinstance(change, Drop)


def test_a_record_under_the_instances_former_name_is_withdrawn_too() -> None:
    [change] = left(PROVEN, stands=record(owner=owner(instance="oldname"))).changes
    assert isinstance(change, Drop)


@pytest.mark.parametrize("rules", [PROTECTING_PUBLIC, PROTECTING_PRIVATE], ids=["public name", "private name"])
@pytest.mark.parametrize(("seen", "why"), REASONS_TO_DROP)
def test_a_protected_record_is_not_withdrawn_even_with_proof(seen: Endpoint | Gone, why: str, rules: Any) -> None:
    held = the_held(left(seen, rules=rules))
    assert (held.reason, held.waits) == (HeldReason.PROTECTED, False)
    assert held.detail == f"{why}, but the name is protected"


def test_without_proof_the_reason_is_told_before_the_protection() -> None:
    assert the_held(left(endpoint(settled=False), rules=PROTECTING_PUBLIC)).reason is HeldReason.NOT_READY


def left_beside(*held: Held, seen: Endpoint | Gone | None = None, rules: Any = RULES) -> Plan:
    """The plan for one leftover claim of an endpoint some of whose names are held themselves."""
    return plan_leftovers(seen or endpoint(), [claim()], {key(): record()}, rules, held)


TOO_MANY = Held(HeldReason.TOO_MANY_ADDRESSES, ENDPOINT, "21 addresses", key("other"), BLOB)
NO_ADDRESS_YET = Held(
    HeldReason.NOT_READY, ENDPOINT, "the name has no address yet", name=f"{BLOB.upper()}.", waits=True
)


@pytest.mark.parametrize(
    ("held", "seen"),
    [
        pytest.param(TOO_MANY, endpoint(), id="the name as it was"),
        pytest.param(NO_ADDRESS_YET, endpoint(EndpointName(BLOB, (), NameSource.NIC)), id="without its address"),
        pytest.param(replace(TOO_MANY, waits=True), endpoint(), id="for a while"),
        pytest.param(TOO_MANY, endpoint(name(BLOB, "fd00::4")), id="with the other family only"),
    ],
)
def test_a_record_whose_name_is_held_itself_waits_with_it_and_for_its_reason(held: Held, seen: Endpoint) -> None:
    found = the_held(left_beside(held, seen=seen))
    assert found == replace(held, key=key(), name=BLOB)


@pytest.mark.parametrize("fqdn", [BLOB, f"{BLOB.upper()}."])
def test_a_record_whose_name_is_not_allowed_any_more_is_for_a_person_to_release(fqdn: str) -> None:
    """Law 14: a list or a row that the name left withdraws nothing by itself."""
    found = the_held(left_beside(Held(HeldReason.NAME_NOT_ALLOWED, ENDPOINT, "outside the networks", name=fqdn)))
    assert (found.reason, found.key, found.name, found.waits) == (HeldReason.NO_LONGER_COVERED, key(), BLOB, False)
    assert found.detail == "name_not_allowed: outside the networks"


def test_while_it_is_not_known_whose_the_target_is_the_record_is_in_doubt() -> None:
    """Else a person would be offered to release what is covered."""
    unknown = Held(HeldReason.NAME_NOT_ALLOWED, ENDPOINT, "not known to be in our tenant", waits=True)
    assert the_held(left_beside(unknown)) == replace(unknown, key=key(), name=BLOB)


def test_another_name_that_is_held_holds_no_other_record() -> None:
    beside = replace(TOO_MANY, name="x" + BLOB)
    whole = Held(HeldReason.NO_HUB, ENDPOINT, "no hub publishes it")
    assert the_held(left_beside(beside)).reason is HeldReason.NO_LONGER_COVERED
    assert the_held(left_beside(whole)).reason is HeldReason.NO_LONGER_COVERED
    [change] = left_beside(beside, whole, seen=OTHER_NAMES).changes
    assert change.why == "the endpoint has other names now"


@pytest.mark.parametrize(
    "seen", [PROVEN, endpoint(status=ConnectionStatus.REJECTED)], ids=["the endpoint is gone", "it was rejected"]
)
def test_a_name_that_is_held_keeps_no_record_of_what_has_ended(seen: Endpoint | Gone) -> None:
    [change] = left_beside(TOO_MANY, seen=seen).changes
    assert isinstance(change, Drop)


@pytest.mark.parametrize(
    ("kind", "now"), [(RecordType.AAAA, "10.1.0.4"), (RecordType.A, "fd00::4")], ids=["no IPv6 now", "no IPv4 now"]
)
def test_a_name_that_lost_one_family_loses_its_record(kind: RecordType, now: str) -> None:
    there = key(kind=kind)
    stands = record(key=there, addresses=addresses("fd00::9"))
    plan = plan_leftovers(endpoint(name(BLOB, now)), [claim(key=there)], {there: stands}, RULES)
    why = f"the endpoint has no {kind} for this name now"
    assert plan == Plan((Drop(there, "e1", addresses("fd00::9"), ENDPOINT, why),))


def test_a_name_with_both_families_keeps_both_records() -> None:
    keys = [key(kind=kind) for kind in RecordType]
    stands: dict[RecordKey, RecordSet | Unread | None] = {each: record(key=each) for each in keys}
    both = endpoint(name(BLOB, "10.1.0.4"), name(f"{BLOB.upper()}.", "fd00::4"))
    plan = plan_leftovers(both, [claim(key=each) for each in keys], stands, RULES)
    assert plan.changes == ()
    assert [held.reason for held in plan.held] == [HeldReason.NO_LONGER_COVERED] * 2


def test_a_record_whose_name_lost_its_family_is_not_withdrawn_if_it_is_protected() -> None:
    there = key(kind=RecordType.AAAA)
    plan = plan_leftovers(endpoint(), [claim(key=there)], {there: record(key=there)}, PROTECTING_PRIVATE)
    assert the_held(plan).reason is HeldReason.PROTECTED


def test_every_claim_of_a_gone_endpoint_is_withdrawn_by_itself() -> None:
    keys = [key(f"n{number}") for number in range(3)]
    stands: dict[RecordKey, RecordSet | Unread | None] = {each: record(key=each, etag=f"e{each.name}") for each in keys}
    plan = plan_leftovers(PROVEN, [claim(key=each) for each in keys], stands, RULES)
    assert [(change.key, change.etag) for change in plan.changes if isinstance(change, Drop)] == [
        (each, f"e{each.name}") for each in keys
    ]


RECORDS: list[RecordSet | Unread | None] = [
    None,
    UNREAD,
    record(),
    record(addresses=ELSEWHERE),
    record(owner=owner(endpoint=OTHER_ENDPOINT)),
    record(owner=owner(endpoint=OTHER_ENDPOINT, guid=OTHER_GUID)),
    record(owner=owner(guid=OTHER_GUID)),
    record(owner=owner(instance="oldname")),
    *(record(**whose) for whose in (UNMARKED, ZONE_GROUP, AUTO, NEWER, FABRIKAM)),
]
ENDPOINTS = st.builds(
    endpoint,
    st.sampled_from([name(BLOB), name("other.blob.core.windows.net"), EndpointName("x", (), NameSource.NIC), SAID]),
    status=st.sampled_from(ConnectionStatus),
    settled=st.booleans(),
    guid=st.sampled_from([GUID, OTHER_GUID, ""]),
)


@given(
    ENDPOINTS | st.builds(Gone, st.just(ENDPOINT), st.booleans(), st.just("404")),
    st.sampled_from(RECORDS),
    st.sampled_from([RULES, PROTECTING_PUBLIC, PROTECTING_PRIVATE]),
    st.booleans(),
)
def test_whatever_is_seen_only_records_of_ours_change_and_every_change_insists(
    seen: Endpoint | Gone, stands: RecordSet | Unread | None, rules: Any, is_wanted: bool
) -> None:
    wants: list[Want] = [want()] if is_wanted and isinstance(seen, Endpoint) else []
    plan = joined(
        plan_wants(seen, wants, {key(): stands}, rules) if isinstance(seen, Endpoint) else Plan(),
        plan_leftovers(seen, [] if wants else [claim()], {key(): stands}, rules),
    )
    assert len(plan.changes) + len(plan.held) + len(plan.unchanged) <= 1
    for change in plan.changes:
        if stands is None:
            assert isinstance(change, Put)
            assert change.etag is None
            continue
        assert isinstance(stands, RecordSet), "what nobody knows is not written on"
        assert stands.owned_by(rules.instances)
        assert change.etag == stands.etag
        assert change.was == stands.addresses
        assert not rules.protected, "only what is not there yet is written under a protected name"
        if isinstance(change, Drop):
            assert isinstance(seen, Gone) or seen.settled
            assert stands.owner
            assert stands.owner.endpoint == ENDPOINT


def test_plans_are_joined_in_order() -> None:
    one = Plan((put(),), (Held(HeldReason.CONTESTED, ENDPOINT, "a"),), (key("a"),))
    other = Plan((put(ttl=60),), (Held(HeldReason.UNCERTAIN, ENDPOINT, "b"),), (key("b"),))
    assert joined(one, other) == Plan(
        (*one.changes, *other.changes), (*one.held, *other.held), (*one.unchanged, *other.unchanged)
    )
    assert joined() == Plan()


def test_a_name_without_any_address_for_the_moment_is_not_withdrawn() -> None:
    """Not even where the endpoint is held as a whole, so that no name of its own is."""
    whole = Held(HeldReason.NO_HUB, ENDPOINT, "no hub publishes it")
    seen = endpoint(EndpointName(BLOB, (), NameSource.NIC))
    assert the_held(left_beside(whole, seen=seen)).reason is HeldReason.NOT_READY
