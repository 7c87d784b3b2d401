"""The HTTP door for reading: explanations, runs, connections, how the app stands, and whether it is ready."""

from __future__ import annotations

import re
from typing import Any

import azure.functions as func

from handlers.answers import answer, answering, in_time, parameters_of, problem
from hubwarden import __version__
from hubwarden.errors import ConfigError, HubwardenError, InputError
from hubwarden.model.dns_name import DnsName
from hubwarden.model.endpoint import ConnectionStatus, private_endpoint_id
from hubwarden.model.report import Run, run_id
from hubwarden.report.as_json import connection_data, explanation_data, name_data, run_data, run_report
from hubwarden.report.coverage import measured_data
from hubwarden.runtime import is_ready, runtime, settings

LISTED, MOST = 50, 500
"""Runs on a page, unless `top` says otherwise, and at the most."""

ASKED_WITHIN = 20.0
"""Seconds that Azure has to say what is missing: whoever asks how the app stands is told the rest, whatever it says."""

_COUNT = re.compile(r"[1-9][0-9]{0,2}", re.ASCII)

door = func.Blueprint()


@door.function_name("api_explain")
@door.route(route="explain", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@answering
async def api_explain(req: func.HttpRequest) -> func.HttpResponse:
    """`?endpoint=<id>` or `?name=<fqdn>`: what is seen, wanted, held and owned, and why."""
    match parameters_of(req, ("endpoint", "name")):
        case {"endpoint": _, "name": _}:
            raise InputError("say 'endpoint' or 'name', not both")
        case {"endpoint": text}:
            endpoint = private_endpoint_id(text)
            return answer(200, explanation_data(await in_time(runtime().explain(endpoint))))
        case {"name": text}:
            name = DnsName.parse(text)
            return answer(200, name_data(await in_time(runtime().explain_name(name))))
        case _:
            raise InputError("say ?endpoint=<resource id of a private endpoint> or ?name=<host name>")


@door.function_name("api_runs")
@door.route(route="runs", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@answering
async def api_runs(req: func.HttpRequest) -> func.HttpResponse:
    """The newest runs first, `?top=` of them, those `?before=` a run; `nextLink` leads on."""
    asked = parameters_of(req, ("top", "before"))
    top = _top(asked.get("top", str(LISTED)))
    before = run_id(asked["before"]) if "before" in asked else ""
    found, more = await in_time(runtime().runs(top, before))
    following = f"/api/runs?top={top}&before={found[-1].id}" if more else None
    return answer(200, {"value": [run_data(run) for run in found], "nextLink": following})


@door.function_name("api_run")
@door.route(route="runs/{id}", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@answering
async def api_run(req: func.HttpRequest) -> func.HttpResponse:
    """One run: its Report, or how it stands while there is none."""
    parameters_of(req, ())
    found = await in_time(runtime().run_named(run_id(req.route_params["id"])))
    if found is None:
        return problem(404, "not-found", "no such run is known; runs are kept for 30 days")
    return answer(200, run_report(found))


@door.function_name("api_connections")
@door.route(route="connections", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@answering
async def api_connections(req: func.HttpRequest) -> func.HttpResponse:
    """`?status=Pending`, which is the default: what waits for an answer, what it would be, and which rule says so."""
    asked = parameters_of(req, ("status",)).get("status", ConnectionStatus.PENDING.value)
    if asked not in set(ConnectionStatus):
        raise InputError(f"'status' is one of {', '.join(ConnectionStatus)}")
    decisions = await in_time(runtime().connections(ConnectionStatus(asked)))
    return answer(200, {"value": [connection_data(decision) for decision in decisions], "nextLink": None})


@door.function_name("api_status")
@door.route(route="status", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@answering
async def api_status(req: func.HttpRequest) -> func.HttpResponse:
    """How the app stands: its settings, what is wrong with them or missing, its last whole sweep, and what waits."""
    parameters_of(req, ())
    try:
        config = settings()
    except ConfigError as error:
        return answer(200, {"ready": False, "version": __version__, "faults": list(error.faults)})
    missing = await runtime().missing(within=ASKED_WITHIN)
    kept: dict[str, Any] = {"lastSweep": None, "alerts": [], "queue": None, "coverage": None}
    try:
        kept = await in_time(_kept())
    except HubwardenError as error:
        missing = (*missing, str(error))
    body: dict[str, Any] = {
        "ready": True,
        "version": __version__,
        "instance": config.instance,
        "mode": "apply" if config.applies else "plan",
        "identity": config.environment.client_id or None,
        "faults": [],
        "warnings": list(config.warnings),
        "missing": list(missing),
        "schedules": {
            "sweep": config.environment.sweep,
            "pending": config.environment.pending,
            "coverage": config.environment.coverage,
        },
        **kept,
    }
    return answer(200, body)


@door.function_name("api_health")
@door.route(route="health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def api_health(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - the platform's signature
    """Whether the settings can be used; open to everybody, so it says nothing else."""
    ready = is_ready()
    return answer(200 if ready else 503, {"ready": ready})


async def _kept() -> dict[str, Any]:
    """What the ledger and the queues tell."""
    last = await runtime().last_sweep()
    waiting, poisoned = await runtime().queued()
    found = await runtime().last_coverage()
    return {
        "lastSweep": run_data(last) if last else None,
        "alerts": _alerts(last) if last else [],
        "queue": {"waiting": waiting, "poison": poisoned},
        "coverage": measured_data(found) if found else None,
    }


def _alerts(sweep: Run) -> list[str]:
    """What the last sweep warned of, but for single names: zones nearly full or had twice, odd ids, long waits."""
    warnings = ((sweep.report or {}).get("plan") or {}).get("warnings") or ()
    return [warning["detail"] for warning in warnings if not warning["endpoint"] or warning.get("connection")]


def _top(text: str) -> int:
    if not _COUNT.fullmatch(text) or int(text) > MOST:
        raise InputError(f"'top' is a whole number from 1 to {MOST}")
    return int(text)
