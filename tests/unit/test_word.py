"""A person's word as a value, and what it makes of each kind of record: every row of the table in dns.word."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from hubwarden.dns.plan import Party
from hubwarden.dns.word import Said, plan_word
from hubwarden.errors import InputError
from hubwarden.model.endpoint import Endpoint, Gone
from hubwarden.model.plan import Held, HeldReason, Plan, essence
from hubwarden.model.record import Keeper, RecordSet, Unread
from hubwarden.model.scope import scope_data, to_scope
from hubwarden.model.word import MOST_NAMES, Verb, Word, to_word, word_data
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
    drop,
    endpoint,
    key,
    owner,
    put,
    record,
    want,
)

ELSEWHERE = addresses("10.9.9.9")
UNMARKED = record(keeper=Keeper.UNMARKED, owner=None, ttl=3600)
GROUP = replace(UNMARKED, keeper=Keeper.ZONE_GROUP, maker=OTHER_GUID)
STRANGERS = [
    pytest.param({"keeper": Keeper.NEWER_HUBWARDEN, "owner": None}, id="a newer mark"),
    pytest.param({"keeper": Keeper.AUTO_REGISTRATION, "owner": None}, id="auto-registration"),
    pytest.param({"owner": owner(instance="fabrikam")}, id="another instance"),
]
TAKERS = [Verb.ADOPT, Verb.REPLACE]
NOT_SEEN = Gone(ENDPOINT, False, "AuthorizationFailed")
PROTECTING = replace(RULES, protected=frozenset({f"orders.{BLOB_ZONE}"}))


def said(
    verb: Verb,
    stands: RecordSet | Unread | None,
    *parties: Party,
    rules: Any = RULES,
    through: frozenset[str] | None = None,
    abandoned: Iterable[str] = (OTHER_GUID,),
) -> Plan:
    """The plan of a word about the one record."""
    meant = Said(verb, frozenset({key()}), through, frozenset(abandoned))
    return plan_word(parties, {key(): stands}, rules, meant)


def wanting(seen: Endpoint | None = None, **changes: Any) -> Party:
    """An endpoint that wants the record."""
    return Party(seen or endpoint(), wants=(want(**changes),))


def other(**changes: Any) -> Party:
    """Another endpoint that wants it, with another address."""
    return wanting(endpoint(id=OTHER_ENDPOINT, guid=OTHER_GUID), **{"addresses": ELSEWHERE, **changes})


def leaving(seen: Endpoint | Gone | None = None, *, outside: bool = False, **changes: Any) -> Party:
    """Its owner, which the settings do not cover any more."""
    return Party(seen or endpoint(), leftovers=(claim(**changes),), outside=outside)


def the_held(plan: Plan) -> Held:
    """The one thing that is held, where nothing is done."""
    [held] = plan.held
    assert plan.changes == ()
    return held


def test_adopt_marks_an_unmarked_record_that_is_as_wanted() -> None:
    why = "a person adopts it: it was unmarked"
    plan = said(Verb.ADOPT, UNMARKED, wanting())
    assert plan == Plan(changes=(put(etag="e1", was=UNMARKED.addresses, why=why),))


def test_adopt_is_for_whom_the_record_serves_already() -> None:
    """Whoever comes first otherwise would give other answers."""
    plan = said(Verb.ADOPT, replace(UNMARKED, addresses=ELSEWHERE), wanting(), other())
    [change] = plan.changes
    assert (change.endpoint, change.was) == (OTHER_ENDPOINT, ELSEWHERE)
    assert not change.withdraws
    assert [(each.reason, each.endpoint) for each in plan.held] == [(HeldReason.CONTESTED, ENDPOINT)]


def test_adopt_leaves_other_addresses_and_zone_groups() -> None:
    other_addresses = said(Verb.ADOPT, replace(UNMARKED, addresses=ELSEWHERE), wanting())
    assert the_held(other_addresses).reason is HeldReason.FOREIGN_CONFLICT
    assert the_held(said(Verb.ADOPT, GROUP, wanting())).reason is HeldReason.ZONE_GROUP


@pytest.mark.parametrize("stands", [UNMARKED, replace(UNMARKED, addresses=ELSEWHERE), GROUP])
def test_replace_gives_the_record_to_the_first_who_wants_it(stands: RecordSet) -> None:
    [change] = said(Verb.REPLACE, stands, wanting()).changes
    assert change == put(etag="e1", was=stands.addresses, why=change.why)


@pytest.mark.parametrize(
    ("stands", "abandoned", "detail"),
    [
        pytest.param(GROUP, (), "an endpoint with its resourceGuid is there", id="it lives"),
        pytest.param(replace(GROUP, maker=""), ("",), "its mark does not say whose it is", id="it is not named"),
        pytest.param(replace(GROUP, maker=GUID), (GUID,), "is there", id="it wants the record itself"),
    ],
)
def test_a_zone_groups_record_is_replaced_only_where_its_endpoint_is_nowhere(
    stands: RecordSet, abandoned: tuple[str, ...], detail: str
) -> None:
    if not stands.maker:
        abandoned = ()
    held = the_held(said(Verb.REPLACE, stands, wanting(), abandoned=abandoned))
    assert held.reason is HeldReason.ZONE_GROUP
    assert held.detail.endswith(detail)


@pytest.mark.parametrize("verb", [*TAKERS, Verb.RELEASE])
@pytest.mark.parametrize("stranger", STRANGERS)
@pytest.mark.parametrize("stands", [UNMARKED.addresses, ELSEWHERE])
def test_no_word_takes_what_somebody_else_keeps(verb: Verb, stranger: dict[str, Any], stands: Any) -> None:
    same = stands == UNMARKED.addresses
    held = the_held(said(verb, record(addresses=stands, **stranger), wanting()))
    assert held.reason is (HeldReason.SERVED_BY_OTHER if same else HeldReason.FOREIGN_CONFLICT)


@pytest.mark.parametrize(("verb", "stands"), [(Verb.ADOPT, UNMARKED), (Verb.REPLACE, GROUP)])
def test_a_protected_name_is_not_taken(verb: Verb, stands: RecordSet) -> None:
    assert the_held(said(verb, stands, wanting(), rules=PROTECTING)).reason is HeldReason.PROTECTED


@pytest.mark.parametrize("verb", TAKERS)
def test_what_is_ours_and_right_needs_nothing(verb: Verb) -> None:
    assert said(verb, record(), wanting()) == Plan(unchanged=(key(),))


@pytest.mark.parametrize(
    ("stands", "parties", "detail"),
    [
        pytest.param(None, [wanting()], f"a look at {ENDPOINT} puts it right", id="missing"),
        pytest.param(record(ttl=3600), [wanting()], "the ttl differs", id="not as wanted"),
        pytest.param(UNMARKED, [], "it stands (unmarked), and no endpoint of the estate wants it", id="nobody's"),
        pytest.param(record(owner=owner(instance="fabrikam")), [], "it stands (instance fabrikam)", id="another's"),
        pytest.param(record(), [], f"it is ours, for {ENDPOINT}", id="ours, of nobody who was looked at"),
    ],
)
def test_a_record_that_the_word_is_not_for_is_told_with_the_reason(
    stands: RecordSet | None, parties: list[Party], detail: str
) -> None:
    held = the_held(said(Verb.ADOPT, stands, *parties))
    assert (held.reason, held.endpoint, held.key) == (HeldReason.NOT_APPLICABLE, None, key())
    assert held.detail.startswith("adopt is not for it: ")
    assert detail in held.detail


@pytest.mark.parametrize("verb", [*TAKERS, Verb.RELEASE, Verb.RENAME])
def test_nothing_is_said_of_what_neither_stands_nor_is_wanted(verb: Verb) -> None:
    assert said(verb, None) == Plan()


@pytest.mark.parametrize("parties", [(), (wanting(),)])
def test_what_cannot_be_read_is_in_doubt(parties: tuple[Party, ...]) -> None:
    held = the_held(said(Verb.ADOPT, Unread("denied"), *parties))
    assert (held.reason, held.detail, held.waits) == (HeldReason.UNCERTAIN, "denied", True)


@pytest.mark.parametrize(
    ("party", "why"),
    [
        pytest.param(leaving(), "the endpoint still has the name, but the settings give it", id="covered no more"),
        pytest.param(leaving(NOT_SEEN, outside=True), NOT_SEEN.detail, id="outside the estate"),
        pytest.param(leaving(fqdn=""), "the ledger has lost for which", id="nobody knows which of its names it was"),
    ],
)
def test_release_drops_what_is_no_longer_covered_and_says_why_it_is_not(party: Party, why: str) -> None:
    [change] = said(Verb.RELEASE, record(), party).changes
    assert change == drop(why=change.why)
    assert change.why.startswith("a person releases it: ")
    assert why in change.why


def test_a_released_record_goes_to_the_next_in_one_step() -> None:
    plan = said(Verb.RELEASE, record(), leaving(), other())
    [change] = plan.changes
    assert (change.endpoint, change.was) == (OTHER_ENDPOINT, record().addresses)
    assert plan.held == ()


def test_a_protected_name_is_not_released() -> None:
    assert the_held(said(Verb.RELEASE, record(), leaving(), rules=PROTECTING)).reason is HeldReason.PROTECTED


@pytest.mark.parametrize(
    ("party", "reason", "detail"),
    [
        pytest.param(wanting(), HeldReason.NOT_APPLICABLE, "which wants it", id="covered"),
        pytest.param(
            leaving(Gone(ENDPOINT, True, "404")), HeldReason.NOT_APPLICABLE, "the endpoint is gone", id="gone"
        ),
        pytest.param(leaving(endpoint(settled=False)), HeldReason.NOT_READY, "final", id="not ready"),
        pytest.param(leaving(NOT_SEEN), HeldReason.UNCERTAIN, "AuthorizationFailed", id="not to be seen"),
        pytest.param(Party(NOT_SEEN), HeldReason.UNCERTAIN, "AuthorizationFailed", id="nor its claims"),
    ],
)
def test_release_is_for_nothing_else(party: Party, reason: HeldReason, detail: str) -> None:
    held = the_held(said(Verb.RELEASE, record(), party))
    assert held.reason is reason
    assert detail in held.detail


FORMER = record(owner=owner(instance="oldname"), ttl=77, addresses=ELSEWHERE)


@pytest.mark.parametrize("party", [leaving(NOT_SEEN), leaving(), Party(NOT_SEEN)])
def test_rename_changes_the_mark_and_nothing_else(party: Party) -> None:
    [change] = said(Verb.RENAME, FORMER, party).changes
    expected = put(addresses=ELSEWHERE, was=ELSEWHERE, ttl=77, etag="e1", why="the instance was called oldname")
    assert change == (expected if party.leftovers else replace(expected, hub="", fqdn=""))
    assert not change.withdraws


def test_rename_leaves_what_bears_the_present_name_and_what_is_not_ours() -> None:
    assert said(Verb.RENAME, record(), leaving(NOT_SEEN)) == Plan(unchanged=(key(),))
    assert the_held(said(Verb.RENAME, UNMARKED, leaving(NOT_SEEN))).reason is HeldReason.NOT_APPLICABLE
    fabrikam = record(owner=owner(instance="fabrikam"))
    assert the_held(said(Verb.RENAME, fabrikam, leaving(NOT_SEEN))).reason is HeldReason.NOT_APPLICABLE


@pytest.mark.parametrize("rules", [PROTECTING, replace(RULES, protected=frozenset({BLOB}))])
def test_rename_leaves_protected_names(rules: Any) -> None:
    assert the_held(said(Verb.RENAME, FORMER, leaving(NOT_SEEN), rules=rules)).reason is HeldReason.PROTECTED


@pytest.mark.parametrize(
    ("verb", "stands", "party", "reason"),
    [
        (Verb.ADOPT, UNMARKED, wanting(), HeldReason.SERVED_BY_OTHER),
        (Verb.REPLACE, replace(UNMARKED, addresses=ELSEWHERE), wanting(), HeldReason.FOREIGN_CONFLICT),
        (Verb.RELEASE, record(), leaving(), HeldReason.NO_LONGER_COVERED),
        (Verb.RENAME, FORMER, leaving(NOT_SEEN), HeldReason.UNCERTAIN),
    ],
)
def test_only_what_the_person_named_is_changed(verb: Verb, stands: RecordSet, party: Party, reason: HeldReason) -> None:
    """What became another change since is held as it would be without a word."""
    plan = said(verb, stands, party)
    [change] = plan.changes
    assert said(verb, stands, party, through=frozenset({essence(change)})) == plan
    assert the_held(said(verb, stands, party, through=frozenset())).reason is reason


def test_a_word_about_one_record_says_nothing_of_others() -> None:
    """`standing` may know more than the word is about."""
    standing = {key(): UNMARKED, key("more"): UNMARKED}
    parties: list[Party] = [wanting(), wanting(key=key("more"))]
    plan = plan_word(parties, standing, RULES, Said(Verb.ADOPT, frozenset({key()})))
    assert [change.key for change in plan.changes] == [key()]


WORDS = [
    (Word(Verb.ADOPT), "adopt all records that it is for"),
    (Word.read("adopt", [BLOB], BLOB_ZONE, "weu"), f"adopt {BLOB} in zone {BLOB_ZONE} of hub weu"),
    (Word.read("replace", [f"{BLOB.upper()}.", BLOB]), f"replace {BLOB}"),
    (Word.read("release", (), None, "weu"), "release all records that it is for of hub weu"),
    (Word.read("rename", zone=BLOB_ZONE), f"rename all records that it is for in zone {BLOB_ZONE}"),
]


@pytest.mark.parametrize(("word", "text"), WORDS)
def test_a_word_comes_back_as_data_and_says_what_it_is(word: Word, text: str) -> None:
    assert to_word(word_data(word)) == word
    assert to_scope(scope_data(word)) == word
    assert str(word) == text


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"verb": "delete"},
        {"verb": 7},
        {"verb": "adopt", "names": BLOB},
        {"verb": "adopt", "names": [7]},
        {"verb": "adopt", "names": ["a b"]},
        {"verb": "adopt", "names": [BLOB] * (MOST_NAMES + 1)},
        {"verb": "adopt", "zone": "a b"},
        {"verb": "adopt", "zone": ""},
        {"verb": "adopt", "hub": 7},
        {"verb": "adopt", "hub": "x" * 64},
        {"verb": "replace"},
        {"verb": "replace", "names": []},
        {"verb": "rename", "names": [BLOB]},
    ],
)
def test_what_is_no_word_is_refused(data: object) -> None:
    with pytest.raises(InputError):
        to_word(data)
    with pytest.raises(InputError):
        to_scope({"word": data})


def test_the_longest_word_fits_into_a_row_and_a_message() -> None:
    """A property of Azure Tables holds 32,768 characters."""
    label = "x" * 60
    names = [f"{number:03d}.{label}.{label}.{label}.example.com"[:253] for number in range(MOST_NAMES)]
    assert len(str(scope_data(Word.read("adopt", names, BLOB_ZONE, "h" * 63)))) < 32_000
