"""The page about the policy: every example on it loads, every key of the grammar has one, and the cases pass."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml

from hubwarden import cli
from hubwarden.config.loading import parse, schema
from hubwarden.config.snapshot import write_snapshot
from hubwarden.model.facts import FACTS
from tests.house.sources import ROOT
from tests.unit.test_config import LEAST

PAGE = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
POLICY, CASES, WORKFLOW = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
EXAMPLES = re.findall(r"^\| `([a-zA-Z.]+)` \| `(\{.*\})` \|", PAGE, re.MULTILINE)
DEFINITIONS = schema()["$defs"]


def keys(part: str) -> set[str]:
    return set(DEFINITIONS[part]["properties"])


@pytest.mark.parametrize(("key", "example"), EXAMPLES)
def test_every_example_of_a_condition_loads_and_has_its_key(key: str, example: str) -> None:
    when = yaml.safe_load(example)
    said = {"name": "r", "when": when, "then": "hold"}
    parse(LEAST + yaml.safe_dump({"approvals": {"rules": [said]}}))
    for step in key.split("."):
        when = when[step]


def test_every_key_of_the_grammar_has_an_example() -> None:
    grammar = {*(f"consumer.{key}" for key in keys("ConsumerPart")), *(f"target.{key}" for key in keys("TargetPart"))}
    assert {key for key, _ in EXAMPLES} == grammar | keys("WhenPart") - {"consumer", "target"}


def test_the_consumers_own_words_narrow_an_approval_and_alone_are_none() -> None:
    words = PAGE.partition("in its own words")[2].partition("### ")[0]
    for _, example in re.findall(r"^\| `([a-zA-Z.]+)` \| `(\{.*\})` \|", words, re.MULTILINE):
        said = {"name": "r", "when": yaml.safe_load(example), "then": "approve"}
        parse(LEAST + yaml.safe_dump({"approvals": {"rules": [said]}}))


def test_every_fact_is_on_the_page() -> None:
    table = PAGE.partition("| fact | is |")[2].partition("\n\n")[0]
    rows = [line.split("|") for line in table.splitlines() if line.startswith("| `")]
    named = [name for row in rows for name in re.findall(r"`([a-zA-Z.]+)`", row[1])]
    assert sorted(named) == sorted(FACTS)
    kinds = {name: row[2].strip().partition(":")[0] for row in rows for name in re.findall(r"`([a-zA-Z.]+)`", row[1])}
    assert kinds == {name: fact.kind.value.replace("tags", "map of text to text") for name, fact in FACTS.items()}


def test_the_policy_on_the_page_has_no_warnings_and_its_cases_pass(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "hubwarden.yaml").write_text(LEAST + POLICY, encoding="utf-8")
    (tmp_path / "cases.yaml").write_text(CASES, encoding="utf-8")
    assert cli.main(["policy", "check", str(tmp_path / "hubwarden.yaml")]) == 0
    assert cli.main(["policy", "test", str(tmp_path / "cases.yaml")]) == 0
    assert capsys.readouterr().out.splitlines() == ["3 rules, no faults, no warnings", "3 cases, 0 failed"]


def test_the_check_of_a_pull_request_on_the_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the files that it names, and the policy as it was before."""
    monkeypatch.chdir(tmp_path)
    for name, text in {
        "hubwarden.yaml": LEAST + POLICY,
        "before.yaml": LEAST + POLICY,
        "policy-cases.yaml": CASES,
        "waiting.yaml": write_snapshot([]),
    }.items():
        Path(name).write_text(text, encoding="utf-8")
    runs = [step["run"] for step in yaml.safe_load(WORKFLOW)["jobs"]["policy"]["steps"] if "run" in step]
    commands = [shlex.split(run)[3:] for run in runs if run.startswith("python -m hubwarden ")]
    assert [command[:2] for command in commands] == [["policy", "check"], ["policy", "test"], ["policy", "try"]]
    assert [cli.main(command) for command in commands] == [0, 0, 0]
    assert capsys.readouterr().out.splitlines()[-1].startswith("0 of 0 connections")


def test_every_option_of_policy_try_is_on_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["policy", "try", "--help"])
    offered = set(re.findall(r"(--[a-z-]+)", capsys.readouterr().out)) - {"--help"}
    assert offered == set(re.findall(r"(--[a-z]+)", PAGE.partition("policy try [FILE]")[2].partition("```")[0]))
