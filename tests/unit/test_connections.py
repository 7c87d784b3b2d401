"""From Azure's documents to connections and back: how providers differ, and that no stranger's document breaks us."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubwarden.arm.connections import answer_connection, answers, known_types, knows, places_of, to_connection
from hubwarden.arm.connections.providers import Body, provider_of
from hubwarden.arm.session import ArmSession
from hubwarden.errors import InputError, RacedError
from hubwarden.model.connection import CONNECTIONS, Decision, Verdict, connection_id
from hubwarden.model.endpoint import ConnectionStatus
from hubwarden.model.resource_id import ResourceId
from hubwarden.reconcile.waiting import MOST_LISTED, in_turn
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


STATE = {"status": "Approved", "description": "by rule", "actionsRequired": "None"}


@pytest.mark.parametrize(
    ("target_type", "verb", "body"),
    [
        (
            "Microsoft.ApiManagement/service",
            "PUT",
            {"id": "{id}", "properties": {"privateLinkServiceConnectionState": STATE}},
        ),
        (
            "Microsoft.DataFactory/factories",
            "PUT",
            {"properties": {"privateLinkServiceConnectionState": STATE, "privateEndpoint": {"id": str(ENDPOINT)}}},
        ),
        ("Microsoft.Batch/batchAccounts", "PATCH", {"properties": {"privateLinkServiceConnectionState": STATE}}),
    ],
)
async def test_bodies_of_another_shape(target_type: str, verb: str, body: dict[str, Any]) -> None:
    """Approval notes, "API Management", "Data Factory" and "Batch": no more than their models have."""
    provider = Provider(shown(f"{RESOURCES}/{target_type}/t1"))
    sent = await answered(provider)
    assert sent == {**body, **({"id": provider.document["id"]} if "id" in body else {})}
    assert [method for method, *_ in provider.sent] == [verb]


async def test_what_can_only_be_shown_is_not_answered() -> None:
    """Approval notes, "Synapse hubs": only GET and list."""
    provider = Provider(shown(f"{RESOURCES}/Microsoft.Synapse/privateLinkHubs/h1"))
    with pytest.raises(InputError, match="cannot be answered"):
        await answered(provider)
    assert provider.sent == []


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("Removed", ConnectionStatus.DISCONNECTED),
        ("Failed", ConnectionStatus.UNKNOWN),
        ("Timeout", ConnectionStatus.UNKNOWN),
    ],
)
def test_statuses_that_only_some_have(status: str, expected: ConnectionStatus) -> None:
    """Approval notes, "HDInsight", "Elastic SAN" and "Machine Learning"."""
    assert to_connection(shown(privateLinkServiceConnectionState={"status": status})).status is expected


@pytest.mark.parametrize(
    ("status", "word", "settled", "failed"),
    [
        ("Pending", "Pending", True, False),
        ("Approved", "Pending", False, False),
        ("Pending", "Failed", True, True),
        ("Pending", "Canceled", True, True),
        ("Pending", "Rejecting", False, False),
        ("Approved", "Dropping", False, False),
    ],
)
def test_the_words_of_work_and_of_failure(status: str, word: str, settled: bool, failed: bool) -> None:
    """Approval notes, "provisioningState"; what was asked for and failed is over, too."""
    connection = to_connection(shown(provisioningState=word, privateLinkServiceConnectionState={"status": status}))
    assert (connection.settled, connection.failed) == (settled, failed)


def test_cosmos_shows_one_group() -> None:
    """Approval notes, "Cosmos DB": `groupId`, singular."""
    assert to_connection(shown(groupId="Sql")).groups == ("Sql",)
    assert to_connection(shown(groupId="")).groups == ()


@pytest.mark.parametrize("key", ["actionsRequired", "actionRequired"])
@pytest.mark.parametrize(("value", "must"), [("Recreate", True), ("None", False), ("", False), (None, False)])
def test_the_action_required_has_two_spellings(key: str, value: str | None, must: bool) -> None:
    """Approval notes, "Storage": actionRequired, elsewhere actionsRequired."""
    state = {"status": "Approved", key: value}
    assert to_connection(shown(privateLinkServiceConnectionState=state)).must_act is must


def test_recovery_services_spell_the_etag_otherwise() -> None:
    """Approval notes, "Recovery Services": eTag."""
    document = shown()
    document["eTag"] = document.pop("etag")
    assert to_connection(document).etag == 'W/"1"'


@pytest.mark.parametrize(
    ("groups", "places"),
    [
        (["sites"], [""]),
        (["sites-Stage"], ["/slots/Stage", ""]),
        (["SITES-b"], ["/slots/b", ""]),
        (["sites-a/../b"], [""]),
        (["sites-"], [""]),
    ],
)
def test_where_the_connection_of_a_slot_may_be(groups: list[str], places: list[str]) -> None:
    """Approval notes, "App Service slots"; what is no name of a slot names no place."""
    site = ResourceId.parse(f"{RESOURCES}/Microsoft.Web/sites/s1")
    assert [str(each) for each in places_of(site, groups)] == [f"{site}{place}" for place in places]
    assert places_of(TARGET, groups) == (TARGET,)


def test_the_types_of_this_version() -> None:
    """One row for each type, without a doubt about any: a verb goes with a body, a client brings its own version."""
    types = known_types()
    assert len(types) > 75
    assert len({each.lower() for each in types}) == len(types)
    for each in types:
        kinds = each.split("/")
        target = ResourceId.parse(f"{RESOURCES}/{kinds[0]}/" + "/".join(f"{kind}/n" for kind in kinds[1:]))
        provider = provider_of(target)
        assert bool(provider.verb) is (provider.body is not None) is answers(target)
        assert re.fullmatch(r"20\d\d-\d\d-\d\d(-preview)?", provider.api_version) or provider.body is Body.SDK


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


def test_each_target_that_the_index_does_not_show_has_its_turn() -> None:
    """A sweep lists so many by ARM, others each time, so that none waits for ever."""
    targets = [ResourceId.parse(f"{RESOURCES}/Microsoft.Maps/accounts/m{number}") for number in range(250)]
    assert in_turn(targets[:5], 0.0) == in_turn(reversed(targets[:5]), 0.0)
    assert len(in_turn(targets, 0.0)) == MOST_LISTED
    seen = {target for sweep in range(30) for target in in_turn(targets, 900.0 * sweep)}
    assert seen == set(targets)
