"""The page of what was never verified says what is so: its switches and checks exist, and none is left out."""

from __future__ import annotations

import re

from simulator.settings import Settings
from tests.contract.live.checks import CHECKS
from tests.house.sources import ROOT

PAGE = (ROOT / "docs" / "unverified.md").read_text(encoding="utf-8")
SIMULATOR = (ROOT / "docs" / "simulator.md").read_text(encoding="utf-8")
ROWS = [line.strip("| ").split(" | ") for line in PAGE.partition("| --- | --- | --- | --- |\n")[2].splitlines() if line]
SWITCHES = {name for row in ROWS for name in re.findall(r"`(\w+)`", row[2])}
NAMED = {name for row in ROWS for name in re.findall(r"`(\w+)`", row[-1])}


def test_every_row_says_what_is_done_which_switch_there_is_and_who_sees_it() -> None:
    assert len(ROWS) > 20
    assert [row for row in ROWS if len(row) != 4 or not all(row)] == []
    assert [row[3] for row in ROWS if not re.search(r"`\w+`|needs? ", row[3])] == []
    assert [row[2] for row in ROWS if not re.match(r"`\w+`|none", row[2])] == []


def test_every_switch_exists() -> None:
    assert set(Settings().document()) >= SWITCHES


def test_every_switch_of_the_simulator_is_on_the_page() -> None:
    marked = set(re.findall(r"^\| `(\w+)` \|[^|]*\| \*switch\*", SIMULATOR, re.MULTILINE))
    assert marked
    assert marked - SWITCHES == set()


def test_every_check_is_on_the_page_and_every_one_there_exists() -> None:
    assert set(CHECKS) == NAMED


def test_a_check_stands_beside_its_switch() -> None:
    for row in ROWS:
        names, switches = re.findall(r"`(\w+)`", row[3]), re.findall(r"`(\w+)`", row[2])
        assert {CHECKS[name].switch for name in names if CHECKS[name].switch} == (set(switches) if names else set())


def test_whether_anybody_has_run_it() -> None:
    """After a run on Azure: commit docs/seen-on-azure.md, and put a link to it in that sentence's place."""
    seen = (ROOT / "docs" / "seen-on-azure.md").exists()
    assert ("Nobody has run it yet." in PAGE) is not seen
    assert ("](seen-on-azure.md)" in PAGE) is seen
