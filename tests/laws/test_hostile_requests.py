"""Requests made to mislead: nobody is let in by them, the rest goes on, and no screen is steered (law 13)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hubwarden.model.connection import Verdict
from hubwarden.model.endpoint import ConnectionStatus
from hubwarden.model.report import Result, Status
from hubwarden.model.scope import Pending
from hubwarden.report.as_json import connection_data
from hubwarden.report.as_text import connections_csv, connections_text
from tests.azure import SPOKE, resource_id
from tests.estate import Estate
from tests.laws.conftest import Founding
from tests.laws.test_approvals import OWN, STORAGE, VAULT, answered, asked, connections_of, guarded, rule, target_of
from tests.laws.test_providers import BATCH, connection_at, waiting_at

ENDPOINTS = "Microsoft.Network/privateEndpoints"
APPROVED, PENDING = ConnectionStatus.APPROVED, ConnectionStatus.PENDING

MISLEADING: dict[str, Any] = {
    "another type": resource_id(SPOKE, "rg-spoke", "Microsoft.Storage/storageAccounts", "pe1"),
    "beneath": f"{resource_id(SPOKE, 'rg-spoke', ENDPOINTS, 'pe1')}/privateDnsZoneGroups/default",
    "no group": f"/subscriptions/{SPOKE}/providers/{ENDPOINTS}/pe1",
    "within another": f"/subscriptions/{SPOKE}/resourceGroups/rg/providers/{ENDPOINTS}/pe1/providers/{ENDPOINTS}/pe1",
    "address": f"https://management.azure.com{resource_id(SPOKE, 'rg-spoke', ENDPOINTS, 'pe1')}",
    "two slashes": f"/{resource_id(SPOKE, 'rg-spoke', ENDPOINTS, 'pe1')}",
    "query": f"{resource_id(SPOKE, 'rg-spoke', ENDPOINTS, 'pe1')}?api-version=1",
    "line": f"{resource_id(SPOKE, 'rg-spoke', ENDPOINTS, 'pe1')}\n",
    "dots": f"/subscriptions/{SPOKE}/resourceGroups/../providers/{ENDPOINTS}/pe1",
    "wide digits": resource_id(SPOKE.replace("0", "\uff10"), "rg-spoke", ENDPOINTS, "pe1"),
    "long": resource_id(SPOKE, "rg-spoke", ENDPOINTS, "p" * 100_000),
    "null": None,
    "number": 7,
    "list": [resource_id(SPOKE, "rg-spoke", ENDPOINTS, "pe1")],
    "object": {"id": resource_id(SPOKE, "rg-spoke", ENDPOINTS, "pe1")},
}


def document(target: str, name: str, **properties: Any) -> dict[str, Any]:
    """A connection as a target may show it."""
    return {
        "id": f"{target}/privateEndpointConnections/{name}",
        "name": name,
        "properties": {
            "privateEndpoint": {"id": resource_id(SPOKE, "rg-spoke", ENDPOINTS, f"pe-{name}")},
            "privateLinkServiceConnectionState": {"status": "Pending", "description": ""},
            "provisioningState": "Succeeded",
            **properties,
        },
    }


async def vault_with(estate: Estate, *connections: Any) -> str:
    """A key vault whose own document shows these connections, whatever they are (approval notes, "Key Vault")."""
    target = await target_of(estate, VAULT)
    shown = (await estate.azure.arm("GET", target)).body
    shown["properties"]["privateEndpointConnections"] = list(connections)
    await estate.azure.put(shown)
    return target


def showing(patch: pytest.MonkeyPatch, estate: Estate, target: str, connections: Any) -> None:
    """From now on ARM shows these instead of the target's connections: nothing that a simulator could be told of."""
    session = estate.hubwarden.rooms.arm
    get = session.get

    async def shown(path: str, version: str, **more: Any) -> Any:
        document = await get(path, version, **more)
        if path != target:
            return document
        return {**document, "properties": {**document["properties"], "privateEndpointConnections": connections}}

    patch.setattr(session, "get", shown)


async def statuses_by_name(estate: Estate, target: str) -> dict[str, ConnectionStatus]:
    return {each.id.name: each.status for each in await connections_of(estate, target)}


async def test_a_consumer_that_is_named_in_a_misleading_way_is_nobody(found: Founding) -> None:
    """No rule approves any of them, be it by estate or by subscription, and one that is in order is answered beside."""
    by_id = rule("by id", types=[VAULT], subscriptions=[SPOKE])
    estate = await guarded(found, by_id, OWN)
    names = {f"c{number}": key for number, key in enumerate(MISLEADING)}
    shown = [document("X", name, privateEndpoint={"id": MISLEADING[key]}) for name, key in names.items()]
    target = resource_id(SPOKE, "rg-spoke", VAULT, "t1")
    await vault_with(
        estate, *({**each, "id": each["id"].replace("X/", f"{target}/")} for each in shown), document(target, "fine")
    )
    approvals = await answered(estate, target)
    found_out = {each.connection.id.name: each for each in approvals.decisions}
    assert found_out.keys() == {*names, "fine"}
    wrong = {names[name]: each for name, each in found_out.items() if name != "fine"}
    assert {key: (each.verdict, each.connection.endpoint) for key, each in wrong.items()} == dict.fromkeys(
        MISLEADING, (Verdict.HOLD, None)
    )
    assert [each.result for each in approvals.outcomes] == [Result.DONE]
    assert await statuses_by_name(estate, target) == {**dict.fromkeys(names, PENDING), "fine": APPROVED}


@pytest.mark.parametrize("spelt", ["{}/", "{}"])
async def test_what_azure_may_write_otherwise_is_the_same_consumer(found: Founding, spelt: str) -> None:
    """Behaviour reference section 6.5: a slash at the end, and letters of the other case."""
    estate = await guarded(found, OWN)
    endpoint = resource_id(SPOKE, "rg-spoke", ENDPOINTS, "pe1").upper()
    target = resource_id(SPOKE, "rg-spoke", VAULT, "t1")
    await vault_with(estate, document(target, "c1", privateEndpoint={"id": spelt.format(endpoint)}))
    assert [each.result for each in (await answered(estate, target)).outcomes] == [Result.DONE]


async def test_one_that_cannot_be_read_among_five_thousand_costs_only_itself(
    found: Founding, monkeypatch: pytest.MonkeyPatch
) -> None:
    estate = await guarded(found, OWN)
    target = resource_id(SPOKE, "rg-spoke", VAULT, "t1")
    asks = document(target, "asks")
    await vault_with(estate, asks)
    state = {"status": "Approved", "description": ""}
    many = [document(target, f"c{number}", privateLinkServiceConnectionState=state) for number in range(5000)]
    broken = {**document(target, "broken"), "id": ["not", "one"], "properties": 7}
    showing(monkeypatch, estate, target, [*many[:2500], broken, None, asks, *many[2500:]])
    approvals = await answered(estate, target)
    assert [(each.connection.id.name, each.verdict) for each in approvals.decisions] == [("asks", "approve")]
    assert [each.result for each in approvals.outcomes] == [Result.DONE]


@pytest.mark.parametrize("shown", [7, "text", {"a": 1}, [[]], [None], True])
async def test_a_target_that_shows_no_list_of_connections_costs_a_sweep_nothing(
    found: Founding, monkeypatch: pytest.MonkeyPatch, shown: Any
) -> None:
    """Another target's request is answered in the same run."""
    estate = await guarded(found, OWN)
    endpoint = await asked(estate, await target_of(estate, STORAGE))
    target = await target_of(estate, VAULT, "v1")
    await estate.azure.sim("POST", "settings", {"graphConnections": False})
    showing(monkeypatch, estate, target, shown)
    report = await estate.sweep()
    assert [str(each.connection.endpoint) for each in report.decisions] == [endpoint]
    assert report.status is Status.DONE


@pytest.mark.parametrize("etag", ['W/"1"\r\nX-Evil: 1', "\u202e", "x" * 100_000, ["a"], {"a": 1}])
async def test_an_etag_that_no_header_can_hold_holds_only_its_connection(found: Founding, etag: Any) -> None:
    """Batch is answered under its etag (approval notes, "Batch"): nothing of it becomes another header."""
    estate = await guarded(found, rule("batch", types=[BATCH, STORAGE], **{"in": "estate"}))
    target, _ = await waiting_at(estate, BATCH)
    await asked(estate, await target_of(estate, STORAGE, "t2"), "pe2")
    await estate.azure.put({**await connection_at(estate, target), "etag": etag})
    report = await estate.hubwarden.run(Pending())
    results = sorted((str(each.result) for each in report.outcomes), key=str)
    assert len(report.decisions) == 2
    assert Result.DONE in results


WORDS = [
    "\x1b[2J\x1b]0;owned\x07",
    "\u202egro.evil",
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "a\r\nb",
    "\ud800",
]


@pytest.mark.parametrize("words", WORDS)
async def test_what_a_stranger_wrote_is_shown_and_steers_nothing(
    found: Founding, caplog: pytest.LogCaptureFixture, words: str
) -> None:
    """In a terminal, in a spreadsheet, in JSON; and in no log, no Report and no row at all."""
    estate = await guarded(found, rule("urgent", types=[STORAGE], **{"in": "estate"}))
    target = await target_of(estate, VAULT)
    await asked(estate, target, message="please")
    shown = await connection_at(estate, target)
    shown["properties"]["privateLinkServiceConnectionState"]["description"] = f"evil{words}"
    await estate.azure.put(shown)
    report = await estate.hubwarden.run(Pending())
    assert [each.verdict for each in report.decisions] == [Verdict.HOLD]
    listed = await estate.hubwarden.connections(PENDING)
    table, rows = connections_text(listed), connections_csv(listed)
    for text in (table, rows):
        assert "evil" in text
        assert not set(text) & set("\x1b\x07\u202e\ud800")
    assert "\n=" not in rows
    assert ",=" not in rows
    told = json.dumps([connection_data(each) for each in listed])
    assert told.isascii()
    assert "evil" not in caplog.text
