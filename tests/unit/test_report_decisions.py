"""Decisions and answers in the data of a Report, in the shape that the API promises."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

from hubwarden.model.connection import Decision, Verdict
from hubwarden.model.endpoint import ConnectionStatus
from hubwarden.model.plan import Held, HeldReason, Plan
from hubwarden.model.report import Outcome, Report, Result
from hubwarden.model.scope import Pending
from hubwarden.report.as_json import decision_data, held_data, report_data
from tests.unit.given import ENDPOINT, connection

CONNECTION = connection(message="please")
DONE = Decision(CONNECTION, Verdict.APPROVE, "own", "rule own: it is ours", ConnectionStatus.APPROVED)
NAMELESS = Decision(replace(CONNECTION, endpoint=None), Verdict.REJECT, "strangers", "rule strangers")
HELD = Decision(CONNECTION, Verdict.HOLD, "", "no rule matches")


def test_a_decision_says_what_was_before_and_after() -> None:
    assert decision_data(DONE) == {
        "connection": str(CONNECTION.id),
        "verdict": "approve",
        "rule": "own",
        "who": "policy",
        "reason": "rule own: it is ours",
        "before": "Pending",
        "after": "Approved",
    }
    assert (decision_data(HELD)["rule"], decision_data(HELD)["after"]) == (None, None)


def test_a_decision_says_which_rule_or_which_person_made_it() -> None:
    """A person is the directory's object id, and nothing else."""
    person = replace(DONE, rule="", who="0b1d0000-0000-4000-8000-000000000001")
    assert (DONE.decided_by, person.decided_by) == ("rule own", "person 0b1d0000-0000-4000-8000-000000000001")
    assert (decision_data(person)["rule"], decision_data(person)["who"]) == (None, person.who)


def test_a_report_tells_decisions_and_what_became_of_the_answers() -> None:
    held = Held(HeldReason.UNKNOWN_PROVIDER, None, "a registry", connection=CONNECTION.id)
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    report = Report(
        run="7f3c",
        scope=Pending(),
        mode="apply",
        started_at=moment,
        finished_at=moment,
        plan=Plan(held=(held,)),
        decisions=(DONE, NAMELESS, HELD),
        outcomes=(Outcome(DONE, Result.DONE), Outcome(NAMELESS, Result.FAILED, "403")),
    )
    data = report_data(report)
    assert data["decisions"] == [decision_data(each) for each in report.decisions]
    answer = {"op": "approve", "connection": str(CONNECTION.id), "endpoint": str(ENDPOINT)}
    assert data["outcomes"] == [
        {"change": answer, "result": "done", "error": None},
        {"change": {**answer, "op": "reject", "endpoint": None}, "result": "failed", "error": "403"},
    ]
    assert data["plan"]["held"] == [held_data(held)]
    assert data["plan"]["held"][0]["connection"] == str(CONNECTION.id)
    assert "please" not in json.dumps(data), "the consumer's words stay out of it"
