"""Who may decide: a person whom the platform has signed in, by app role or group; anything else is nobody."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.people import LARGEST, PRINCIPAL, decider, is_one_of, may_decide, person_in
from hubwarden.config.loading import load
from tests.unit.given import SPOKE

PEOPLE = frozenset({"Hubwarden.Approver", "11111111-2222-4333-8444-555555555555"})
ADA = "0b1d0000-0000-4000-8000-0000000000ad"
OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"
SUBJECT = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"
LONG_ROLE = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"


def request(header: str | None) -> func.HttpRequest:
    """A request with that header, or without it."""
    headers = {} if header is None else {PRINCIPAL.lower(): header}
    return func.HttpRequest("POST", "https://localhost/api/reconcile", headers=headers, body=b"{}")


def principal(*claims: Any, **changes: Any) -> str:
    """The header as App Service writes it."""
    body = {"auth_typ": "aad", "name_typ": "name", "role_typ": "roles", "claims": list(claims), **changes}
    return base64.b64encode(json.dumps(body).encode()).decode()


def claim(kind: Any, value: Any) -> dict[str, Any]:
    """One claim."""
    return {"typ": kind, "val": value}


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(principal(claim("name", "A"), claim("roles", "Hubwarden.Approver")), id="a role"),
        pytest.param(principal(claim(LONG_ROLE, "Hubwarden.Approver"), role_typ=LONG_ROLE), id="a role by a long name"),
        pytest.param(principal(claim("groups", "11111111-2222-4333-8444-555555555555")), id="a group"),
        pytest.param(principal("x", None, claim("roles", "other"), claim("roles", "Hubwarden.Approver")), id="among"),
    ],
)
def test_a_role_or_a_group_makes_one_of_the_people(header: str) -> None:
    assert is_one_of(PEOPLE, request(header))
    assert not is_one_of(frozenset(), request(header)), "without people, nobody is one of them"


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(None, id="nobody"),
        pytest.param(principal(claim("groups", "Hubwarden.Approver")), id="a group that is called like a role"),
        pytest.param("", id="empty"),
        pytest.param("%%%", id="no base64"),
        pytest.param("é", id="no ASCII"),
        pytest.param(base64.b64encode(b"\xff\xfe").decode(), id="no text"),
        pytest.param(base64.b64encode(b"[" * 30_000).decode(), id="deep"),
        pytest.param(base64.b64encode(b"[]").decode(), id="a list"),
        pytest.param(principal(), id="no claims"),
        pytest.param(principal(claims=None), id="claims are null"),
        pytest.param(principal(claims={"typ": "roles", "val": "Hubwarden.Approver"}), id="claims are no list"),
        pytest.param(principal(claim("roles", "hubwarden.approver")), id="another case"),
        pytest.param(principal(claim("name", "Hubwarden.Approver")), id="a person who is called so"),
        pytest.param(principal(claim("scp", "Hubwarden.Approver")), id="a scope that is called so"),
        pytest.param(principal(claim("roles", ["Hubwarden.Approver"])), id="a list of roles"),
        pytest.param(principal(claim("roles", None)), id="a role that is null"),
        pytest.param(principal(claim(None, "Hubwarden.Approver"), role_typ=None), id="no kind"),
        pytest.param(principal({"val": "Hubwarden.Approver"}, role_typ=None), id="no kind at all"),
        pytest.param(principal(claim("roles", "Hubwarden.Approver"), role_typ="other"), id="another kind of role"),
        pytest.param(principal(claim("roles", "Hubwarden.Approver"), note="x" * LARGEST), id="too long"),
    ],
)
def test_anybody_else_is_not(header: str | None) -> None:
    assert not is_one_of(PEOPLE, request(header))


@pytest.mark.parametrize(("enabled", "believed"), [({}, False), ({"WEBSITE_AUTH_ENABLED": "True"}, True)])
def test_the_header_is_believed_only_where_the_platform_signs_people_in(
    tmp_path: Path, enabled: dict[str, str], believed: bool
) -> None:
    """Elsewhere anybody who has a key could send it."""
    file = tmp_path / "hubwarden.yaml"
    file.write_text(
        f"instance: contoso\nestate: {{subscriptions: [{SPOKE}]}}\napprovals: {{people: [Hubwarden.Approver]}}\n"
        f"hubs: [{{name: weu, zones: [/subscriptions/{SPOKE}/resourceGroups/rg-dns]}}]\n"
    )
    storage = "AccountName=st;AccountKey=a2V5"
    config = load({"HUBWARDEN_CONFIG": str(file), "AzureWebJobsStorage": storage, **enabled})
    role = claim("roles", "Hubwarden.Approver")
    ada = claim(OBJECT_ID, ADA)
    assert may_decide(config, request(principal(role, ada))) is believed
    assert decider(config, request(principal(role, ada))) == (ADA if believed else None)
    nobodies = {
        "without a name": principal(role),
        "without a role": principal(ada),
        "with another role": principal(claim("roles", "Reader"), ada),
        "an app": principal(role, ada, claim(SUBJECT, ADA)),
        "signed in elsewhere": principal(role, ada, auth_typ="github"),
    }
    for who, header in nobodies.items():
        assert not may_decide(config, request(header)), f"{who}: neither on a plan"
        assert decider(config, request(header)) is None, f"{who}: nor on a connection"


@given(st.text() | st.binary().map(lambda raw: base64.b64encode(raw).decode()))
def test_no_header_makes_one_of_the_people_by_chance(header: str) -> None:
    assert not is_one_of(PEOPLE, request(header))
    assert person_in(request(header)) is None


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(principal(claim(OBJECT_ID, ADA)), id="mapped"),
        pytest.param(principal(claim("oid", ADA)), id="as the token has it"),
        pytest.param(principal(claim("oid", ADA), claim(OBJECT_ID, ADA.upper())), id="both, which say the same"),
        pytest.param(principal("x", None, {}, claim("oid", ADA), claim("idtyp", "user")), id="among"),
        pytest.param(principal(claim("oid", ADA), claim(SUBJECT, "c3ViamVjdA")), id="with a subject"),
    ],
)
def test_a_person_is_named_by_the_object_id(header: str) -> None:
    """Microsoft, "Work with user identities": some names of claims are mapped, and some are as the token has them."""
    assert person_in(request(header)) == ADA


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(None, id="nobody"),
        pytest.param("%%%", id="no base64"),
        pytest.param(base64.b64encode(b"[]").decode(), id="a list"),
        pytest.param(principal(claims=None), id="claims are null"),
        pytest.param(principal(claim("name", ADA)), id="a person who is called so"),
        pytest.param(principal(claim("oid", "ada")), id="no GUID"),
        pytest.param(principal(claim("oid", [ADA])), id="a list of ids"),
        pytest.param(principal({"typ": "oid"}), id="no value"),
        pytest.param(principal({"typ": ["oid"], "val": ADA}), id="a list of types"),
        pytest.param(principal(claim("oid", ADA), claim("oid", ADA[:-1] + "0")), id="two"),
        pytest.param(principal(claim("oid", ADA), claim(OBJECT_ID, ADA[:-1] + "0")), id="two, by both names"),
        pytest.param(principal(claim("oid", ADA), claim("oid", None)), id="one, and one that is none"),
        pytest.param(principal(claim("oid", ADA), claim("idtyp", "app")), id="an app"),
        pytest.param(principal(claim("oid", ADA), claim("sub", ADA)), id="an app, by its subject"),
        pytest.param(principal(claim("oid", ADA), claim(SUBJECT, ADA.upper())), id="an app, by its mapped subject"),
        pytest.param(principal(claim("oid", ADA), auth_typ="facebook"), id="signed in elsewhere"),
        pytest.param(principal(claim("oid", ADA), auth_typ=None), id="signed in nowhere"),
        pytest.param(principal(claim("oid", ADA), note="x" * LARGEST), id="too long"),
    ],
)
def test_who_cannot_be_named_is_nobody(header: str | None) -> None:
    assert person_in(request(header)) is None
