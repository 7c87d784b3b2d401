"""What every HTTP door shares: bodies are read strictly, answers are JSON, errors are problems as in RFC 9457."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import wraps
from typing import Any, TypeVar

import azure.functions as func

from hubwarden.errors import (
    ConfigError,
    HubwardenError,
    InputError,
    NotDecidedError,
    PlanChangedError,
    TemporaryError,
    UnavailableError,
)
from hubwarden.model.plan import plan_hash
from hubwarden.model.report import Report
from hubwarden.report.as_json import report_data
from hubwarden.runtime import traced

WITHIN = 100.0
"""Seconds; what is not done by then is handed on, or refused for now."""

LARGEST = 64 * 1024
"""Bytes of a request's body."""

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")
Handler = Callable[[func.HttpRequest], Awaitable[func.HttpResponse]]


def answering(handler: Handler) -> Handler:
    """Turns our errors into answers: 400 what the caller can mend, 503 what passes, 502 what Azure refused."""

    @wraps(handler)
    async def answered(req: func.HttpRequest) -> func.HttpResponse:
        try:
            with traced(req.headers.get("traceparent", "")):
                return await handler(req)
        except InputError as error:
            return problem(400, "bad-request", str(error))
        except ConfigError as error:
            return problem(503, "config", f"faults in the settings: {len(error.faults)}; GET /api/status lists them")
        except PlanChangedError as error:
            return problem(409, "plan-changed", str(error))
        except NotDecidedError as error:
            return problem(409, "conflict", str(error))
        except TemporaryError as error:
            wait = {"Retry-After": str(max(1, round(error.retry_after or 10)))}
            return problem(503, "unavailable", str(error), wait)
        except HubwardenError as error:
            log.error("api: %s", error)
            return problem(502, "refused", str(error))

    return answered


async def in_time(answer: Awaitable[Answer]) -> Answer:
    """The answer, if Azure gives it while a caller still waits. Raises UnavailableError otherwise."""
    try:
        async with asyncio.timeout(WITHIN):
            return await answer
    except TimeoutError as error:
        raise UnavailableError(f"Azure did not answer within {WITHIN:.0f} s") from error


def parameters_of(req: func.HttpRequest, keys: Collection[str]) -> dict[str, str]:
    """The parameters of the request's address, none but these. Raises InputError for another one.

    `code` is the platform's: a caller may put the function key there.
    """
    asked = {key: value for key, value in req.params.items() if key != "code"}
    _none_but(keys, asked)
    return asked


def body_of(req: func.HttpRequest, keys: Collection[str]) -> dict[str, Any]:
    """The request's body, an object with no other keys than these. Raises InputError for anything else."""
    raw = req.get_body()
    if len(raw) > LARGEST:
        raise InputError(f"the body has at most {LARGEST} bytes")
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise InputError(f"the body is a JSON object; allowed in it: {', '.join(keys)}")
    _none_but(keys, body)
    return body


def plan_in(asked: Mapping[str, Any]) -> str:
    """The hash of the plan that a person names; empty where none is. Raises InputError for what is no hash."""
    return plan_hash(asked["plan"]) if "plan" in asked else ""


def _none_but(keys: Collection[str], asked: Collection[str]) -> None:
    if unknown := sorted(set(asked) - set(keys)):
        known = f"; allowed: {', '.join(keys)}" if keys else ""
        raise InputError(f"{', '.join(unknown)[:200]}: not known here{known}")


def told(came: Report | str) -> func.HttpResponse:
    """The Report of a run that is over, or where the one that goes on will be found."""
    return answer(200, report_data(came)) if isinstance(came, Report) else promised(came)


def promised(run: str) -> func.HttpResponse:
    """Where a run that goes on will be found."""
    return answer(202, {"run": run, "status": "running"}, {"Location": f"/api/runs/{run}"})


def answer(status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> func.HttpResponse:
    """An answer in JSON."""
    return func.HttpResponse(json.dumps(body), status_code=status, headers=headers, mimetype="application/json")


def problem(status: int, reason: str, detail: str, headers: dict[str, str] | None = None) -> func.HttpResponse:
    """An error as RFC 9457 asks for."""
    body = {"type": f"urn:hubwarden:{reason}", "title": reason.replace("-", " "), "status": status, "detail": detail}
    return func.HttpResponse(json.dumps(body), status_code=status, headers=headers, mimetype="application/problem+json")
