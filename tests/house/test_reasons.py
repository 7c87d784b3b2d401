"""The pages for users say what the code says: every reason, every setting and its default, and the published schema."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from hubwarden.config.loading import parse, schema
from hubwarden.model.plan import HeldReason
from tests.house.sources import ROOT, tree

DOCS = ROOT / "docs"
SCHEMA = schema()
ALIAS = "pls.22222222-2222-4222-8222-222222222222.westeurope.azure.privatelinkservice"
LEAST = """
instance: contoso
estate: {subscriptions: [22222222-2222-4222-8222-222222222222]}
hubs: [{name: weu, zones: [/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/rg-dns]}]
"""


def table(page: str, heading: str) -> list[list[str]]:
    """The rows of the table whose first column is headed so, as cells."""
    lines = iter((DOCS / page).read_text(encoding="utf-8").splitlines())
    for line in lines:
        if line.startswith(f"| {heading} |"):
            break
    next(lines)
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return rows


def keys(part: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, bool]]:
    """Every key of the schema, dotted, and whether it is required."""
    if "$ref" in part:
        part = SCHEMA["$defs"][part["$ref"].split("/")[-1]]
    for name, inner in part.get("properties", {}).items():
        yield f"{prefix}{name}", name in part.get("required", ())
        yield from keys(inner, f"{prefix}{name}.")
    for choice in part.get("anyOf", ()):  # a part, or null where it is left out
        yield from keys(choice, prefix)
    if part.get("type") == "array":
        yield from keys(part["items"], f"{prefix.removesuffix('.')}[].")


KEYS = dict(keys(SCHEMA))
SETTINGS = {cells[0].strip("`"): cells[1] for cells in table("settings.md", "key")}


@pytest.mark.parametrize("reason", HeldReason)
def test_a_reason_means_one_sentence(reason: HeldReason) -> None:
    assert re.fullmatch(r"[A-Z][^\n]*[^.\n]\.", reason.meaning)
    assert not re.search(r"[.!?] ", reason.meaning)


def test_the_page_of_reasons_lists_exactly_the_reasons_with_their_meanings() -> None:
    rows = table("reasons.md", "reason")
    assert [cells[:2] for cells in rows] == [[f"`{reason.value}`", reason.meaning] for reason in HeldReason]
    assert [cells[0] for cells in rows if len(cells) != 3 or not cells[2].endswith(".")] == []


def test_the_published_schema_is_the_one_that_the_app_checks_by() -> None:
    published = (DOCS / "hubwarden.schema.json").read_text(encoding="utf-8")
    assert published == json.dumps(SCHEMA, indent=2) + "\n", "write it anew: python -m hubwarden config schema"


def test_the_example_names_the_published_schema() -> None:
    first = (ROOT / "hubwarden.yaml").read_text(encoding="utf-8").splitlines()[0]
    assert (ROOT / first.split("$schema=")[1]).is_file()


def test_the_page_of_settings_names_exactly_the_keys_that_there_are() -> None:
    assert len(KEYS) > 40
    assert list(SETTINGS) == list(KEYS)


def test_only_what_is_warned_of_is_marked_as_not_yet_in_force() -> None:
    """What acts by now and is still marked would keep people from using it."""
    said = yaml.safe_load(LEAST)
    said["hubs"][0]["dns"] = {"via": "firewall"}
    said["approvals"] = {"rules": [{"name": "old", "when": {"age": "7d"}, "then": "hold"}]}
    (warning,) = parse(yaml.safe_dump(said))[1]
    assert "hubs.0.dns" in warning
    marked = [cells[0].strip("`") for cells in table("settings.md", "key") if "*not yet in force*" in cells[-1]]
    assert marked == [key for key in KEYS if key.startswith("hubs[].dns")]


@pytest.mark.parametrize("key", KEYS)
def test_the_page_of_settings_says_what_must_be_there(key: str) -> None:
    assert (SETTINGS[key] == "required") is KEYS[key]


LEFT_OUT = {key for key, default in SETTINGS.items() if default == "none"}
"""Conditions: one that is not meant is not written at all."""


def test_only_conditions_of_a_rule_have_no_default_that_could_be_written() -> None:
    assert LEFT_OUT
    assert all(key.startswith("approvals.rules[].when.") for key in LEFT_OUT)


@pytest.mark.parametrize(
    "key",
    [key for key, required in KEYS.items() if not required and not key.endswith("].notes") and key not in LEFT_OUT],
)
def test_what_the_page_of_settings_calls_the_default_is_the_default(key: str) -> None:
    # An estate names something: where its subscriptions are left out, management groups stand in.
    least = LEAST.replace("subscriptions: [2", "managementGroups: [2") if key == "estate.subscriptions" else LEAST
    least += "approvals: {rules: [{name: r, then: hold}]}" if key.startswith("approvals.rules[]") else ""
    row = "{type: A.B/c, group: g, zone: z.example, suffix: s.example}"
    least += f"catalog: {{rows: [{row}]}}" if key.startswith("catalog.rows[]") else ""
    if key.startswith("records.names[]"):  # an entry gives one of the two
        other = "suffix" if key.endswith(".fqdn") else "fqdn"
        least += f"records: {{names: [{{target: {ALIAS}, zone: a.contoso.com, {other}: b.a.contoso.com}}]}}"
    said = yaml.safe_load(least)
    part: Any = said
    steps = key.replace("[]", ".0").split(".")
    for step in steps[:-1]:
        part = part[int(step)] if step.isdigit() else part.setdefault(step, {})
    part[steps[-1]] = yaml.safe_load(SETTINGS[key].strip("`"))
    assert parse(yaml.safe_dump(said))[0].model_dump() == parse(least)[0].model_dump()


def test_every_variable_of_the_environment_is_on_the_page() -> None:
    module = tree(ROOT / "hubwarden/config/environment.py")
    texts = {node.value for node in ast.walk(module) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    read = {text for text in texts if re.fullmatch(r"[A-Z]+(_[A-Z]+)+|AzureWebJobs\w+", text)}
    assert {"ARM_ENDPOINT", "HUBWARDEN_CONFIG", "AzureWebJobsStorage"} <= read
    assert {cells[0].strip("`") for cells in table("settings.md", "variable")} == read
