"""The grammar of approvals.rules: what each key comes to, every fault with its line and key, and possible slips."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from hubwarden.cli import main
from hubwarden.config.loading import parse
from hubwarden.model.connection import Verdict
from hubwarden.model.expression import Expression, Regex
from hubwarden.model.glob import Glob
from hubwarden.model.note import Note
from hubwarden.model.policy import Rule
from tests.unit.given import SPOKE
from tests.unit.test_config import LEAST, faults
from tests.unit.test_config_approvals import rules

OWN = "consumer: {in: estate}"
FACTORIES = "Microsoft.DataFactory/factories"
OWN_WORDS = (
    "it would approve whoever says the right words: names, tags, locations and messages are the consumer's own; a rule "
    "that approves also asks subscriptions, managementGroups, in or managedBy under when.consumer, or a cel asks "
    "consumer.subscription, managementGroups, inEstate or tenancy"
)


def slips(*lines: str) -> list[str]:
    """What is warned of, without the name of the file."""
    return [warning.removeprefix("f: ") for warning in parse(rules(*lines), "f")[1]]


def test_every_key_is_heard() -> None:
    said = f"""
approvals:
  rules:
    - name: whole
      when:
        consumer:
          managementGroups: [corp]
          managedBy: {{types: [{FACTORIES}], in: estate}}
          resourceGroups: [RG-*]
          endpoints: ["pe-?"]
          locations: [WestEurope]
          tags: {{Env: "prod*"}}
        target:
          managementGroups: [root]
          resourceGroups: [rg]
          names: [st*]
          locations: [westeurope]
          tags: {{owner: "*"}}
        message: INC[0-9]+
        age: 2h
        cel: |
          consumer.inEstate &&
          target.name == 'a'
      then: approve
      note: to {{target.name}}
"""
    [rule] = parse(LEAST + said)[0].approvals.policy().rules
    assert rule == Rule(
        name="whole",
        then=Verdict.APPROVE,
        note=Note("to {target.name}"),
        consumer_management_groups=("corp",),
        managed_by=(FACTORIES,),
        consumer_resource_groups=(Glob("rg-*"),),
        consumer_endpoints=(Glob("pe-?"),),
        consumer_locations=("westeurope",),
        consumer_tags=(("Env", Glob("prod*")),),
        target_management_groups=("root",),
        target_resource_groups=(Glob("rg"),),
        target_names=(Glob("st*"),),
        target_locations=("westeurope",),
        target_tags=(("owner", Glob("*")),),
        message=Regex("INC[0-9]+"),
        older_than=7200.0,
        cel=Expression.parse("consumer.inEstate &&\ntarget.name == 'a'\n"),
    )


@pytest.mark.parametrize(
    ("when", "fault"),
    [
        ("consumer: {endpoints: ['*']}", "consumer.endpoints.0: every name matches it, so it asks nothing; leave the"),
        ("consumer: {endpoints: ['']}", "consumer.endpoints.0: '' is no name: 1 to 260 characters that can be seen"),
        ("consumer: {endpoints: [5]}", "consumer.endpoints.0: a name is text, not int"),
        ("consumer: {endpoints: []}", "consumer.endpoints: it needs at least 1"),
        ("consumer: {tags: {}}", "consumer.tags: it needs at least 1"),
        ("consumer: {tags: {a: 5}}", "consumer.tags.a: a name is text, not int"),
        ("consumer: {tags: {a: b, A: c}}", "consumer.tags: a is there twice: Azure compares names of tags without"),
        ("consumer: {tags: }", "consumer.tags: say what it is, or leave the key out"),
        ("consumer: {managementGroups: [a b]}", "consumer.managementGroups.0: 'a b' does not look right"),
        ("consumer: {managedBy: {types: [A.B/c], in: estate}}", "consumer.managedBy.types.0: 'A.B/c' has no managed"),
        (f"consumer: {{managedBy: {{types: [{FACTORIES}]}}}}", "consumer.managedBy.in: is missing"),
        (
            f"consumer: {{managedBy: {{types: [{FACTORIES}], in: tenant}}}}",
            "consumer.managedBy.in: it should be 'estate', not 'tenant'",
        ),
        ("consumer: {managedBy: }", "consumer.managedBy: say what it is, or leave the key out"),
        ("target: {locations: [West Europe]}", "target.locations.0: 'West Europe' does not look right"),
        ("message: '('", "message: not a regular expression as RE2 has them: missing ): ("),
        ("message: ", "message: say what it is, or leave the key out"),
        ("age: 0s", "age: "),
        ("age: soon", "age: a duration is a whole number and ms, s, m, h or d, such as 15s"),
        ("cel: consumer.inestate", "cel: not CEL that can be used: at character 9: undeclared reference to"),
        ("cel: 5", "cel: a CEL expression is text, not int"),
        ("cel: target.name", "cel: a condition is true or false, and this is STRING"),
        ("target: ", "target: say what it is, or leave the key out"),
    ],
)
def test_a_fault_in_a_condition_is_told_with_its_line_and_key(when: str, fault: str) -> None:
    [told] = faults(rules("{name: first, then: hold}", f"{{name: r, when: {{{when}}}, then: hold}}"))
    assert told.startswith(f"line 9: approvals.rules.1.when.{fault}")


def test_the_line_of_a_fault_is_that_of_its_key() -> None:
    rule = ["- name: r", "  when:", "    groups: [blob]", "    cel: 'true'", "  then: hold"]
    [told] = faults(LEAST + "\n".join(["approvals:", "  rules:", *(f"  {line}" for line in rule)]))
    assert told.startswith("line 11: approvals.rules.0.when.cel: it names no fact")


@pytest.mark.parametrize(
    "when",
    [
        "consumer: {endpoints: [pe-*]}",
        "consumer: {resourceGroups: [rg]}",
        "consumer: {locations: [westeurope]}",
        "consumer: {tags: {env: prod}}",
        "message: please",
        "cel: \"consumer.name == 'a' && target.name == 'b'\"",
        "cel: message == 'please', target: {names: [st]}",
    ],
)
def test_nobody_is_approved_by_a_rule_that_rests_on_the_consumers_own_words(when: str) -> None:
    assert faults(rules(f"{{name: r, when: {{{when}}}, then: approve}}")) == [f"line 8: approvals.rules.0: {OWN_WORDS}"]
    parse(rules(f"{{name: r, when: {{{when}}}, then: hold}}"))


@pytest.mark.parametrize(
    "when",
    [
        "consumer: {managementGroups: [corp]}",
        f"consumer: {{subscriptions: [{SPOKE}]}}",
        "consumer: {in: tenant, endpoints: [pe-*]}",
        f"consumer: {{managedBy: {{types: [{FACTORIES}], in: estate}}}}",
        "cel: consumer.inEstate",
        "cel: consumer.tenancy == 'ours'",
    ],
)
def test_what_azure_shows_of_the_consumer_may_approve(when: str) -> None:
    [rule] = parse(rules(f"{{name: r, when: {{{when}}}, then: approve}}"))[0].approvals.policy().rules
    assert rule.knows_the_consumer


@pytest.mark.parametrize("when", ["", "age: 30d", "cel: age > duration('1h')"])
def test_a_rejection_that_could_match_everything_is_a_fault(when: str) -> None:
    fault = "without a condition it could match everything, and a rejection is final: give it one"
    assert faults(rules(f"{{name: r, when: {{{when}}}, then: reject}}")) == [f"line 8: approvals.rules.0: {fault}"]


@pytest.mark.parametrize(
    ("note", "fault"),
    [
        ("to {target.nam}", "'target.nam' is no fact that a note can show"),
        ('"a\\nb"', "a note is one line of 1 to 140 characters"),
        ("5", "a note is text, not int"),
    ],
)
def test_a_note_that_cannot_be_is_a_fault(note: str, fault: str) -> None:
    [told] = faults(
        rules(
            f"{{name: r, note: {note!r}, then: hold}}" if note[0] == "t" else f"{{name: r, note: {note}, then: hold}}"
        )
    )
    assert told.startswith(f"line 8: approvals.rules.0.note: {fault}")


def test_a_rule_that_is_never_reached_is_warned_of() -> None:
    wide = f"{{name: wide, when: {{{OWN}, target: {{names: [a, b]}}}}, then: approve}}"
    narrow = f"{{name: narrow, when: {{{OWN}, target: {{names: [B]}}, groups: [blob]}}, then: reject}}"
    why = "'narrow' is never reached: whatever it matches, 'wide' matches before it"
    assert slips(wide, narrow) == [f"line 9: approvals.rules.1: {why}"]
    assert slips(narrow, wide) == []


def test_a_rule_may_ask_age_and_managers_without_a_warning() -> None:
    managed = f"consumer: {{managedBy: {{types: [{FACTORIES}], in: estate}}}}, target: {{names: [a]}}"
    assert slips(f"{{name: r, when: {{{managed}, age: 1d}}, then: approve}}") == []
    assert slips("{name: r, when: {cel: age > duration('1h')}, then: hold}") == []


def managed(*types: str) -> str:
    """A rule that approves what resources of these types have made."""
    listed = ", ".join(types)
    when = f"{{consumer: {{managedBy: {{types: [{listed}], in: estate}}}}, target: {{names: [a]}}}}"
    return f"{{name: managed, when: {when}, then: approve}}"


def test_a_type_that_shows_no_managed_endpoints_through_arm_is_warned_of() -> None:
    """REST reference, Synapse data plane: a workspace lists them at its own address, with a token for that."""
    why = "does not show its managed endpoints through ARM: while the estate has one, every managedBy holds"
    assert slips(managed(FACTORIES, "microsoft.synapse/workspaces")) == [
        f"line 8: approvals.rules.0.when.consumer.managedBy: Microsoft.Synapse/workspaces {why}"
    ]
    assert slips(managed(FACTORIES)) == []


def test_microsofts_tenancy_without_a_rule_that_could_prove_it_is_warned_of() -> None:
    asks = """{name: r, when: {cel: "consumer.tenancy == 'microsoft'"}, then: hold}"""
    why = "only what managedBy of some rule asks can prove a tenancy to be 'microsoft', and no rule has it"
    assert slips(asks) == [f"line 8: approvals.rules.0.when.cel: {why}"]
    assert slips(asks, managed(FACTORIES)) == []


@pytest.mark.parametrize(
    ("cel", "warned"),
    [
        ("target.name == 'Orders'", True),
        ("target.name == 'orders'", False),
        ("message == 'Orders' || target.name == 'Orders'", False),
        ("target.tags.env == 'Prod'", False),
    ],
)
def test_capitals_that_no_fact_has_are_warned_of(cel: str, warned: bool) -> None:
    said = yaml.safe_dump({"name": "r", "when": {"cel": cel}, "then": "hold"}, default_flow_style=True, width=1000)
    why = "the facts are in lower case, and a text with capitals is compared as it stands: it may never be equal"
    assert slips(said.strip()) == ([f"line 8: approvals.rules.0.when.cel: {why}"] if warned else [])


def test_a_cel_that_asks_the_target_is_a_restriction_on_it() -> None:
    assert slips("{name: r, when: {cel: \"consumer.inEstate && target.name == 'a'\"}, then: approve}") == []
    assert len(slips("{name: r, when: {cel: consumer.inEstate}, then: approve}")) == 1


# The shell: policy check, policy test.

CASES = f"""\
cases:
  - name: own
    facts:
      consumer: {{inEstate: true}}
      target: {{type: A.B/c, subscription: {SPOKE}}}
    expect: {{verdict: approve, rule: Own}}
  - name: other
    facts:
      target: {{type: A.B/c, subscription: {SPOKE}}}
      age: 1h
    expect: {{verdict: hold}}
"""


def filed(directory: Path, cases: str, *lines: str) -> str:
    """A policy with these rules and a file of cases beside it; the path of the cases."""
    (directory / "hubwarden.yaml").write_text(rules(*lines), encoding="utf-8")
    (directory / "cases.yaml").write_text(cases, encoding="utf-8")
    return str(directory / "cases.yaml")


def test_cases_that_come_out_as_expected_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "test", filed(tmp_path, CASES, f"{{name: own, when: {{{OWN}}}, then: approve}}")]) == 0
    assert capsys.readouterr().out == "2 cases, 0 failed\n"


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (
            "{name: own, then: hold}",
            "failed: own: expected approve by Own, but hold: rule own: it has no conditions",
        ),
        (
            f"{{name: others, when: {{{OWN}}}, then: approve}}",
            "failed: own: expected approve by Own, but approve: rule others: the consumer is in the estate",
        ),
    ],
)
def test_a_case_that_comes_out_otherwise_fails_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], rule: str, told: str
) -> None:
    unused = "{name: unused, when: {target: {names: [x]}}, then: hold}"
    assert main(["policy", "test", filed(tmp_path, CASES, rule, unused)]) == 1
    assert capsys.readouterr().out.splitlines() == [told, "never exercised: unused", "2 cases, 1 failed"]


@pytest.mark.parametrize(
    ("cases", "told"),
    [
        ("cases: []", "line 1: cases: it needs at least 1"),
        ("[]", "line 1: the file is a mapping; it has 'cases:'"),
        ("&a [*a]", "line 1: &a: no aliases or anchors; repeat the value"),
        (CASES.replace("inEstate", "inestate"), "line 4: cases.0.facts.consumer.inestate: is not a key here; allowed"),
        (CASES.replace("name: other", "name: Own"), "line 1: cases: two cases are called own; every case has a name"),
        (CASES.replace("verdict: hold", "verdict: accept"), "line 11: cases.1.expect.verdict: it should be 'approve'"),
        ("policy: none.yaml\n" + CASES, "none.yaml: cannot be read"),
    ],
)
def test_a_fault_in_a_file_of_cases_is_bad_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], cases: str, told: str
) -> None:
    assert main(["policy", "test", filed(tmp_path, cases, "{name: r, then: hold}")]) == 2
    printed = capsys.readouterr()
    assert (told in printed.err, printed.out) == (True, "")


def test_the_check_of_a_policy_tells_its_faults_and_its_warnings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    filed(tmp_path, "", "{name: first, then: hold}", f"{{name: r, when: {{{OWN}}}, then: approve}}")
    file = tmp_path / "hubwarden.yaml"
    assert main(["policy", "check", str(file)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{file}: line 9: approvals.rules.1: 'r' approves connections to every kind of target",
        f"{file}: line 9: approvals.rules.1: 'r' is never reached: whatever it matches, 'first' matches before it",
    ]
    file.write_text(rules("{name: r, then: accept}"), encoding="utf-8")
    assert main(["policy", "check", str(file)]) == 2
    assert "approvals.rules.0.then: it should be 'approve', 'reject' or 'hold'" in capsys.readouterr().err
    file.write_text(LEAST + "followUps: [1s]\nformerly: [a]\n", encoding="utf-8")
    assert main(["policy", "check", str(file)]) == 0
    assert capsys.readouterr().out == "0 rules, no faults, no warnings\n"
