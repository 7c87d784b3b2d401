"""checkov over the Bicep files: it reads them all, and finds only what infra/.checkov.yaml has reasons for.

It has an environment of its own, which `make` makes, because it wants other versions of much that the tests use.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.house.infra_files import INFRA, text_of
from tests.house.sources import ROOT

CHECKOV = ROOT / ".venv-checkov" / "bin" / "checkov"
SKIPPED = re.compile(r"^  - (CKV\w+)(?: # (\S.*))?$", re.MULTILINE)
# Functions that checkov's parser does not know, and those of the same shape that stand in for them: none makes a
# resource what it is.
STANDS_FOR = {"fail": "toLower", "objectKeys": "array"}


def readable(directory: Path) -> Path:
    """A copy of infra without the list of what is skipped, and with what checkov's parser knows."""
    copy = directory / "infra"
    shutil.copytree(INFRA, copy, ignore=shutil.ignore_patterns("*.py", "__pycache__", "node_modules", ".checkov.yaml"))
    for file in copy.rglob("*.bicep"):
        text = file.read_text(encoding="utf-8")
        for unknown, known in STANDS_FOR.items():
            text = re.sub(rf"\b{unknown}\(", f"{known}(", text)
        file.write_text(text, encoding="utf-8")
    return copy


def test_every_check_that_is_skipped_has_a_reason() -> None:
    skipped = SKIPPED.findall(text_of(".checkov.yaml"))
    assert len(skipped) == text_of(".checkov.yaml").count("  - CKV")
    assert [check for check, reason in skipped if not reason] == []


@pytest.mark.skipif(not CHECKOV.is_file(), reason="checkov is not installed: make .venv-checkov/.ready")
def test_checkov_reads_every_file_and_finds_only_what_there_are_reasons_for(tmp_path: Path) -> None:
    command = [str(CHECKOV), "--directory", str(readable(tmp_path)), "--framework", "bicep", "--skip-download"]
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    run = subprocess.run([*command, "--output", "json"], capture_output=True, text=True, check=False, env=environment)
    told: dict[str, Any] = json.loads(run.stdout)
    results, summary = told["results"], told["summary"]
    assert (results["parsing_errors"], summary["parsing_errors"]) == ([], 0)
    assert summary["resource_count"] > 0
    found = {each["check_id"] for each in results["failed_checks"]}
    assert found == {check for check, _ in SKIPPED.findall(text_of(".checkov.yaml"))}
