"""The workflow for forks: it cannot be run here, so it is held to what it names."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.house.sources import ROOT

PLACE = ROOT / ".github"
WORKFLOW: dict[str, Any] = yaml.safe_load((PLACE / "workflows" / "azure.yml").read_text(encoding="utf-8"))
JOBS: dict[str, dict[str, Any]] = WORKFLOW["jobs"]
STEPS: list[dict[str, Any]] = [step for job in JOBS.values() for step in job["steps"]]
RUNS: list[str] = [step["run"] for step in STEPS if "run" in step]


def test_it_may_only_read_and_every_job_ends_some_time() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert all(0 < job["timeout-minutes"] <= 90 for job in JOBS.values())


def test_every_action_and_every_machine_is_pinned_by_version() -> None:
    used = [step["uses"] for step in STEPS if "uses" in step]
    assert used
    assert [each for each in used if not re.fullmatch(r"actions/[\w-]+@v\d+\.\d+\.\d+", each)] == []
    assert all(re.fullmatch(r"ubuntu-\d\d\.\d\d", job["runs-on"]) for job in JOBS.values())


def test_what_it_makes_and_what_it_names_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    made = {target for run in RUNS for target in re.findall(r"\bmake ([a-z-]+)", run)}
    assert made == {"test", "setup", "package"}
    assert made <= set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = {word for run in RUNS for word in re.findall(r"[\w./-]+\.(?:bicepparam|sh|yaml|example)\b", run)}
    assert {name for name in named if not (ROOT / name).is_file()} == {"missing.yaml"}


def test_the_oldest_python_and_that_of_azure_are_tested() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    deployed = (ROOT / "infra" / "modules" / "flex.bicep").read_text(encoding="utf-8")
    [oldest] = re.findall(r'requires-python = ">=([\d.]+)"', project)
    [azures] = re.findall(r"version: '(3\.\d+)'", deployed)
    assert JOBS["test"]["strategy"]["matrix"]["python"] == [oldest, azures]


@pytest.mark.parametrize("run", RUNS)
def test_every_step_is_one_that_a_shell_can_read(run: str) -> None:
    checked = subprocess.run(["bash", "-n"], input=run, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize(("answers", "code"), [("200", 0), ("503", 1)])
def test_the_smoke_test_ends_well_only_if_health_answers_as_expected(tmp_path: Path, answers: str, code: int) -> None:
    """With a host and a client of the test's own."""
    for name, line in {"func": "exec tail -f /dev/null", "curl": f"printf {answers}", "sleep": ":"}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{line}\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "local.env").write_text("ARM_ENDPOINT=https://127.0.0.1:1\nAzureWebJobsStorage=A=b;C=d\n")
    command = ["sh", str(PLACE / "core-tools.sh"), "hubwarden.yaml", "200"]
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == code, run.stderr
    assert ("health answered 503, not 200" in run.stderr) is (code == 1)
