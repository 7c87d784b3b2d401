"""What a person is told of a decision over HTTP: over, under way, or too late."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

from handlers.api_decide import came_of
from hubwarden.model.connection import Decision, Verdict
from hubwarden.model.plan import Held, HeldReason, Plan
from hubwarden.model.report import Outcome, Report, Result
from hubwarden.model.scope import OneTarget
from hubwarden.report.as_json import report_data
from tests.unit.given import ENDPOINT, connection

CONNECTION = connection(message="please")
DECISION = Decision(CONNECTION, Verdict.APPROVE, "", "decided", who="0b1d0000-0000-4000-8000-0000000000ad")
RUN = "20261122T022000123Z-1a2b3c4d"
MOMENT = datetime(2026, 11, 22, tzinfo=UTC)
UNDER_WAY = Report(
    run=RUN,
    scope=OneTarget(CONNECTION.target),
    mode="apply",
    started_at=MOMENT,
    finished_at=MOMENT,
    plan=Plan(held=(Held(HeldReason.NOT_READY, ENDPOINT, "it does not show yet", waits=True),)),
    decisions=(DECISION,),
)


def ended(result: Result, error: str = "") -> Report:
    return replace(UNDER_WAY, plan=Plan(), outcomes=(Outcome(DECISION, result, error),))


def test_what_is_over_is_told_with_its_report() -> None:
    """Also where it failed, as everywhere: the Report says so."""
    for report in (ended(Result.DONE), ended(Result.FAILED, "403")):
        answer = came_of(report)
        assert (answer.status_code, json.loads(answer.get_body())) == (200, report_data(report))


def test_what_azure_is_at_work_on_is_accepted_and_can_be_found() -> None:
    answer = came_of(UNDER_WAY)
    assert (answer.status_code, answer.headers["Location"]) == (202, f"/api/runs/{RUN}")
    assert json.loads(answer.get_body())["plan"]["held"][0]["reason"] == "not_ready"


def test_who_was_too_late_is_told_so() -> None:
    answer = came_of(ended(Result.RACED, "it is Rejected"))
    assert (answer.status_code, answer.headers["Location"]) == (409, f"/api/runs/{RUN}")
    body = json.loads(answer.get_body())
    assert (body["type"], body["detail"]) == ("urn:hubwarden:raced", "it is Rejected")
