"""Plan as a value: its hash names exactly its changes, and every reason for holding back can be explained."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubwarden.errors import InputError
from hubwarden.model.plan import Change, Held, HeldReason, Plan, plan_hash
from hubwarden.model.record import RecordType
from tests.unit.given import ENDPOINT, OTHER_ENDPOINT, OTHER_GUID, addresses, drop, key, owner, put

CHANGES: tuple[Change, ...] = (put(), put(key=key("billing")), drop(), drop(key=key(kind=RecordType.AAAA)))


@given(st.permutations(CHANGES))
def test_the_order_of_the_changes_does_not_matter(shuffled: list[Change]) -> None:
    assert Plan(tuple(shuffled)).hash == Plan(CHANGES).hash


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(put(addresses=addresses("10.1.0.5")), id="other addresses"),
        pytest.param(put(addresses=()), id="no addresses"),
        pytest.param(put(key=key("billing")), id="another name"),
        pytest.param(put(key=key(in_zone="privatelink.dfs.core.windows.net")), id="another zone"),
        pytest.param(put(key=key(kind=RecordType.AAAA)), id="another type"),
        pytest.param(put(ttl=60), id="another ttl"),
        pytest.param(put(was=addresses("10.1.0.9")), id="something else stood there"),
        pytest.param(put(owner=owner(endpoint=OTHER_ENDPOINT)), id="another endpoint"),
        pytest.param(put(owner=owner(instance="oldname")), id="another instance"),
        pytest.param(put(owner=owner(guid=OTHER_GUID)), id="another guid"),
        pytest.param(put(owner=owner(guid="")), id="no guid"),
        pytest.param(drop(), id="a withdrawal"),
    ],
)
def test_another_change_is_another_hash(other: Change) -> None:
    assert Plan((other,)).hash != Plan((put(),)).hash


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(drop(endpoint=OTHER_ENDPOINT), id="another endpoint"),
        pytest.param(drop(key=key("billing")), id="another name"),
        pytest.param(drop(was=()), id="something else stood there"),
    ],
)
def test_another_withdrawal_is_another_hash(other: Change) -> None:
    assert Plan((other,)).hash != Plan((drop(),)).hash


def test_marking_anew_is_another_plan_for_every_mark() -> None:
    marks = [owner(), owner(instance="oldname"), owner(guid=OTHER_GUID), owner(instance="oldname", guid=OTHER_GUID)]
    anew = [put(owner=mark, etag="e1", was=addresses("10.1.0.4"), why="the mark differs") for mark in marks]
    assert len({Plan((each,)).hash for each in anew}) == len(marks)


def test_what_is_held_or_unchanged_beside_the_changes_is_not_in_the_hash() -> None:
    held = Held(HeldReason.CONTESTED, ENDPOINT, "somebody holds it")
    assert Plan((put(),), held=(held,), unchanged=(key(),)).hash == Plan((put(),)).hash


def test_one_change_more_is_another_hash() -> None:
    assert len({Plan(CHANGES[:count]).hash for count in range(len(CHANGES) + 1)}) == len(CHANGES) + 1


def test_a_hash_is_short_and_stays_the_same_from_run_to_run() -> None:
    assert Plan().hash == "e3b0c44298fc1c14"
    assert plan_hash(Plan(CHANGES).hash) == Plan(CHANGES).hash


@pytest.mark.parametrize("text", ["", "the last one", "0" * 15, "0" * 17, "E3B0C44298FC1C14", None, 1])
def test_what_is_no_hash_names_no_plan(text: object) -> None:
    with pytest.raises(InputError, match="16 hexadecimal digits"):
        plan_hash(text)


def test_a_change_says_for_whom_it_is() -> None:
    assert put().endpoint == ENDPOINT
    assert replace(put(), owner=owner(endpoint=OTHER_ENDPOINT)).endpoint == OTHER_ENDPOINT


@pytest.mark.parametrize("reason", HeldReason)
def test_every_reason_has_a_meaning_of_its_own(reason: HeldReason) -> None:
    assert reason.meaning.endswith(".")
    assert [other for other in HeldReason if other.meaning == reason.meaning] == [reason]
