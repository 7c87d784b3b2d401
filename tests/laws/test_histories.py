"""Whatever happens, in whatever order, and whichever events are lost: it ends right (laws 1 to 7, 11 and 12)."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from simulator.authority import Authority
from tests.laws.machine import Histories

HISTORIES = int(os.environ.get("HISTORIES", "25"))
"""How many are lived through; `make laws N=500` sets it."""

STEPS = 20


def test_any_history_ends_right(authority: Authority, storage: str, tmp_path: Path) -> None:
    class HistoriesHere(Histories):
        def __init__(self) -> None:
            super().__init__(authority, storage, tmp_path)

    kept = settings(
        max_examples=HISTORIES, stateful_step_count=STEPS, deadline=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(HistoriesHere, settings=kept)
