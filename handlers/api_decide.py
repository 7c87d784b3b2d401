"""The HTTP door for a person's decision on a connection that waits: approve or reject, at once."""

from __future__ import annotations

import azure.functions as func

from handlers.answers import answer, answering, body_of, in_time, problem
from handlers.people import decider
from hubwarden.model.person import Ruling
from hubwarden.model.report import Report, Result
from hubwarden.report.as_json import report_data
from hubwarden.runtime import runtime, settings

door = func.Blueprint()


@door.function_name("api_decide")
@door.route(route="connections/decide", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@answering
async def api_decide(req: func.HttpRequest) -> func.HttpResponse:
    """`{"connection": id, "verdict": "approve"|"reject", "reason": text}`, from a person who may and can be named.

    `"endpoint": id` beside it says whose connection is meant.
    """
    if not settings().environment.knows_people:
        return problem(403, "forbidden", "nobody is signed in here: the app's authentication is off")
    who = decider(settings(), req)
    if who is None:
        needed = "a person who is signed in, has an object id, and is one of approvals.people"
        return problem(403, "forbidden", f"to decide needs {needed}")
    asked = body_of(req, ("connection", "verdict", "reason", "endpoint"))
    ruling = Ruling.read(asked.get("connection"), asked.get("verdict"), asked.get("reason", ""), asked.get("endpoint"))
    if not settings().applies:
        return problem(409, "mode-plan", "the settings say mode: plan, so nobody answers a connection")
    return came_of(await in_time(runtime().decide(ruling, who)))


def came_of(report: Report) -> func.HttpResponse:
    """The Report; where Azure is still at work on the answer it says so, and the work queue follows it.

    To whoever was too late nothing was done.
    """
    place = {"Location": f"/api/runs/{report.run}"}
    for outcome in report.outcomes:
        if outcome.result is Result.RACED:
            return problem(409, "raced", outcome.error, place)
    return answer(200, report_data(report)) if report.outcomes else answer(202, report_data(report), place)
