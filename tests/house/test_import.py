"""Importing the app: with an empty environment it works, and brings in nothing that is slow or speaks to Azure."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache

import pytest

from tests.house.sources import ROOT

IMPORT = """
import json, sys
sys.path.insert(0, sys.argv[1])
import function_app
print(json.dumps(sorted(sys.modules)))
"""


@cache
def brought_in() -> frozenset[str]:
    """The modules of a fresh, isolated interpreter in which the app has been imported."""
    # Isolated: no environment, no current directory, no settings of the person at the shell; warnings are errors.
    command = [sys.executable, "-I", "-W", "error", "-c", IMPORT, str(ROOT)]
    run = subprocess.run(command, cwd="/", env={}, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    return frozenset(json.loads(run.stdout))


def test_the_app_is_imported_with_an_empty_environment() -> None:
    assert {"function_app", "handlers.events", "hubwarden.runtime", "azure.functions"} <= brought_in()


@pytest.mark.parametrize(
    "heavy",
    [
        "azure.mgmt",
        "azure.identity",
        "azure.storage",
        "azure.data",
        "azure.core",
        "azure.eventgrid",
        "azure.monitor",
        "opentelemetry",
        "pydantic",
        "yaml",
        "aiohttp",
        "cel_expr_python",
        "rich",
        "simulator",
        "hubwarden.arm",
        "hubwarden.ledger",
        "hubwarden.config.loading",
    ],
)
def test_indexing_the_app_brings_in_nothing_that_only_a_run_needs(heavy: str) -> None:
    assert [name for name in brought_in() if f"{name}.".startswith(f"{heavy}.")] == []
