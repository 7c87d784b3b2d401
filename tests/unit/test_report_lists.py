"""Runs, connections, decisions, what is over a limit: as data, as text and as CSV; strangers' text steers nothing."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from hubwarden.errors import InputError
from hubwarden.model.connection import Decision, Verdict
from hubwarden.model.endpoint import ConnectionStatus
from hubwarden.model.plan import Held, HeldReason, Plan, PlanWarning
from hubwarden.model.report import Outcome, Report, Result, Run, Status, new_run_id, run_id
from hubwarden.model.scope import Everything, OneTarget, Pending, Scope
from hubwarden.report.as_json import change_data, connection_data, held_data, report_data, run_data, run_report
from hubwarden.report.as_text import (
    RUN_COLUMNS,
    connections_csv,
    connections_text,
    report_csv,
    report_text,
    run_text,
    runs_csv,
    runs_text,
)
from tests.unit.given import BLOB_ZONE, ENDPOINT, TARGET, connection, drop, key, put

BEGAN = datetime(2026, 11, 22, 2, 20, 0, 123_000, tzinfo=UTC)
ENDED = datetime(2026, 11, 22, 2, 20, 30, tzinfo=UTC)
NAME = "20261122T022000123Z-1a2b3c4d"
SWEEP = Run(NAME, Everything(), "apply", Status.DONE, BEGAN, ENDED, report={"run": NAME, "plan": {}})
PROMISED = Run(NAME, OneTarget(TARGET), "plan", Status.RUNNING, BEGAN, plan="0" * 16)

ASKED = connection("pe-orders.1", groups=("blob", "dfs"), message="please\x1b[2J")
APPROVED = Decision(ASKED, Verdict.APPROVE, "own storage", "rule 'own storage'", after=ConnectionStatus.APPROVED)
WAITING = replace(APPROVED, since=BEGAN.timestamp())
HELD = Decision(replace(ASKED, endpoint=None, groups=(), message="=1+1"), Verdict.HOLD, "", "no rule matched")


def report(**changes: Any) -> Report:
    """A sweep that found nothing, or what is given."""
    empty = Report(NAME, Everything(), "apply", BEGAN, ENDED, Plan())
    return replace(empty, **changes)


def rows(text: str) -> list[dict[str, str]]:
    """The rows of a CSV."""
    return list(csv.DictReader(io.StringIO(text)))


def test_names_of_runs_sort_by_time() -> None:
    moments = [0.0, 0.001, 59.999, 60.0, 1_800_000_000.123, 1_800_000_000.124, 4_000_000_000.0]
    names = [new_run_id(moment) for moment in moments]
    assert sorted(names) == names
    assert new_run_id(BEGAN.timestamp()).startswith("20261122T022000123Z-")
    assert new_run_id(0) != new_run_id(0)
    assert [run_id(name) for name in names] == names


@pytest.mark.parametrize(
    "text", ["", "x", NAME[:-1], NAME + "0", NAME.upper(), f"{NAME}\n", f"../{NAME}", NAME.replace("2", "\u0662")]
)
def test_what_is_no_name_of_a_run_is_refused(text: str) -> None:
    with pytest.raises(InputError) as refused:
        run_id(text)
    assert str(refused.value) == f"{text!r} is not the name of a run, which looks like 20261122T022000123Z-1a2b3c4d"


def test_a_run_is_listed_with_what_was_asked_and_how_it_stands() -> None:
    assert run_data(SWEEP) == {
        "run": NAME,
        "scope": {"everything": True},
        "mode": "apply",
        "status": "done",
        "startedAt": "2026-11-22T02:20:00.123Z",
        "finishedAt": "2026-11-22T02:20:30.000Z",
    }
    assert run_data(PROMISED)["finishedAt"] is None
    assert run_data(PROMISED)["scope"] == {"target": str(TARGET)}


def test_a_run_by_itself_is_its_report_or_why_there_is_none() -> None:
    assert run_report(SWEEP) == {"run": NAME, "plan": {}}
    assert run_report(PROMISED) == {**run_data(PROMISED), "error": None}
    failed = replace(PROMISED, status=Status.FAILED, finished_at=ENDED, error="Azure is away")
    assert run_report(failed) == {**run_data(failed), "error": "Azure is away"}


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        (Everything(), "the whole estate"),
        (Pending(), "the pending connections"),
        (OneTarget(TARGET), f"the connections of {TARGET}"),
    ],
)
def test_a_run_reads_as_a_line(scope: Scope, words: str) -> None:
    heading, line = runs_text([replace(SWEEP, scope=scope)]).splitlines()
    assert heading.split() == list(RUN_COLUMNS)
    assert line.startswith(NAME)
    assert line.endswith(words), "what is long stands last"
    assert run_data(SWEEP)["finishedAt"] in line


def test_no_runs_and_no_connections_are_said_to_be_none() -> None:
    assert (runs_text([]), connections_text([])) == ("no runs", "no connections")


def test_a_run_without_a_report_says_why() -> None:
    assert run_text(PROMISED) == f"{NAME}: plan: running, the connections of {TARGET}"
    failed = replace(PROMISED, status=Status.FAILED, error="no\x1b answer")
    assert run_text(failed).splitlines() == [f"{NAME}: plan: failed, the connections of {TARGET}", "no\\x1b answer"]


def test_runs_as_csv_have_a_row_each() -> None:
    found = rows(runs_csv([SWEEP, PROMISED]))
    assert [list(row) for row in found] == [list(RUN_COLUMNS)] * 2
    assert (found[0]["run"], found[0]["status"], found[1]["finished"]) == (NAME, "done", "")


def test_a_connection_is_shown_with_what_would_be_answered() -> None:
    assert connection_data(WAITING) == {
        "connection": str(ASKED.id),
        "target": str(TARGET),
        "endpoint": str(ENDPOINT),
        "groups": ["blob", "dfs"],
        "status": "Pending",
        "message": "please\x1b[2J",
        "waitingSince": "2026-11-22T02:20:00.123Z",
        "verdict": "approve",
        "rule": "own storage",
        "reason": "rule 'own storage'",
        "who": None,
        "answeredAt": None,
    }
    held = connection_data(HELD)
    assert (held["endpoint"], held["groups"], held["rule"], held["verdict"]) == (None, [], None, "hold")
    assert held["waitingSince"] is None


def test_a_connection_that_was_answered_is_shown_with_who_and_when() -> None:
    shown = replace(ASKED, status=ConnectionStatus.APPROVED)
    ruled = Decision(shown, Verdict.HOLD, "own storage", "it is Approved", answered=BEGAN.timestamp())
    told = connection_data(ruled)
    assert [told[each] for each in ("verdict", "rule", "who")] == [None, "own storage", "policy"]
    assert told["answeredAt"] == "2026-11-22T02:20:00.123Z"
    by_ada, unknown = rows(connections_csv([replace(ruled, rule="", who="ada"), replace(ruled, answered=None)]))
    assert (by_ada["rule"], by_ada["who"], by_ada["answered"]) == ("", "ada", "2026-11-22T02:20:00.123Z")
    assert (unknown["who"], unknown["answered"]) == ("", "")


def test_a_consumers_message_steers_no_terminal_and_is_no_formula() -> None:
    approved, held = (row.splitlines() for row in connections_text([APPROVED, HELD]).rstrip().split("\n\n"))
    assert approved[0].split() == ["connection", str(ASKED.id)]
    assert approved[-1].split() == ["message", "please\\x1b[2J"]
    assert [line.split()[0] for line in held] == ["connection", "status", "verdict", "reason", "message"]
    first, second = rows(connections_csv([WAITING, HELD]))
    assert (first["since"], second["since"]) == ("2026-11-22T02:20:00.123Z", "")
    assert (first["groups"], first["message"], second["message"]) == ("blob;dfs", "please\\x1b[2J", "'=1+1")


def test_what_is_over_a_limit_is_planned_beside_the_changes_and_not_among_them() -> None:
    """Law 9: with the plan's hash, a person lets it through."""
    going = drop(key=key("old"))
    over = report(plan=Plan((put(),), over_limit=(going,)))
    assert report_data(over)["plan"]["overLimit"] == [change_data(going)]
    assert report_data(over)["plan"]["changes"] == [change_data(put())]
    assert report_text(over).splitlines()[-1].split()[0] == "drop"
    assert report_text(over).splitlines()[-1].endswith("over_limit")
    assert [(row["op"], row["result"]) for row in rows(report_csv(over))] == [("put", ""), ("drop", "over_limit")]


def test_a_decision_reads_with_what_was_and_what_is_now() -> None:
    done = report(decisions=(APPROVED, HELD), outcomes=(Outcome(replace(APPROVED), Result.DONE),))
    assert report_text(done).splitlines()[1:] == [
        f"approve: {ASKED.id}: rule 'own storage' (was Pending, now Approved)",
        f"hold: {ASKED.id}: no rule matched (was Pending)",
    ]
    failed = report(decisions=(APPROVED,), outcomes=(Outcome(APPROVED, Result.FAILED, "403"),))
    assert f"failed: {ASKED.id}: 403" in report_text(failed)
    [row] = rows(report_csv(failed))
    assert (row["op"], row["connection"], row["endpoint"]) == ("approve", str(ASKED.id), str(ENDPOINT))
    assert (row["result"], row["error"], row["why"]) == ("failed", "403", "rule 'own storage'")


def test_what_is_held_may_be_a_connection_of_nobody() -> None:
    held = Held(HeldReason.UNKNOWN_PROVIDER, None, "a person must", connection=ASKED.id)
    data = held_data(held)
    assert (data["endpoint"], data["connection"]) == (None, str(ASKED.id))
    whole = report(plan=Plan(held=(held,)))
    assert report_text(whole).splitlines()[-1] == f"held: unknown_provider: {ASKED.id}: a person must"
    [row] = rows(report_csv(whole))
    assert (row["endpoint"], row["connection"], row["zone"]) == ("", str(ASKED.id), "")
    of_record = Held(HeldReason.UNKNOWN_PROVIDER, None, "x", key("orders"))
    assert f"orders.{BLOB_ZONE} A" in report_text(report(plan=Plan(held=(of_record,))))


def test_a_warning_of_a_connection_names_it_and_no_hub() -> None:
    late = PlanWarning("", None, f"{ASKED.id} has waited for 3 days", endpoint=ENDPOINT, connection=ASKED.id)
    whole = report(plan=Plan(warnings=(late,)))
    assert report_data(whole)["plan"]["warnings"] == [
        {
            "hub": None,
            "zone": None,
            "zoneId": None,
            "name": None,
            "endpoint": str(ENDPOINT),
            "connection": str(ASKED.id),
            "detail": f"{ASKED.id} has waited for 3 days",
        }
    ]
    assert report_text(whole).splitlines()[-1] == f"warning: {ASKED.id} has waited for 3 days"
    [row] = rows(report_csv(whole))
    assert (row["op"], row["zone"], row["connection"], row["endpoint"]) == ("warning", "", str(ASKED.id), str(ENDPOINT))
