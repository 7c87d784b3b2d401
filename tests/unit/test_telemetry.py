"""What is measured without an estate, and where it goes: nowhere, unless a connection string says where."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hubwarden.model.connection import Decision, Verdict
from hubwarden.model.plan import Held, HeldReason, Plan
from hubwarden.model.report import Outcome, Report, Result
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import Everything, OneEndpoint, OneGroup, OneTarget, OneZone, Pending, Scope
from hubwarden.model.word import Verb, Word
from hubwarden.model.zone import LinkZone, MakeZone
from hubwarden.telemetry.measured import kind_of, measure
from tests.collected import Collected
from tests.unit.given import ENDPOINT, TARGET, ZONES, connection

ROOT = Path(__file__).parents[2]
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
ZONE = ResourceId.parse(f"{ZONES}/privatelink.blob.core.windows.net")
CONNECTION = connection(groups=())
SOMEWHERE = "InstrumentationKey=00000000-0000-0000-0000-000000000000;IngestionEndpoint=https://127.0.0.1:1/"
RUNS = "hubwarden.runs"

COLLECTING = """
import sys
from hubwarden.telemetry.collecting import collect, is_collected
from hubwarden.telemetry import instruments

instruments.sweeps.add(1)
instruments.outbox.set(2)
print([collect(text) for text in sys.argv[1:]], is_collected())
print(sorted({name.partition(".")[0] + "." + name.split(".")[1] for name in sys.modules
              if name.startswith(("opentelemetry.sdk", "azure.monitor"))}))
"""


def report(scope: Scope, plan: Plan | None = None) -> Report:
    """A run of three seconds."""
    return Report("r", scope, "apply", BEGAN, BEGAN + timedelta(seconds=3), plan or Plan())


@pytest.mark.parametrize(
    ("scope", "kind"),
    [
        (Everything(), "everything"),
        (Pending(), "pending"),
        (OneEndpoint(ENDPOINT), "endpoint"),
        (OneTarget(TARGET), "target"),
        (OneGroup(TARGET.parent), "group"),
        (OneZone("weu", ZONE), "zone"),
        (Word(Verb.ADOPT), "word"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_run_is_measured_by_the_kind_of_its_scope(collected: Collected, scope: Scope, kind: str) -> None:
    assert kind_of(scope) == kind
    measure(report(scope))
    assert collected.points(RUNS) == {(RUNS, kind, "done"): 3}


def test_every_sort_of_change_has_its_name(collected: Collected) -> None:
    """Zones and their links, and answers, which are counted apart by who gave them."""
    rejected = Decision(CONNECTION, Verdict.REJECT, "", "", who="9b0e0d52-0000-0000-0000-000000000000")
    made = MakeZone("weu", ZONE, "contoso", "")
    linked = LinkZone("weu", ZONE, TARGET, redirects=True, why="")
    outcomes = (Outcome(made, Result.DONE), Outcome(linked, Result.RACED), Outcome(rejected, Result.DONE))
    measure(replace(report(OneZone("weu", ZONE)), outcomes=outcomes))
    assert collected.points("hubwarden.changes", "hubwarden.answers") == {
        ("hubwarden.changes", "make_zone", "done"): 1,
        ("hubwarden.changes", "link_zone", "raced"): 1,
        ("hubwarden.answers", "person", "done", "reject"): 1,
    }


def test_only_whole_looks_at_everything_say_what_is_held(collected: Collected) -> None:
    plan = Plan(held=(Held(HeldReason.NO_ZONE, ENDPOINT, ""),))
    measure(report(OneEndpoint(ENDPOINT), plan=plan))
    measure(replace(report(Everything(), plan=plan), complete=False))
    assert collected.points("hubwarden.held.records") == {}
    measure(report(Everything(), plan=plan))
    assert collected.points("hubwarden.held.records")["hubwarden.held.records", "no_zone"] == 1


def collecting(tmp_path: Path, *texts: str) -> subprocess.CompletedProcess[str]:
    """What a process of its own says of these connection strings, in turn."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "TMPDIR": str(tmp_path),
        "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
    }
    command = [sys.executable, "-c", COLLECTING, *texts]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_without_a_connection_string_nothing_is_sent_and_only_the_api_is_there(tmp_path: Path) -> None:
    said = collecting(tmp_path, "")
    assert said.stdout.splitlines() == ["[False] False", "[]"]
    assert said.stderr == ""


def test_with_one_it_is_sent_and_nobody_sends_it_twice(tmp_path: Path) -> None:
    said = collecting(tmp_path, SOMEWHERE, SOMEWHERE)
    assert said.stdout.splitlines() == ["[True, False] True", "['azure.monitor', 'opentelemetry.sdk']"]


@pytest.mark.parametrize("text", ["nonsense", "InstrumentationKey=x", "a=b;"])
def test_a_connection_string_that_is_none_is_told_and_nothing_waits_for_it(tmp_path: Path, text: str) -> None:
    said = collecting(tmp_path, text)
    assert said.stdout.splitlines()[0] == "[False] False"
    assert "telemetry: nothing is sent" in said.stderr
