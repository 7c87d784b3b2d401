"""The HTTP door: who may ask, what is answered, and what is refused with a reason."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.azure import BLOB_ZONE, HUB, resource_id
from tests.doors.local_azure import SPOKES, Spoke
from tests.estate import record_id

ENDPOINT = f"/subscriptions/{SPOKES[0]}/resourceGroups/rg/providers/Microsoft.Network/privateEndpoints/pe1"
ACCOUNT = f"/subscriptions/{SPOKES[0]}/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/st1"


async def test_only_who_has_a_key_may_ask(silent: Spoke) -> None:
    for route, method, query in (
        ("reconcile", "POST", {}),
        ("explain", "GET", {"name": "st1.blob.core.windows.net"}),
        ("runs", "GET", {}),
        ("connections", "GET", {}),
        ("status", "GET", {}),
    ):
        body = {"endpoint": silent.endpoint_id("pe1"), "apply": False} if method == "POST" else None
        answers = [await silent.ask(method, route, body, key=key, query=query) for key in ("", "APP_SYSTEM_KEY")]
        assert [answer.status for answer in answers] == [401, 401]
        assert await silent.calls() == []
        for key in ("APP_KEY", "APP_MASTER_KEY"):
            assert (await silent.ask(method, route, body, key=key, query=query)).status == 200
        await silent.azure.sim("DELETE", "requests")


async def test_the_key_may_be_in_the_address_as_well(silent: Spoke) -> None:
    """App Service takes it from there, as `code`, and hands it on with the other parameters."""
    for route, query in (("runs", {"top": "1"}), ("connections", {}), ("status", {}), ("health", {})):
        answer = await silent.ask("GET", route, key="", query={**query, "code": silent.up.variables["APP_KEY"]})
        assert answer.status == 200


async def test_anybody_may_ask_whether_it_is_ready_and_is_told_nothing_else(silent: Spoke) -> None:
    answer = await silent.ask("GET", "health", key="")
    assert (answer.status, answer.body) == (200, {"ready": True})
    assert answer.headers["Content-Type"].startswith("application/json")


async def test_what_is_planned_is_what_is_done(silent: Spoke) -> None:
    """`apply: false` shows it, without it being done; the same hash afterwards says that it was that."""
    endpoint = await silent.endpoint()
    planned = await silent.ask("POST", "reconcile", {"endpoint": endpoint, "apply": False})
    assert planned.status == 200
    assert (planned.body["mode"], planned.body["outcomes"]) == ("plan", [])
    assert await silent.addresses() is None
    assert await silent.storage.claims(endpoint) == []

    done = await silent.ask("POST", "reconcile", {"endpoint": endpoint})
    assert done.status == 200
    assert (done.body["mode"], done.body["status"]) == ("apply", "done")
    assert done.body["plan"]["hash"] == planned.body["plan"]["hash"]
    assert done.body["scope"] == {"endpoint": endpoint, "thorough": True}
    [change] = done.body["plan"]["changes"]
    assert change.pop("why")
    assert change == {
        "op": "put",
        "zone": BLOB_ZONE,
        "zoneId": resource_id(HUB, "rg-dns", "Microsoft.Network/privateDnsZones", BLOB_ZONE),
        "name": silent.account,
        "type": "A",
        "addresses": ["10.1.0.4"],
        "was": [],
        "endpoint": endpoint,
    }
    assert [outcome["result"] for outcome in done.body["outcomes"]] == ["done"]
    assert await silent.addresses() == ["10.1.0.4"]

    again = await silent.ask("POST", "reconcile", {"endpoint": endpoint, "apply": True})
    assert (again.body["plan"]["changes"], again.body["plan"]["unchanged"]) == ([], 1)
    assert again.body["run"] != done.body["run"]


async def test_what_could_not_be_done_is_said_and_handed_on(silent: Spoke) -> None:
    endpoint = await silent.endpoint()
    await silent.fault(method="PUT", path=f"/A/{silent.account}$", status=403, code="AuthorizationFailed", times=1)
    answer = await silent.ask("POST", "reconcile", {"endpoint": endpoint})
    assert (answer.status, answer.body["status"]) == (200, "failed")
    [outcome] = answer.body["outcomes"]
    assert outcome["result"] == "failed"
    assert "AuthorizationFailed" in outcome["error"]
    await silent.settle()
    assert await silent.addresses() == ["10.1.0.4"]


async def test_while_azure_does_not_answer_so_it_says(silent: Spoke) -> None:
    """A plan is refused for now; the work itself is taken, and done later."""
    endpoint = await silent.endpoint()
    await silent.fault(method="GET", path="privateEndpoints/pe1", status=503, code="ServerBusy", retryAfter=60)
    planned = await silent.ask("POST", "reconcile", {"endpoint": endpoint, "apply": False})
    assert planned.status == 503
    assert planned.headers["Content-Type"].startswith("application/problem+json")
    assert planned.body["type"] == "urn:hubwarden:unavailable"
    assert planned.headers["Retry-After"] == "60"
    await silent.no_faults()
    await silent.fault(method="GET", path="privateEndpoints/pe1", status=503, code="ServerBusy", times=4)
    taken = await silent.ask("POST", "reconcile", {"endpoint": endpoint})
    run = taken.body["run"]
    assert (taken.status, taken.body) == (202, {"run": run, "status": "running"})
    assert taken.headers["Location"] == f"/api/runs/{run}"
    await silent.settle()
    assert await silent.addresses() == ["10.1.0.4"]
    report = (await silent.ask("GET", f"runs/{run}")).body
    assert (report["run"], report["status"], report["scope"]["endpoint"]) == (run, "done", endpoint)


BAD_BODIES: dict[str, bytes] = {
    "no body": b"",
    "not JSON": b"endpoint=pe1",
    "not text": b"\xff\xfe\x00",
    "a list": json.dumps([{"endpoint": ENDPOINT}]).encode(),
    "a text": json.dumps(ENDPOINT).encode(),
    "an endpoint and a target": json.dumps({"endpoint": ENDPOINT, "target": ACCOUNT}).encode(),
    "a target that is null": json.dumps({"target": None}).encode(),
    "an endpoint for a target": json.dumps({"target": ENDPOINT}).encode(),
    "a group for a target": json.dumps({"target": ACCOUNT.partition("/providers")[0]}).encode(),
    "a plan that is no hash": json.dumps({"endpoint": ENDPOINT, "plan": "the last one"}).encode(),
    "a plan that is null": json.dumps({"endpoint": ENDPOINT, "plan": None}).encode(),
    "a plan to be planned": json.dumps({"endpoint": ENDPOINT, "plan": "0" * 16, "apply": False}).encode(),
    "null": json.dumps({"endpoint": None}).encode(),
    "an unknown key": json.dumps({"endpoint": ENDPOINT, "force": True}).encode(),
    "no id": json.dumps({"endpoint": "pe1"}).encode(),
    "an id with traversal": json.dumps({"endpoint": f"{ENDPOINT}/../pe2"}).encode(),
    "a storage account": json.dumps({"endpoint": ACCOUNT}).encode(),
    "a subscription": json.dumps({"endpoint": f"/subscriptions/{HUB}"}).encode(),
    "apply as a text": json.dumps({"endpoint": ENDPOINT, "apply": "false"}).encode(),
    "deep nesting": b"[" * 50_000,
    "100 kB": json.dumps({"endpoint": ENDPOINT, "note": "x" * 100_000}).encode(),
}


def is_a_problem(answer: Any) -> bool:
    """What a caller can mend is answered as RFC 9457 asks for, and tells what is allowed."""
    assert answer.status == 400
    assert answer.headers["Content-Type"].split(";")[0] == "application/problem+json"
    assert (answer.body["type"], answer.body["status"]) == ("urn:hubwarden:bad-request", 400)
    return 10 < len(answer.body["detail"]) < 500


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES)
async def test_what_cannot_be_reconciled_is_refused_with_a_reason(silent: Spoke, body: bytes) -> None:
    assert is_a_problem(await silent.ask("POST", "reconcile", body))
    assert await silent.calls() == []


BAD_QUESTIONS: dict[str, dict[str, str]] = {
    "nothing": {},
    "no id": {"endpoint": "pe1"},
    "a storage account": {"endpoint": ACCOUNT},
    "no name": {"name": ""},
    "a name with a space": {"name": "a b.blob.core.windows.net"},
    "a name of 300 characters": {"name": "a" * 63 + ".b" * 120},
    "something else": {"target": ACCOUNT},
    "an endpoint and a name": {"endpoint": ENDPOINT, "name": "st1.blob.core.windows.net"},
    "a name and something else": {"name": "st1.blob.core.windows.net", "verbose": "1"},
}


@pytest.mark.parametrize("query", BAD_QUESTIONS.values(), ids=BAD_QUESTIONS)
async def test_what_cannot_be_explained_is_refused_with_a_reason(silent: Spoke, query: dict[str, str]) -> None:
    assert is_a_problem(await silent.ask("GET", "explain", query=query))
    assert await silent.calls() == []


async def test_an_endpoint_is_explained_before_and_after(silent: Spoke) -> None:
    endpoint = await silent.endpoint()
    fqdn = f"{silent.account}.blob.core.windows.net"
    before = (await silent.ask("GET", "explain", query={"endpoint": endpoint})).body
    assert (before["endpoint"], before["owned"], before["held"]) == (endpoint, [], [])
    assert (before["seen"]["exists"], before["seen"]["status"]) == (True, "Approved")
    assert [(want["fqdn"], want["addresses"]) for want in before["wanted"]] == [(fqdn, ["10.1.0.4"])]
    assert [change["op"] for change in before["changes"]] == ["put"]
    assert await silent.addresses() is None, "to explain is not to do"

    assert await silent.happened(endpoint) == 202
    after = (await silent.ask("GET", "explain", query={"endpoint": endpoint})).body
    assert after["changes"] == []
    assert [(claim["fqdn"], claim["state"]) for claim in after["owned"]] == [(fqdn, "served")]
    [standing] = after["standing"]
    assert (standing["keeper"], standing["owner"], standing["addresses"]) == ("hubwarden", endpoint, ["10.1.0.4"])


async def test_a_name_is_explained_by_what_the_world_calls_it_and_by_its_private_name(silent: Spoke) -> None:
    endpoint = await silent.endpoint()
    assert await silent.happened(endpoint) == 202
    for name in (
        f"{silent.account}.blob.core.windows.net",
        f"{silent.account}.privatelink.blob.core.windows.net",
        f"{silent.account.upper()}.Blob.Core.Windows.Net.",
    ):
        answer = await silent.ask("GET", "explain", query={"name": name})
        assert answer.status == 200
        [standing] = [each for each in answer.body["standing"] if each["exists"]]
        assert (standing["name"], standing["owner"]) == (silent.account, endpoint)
        assert [each["endpoint"] for each in answer.body["endpoints"]] == [endpoint]


async def test_a_name_that_nobody_knows_has_nothing_to_explain(silent: Spoke) -> None:
    missing = (await silent.ask("GET", "explain", query={"name": f"{silent.account}-not.blob.core.windows.net"})).body
    assert missing["endpoints"] == []
    assert {each["exists"] for each in missing["standing"]} == {False}
    strange = await silent.ask("GET", "explain", query={"name": "www.example.org"})
    assert strange.status == 200
    assert (strange.body["standing"], strange.body["endpoints"]) == ([], [])


async def test_a_record_made_by_hand_is_explained_as_not_ours(silent: Spoke) -> None:
    body = {"properties": {"ttl": 60, "aRecords": [{"ipv4Address": "10.9.9.9"}]}}
    assert (await silent.azure.arm("PUT", record_id(silent.account), body)).status == 201
    answer = await silent.ask("GET", "explain", query={"name": f"{silent.account}.blob.core.windows.net"})
    [standing] = [each for each in answer.body["standing"] if each["exists"]]
    assert standing["owner"] is None
    assert standing["keeper"] != "hubwarden"
    assert answer.body["endpoints"] == []
