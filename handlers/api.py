"""The HTTP door: reconcile now, explain, and whether the app is ready."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, TypeVar

import azure.functions as func

from hubwarden.errors import ConfigError, HubwardenError, InputError, TemporaryError, UnavailableError
from hubwarden.model.dns_name import DnsName
from hubwarden.model.endpoint import private_endpoint_id
from hubwarden.model.report import OneEndpoint
from hubwarden.model.resource_id import ResourceId
from hubwarden.report.as_json import explanation_data, name_data, report_data
from hubwarden.runtime import is_ready, runtime

WITHIN = 100.0
"""Seconds; what is not done by then is handed on and answered with 202."""

LARGEST = 64 * 1024
"""Bytes of a request's body."""

log = logging.getLogger(__name__)
door = func.Blueprint()

Answer = TypeVar("Answer")
Handler = Callable[[func.HttpRequest], Awaitable[func.HttpResponse]]


def _answering(handler: Handler) -> Handler:
    """Turns our errors into answers: 400 what the caller can mend, 503 what passes, 502 what Azure refused."""

    @wraps(handler)
    async def answered(req: func.HttpRequest) -> func.HttpResponse:
        try:
            return await handler(req)
        except InputError as error:
            return _problem(400, "bad-request", str(error))
        except ConfigError as error:
            return _problem(503, "config", f"{len(error.faults)} faults; `python -m hubwarden config check` lists them")
        except TemporaryError as error:
            wait = {"Retry-After": str(max(1, round(error.retry_after or 10)))}
            return _problem(503, "unavailable", str(error), wait)
        except HubwardenError as error:
            log.error("api: %s", error)
            return _problem(502, "refused", str(error))

    return answered


@door.function_name("api_reconcile")
@door.route(route="reconcile", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@_answering
async def api_reconcile(req: func.HttpRequest) -> func.HttpResponse:
    """`{"endpoint": id}` runs now and answers with the Report; `"apply": false` only plans."""
    asked = _body(req)
    scope = OneEndpoint(_endpoint(asked.get("endpoint")), thorough=True)
    applies = asked.get("apply", True)
    if not isinstance(applies, bool):
        raise InputError("'apply' is true or false")
    if not applies:
        return _answer(200, report_data(await _in_time(runtime().run(scope, applies=False))))
    looked = await runtime().look(scope, within=WITHIN)
    if looked.report is None:
        body = {"scope": {"endpoint": str(scope.endpoint)}, "status": "running", "nextLook": looked.next_look}
        return _answer(202, body)
    return _answer(200, report_data(looked.report))


@door.function_name("api_explain")
@door.route(route="explain", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@_answering
async def api_explain(req: func.HttpRequest) -> func.HttpResponse:
    """`?endpoint=<id>` or `?name=<fqdn>`: what is seen, wanted, held and owned, and why."""
    if "endpoint" in req.params:
        scope = OneEndpoint(_endpoint(req.params["endpoint"]))
        return _answer(200, explanation_data(await _in_time(runtime().explain(scope))))
    if "name" in req.params:
        name = DnsName.parse(req.params["name"])
        return _answer(200, name_data(await _in_time(runtime().explain_name(name))))
    raise InputError("say ?endpoint=<resource id of a private endpoint> or ?name=<host name>")


@door.function_name("api_health")
@door.route(route="health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def api_health(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - the platform's signature
    """Whether the settings can be used; open to everybody, so it says nothing else."""
    ready = is_ready()
    return _answer(200 if ready else 503, {"ready": ready})


async def _in_time(answer: Awaitable[Answer]) -> Answer:
    try:
        async with asyncio.timeout(WITHIN):
            return await answer
    except TimeoutError as error:
        raise UnavailableError(f"Azure did not answer within {WITHIN:.0f} s") from error


def _body(req: func.HttpRequest) -> dict[str, Any]:
    raw = req.get_body()
    if len(raw) > LARGEST:
        raise InputError(f"the body has at most {LARGEST} bytes")
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise InputError('the body is a JSON object such as {"endpoint": "<resource id>"}') from error
    if not isinstance(body, dict):
        raise InputError("the body is a JSON object")
    if unknown := sorted(set(body) - {"endpoint", "apply"}):
        raise InputError(f"{', '.join(unknown)[:200]}: not known here; 'endpoint' and 'apply' are")
    return body


def _endpoint(value: object) -> ResourceId:
    if value is None:
        raise InputError("'endpoint' is missing: the resource id of a private endpoint")
    return private_endpoint_id(value)


def _answer(status: int, body: dict[str, Any]) -> func.HttpResponse:
    return func.HttpResponse(json.dumps(body), status_code=status, mimetype="application/json")


def _problem(status: int, reason: str, detail: str, headers: dict[str, str] | None = None) -> func.HttpResponse:
    """An error as RFC 9457 asks for."""
    body = {"type": f"urn:hubwarden:{reason}", "title": reason.replace("-", " "), "status": status, "detail": detail}
    return func.HttpResponse(json.dumps(body), status_code=status, headers=headers, mimetype="application/problem+json")
