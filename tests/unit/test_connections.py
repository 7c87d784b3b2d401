"""From Azure's documents to connections and back: how providers differ, and that no stranger's document breaks us."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubwarden.arm.connections import answer_connection, knows, to_connection
from hubwarden.arm.session import ArmSession
from hubwarden.errors import InputError, RacedError
from hubwarden.model.connection import CONNECTIONS, Decision, Verdict, connection_id
from hubwarden.model.endpoint import ConnectionStatus
from hubwarden.model.resource_id import ResourceId
from tests.unit.given import ENDPOINT, RESOURCES, SPOKE, TARGET

VAULT = f"{RESOURCES}/Microsoft.KeyVault/vaults/orders"


def shown(target: object = TARGET, **changes: Any) -> dict[str, Any]:
    """The document of a connection that waits, as the common shape has it (behaviour reference section 4.3)."""
    state = {"status": "Pending", "description": "please", "actionsRequired": "None"}
    properties = {
        "provisioningState": "Succeeded",
        "privateEndpoint": {"id": str(ENDPOINT)},
        "privateLinkServiceConnectionState": state,
    }
    return {"id": f"{target}/{CONNECTIONS}/c1", "etag": 'W/"1"', "properties": {**properties, **changes}}


def test_the_common_shape() -> None:
    connection = to_connection(shown(groupIds=["blob", "dfs"]))
    assert str(connection.id) == f"{TARGET}/{CONNECTIONS}/c1"
    assert (connection.target, connection.endpoint, connection.groups) == (TARGET, ENDPOINT, ("blob", "dfs"))
    assert (connection.status, connection.message) == (ConnectionStatus.PENDING, "please")
    assert (connection.settled, connection.etag) == (True, 'W/"1"')


@pytest.mark.parametrize(
    ("word", "settled"),
    [("Succeeded", True), ("Ready", True), ("READY", True), (None, True), ("Updating", False), ("Approving", False)],
)
def test_the_words_for_an_end(word: str | None, settled: bool) -> None:
    """Approval notes: SQL ends in Ready, and a sample of a private link service shows no word at all."""
    assert to_connection(shown(provisioningState=word)).settled is settled


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("pending", ConnectionStatus.PENDING),
        ("APPROVED", ConnectionStatus.APPROVED),
        ("Timeout", ConnectionStatus.UNKNOWN),
        (None, ConnectionStatus.UNKNOWN),
    ],
)
def test_a_status_is_compared_without_case_and_others_are_unknown(status: Any, expected: ConnectionStatus) -> None:
    state = {"privateLinkServiceConnectionState": {"status": status}}
    assert to_connection(shown(**state)).status is expected


@pytest.mark.parametrize("endpoint", [None, {}, {"id": None}, {"id": "x"}, {"id": str(TARGET)}, "x"])
def test_an_endpoint_that_cannot_be_named_is_none(endpoint: object) -> None:
    assert to_connection(shown(privateEndpoint=endpoint)).endpoint is None


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        str(TARGET),
        f"{TARGET}/things/c1",
        f"/subscriptions/{SPOKE}/providers/Microsoft.Storage/storageAccounts/a/{CONNECTIONS}/c",
        f"/subscriptions/{SPOKE}/resourceGroups/rg/providers/Microsoft.Storage/{CONNECTIONS}/c1",
    ],
)
def test_what_is_no_connections_id_is_refused(value: object) -> None:
    with pytest.raises(InputError):
        connection_id(value)
    with pytest.raises(InputError):
        to_connection({**shown(), "id": value})


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*shown()["properties"], "groupIds"]), ANYTHING), ANYTHING)
def test_whatever_a_document_holds_it_is_read_or_refused(properties: dict[str, Any], other: Any) -> None:
    connection = to_connection(shown(**properties))
    assert connection.id.name == "c1"
    with pytest.raises(InputError):
        to_connection(other)


@pytest.mark.parametrize(
    ("target_type", "known"),
    [
        ("Microsoft.Storage/storageAccounts", True),
        ("microsoft.keyvault/VAULTS", True),
        ("Microsoft.Sql/servers", True),
        ("Microsoft.Network/privateLinkServices", True),
        ("Microsoft.Web/sites/slots", True),
        ("Microsoft.Synapse/privateLinkHubs", True),
        ("Microsoft.Attestation/attestationProviders", False),
        ("Microsoft.Storage/storageAccounts/blobServices", False),
    ],
)
def test_the_providers_of_this_version(target_type: str, known: bool) -> None:
    provider, *kinds = target_type.split("/")
    path = "/".join(f"{kind}/n" for kind in kinds)
    assert knows(ResourceId.parse(f"{RESOURCES}/{provider}/{path}")) is known


class Provider:
    """One connection behind a session: it takes every answer, and notes what was sent."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.sent: list[tuple[str, str, str, dict[str, Any], dict[str, str]]] = []

    async def get(self, path: str, api_version: str) -> dict[str, Any]:
        assert path.startswith("/subscriptions/")
        assert api_version
        copied: dict[str, Any] = json.loads(json.dumps(self.document))
        return copied

    async def send(
        self, method: str, path: str, api_version: str, body: Mapping[str, Any], headers: Mapping[str, str]
    ) -> None:
        self.sent.append((method, path, api_version, dict(body), dict(headers)))
        self.document = dict(body)


async def answered(provider: Provider, verdict: Verdict = Verdict.APPROVE, note: str = "by rule") -> dict[str, Any]:
    """What was sent to answer the connection as it is shown."""

    decision = Decision(to_connection(provider.document), verdict, "r", "")
    session = cast(ArmSession, provider)
    await answer_connection(session, decision, note)
    [(_, path, _, body, _)] = provider.sent
    assert path == str(decision.connection.id)
    return body


@pytest.mark.parametrize("verdict", [Verdict.APPROVE, Verdict.REJECT])
async def test_only_status_and_description_change(verdict: Verdict) -> None:
    """Approval notes: storage spells actionRequired otherwise; the whole object goes back as it came."""
    state = {"status": "Pending", "actionRequired": "None"}
    body = await answered(Provider(shown(privateLinkServiceConnectionState=state, more={"x": 1})), verdict)
    changed = {**state, "status": verdict.status, "description": "by rule"}
    assert body == shown(privateLinkServiceConnectionState=changed, more={"x": 1})


@pytest.mark.parametrize(("note", "description"), [("", "Approved"), (" ", "Approved"), ("x" * 200, "x" * 140)])
async def test_the_description_is_never_empty_and_never_too_long(note: str, description: str) -> None:
    """Approval notes: SQL refuses an answer without a description (azure-cli issue 20752)."""
    body = await answered(Provider(shown()), note=note)
    assert body["properties"]["privateLinkServiceConnectionState"]["description"] == description


@pytest.mark.parametrize(
    ("target", "etag", "headers"),
    [(VAULT, 'W/"1"', {"If-Match": 'W/"1"'}), (VAULT, "", {}), (VAULT, None, {}), (TARGET, 'W/"1"', {})],
)
async def test_key_vault_is_answered_under_its_etag(target: object, etag: Any, headers: dict[str, str]) -> None:
    """Behaviour reference section 4.3: a sample of Key Vault shows an empty etag, on which nobody can insist."""
    provider = Provider({**shown(target), "etag": etag})
    await answered(provider)
    assert [sent for *_, sent in provider.sent] == [headers]


async def test_a_document_of_another_connection_is_not_answered() -> None:
    provider = Provider(shown())
    asked_for = replace(to_connection(provider.document), id=ResourceId.parse(f"{TARGET}/{CONNECTIONS}/c2"))
    decision = Decision(asked_for, Verdict.APPROVE, "r", "")
    with pytest.raises(RacedError):
        await answer_connection(cast(ArmSession, provider), decision, "x")
    assert provider.sent == []
