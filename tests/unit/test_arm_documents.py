"""What documents of Azure Resource Manager have alike: read where it is there, and no fault where it is not."""

from __future__ import annotations

import pytest

from hubwarden.arm.documents import has_succeeded, id_or_none, scope_of, to_moment
from tests.unit.given import ENDPOINT, SPOKE

LOCK = "providers/Microsoft.Authorization/locks/keep"


@pytest.mark.parametrize("group", ["rg", "RG-Straße", "rg-İİstanbul"])
@pytest.mark.parametrize("spelt", [LOCK, LOCK.lower(), LOCK.upper()])
def test_a_lock_lies_at_all_that_its_id_has_before_it_in_whatever_script_a_group_is_called(
    group: str, spelt: str
) -> None:
    """Some letters have a lower case that is longer than they are."""
    scope = f"/subscriptions/{SPOKE}/resourceGroups/{group}"
    assert scope_of(f"{scope}/{spelt}") == scope


def test_of_locks_over_locks_the_last_one_counts() -> None:
    assert scope_of(f"{ENDPOINT}/{LOCK}/{LOCK}") == f"{ENDPOINT}/{LOCK}"


def test_what_lies_over_nothing_has_no_scope() -> None:
    with pytest.raises(ValueError, match="substring not found"):
        scope_of(str(ENDPOINT))


def test_a_moment_is_in_utc_where_it_does_not_say() -> None:
    told = [to_moment(text) for text in ("2026-11-22T02:20:00", "2026-11-22T03:20:00+01:00", None, "")]
    assert [moment.isoformat() if moment else None for moment in told] == [
        "2026-11-22T02:20:00+00:00",
        "2026-11-22T03:20:00+01:00",
        None,
        None,
    ]
    with pytest.raises(ValueError, match="soon"):
        to_moment("soon")


@pytest.mark.parametrize(("state", "expected"), [("succeeded", True), ("Updating", False), (None, False)])
def test_only_one_state_is_success(state: str | None, expected: bool) -> None:
    assert has_succeeded({"provisioningState": state}) is expected
    assert not has_succeeded({})


def test_what_is_no_id_is_none() -> None:
    assert id_or_none(str(ENDPOINT)) == ENDPOINT
    assert [id_or_none(value) for value in (None, 4, "", "alias.of.somebody")] == [None] * 4
