"""Whoever asks, answers, crashes or fails, in whatever order: nothing is approved that no policy allows (law 10)."""

from __future__ import annotations

import os
from pathlib import Path

from simulator.authority import Authority
from tests.laws.approval_machine import Approvals
from tests.laws.history import live_through

HISTORIES = int(os.environ.get("HISTORIES", "12"))
"""How many are lived through; `make laws N=500` sets it."""

STEPS = 16


def test_any_history_of_approvals_ends_right(authority: Authority, storage: str, tmp_path: Path) -> None:
    live_through(Approvals, HISTORIES, STEPS, authority, storage, tmp_path)
