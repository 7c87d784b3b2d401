"""Scopes: what they are about, how they are told, and what is no scope."""

from __future__ import annotations

import pytest

from hubwarden.errors import InputError
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import (
    Everything,
    OneEndpoint,
    OneGroup,
    OneTarget,
    Pending,
    Scope,
    group_id,
    scope_data,
    subject_of,
    target_id,
    to_scope,
)
from tests.unit.given import ENDPOINT, TARGET

SCOPES: list[tuple[Scope, ResourceId | None, str]] = [
    (OneEndpoint(ENDPOINT), ENDPOINT, str(ENDPOINT)),
    (OneTarget(TARGET), TARGET, f"the connections of {TARGET}"),
    (OneGroup(TARGET.parent), TARGET.parent, f"the endpoints of {TARGET.parent}"),
    (Pending(), None, "the pending connections"),
    (Everything(), None, "the whole estate"),
]


@pytest.mark.parametrize(("scope", "subject", "text"), SCOPES)
def test_every_scope_tells_what_it_is_about_and_comes_back_as_data(
    scope: Scope, subject: ResourceId | None, text: str
) -> None:
    assert subject_of(scope) == subject
    assert str(scope) == text
    assert to_scope(scope_data(scope)) == scope


@pytest.mark.parametrize("data", [None, [], {}, {"everything": False}, {"pending": 1}, {"endpoint": str(TARGET)}])
def test_what_is_no_scope_is_refused(data: object) -> None:
    with pytest.raises(InputError):
        to_scope(data)


@pytest.mark.parametrize("value", [str(TARGET.parent), f"/subscriptions/{TARGET.subscription}", 7])
def test_a_target_is_a_resource_in_a_group(value: object) -> None:
    with pytest.raises(InputError):
        target_id(value)


@pytest.mark.parametrize("value", [str(TARGET), f"/subscriptions/{TARGET.subscription}", None])
def test_a_group_is_a_resource_group(value: object) -> None:
    with pytest.raises(InputError):
        group_id(value)
