"""A person's decision as callers send it, and object ids: GUIDs of the directory."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubwarden.arm.operator import person_in
from hubwarden.errors import InputError
from hubwarden.model.connection import Verdict
from hubwarden.model.person import LONGEST_REASON, Ruling, object_id
from tests.unit.given import TARGET

CONNECTION = f"{TARGET}/privateEndpointConnections/c1"
ADA = "0b1d0000-0000-4000-8000-00000000000a"


def test_a_ruling_is_read() -> None:
    ruling = Ruling.read(CONNECTION, "reject", " not \u202eours\n ")
    assert (str(ruling.connection), ruling.verdict, ruling.reason) == (CONNECTION, Verdict.REJECT, "not ours")
    assert Ruling.read(CONNECTION, "approve").reason == ""


def test_a_reason_of_several_lines_becomes_one_and_its_words_stay_apart() -> None:
    assert Ruling.read(CONNECTION, "approve", "ticket 4711\nagreed\twith Eve\n").reason == "ticket 4711 agreed with Eve"


@pytest.mark.parametrize("verdict", ["hold", "Approve", "", None, 1, ["approve"], {}])
def test_a_person_approves_or_rejects_and_nothing_else(verdict: object) -> None:
    with pytest.raises(InputError, match="'verdict' is approve or reject"):
        Ruling.read(CONNECTION, verdict)


@pytest.mark.parametrize("reason", [None, 1, ["x"], "x" * (LONGEST_REASON + 1)])
def test_a_reason_is_text_within_its_limit(reason: object) -> None:
    with pytest.raises(InputError, match="'reason' is text of at most 500 characters"):
        Ruling.read(CONNECTION, "approve", reason)


@pytest.mark.parametrize("connection", [None, 1, "", str(TARGET), f"{CONNECTION}/x/y", "/../c1", f"{CONNECTION}?x=1"])
def test_a_connection_is_named_by_its_id(connection: object) -> None:
    with pytest.raises(InputError):
        Ruling.read(connection, "approve")


@pytest.mark.parametrize("value", [None, 1, "", "ada", [ADA], f"{ADA} ", f"{ADA}0", "\u0660" + ADA[1:], f"{{{ADA}}}"])
def test_what_is_no_guid_is_no_object_id(value: object) -> None:
    assert object_id(value) is None
    assert object_id(ADA.upper()) == ADA


def token(**claims: Any) -> str:
    """A JSON Web Token with these claims, as far as anybody but its audience reads it."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({}, claims)]
    return ".".join([*parts, "signature"])


@pytest.mark.parametrize(
    ("claims", "is_persons"),
    [
        ({"idtyp": "user"}, True),
        ({"idtyp": "user", "scp": "user_impersonation", "roles": ["x"]}, True),
        ({"scp": "user_impersonation"}, True),
        ({"idtyp": "app"}, False),
        ({"idtyp": "app", "scp": "user_impersonation"}, False),
        ({"idtyp": "device"}, False),
        ({"scp": "user_impersonation", "roles": ["x"]}, False),
        ({"roles": ["x"]}, False),
        ({}, False),
    ],
)
def test_a_persons_token_is_told_from_an_apps(claims: dict[str, Any], is_persons: bool) -> None:
    """Microsoft, "Access token claims reference": idtyp, else scp, which only tokens on behalf of people have."""
    assert person_in(token(oid=ADA, **claims)) == (ADA if is_persons else None)
    assert person_in(token(**claims)) is None, "without an object id nobody can be named"


@pytest.mark.parametrize(
    "text", ["", "x", "a.b", "a.%%%.c", f"a.{base64.b64encode(b'[1]').decode()}.c", "..", "a.W1s."]
)
def test_what_cannot_be_read_is_nobodys(text: str) -> None:
    """Microsoft: tokens are opaque to all but their audience; encrypted ones begin otherwise."""
    assert person_in(text) is None


@given(st.text())
def test_no_text_is_a_persons_token_by_chance(text: str) -> None:
    assert person_in(text) is None
