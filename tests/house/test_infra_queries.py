"""Queries of alerts, workbook, product and pages: whole by Microsoft's own language service, about what there is."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from hubwarden.model.coverage import Finding
from hubwarden.model.report import Result
from hubwarden.telemetry.instruments import OBJECTIVE
from hubwarden.telemetry.measured import ALERTS
from simulator.azurite import node
from tests.house.infra_files import INFRA, data_of
from tests.house.sources import ROOT, modules, tree
from tests.house.test_reasons import table

QUERIES = INFRA / "queries"
SERVICE = QUERIES / "node_modules" / "@kusto" / "language-service-next"
TABLES: dict[str, dict[str, str]] = data_of("queries/tables.json")
"""Columns of the tables of Azure Monitor and Resource Graph that we use, by Microsoft's reference of them."""

METRICS = {cells[0].strip("`"): set(re.findall(r"`(\w+)`", cells[3])) for cells in table("monitoring.md", "metric")}
"""Each metric that is told, with its attributes; another test holds the page to the code."""

FILLED = {
    **{"types": "'a/b', 'c/d'", "guid": "0", "word": "Pending"},
    **{"target": "/subscriptions/0", "endpoints": "'/subscriptions/0', '/subscriptions/1'"},
}
"""What stands in for what the product fills into its questions."""

whole = pytest.mark.skipif(not SERVICE.is_dir(), reason="the language service is not installed: make setup")


def called(file: Path) -> str:
    """A query's name: its folder and its own."""
    return f"{file.parent.name}/{file.stem}"


FILES = {called(file): file.read_text(encoding="utf-8") for file in sorted(QUERIES.glob("*/*.kql"))}


def asked_of_the_graph() -> dict[str, str]:
    """What the product asks of Resource Graph."""
    found = {}
    for file in modules("hubwarden"):
        for each in ast.walk(tree(file)):
            if not isinstance(each, ast.Constant) or not isinstance(each.value, str):
                continue
            if re.match(r"(resources|dnsresources|resourcecontainers) \|", each.value):
                found[f"{file.stem}, line {each.lineno}"] = each.value.format(**FILLED)
    return found


GRAPH = asked_of_the_graph()
PAGES = {
    f"{page.name}, query {number}": query
    for page in sorted((ROOT / "docs").glob("*.md"))
    for number, query in enumerate(re.findall(r"```kusto\n(.+?)```", page.read_text(encoding="utf-8"), re.DOTALL), 1)
}


def read(queries: dict[str, str]) -> dict[str, Any]:
    """What the language service says to each query: errors, and the columns that it gives."""
    asked = json.dumps({"tables": TABLES, "queries": queries})
    command = [node(), str(QUERIES / "check.js")]
    run = subprocess.run(command, input=asked, capture_output=True, text=True, check=True)
    return dict(json.loads(run.stdout))


@cache
def told() -> dict[str, Any]:
    """What it says to all queries that there are, and to each table by itself."""
    return read({**FILES, **GRAPH, **PAGES, **{name: name for name in TABLES}})


@whole
@pytest.mark.parametrize("name", [*FILES, *GRAPH, *PAGES])
def test_a_query_is_whole_and_asks_for_columns_that_there_are(name: str) -> None:
    assert told()[name]["errors"] == []


@whole
@pytest.mark.parametrize("name", TABLES)
def test_the_service_knows_each_table_with_all_its_columns(name: str) -> None:
    assert told()[name]["columns"] == TABLES[name]


@whole
@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("alerts/")])
def test_an_alerts_query_gives_the_number_that_its_rule_compares(name: str) -> None:
    assert told()[name]["columns"]["Measured"] in ("real", "long")


@whole
def test_a_query_that_is_wrong_is_found() -> None:
    wrong = {
        "a column that there is not": FILES["alerts/poison"].replace("Sum", "Value"),
        "a table that there is not": FILES["alerts/poison"].replace("AppMetrics", "AppMetric"),
        "a pipe too many": FILES["alerts/poison"] + "|",
        "a function that there is not": FILES["alerts/no-sweep"].replace("coalesce", "whatever"),
        "a text for a number": FILES["alerts/late"].replace("100.0 *", "'100' *"),
        "Resource Graph: a column that there is not": "resources | project properties.x, kinds",
    }
    assert [name for name, said in read(wrong).items() if not said["errors"]] == []


@pytest.mark.parametrize("name", FILES)
def test_a_query_is_about_metrics_and_attributes_that_are_told(name: str) -> None:
    named = set(re.findall(r'"(hubwarden\.[\w.]+)"', FILES[name]))
    assert named <= set(METRICS)
    assert named or "AppMetrics" not in FILES[name]
    attributes = set(re.findall(r"Properties\.(\w+)", FILES[name]))
    assert attributes <= {attribute for metric in named for attribute in METRICS[metric]}


def test_every_metric_is_shown_somewhere() -> None:
    assert {metric for metric in METRICS if not any(f'"{metric}"' in query for query in FILES.values())} == set()


def test_the_words_in_queries_are_those_that_are_told() -> None:
    """A value that nobody tells would leave an alert silent for good."""
    assert f'"{Result.FAILED.value}"' in FILES["alerts/failed"]
    assert f'"{Finding.COVERED.value}"' in FILES["alerts/not-covered"]
    for reason in ALERTS:
        assert f'"{reason.value}"' in FILES[f"alerts/{reason.value.replace('_', '-')}"]
    assert 'in_time) != "true"' in FILES["alerts/late"]
    assert f"{OBJECTIVE:.0f} s" in FILES["alerts/late"]
    assert f'/{data_of("storage.json")["deadLetters"]}/"' in FILES["alerts/dead-letter"]


def test_every_query_says_first_what_it_is_for() -> None:
    assert [name for name, query in FILES.items() if not re.match(r"// [A-Z].+[.:]\n", query)] == []


def test_the_lock_names_no_place_to_fetch_from() -> None:
    assert "resolved" not in (QUERIES / "package-lock.json").read_text(encoding="utf-8")
