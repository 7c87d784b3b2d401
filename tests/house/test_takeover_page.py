"""The page on takeovers names every reason for a refusal, and the times that the code keeps."""

from __future__ import annotations

import re

from hubwarden.model.takeover import ObstacleReason
from hubwarden.reconcile.handover import LOOKS, PATIENCE
from tests.house.sources import ROOT

PAGE = (ROOT / "docs" / "takeover.md").read_text(encoding="utf-8")


def test_every_reason_for_a_refusal_is_on_the_page_and_no_other() -> None:
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == [each.value for each in ObstacleReason]


def test_the_times_on_the_page_are_those_that_are_kept() -> None:
    assert (PATIENCE, LOOKS) == (180.0, (15.0, 60.0, 240.0))
    assert "for three minutes at most" in PAGE
    assert re.search(r"after 15 s,\s+1 min and 4 min", PAGE)
