"""Whatever happens, in whatever order, and whichever events are lost: it ends right (laws 1 to 7, 11 and 12)."""

from __future__ import annotations

import os
from pathlib import Path

from simulator.authority import Authority
from tests.laws.history import live_through
from tests.laws.machine import Histories

HISTORIES = int(os.environ.get("HISTORIES", "25"))
"""How many are lived through; `make laws N=500` sets it."""

STEPS = 20


def test_any_history_ends_right(authority: Authority, storage: str, tmp_path: Path) -> None:
    live_through(Histories, HISTORIES, STEPS, authority, storage, tmp_path)
