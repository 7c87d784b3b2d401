"""The HTTP door for reading: runs, connections and how the app stands; strangers' words are shown and go no further."""

from __future__ import annotations

from typing import Any

import pytest

from tests.doors.local_azure import Spoke

NO_RUN = "20200101T000000000Z-00000000"
WORDS = "please approve, yours Eve"


async def ran(spoke: Spoke, endpoint: str) -> str:
    """The name of a run that is over."""
    answer = await spoke.ask("POST", "reconcile", {"endpoint": endpoint})
    assert answer.status == 200
    return str(answer.body["run"])


async def test_runs_are_listed_newest_first_and_each_has_its_report(silent: Spoke) -> None:
    endpoint = await silent.endpoint()
    first, second, third = [await ran(silent, endpoint) for _ in range(3)]
    page = (await silent.ask("GET", "runs", query={"top": "2"})).body
    assert [run["run"] for run in page["value"]] == [third, second]
    newest = page["value"][0]
    assert (newest["scope"], newest["mode"], newest["status"]) == (
        {"endpoint": endpoint, "thorough": True},
        "apply",
        "done",
    )
    assert newest["startedAt"] <= newest["finishedAt"]
    assert page["nextLink"] == f"/api/runs?top=2&before={second}"
    following = (await silent.ask("GET", "runs", query={"top": "1", "before": second})).body
    assert [run["run"] for run in following["value"]] == [first]

    report = (await silent.ask("GET", f"runs/{first}")).body
    assert (report["run"], report["status"]) == (first, "done")
    assert [change["addresses"] for change in report["plan"]["changes"]] == [["10.1.0.4"]]
    assert [outcome["result"] for outcome in report["outcomes"]] == ["done"]


async def test_what_an_event_did_can_be_read_afterwards_and_what_changed_nothing_leaves_no_run(silent: Spoke) -> None:
    endpoint = await silent.endpoint()
    assert await silent.happened(endpoint) == 202
    [run] = (await silent.ask("GET", "runs", query={"top": "1"})).body["value"]
    assert run["scope"] == {"endpoint": endpoint, "thorough": False}
    assert await silent.happened(endpoint) == 202
    assert (await silent.ask("GET", "runs", query={"top": "1"})).body["value"] == [run]


async def test_a_run_that_nobody_knows_is_not_found(silent: Spoke) -> None:
    answer = await silent.ask("GET", f"runs/{NO_RUN}")
    assert (answer.status, answer.body["type"]) == (404, "urn:hubwarden:not-found")
    assert answer.headers["Content-Type"].split(";")[0] == "application/problem+json"


@pytest.mark.parametrize(
    ("route", "query"),
    [
        pytest.param("runs/last", {}, id="no name of a run"),
        pytest.param("runs", {"before": "yesterday"}, id="before no run"),
        pytest.param("runs", {"top": "0"}, id="none"),
        pytest.param("runs", {"top": "-1"}, id="fewer than none"),
        pytest.param("runs", {"top": "501"}, id="too many"),
        pytest.param("runs", {"top": "9" * 5000}, id="a number of 5000 digits"),
        pytest.param("runs", {"top": "ten"}, id="a word"),
        pytest.param("runs", {"topp": "1"}, id="a parameter of runs that is not known"),
        pytest.param(f"runs/{NO_RUN}", {"top": "1"}, id="a parameter of a run, which has none"),
        pytest.param("connections", {"state": "Approved"}, id="a parameter of connections that is not known"),
        pytest.param("connections", {"status": "pending"}, id="another case"),
        pytest.param("connections", {"status": ""}, id="no status"),
        pytest.param("connections", {"status": "Pending' or true"}, id="a query"),
        pytest.param("status", {"verbose": "1"}, id="a parameter that is not known"),
    ],
)
async def test_what_cannot_be_asked_is_refused_with_a_reason(silent: Spoke, route: str, query: dict[str, str]) -> None:
    answer = await silent.ask("GET", route, query=query)
    assert (answer.status, answer.body["type"]) == (400, "urn:hubwarden:bad-request")
    assert 10 < len(answer.body["detail"]) < 500
    assert await silent.calls() == []


async def test_a_parameter_that_is_not_known_is_told_beside_those_that_are(silent: Spoke) -> None:
    answer = await silent.ask("GET", "connections", query={"state": "Approved"})
    assert answer.body["detail"] == "state: not known here; allowed: status"


async def of_spoke(spoke: Spoke, **query: str) -> list[dict[str, Any]]:
    """The connections of a spoke's storage account, as the API lists them."""
    answer = await spoke.ask("GET", "connections", query=query)
    assert (answer.status, answer.body["nextLink"]) == (200, None)
    return [each for each in answer.body["value"] if each["target"].lower() == spoke.account_id.lower()]


async def test_what_waits_for_an_answer_is_listed_with_the_reason(silent: Spoke) -> None:
    """The message is a stranger's: it is shown to whoever asks, and is in no log and in no storage."""
    endpoint = await silent.endpoint(manual=True, message=WORDS)
    [waiting] = await of_spoke(silent)
    assert (waiting["endpoint"], waiting["status"], waiting["message"]) == (endpoint, "Pending", WORDS)
    assert (waiting["verdict"], waiting["rule"]) == ("hold", None)
    assert waiting["reason"]
    assert await of_spoke(silent, status="Approved") == []
    looked = await silent.ask("POST", "reconcile", {"target": silent.account_id})
    assert [decision["verdict"] for decision in looked.body["decisions"]] == ["hold"]
    [waiting] = await of_spoke(silent)
    assert waiting["waitingSince"] <= looked.body["finishedAt"], "the timer may have seen it before"
    assert WORDS not in silent.said
    assert WORDS not in str(await silent.storage.rows())


async def test_the_status_tells_how_the_app_stands(silent: Spoke) -> None:
    answer = await silent.ask("GET", "status")
    assert answer.status == 200
    standing = answer.body
    assert (standing["ready"], standing["instance"], standing["mode"]) == (True, "contoso", "apply")
    assert (standing["faults"], standing["warnings"]) == ([], [])
    assert standing["missing"] == []
    assert standing["schedules"] == {
        "sweep": "0 */15 * * * *",
        "pending": "0 * * * * *",
        "coverage": "0 30 5 * * *",
    }
    assert standing["queue"] == {"waiting": 0, "poison": 0}
    assert {"version", "lastSweep", "coverage", "identity"} <= set(standing)
