"""docs/monitoring.md says what is measured: exactly the instruments that there are, and the spans."""

from __future__ import annotations

import ast
import re

from tests.house.sources import PRODUCT, ROOT, modules, tree
from tests.house.test_reasons import table

KINDS = {"_histogram": "histogram", "create_counter": "counter", "Gauge": "gauge"}
ROWS = table("monitoring.md", "metric")


def instruments() -> list[list[str]]:
    """Name, kind and unit of every instrument, as the code makes it."""
    found = []
    for node in ast.walk(tree(ROOT / "hubwarden/telemetry/instruments.py")):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            made = node.value
            maker = made.func.attr if isinstance(made.func, ast.Attribute) else ast.unparse(made.func)
            if maker in KINDS:
                name, unit = (ast.literal_eval(given) for given in made.args[:2])
                found.append([f"`{name}`", KINDS[maker], f"`{unit}`"])
    return found


def test_the_page_lists_exactly_the_metrics_with_kind_and_unit() -> None:
    assert len(ROWS) > 10
    assert sorted(cells[:3] for cells in ROWS) == sorted(instruments())
    assert [cells[0] for cells in ROWS if len(cells) != 5 or not cells[4].endswith(".")] == []


def test_the_page_lists_exactly_the_spans() -> None:
    opened = {
        str(ast.literal_eval(node.args[0]))
        for file in modules(*PRODUCT)
        for node in ast.walk(tree(file))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("span", "spanned")
        if node.args and isinstance(node.args[0], ast.Constant)
    }
    told = {name for cells in table("monitoring.md", "span") for name in re.findall(r"`hubwarden ([a-z ]+)`", cells[0])}
    assert told == opened
