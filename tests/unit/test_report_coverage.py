"""Coverage for people's eyes: nothing that a stranger named steers a terminal or a spreadsheet."""

from __future__ import annotations

import csv
import io

from hubwarden.model.coverage import Coverage, Finding, Measured, SubscriptionCoverage
from hubwarden.report.coverage import coverage_csv, coverage_data, coverage_text, measured_data

FOUND = Coverage(
    (
        SubscriptionCoverage("a", Finding.COVERED, "", ("/one", "/two")),
        SubscriptionCoverage("b", Finding.ELSEWHERE, "=1+1\x1b[2J", ("WebHook https://x.example",)),
        SubscriptionCoverage("c", Finding.COVERED, "", ("/one",)),
    )
)


def test_a_table_has_a_line_for_each_and_the_numbers_at_the_end() -> None:
    lines = coverage_text(FOUND).splitlines()
    assert lines[0].split() == ["subscription", "finding", "leads", "to", "detail"]
    assert lines[1].split() == ["a", "covered", "/one,", "/two"]
    assert lines[2].endswith("=1+1\\x1b[2J")
    assert lines[4:] == ["2 covered, 1 elsewhere"]


def test_an_estate_that_shows_no_subscription_is_said_to() -> None:
    assert coverage_text(Coverage(())) == "no subscription of the estate is shown"


def test_csv_joins_destinations_and_is_no_formula() -> None:
    rows = list(csv.DictReader(io.StringIO(coverage_csv(FOUND))))
    assert rows[0] == {"subscription": "a", "finding": "covered", "leads to": "/one;/two", "detail": ""}
    assert rows[1]["detail"] == "'=1+1\\x1b[2J"


def test_json_has_every_finding_counted() -> None:
    data = coverage_data(FOUND)
    assert data["value"][0] == {"subscription": "a", "finding": "covered", "leadsTo": ["/one", "/two"], "detail": ""}
    assert data["counts"] == {each.value: {"covered": 2, "elsewhere": 1}.get(each.value, 0) for each in Finding}


def test_the_last_measurement_says_when_it_was() -> None:
    assert measured_data(Measured.of(FOUND, at=1_800_000_000.0)) == {
        "measuredAt": "2027-01-15T08:00:00.000Z",
        "counts": {each.value: {"covered": 2, "elsewhere": 1}.get(each.value, 0) for each in Finding},
        "worst": [{"subscription": "b", "finding": "elsewhere", "detail": "=1+1\x1b[2J"}],
    }
