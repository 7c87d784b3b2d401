"""The page on coverage names every finding and right, and a filter that lets through what the app must hear of."""

from __future__ import annotations

import re

from hubwarden.model.coverage import EVENTS, NEEDED, Finding
from hubwarden.model.event_subscription import HAPPENINGS, Condition, EventFilter
from simulator.up import FILTER
from tests.house.sources import ROOT

PAGE = (ROOT / "docs" / "coverage.md").read_text(encoding="utf-8")


def test_every_finding_is_on_the_page_and_no_other() -> None:
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == [each.value for each in Finding]


def test_every_right_is_on_the_page() -> None:
    rights = PAGE.partition("## Rights")[2]
    assert set(re.findall(r"`(Microsoft\.\w+/[\w/]+)`", rights)) >= set(NEEDED)


def test_the_command_on_the_page_makes_one_that_covers() -> None:
    command = re.search(r"--included-event-types (.*?)--advanced-filter (.*?)```", PAGE.replace("\\\n", ""), re.DOTALL)
    assert command is not None
    key, operator, *values = command.group(2).split()
    types = command.group(1).split()
    wanted = EventFilter(frozenset(map(str.lower, types)), conditions=(Condition(operator, key, tuple(values)),))
    assert all(wanted.admits(each, "x") for each in HAPPENINGS)
    assert FILTER["includedEventTypes"] == types
    assert FILTER["advancedFilters"] == [{"operatorType": operator, "key": key, "values": values}]


def test_the_function_that_counts_is_the_apps_own() -> None:
    door = (ROOT / "handlers" / "events.py").read_text(encoding="utf-8")
    assert f'@door.function_name("{EVENTS}")' in door
