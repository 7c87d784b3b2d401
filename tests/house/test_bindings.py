"""The app as Azure Functions sees it: exactly these functions and bindings, by Microsoft's own worker."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from typing import Any

import pytest

from tests.house.sources import ROOT

INDEX = """
import asyncio, json, sys
from pathlib import Path
from simulator.host.worker import Worker
worker = asyncio.run(Worker.load(Path(sys.argv[1])))
print(json.dumps({function.name: list(function.bindings) for function in worker.functions.values()}))
"""
# The library keeps its state in module globals, so every indexing has a process of its own.

RETURNED = {"direction": "OUT", "type": "http", "name": "$return"}


@cache
def indexed(*settings: str, value: str = "x") -> dict[str, list[dict[str, Any]]]:
    """The functions and their bindings, with these settings in the environment."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HUBWARDEN", "AzureWebJobs"))}
    environment = {**kept, "PYTHONPATH": str(ROOT), **dict.fromkeys(settings, value)}
    command = [sys.executable, "-c", INDEX, str(ROOT)]
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    functions: dict[str, list[dict[str, Any]]] = json.loads(run.stdout.splitlines()[-1])
    return functions


def http(method: str, route: str, level: str = "FUNCTION") -> list[dict[str, Any]]:
    trigger = {
        "direction": "IN",
        "type": "httpTrigger",
        "name": "req",
        "methods": [method],
        "authLevel": level,
        "route": route,
    }
    return [trigger, RETURNED]


def timer(schedule: str, *, monitored: bool) -> list[dict[str, Any]]:
    trigger = {"direction": "IN", "type": "timerTrigger", "name": "timer", "schedule": schedule}
    return [{**trigger, "runOnStartup": False, "useMonitor": monitored}]


def test_the_app_has_exactly_these_functions_and_bindings() -> None:
    assert indexed() == {
        "events": [{"direction": "IN", "type": "eventGridTrigger", "name": "event"}],
        "work": [
            {
                "direction": "IN",
                "type": "queueTrigger",
                "name": "item",
                "queueName": "hubwarden-work",
                "connection": "AzureWebJobsStorage",
            }
        ],
        "sweep": timer("0 */15 * * * *", monitored=True),
        "pending": timer("0 * * * * *", monitored=False),
        "coverage": timer("0 30 5 * * *", monitored=True),
        "api_reconcile": http("POST", "reconcile"),
        "api_adopt": http("POST", "adopt"),
        "api_replace": http("POST", "replace"),
        "api_release": http("POST", "release"),
        "api_rename": http("POST", "rename"),
        "api_decide": http("POST", "connections/decide"),
        "api_explain": http("GET", "explain"),
        "api_runs": http("GET", "runs"),
        "api_run": http("GET", "runs/{id}"),
        "api_connections": http("GET", "connections"),
        "api_status": http("GET", "status"),
        "api_health": http("GET", "health", "ANONYMOUS"),
        "warmup": [{"direction": "IN", "type": "warmupTrigger", "name": "context"}],
    }


@pytest.mark.parametrize("setting", ["HUBWARDEN_STORAGE", "HUBWARDEN_STORAGE__accountName"])
def test_the_work_queue_is_where_its_own_storage_is_if_it_has_one(setting: str) -> None:
    [trigger] = indexed(setting)["work"]
    assert trigger["connection"] == "HUBWARDEN_STORAGE"


@pytest.mark.parametrize(
    ("value", "schedules"),
    [
        pytest.param("30 0 * * * *", ["30 0 * * * *"] * 3, id="schedules"),
        pytest.param(
            "now and then", ["0 */15 * * * *", "0 * * * * *", "0 30 5 * * *"], id="none, which is a fault that is told"
        ),
    ],
)
def test_the_timers_are_due_when_the_environment_says_so(value: str, schedules: list[str]) -> None:
    functions = indexed("HUBWARDEN_SWEEP", "HUBWARDEN_PENDING", "HUBWARDEN_COVERAGE", value=value)
    assert [functions[name][0]["schedule"] for name in ("sweep", "pending", "coverage")] == schedules


def test_only_health_is_open_to_everybody() -> None:
    levels = {name: bindings[0]["authLevel"] for name, bindings in indexed().items() if "authLevel" in bindings[0]}
    assert [name for name, level in levels.items() if level == "ANONYMOUS"] == ["api_health"]
    assert set(levels.values()) == {"ANONYMOUS", "FUNCTION"}
