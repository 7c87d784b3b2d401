"""`policy try`, and the forms of `policy check` and `policy test`: what a pull request can be checked with."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from hubwarden.approval.decide import judge
from hubwarden.approval.rehearse import compare, judge_each
from hubwarden.cli import main
from hubwarden.config.snapshot import write_snapshot
from hubwarden.model.facts import Facts
from hubwarden.model.judgement import Asking
from hubwarden.model.policy import Policy
from hubwarden.model.resource_id import ResourceId
from tests.unit.given import ENDPOINT, TARGET
from tests.unit.test_config import LEAST
from tests.unit.test_config_approvals import rules
from tests.unit.test_config_policy import CASES, filed
from tests.unit.test_policy import KNOWN, POLICIES, STORAGE, VAULT, known_in_part

FIRST, SECOND = (ResourceId.parse(f"{TARGET}/privateEndpointConnections/c{number}") for number in (1, 2))
WAITING = (
    Asking(FIRST, ENDPOINT, replace(KNOWN, message="let me in \x1b[2J")),
    Asking(SECOND, None, replace(KNOWN, target_type=VAULT)),
)
STORAGES = f"{{name: storages, when: {{consumer: {{in: estate}}, target: {{types: [{STORAGE}]}}}}, then: approve}}"
SAME = STORAGES.replace("name: storages", "name: the same")
VAULTS = f"{{name: vaults, when: {{consumer: {{in: estate}}, target: {{types: [{VAULT}]}}}}, then: reject}}"
REST = "{name: rest, then: hold}"

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """A snapshot needs neither Azure nor settings."""
    for name in ("AzureWebJobsStorage", "ARM_ENDPOINT", "IDENTITY_ENDPOINT", "HUBWARDEN_CONFIG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def snapshot(tmp_path: Path) -> str:
    """The file with what waits."""
    file = tmp_path / "waiting.yaml"
    file.write_text(write_snapshot(WAITING), encoding="utf-8")
    return str(file)


def policy(directory: Path, name: str, *lines: str) -> str:
    """A file with these rules."""
    file = directory / name
    file.write_text(rules(*lines), encoding="utf-8")
    return str(file)


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_what_would_be_decided_is_shown_with_rule_and_reason(tmp_path: Path, snapshot: str, capsys: Capture) -> None:
    file = policy(tmp_path, "p.yaml", STORAGES, REST)
    assert main(["policy", "try", file, "--snapshot", snapshot]) == 0
    first, second, summary = capsys.readouterr().out.rstrip().split("\n\n")
    why = f"rule storages: the consumer is in the estate, the target is a {STORAGE}"
    assert first.splitlines() == [
        f"connection  {FIRST}",
        f"type        {STORAGE}",
        f"endpoint    {ENDPOINT}",
        "verdict     approve",
        "rule        storages",
        f"reason      {why}",
    ]
    assert second.endswith("rule rest: it has no conditions")
    assert summary == "2 connections waiting: 1 approve, 1 hold"


def test_the_same_as_json_and_as_csv(tmp_path: Path, snapshot: str, capsys: Capture) -> None:
    file = policy(tmp_path, "p.yaml", STORAGES)
    assert main(["policy", "try", file, "--snapshot", snapshot, "--format", "json"]) == 0
    first, second = json.loads(capsys.readouterr().out)["value"]
    assert first["connection"] == str(FIRST)
    assert (first["endpoint"], first["type"], first["verdict"], first["rule"]) == (
        str(ENDPOINT),
        STORAGE,
        "approve",
        "storages",
    )
    assert (second["endpoint"], second["verdict"], second["rule"]) == (None, "hold", None)
    assert second["reason"] == "no rule matches, and what no rule matches waits for a person"
    assert main(["policy", "try", file, "--snapshot", snapshot, "--format", "csv"]) == 0
    rows = table(capsys.readouterr().out)
    assert [(row["connection"], row["verdict"], row["rule"]) for row in rows] == [
        (str(FIRST), "approve", "storages"),
        (str(SECOND), "hold", ""),
    ]


def test_without_a_file_the_configured_policy_is_tried(
    tmp_path: Path, snapshot: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUBWARDEN_CONFIG", policy(tmp_path, "p.yaml", VAULTS))
    assert main(["policy", "try", "--snapshot", snapshot]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "2 connections waiting: 1 reject, 1 hold"


def test_nobody_waiting_is_nothing_to_show(tmp_path: Path, capsys: Capture) -> None:
    nobody = tmp_path / "nobody.yaml"
    nobody.write_text("connections: []\n", encoding="utf-8")
    file = policy(tmp_path, "p.yaml", STORAGES)
    assert main(["policy", "try", file, "--snapshot", str(nobody)]) == 0
    assert capsys.readouterr().out == "0 connections waiting\n"
    assert main(["policy", "try", file, "--snapshot", str(nobody), "--against", file]) == 0
    assert capsys.readouterr().out == "0 of 0 connections would be decided otherwise, 0 with another verdict\n"


@pytest.mark.parametrize(
    ("after", "code", "changes", "summary"),
    [
        ((STORAGES, REST), 0, [], "0 of 2 connections would be decided otherwise, 0 with another verdict"),
        (
            (SAME, REST),
            0,
            ["approve by storages -> approve by the same"],
            "1 of 2 connections would be decided otherwise, 0 with another verdict",
        ),
        (
            (VAULTS,),
            3,
            ["approve by storages -> hold", "hold by rest -> reject by vaults"],
            "2 of 2 connections would be decided otherwise, 2 with another verdict",
        ),
    ],
)
def test_against_another_policy_only_what_changes_is_shown(
    tmp_path: Path, snapshot: str, capsys: Capture, after: tuple[str, ...], code: int, changes: list[str], summary: str
) -> None:
    """Exit code 3 where a verdict differs, so that the check of a pull request can ask for a look."""
    before, other = policy(tmp_path, "before.yaml", STORAGES, REST), policy(tmp_path, "after.yaml", *after)
    assert main(["policy", "try", before, "--snapshot", snapshot, "--against", other]) == code
    *lines, last = capsys.readouterr().out.splitlines()
    assert last == summary
    told = [line.removeprefix("before -> after").strip() for line in lines if line.startswith("before -> after")]
    assert told == changes


def test_changes_as_json_and_as_csv(tmp_path: Path, snapshot: str, capsys: Capture) -> None:
    before, other = policy(tmp_path, "before.yaml", STORAGES, REST), policy(tmp_path, "after.yaml", VAULTS, REST)
    asked = ["policy", "try", before, "--snapshot", snapshot, "--against", other, "--format"]
    assert main([*asked, "json"]) == 3
    told = json.loads(capsys.readouterr().out)
    assert (told["connections"], told["otherVerdicts"], len(told["value"])) == (2, 2, 2)
    assert told["value"][0]["before"]["verdict"] == "approve"
    assert told["value"][0]["after"] == {"verdict": "hold", "rule": "rest", "reason": "rule rest: it has no conditions"}
    assert main([*asked, "csv"]) == 3
    rows = table(capsys.readouterr().out)
    assert [(row["before"], row["ruleBefore"], row["after"], row["ruleAfter"]) for row in rows] == [
        ("approve", "storages", "hold", "rest"),
        ("hold", "rest", "reject", "vaults"),
    ]


def test_a_strangers_text_does_not_steer_a_terminal(tmp_path: Path, capsys: Capture) -> None:
    """What a person wrote into a name of a case is shown escaped, and so is the target's type of a snapshot."""
    cases = CASES.replace("name: other", 'name: "o\\x1b[2J"').replace("verdict: hold", "verdict: reject")
    assert (
        main(["policy", "test", filed(tmp_path, cases, f"{{name: own, when: {{{'groups: [a]'}}}, then: hold}}")]) == 1
    )
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "o\\x1b[2J" in out


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("rules: {name: r, then: accept}", "approvals.rules.0.then: it should be 'approve', 'reject' or 'hold'"),
        ("snapshot: 'connections: [{}]'", "line 1: connections.0.connection: is missing"),
    ],
)
def test_bad_files_are_bad_input_with_line_and_key(
    tmp_path: Path, snapshot: str, capsys: Capture, file: str, told: str
) -> None:
    good, bad = policy(tmp_path, "good.yaml", REST), policy(tmp_path, "bad.yaml", "{name: r, then: accept}")
    broken = tmp_path / "broken.yaml"
    broken.write_text("connections: [{}]", encoding="utf-8")
    asked = (
        [[bad, "--snapshot", snapshot], [good, "--snapshot", snapshot, "--against", bad]]
        if file.startswith("rules")
        else [[good, "--snapshot", str(broken)]]
    )
    for arguments in asked:
        assert main(["policy", "try", *arguments]) == 2
        printed = capsys.readouterr()
        assert (told in printed.err, printed.out) == (True, "")


def test_a_snapshot_is_read_or_saved_and_not_both(snapshot: str, capsys: Capture) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["policy", "try", "--snapshot", snapshot, "--save", snapshot])
    assert ended.value.code == 2
    assert "not allowed with" in capsys.readouterr().err


@given(POLICIES, POLICIES, known_in_part())
def test_a_comparison_has_what_differs_and_nothing_else(
    before: Policy, after: Policy, facts: tuple[Facts, Facts]
) -> None:
    waiting = [Asking(FIRST, ENDPOINT, facts[0]), Asking(SECOND, None, facts[1])]
    said = [(judge(before, each.facts), judge(after, each.facts)) for each in waiting]
    found = compare(before, after, waiting)
    differ = [(one, other) for one, other in said if (one.verdict, one.rule) != (other.verdict, other.rule)]
    assert [(each.before, each.after) for each in found.changes] == differ
    assert (found.of, found.other_verdicts) == (2, sum(one.verdict is not other.verdict for one, other in differ))
    assert [each.judgement for each in judge_each(before, waiting)] == [one for one, _ in said]
    assert compare(before, before, waiting).changes == ()


# policy check and policy test in other forms.


def fault(**told: Any) -> dict[str, Any]:
    return {"file": None, "line": None, "key": None, **told}


@pytest.mark.parametrize(
    ("text", "line", "key", "message"),
    [
        (
            rules("{name: r, then: accept}"),
            8,
            "approvals.rules.0.then",
            "it should be 'approve', 'reject' or 'hold', not",
        ),
        (rules("{name: r, then: hold"), 9, None, "not YAML: expected ',' or '}', but got"),
        (rules("{name: &a r, then: hold}"), 8, None, "&a: no aliases or anchors; repeat the value"),
        ("[]", 1, None, "the file is a mapping; it begins with 'instance: <name>'"),
    ],
)
def test_a_fault_as_json_has_file_line_key_and_message(
    tmp_path: Path, capsys: Capture, text: str, line: int, key: str | None, message: str
) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(text, encoding="utf-8")
    assert main(["policy", "check", str(file), "--format", "json"]) == 2
    told = json.loads(capsys.readouterr().out)
    assert told["warnings"] == []
    [found] = told["faults"]
    assert (found["file"], found["key"], found["message"][: len(message)]) == (str(file), key, message)
    assert found["line"] == line


def test_a_fault_without_a_place_is_its_message(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "p.yaml"
    file.write_text("#" * 256_001, encoding="utf-8")
    assert main(["policy", "check", str(file), "--format", "json"]) == 2
    [found] = json.loads(capsys.readouterr().out)["faults"]
    assert found == fault(message=f"{file}: the file has 256001 characters; at most 256000 are read")
    assert main(["policy", "check", str(file), "--format", "csv"]) == 2
    [row] = table(capsys.readouterr().out)
    assert (row["severity"], row["file"], row["line"], row["message"]) == ("fault", "", "", found["message"])


def test_warnings_are_told_apart_from_faults(tmp_path: Path, capsys: Capture) -> None:
    file = policy(tmp_path, "p.yaml", REST, STORAGES)
    why = "'storages' is never reached: whatever it matches, 'rest' matches before it"
    assert main(["policy", "check", file, "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"faults": [], "warnings": [fault(file=file, line=9, key="approvals.rules.1", message=why)]}
    assert main(["policy", "check", file, "--format", "csv"]) == 0
    [row] = table(capsys.readouterr().out)
    assert row == {"severity": "warning", "file": file, "line": "9", "key": "approvals.rules.1", "message": why}


def test_a_policy_without_warnings_is_an_empty_list(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(LEAST, encoding="utf-8")
    assert main(["policy", "check", str(file), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"faults": [], "warnings": []}


def test_every_case_is_told_with_what_was_expected(tmp_path: Path, capsys: Capture) -> None:
    asked = ["policy", "test", filed(tmp_path, CASES, "{name: own, then: hold}", REST), "--format"]
    assert main([*asked, "json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["neverExercised"] == ["rest"]
    assert [(each["case"], each["passed"], each["verdict"], each["rule"]) for each in told["value"]] == [
        ("own", False, "hold", "own"),
        ("other", True, "hold", "own"),
    ]
    assert [each["expected"] for each in told["value"]] == [
        {"verdict": "approve", "rule": "Own"},
        {"verdict": "hold", "rule": None},
    ]
    assert main([*asked, "csv"]) == 1
    first, second = table(capsys.readouterr().out)
    assert (first["case"], first["passed"], first["expected"]) == ("own", "false", "approve by Own")
    assert (second["passed"], second["expected"], second["reason"]) == (
        "true",
        "hold",
        "rule own: it has no conditions",
    )
