"""Whoever asks, answers, crashes or fails, in whatever order: nothing is approved that no policy allows (law 10)."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from simulator.authority import Authority
from tests.laws.approval_machine import Approvals

HISTORIES = int(os.environ.get("HISTORIES", "12"))
"""How many are lived through; `make laws N=500` sets it."""

STEPS = 16


def test_any_history_of_approvals_ends_right(authority: Authority, storage: str, tmp_path: Path) -> None:
    class ApprovalsHere(Approvals):
        def __init__(self) -> None:
            super().__init__(authority, storage, tmp_path)

    kept = settings(
        max_examples=HISTORIES, stateful_step_count=STEPS, deadline=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(ApprovalsHere, settings=kept)
