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
def indexed(*settings: str) -> dict[str, list[dict[str, Any]]]:
    """The functions and their bindings, with these settings in the environment."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HUBWARDEN", "AzureWebJobs"))}
    environment = {**kept, "PYTHONPATH": str(ROOT), **dict.fromkeys(settings, "x")}
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
        "api_reconcile": http("POST", "reconcile"),
        "api_explain": http("GET", "explain"),
        "api_health": http("GET", "health", "ANONYMOUS"),
        "warmup": [{"direction": "IN", "type": "warmupTrigger", "name": "context"}],
    }


@pytest.mark.parametrize("setting", ["HUBWARDEN_STORAGE", "HUBWARDEN_STORAGE__accountName"])
def test_the_work_queue_is_where_its_own_storage_is_if_it_has_one(setting: str) -> None:
    [trigger] = indexed(setting)["work"]
    assert trigger["connection"] == "HUBWARDEN_STORAGE"


def test_only_health_is_open_to_everybody() -> None:
    levels = {name: bindings[0]["authLevel"] for name, bindings in indexed().items() if "authLevel" in bindings[0]}
    assert [name for name, level in levels.items() if level == "ANONYMOUS"] == ["api_health"]
    assert set(levels.values()) == {"ANONYMOUS", "FUNCTION"}
