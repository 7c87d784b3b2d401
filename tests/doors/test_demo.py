"""What a newcomer sees first: the demo, played for real, and what it says when a step does not hold."""

from __future__ import annotations

import io
import re
import subprocess
import sys

from rich.console import Console

from simulator.scenario import StepError, tell
from tests.house.sources import ROOT


def test_the_demo_plays_every_step_and_ends_well() -> None:
    played = subprocess.run(
        [sys.executable, "-m", "simulator.demo"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert played.returncode == 0, played.stdout + played.stderr
    assert re.findall(r"^(\d)\. ", played.stdout, re.MULTILINE) == ["1", "2", "3", "4", "5"]
    assert "✗" not in played.stdout
    assert re.search(r"\d+ ms from the event's delivery to the first right answer", played.stdout)
    assert re.search(r"\d+ ms of NXDOMAIN after Azure called the endpoint ready", played.stdout)
    assert played.stdout.rstrip().endswith("All 5 steps held.")


async def test_a_step_that_does_not_hold_ends_it_badly() -> None:
    told = io.StringIO()

    async def holds() -> None:
        told.write("fine\n")

    async def breaks() -> None:
        raise StepError("expected 10.0.0.4, but saw NXDOMAIN")

    assert not await tell(Console(file=told), ("One", holds), ("Two", breaks), ("Three", holds))
    assert told.getvalue().count("fine") == 1
    assert "✗ expected 10.0.0.4, but saw NXDOMAIN" in told.getvalue()
    assert "held" not in told.getvalue()
