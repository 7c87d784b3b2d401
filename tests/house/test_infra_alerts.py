"""Alerts and the workbook: each query is deployed, each rule is such as Azure takes, and the page has them all."""

from __future__ import annotations

import re

from tests.house.infra_files import block, text_of
from tests.house.sources import ROOT
from tests.house.test_infra_queries import QUERIES
from tests.house.test_reasons import table

ALERTS = text_of("alerts.bicep")
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
RULE = re.compile(
    r"\{\s+name: '(?P<name>[\w-]+)'\s+title: '(?:\\'|[^'])+'\s+query: (?P<query>[^\n]+)\s+threshold: (?P<threshold>\w+)"
    r"\s+severity: (?P<severity>\w+)\s+every: '(?P<every>\w+)'\s+window: (?P<window>'?\w+'?)\s+\}"
)
# What these are while sweeps come every quarter of an hour, which is the least that they are.
AT_LEAST = {"sinceSweep": "PT30M", "sinceSweepOrTwoHours": "PT2H"}
RULES = {
    rule["name"]: {**rule.groupdict(), "window": AT_LEAST.get(rule["window"], rule["window"].strip("'"))}
    for rule in RULE.finditer(ALERTS)
}
# Microsoft, "Scheduled Query Rules - Create Or Update" and "Create or edit a log search alert rule": in minutes.
MINUTES = {"PT5M": 5, "PT15M": 15, "PT30M": 30, "PT1H": 60, "PT2H": 120, "PT6H": 360, "P1D": 1440, "P2D": 2880}


def loaded(bicep: str) -> set[str]:
    """The queries that a Bicep file loads, by their paths."""
    return set(re.findall(r"loadTextContent\('(?:\.\./)?(queries/[^']+)'\)", bicep))


def queries(of: str) -> set[str]:
    return {f"queries/{of}/{file.name}" for file in (QUERIES / of).glob("*.kql")}


def test_every_query_is_deployed_and_there_is_no_other() -> None:
    assert loaded(ALERTS) == queries("alerts")
    assert loaded(text_of("modules/workbook.bicep")) == queries("workbook")


def test_each_alert_asks_its_own_query() -> None:
    assert len(RULES) == ALERTS.count("    window: ")
    given = {name: rule["query"] for name, rule in RULES.items()}
    assert given.pop("unknown-write") == "unknownWrite"
    assert given == {name: f"loadTextContent('queries/alerts/{name}.kql')" for name in given}


def test_each_alert_is_asked_as_azure_allows() -> None:
    """No more often than every 5 minutes, and over no less than that time: nothing goes unseen between two."""
    for name, rule in RULES.items():
        assert MINUTES[rule["every"]] <= MINUTES[rule["window"]], name
        assert MINUTES[rule["every"]] <= 60, name


def test_a_query_with_a_time_of_its_own_is_given_that_time() -> None:
    """A rule's query sees its window only, whatever it asks for itself."""
    for name, rule in RULES.items():
        query = (QUERIES / "alerts" / f"{name}.kql").read_text(encoding="utf-8")
        asked = [int(minutes) for minutes in re.findall(r"TimeGenerated .*?\bago\((\d+)m\)", query)]
        assert all(minutes <= MINUTES[rule["window"]] for minutes in asked), name


def test_a_threshold_of_failures_counts_all_kinds_of_them_together() -> None:
    """A rule compares the largest of its rows: apart, three puts and three drops would be no more than three."""
    query = (QUERIES / "alerts" / "failed.kql").read_text(encoding="utf-8")
    [summary] = [line for line in query.splitlines() if "summarize" in line]
    assert "Measured = sum(Sum)" in summary
    assert " by " not in summary


def test_what_each_sweep_tells_anew_stands_until_the_next() -> None:
    """Else an alert would resolve between two sweeps, and fire again, where they are further apart."""
    windows = {rule["name"]: rule["window"] for rule in RULE.finditer(ALERTS)}
    assert [windows[name] for name in ("over-limit", "foreign-conflict")] == ["sinceSweep"] * 2
    assert windows["zone-fill"] == "sinceSweepOrTwoHours"
    steps = re.findall(r"sweepMinutes <= (\d+) \? '(\w+)'", ALERTS[ALERTS.index("var sinceSweep =") :].split("\n")[0])
    assert [(int(minutes), MINUTES[window]) for minutes, window in steps] == [(30, 30), (120, 120), (360, 360)]
    assert ": 'P1D'\nvar sinceSweepOrTwoHours = sweepMinutes <= 120 ? 'PT2H' : sinceSweep\n" in ALERTS


def test_silence_fires_the_alert_for_a_sweep_that_is_missing() -> None:
    """Kusto's max of no rows is one row with null: the query makes it longer ago than any threshold."""
    query = (QUERIES / "alerts" / "no-sweep.kql").read_text(encoding="utf-8")
    assert "coalesce(Last, ago(2d))" in query
    assert " by " not in query.split("summarize")[1], "a summary by something has no row where there is nothing"
    [most] = re.findall(r"@maxValue\((\d+)\)\nparam sweepMinutes int", ALERTS)
    assert int(most) <= MINUTES[RULES["no-sweep"]["window"]] < 2 * 1440


def test_silence_fires_the_alert_for_coverage_while_the_app_is_alive() -> None:
    """What nobody has looked at for nearly as long as a rule sees is not covered; a younger app may not have looked."""
    query = (QUERIES / "alerts" / "not-covered.kql").read_text(encoding="utf-8")
    [hours] = re.findall(r"Looks == 0 and Since < ago\((\d+)h\)", query)
    assert 1440 < int(hours) * 60 < MINUTES[RULES["not-covered"]["window"]]
    assert "union found, unseen" in query


def test_the_sweep_is_overdue_after_twice_its_schedule() -> None:
    main = text_of("main.bicep")
    assert "param sweepSchedule string = '0 */15 * * * *'" in main
    assert "sweepMinutes: 30" in main


def test_the_identity_takes_the_place_of_the_one_in_the_query() -> None:
    [replaced] = re.findall(r"replace\(unknownWrites, '([0-9a-f-]{36})', principalId\)", ALERTS)
    query = (QUERIES / "alerts" / "unknown-write.kql").read_text(encoding="utf-8")
    assert query.count(replaced) == 1


def test_what_is_told_once_a_day_is_shown_whatever_period_is_chosen() -> None:
    """In one of a day it would be missing between one look and the next, and in one of an hour nearly always."""
    workbook = text_of("modules/workbook.bicep")
    over = dict(re.findall(r"workbook/(\w+)\.kql'\).*, over: (\w+) \}", workbook))
    assert {f"queries/workbook/{name}.kql" for name in over} == queries("workbook")
    assert {name for name, time in over.items() if time != "chosen"} == {"coverage"}
    assert "var twoDays = { timeContext: { durationMs: 172800000 } }" in workbook
    assert over["coverage"] == "twoDays"


def test_the_page_lists_exactly_the_alerts_with_their_severity_and_threshold() -> None:
    rows = table("operations.md", "alert")
    assert [cells[0] for cells in rows if len(cells) != 4 or not cells[3].endswith(".")] == []
    [[spokes, *_]] = [cells for cells in rows if cells[0].strip(" !`") not in RULES]
    assert f"docs/operations.md, {spokes.strip(' !`')}." in text_of("modules/spoke-topic.bicep")
    rows = [cells for cells in rows if cells[0] != spokes]
    assert [cells[0].strip(" !`") for cells in rows] == list(RULES)
    for cells, rule in zip(rows, RULES.values(), strict=True):
        assert cells[0].endswith("!") is (rule["severity"] == "urgentSeverity"), cells[0]
        if not rule["threshold"].isdigit():
            assert f"`{rule['threshold']}`" in cells[1], cells[0]


def test_the_thresholds_on_the_page_are_those_that_main_has() -> None:
    main = text_of("main.bicep")
    given = dict(re.findall(r"(\w+): (\d+)", block(main, main.index("param alertThresholds object"))))
    assert set(given) == {rule["threshold"] for rule in RULES.values() if not rule["threshold"].isdigit()}
    told = " ".join(cells[1] for cells in table("operations.md", "alert"))
    for name, value in given.items():
        assert re.search(rf"\b{value}\b[^|]*`{name}`", told) or value == "0", name
    assert f"`urgentSeverity` ({_severity(main, 'urgentSeverity')})" in PAGE
    assert f"`otherSeverity` ({_severity(main, 'otherSeverity')})" in PAGE


def _severity(main: str, name: str) -> str:
    [value] = re.findall(rf"^param {name} int = (\d)$", main, re.MULTILINE)
    return str(value)


def test_the_page_links_to_what_there_is() -> None:
    """The names in its commands are those that the deployment makes."""
    assert "name: 'log-${name}'" in text_of("modules/monitoring.bicep")
    assert "log-hubwarden" in PAGE
    assert "hubwarden-work-poison" in PAGE
    assert "hubwarden-work-poison" in text_of("storage.json")
