"""approvals in hubwarden.yaml: what the rules may say, what they come to, and every fault with its line and key."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
import yaml

from hubwarden.config.loading import Config, load, parse, schema
from hubwarden.errors import ConfigError
from hubwarden.model.connection import Verdict
from hubwarden.model.policy import Rule, Within
from tests.unit.given import SPOKE
from tests.unit.test_config import LEAST, STORAGE, faults

STORAGE_TYPE = "Microsoft.Storage/storageAccounts"


def config(tmp_path: Path, approvals: str) -> Config:
    """The settings with these approvals."""
    file = tmp_path / "hubwarden.yaml"
    file.write_text(LEAST + approvals, encoding="utf-8")
    return load({"AzureWebJobsStorage": STORAGE, "HUBWARDEN_CONFIG": str(file)})


def rules(*lines: str) -> str:
    """A file with these rules, the first on line 8."""
    return LEAST + "approvals:\n  rules:\n" + "".join(f"    - {line}\n" for line in lines)


def test_without_approvals_everything_is_held(tmp_path: Path) -> None:
    for text in ("", "approvals: {}", "approvals: {default: hold}"):
        found = config(tmp_path, text)
        assert (found.policy.rules, found.people) == ((), frozenset())
        assert (found.approve_limit, found.reject_limit, found.warnings) == (50, 10, ())


def test_everything_that_is_said_is_heard(tmp_path: Path) -> None:
    found = config(
        tmp_path,
        f"""\
approvals:
  default: hold
  limits: {{approve: 7, reject: 0}}
  people: [Network.Approvers]
  rules:
    - name: own storage
      when: {{consumer: {{in: estate}}, target: {{types: [{STORAGE_TYPE}]}}, groups: [blob, dfs]}}
      then: approve
    - name: named
      when: {{consumer: {{in: tenant, subscriptions: [{SPOKE.upper()}]}}, target: {{subscriptions: [{SPOKE}]}}}}
      then: hold
    - {{name: strangers, when: {{consumer: {{foreign: true}}}}, then: reject}}
    - {{name: the rest, then: hold}}
""",
    )
    assert found.policy.rules == (
        Rule(
            "own storage",
            Verdict.APPROVE,
            consumer_within=Within.ESTATE,
            target_types=(STORAGE_TYPE,),
            groups=("blob", "dfs"),
        ),
        Rule(
            "named",
            Verdict.HOLD,
            consumer_subscriptions=(SPOKE,),
            consumer_within=Within.TENANT,
            target_subscriptions=(SPOKE,),
        ),
        Rule("strangers", Verdict.REJECT, consumer_foreign=True),
        Rule("the rest", Verdict.HOLD),
    )
    assert found.people == {"Network.Approvers"}
    assert (found.approve_limit, found.reject_limit, found.warnings) == (7, 0, ())


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ("{name: a, then: approve}", "a rule that approves says under when.consumer who may connect"),
        (
            f"{{name: a, when: {{target: {{types: [{STORAGE_TYPE}]}}, groups: [blob]}}, then: approve}}",
            "a rule that approves says under when.consumer who may connect",
        ),
        (
            "{name: a, when: {consumer: {}, target: {}}, then: reject}",
            "without a condition it could match everything, and a rejection is final: give it one",
        ),
    ],
)
def test_a_rule_says_whom_it_approves_and_what_it_rejects(rule: str, fault: str) -> None:
    assert faults(rules(rule)) == [f"line 8: approvals.rules.0: {fault}"]


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ("{then: hold}", "name: is missing"),
        ("{name: a}", "then: is missing"),
        ("{name: a, then: accept}", "then: it should be 'approve', 'reject' or 'hold', not 'accept'"),
        ("{name: a, if: {}, then: hold}", "if: is not a key here; allowed are name, note, then, when"),
        (
            "{name: a, when: {targets: {}}, then: hold}",
            "when.targets: is not a key here; allowed are age, cel, consumer, groups, message, target",
        ),
        (
            "{name: a, when: {consumer: {tenant: x}}, then: hold}",
            "when.consumer.tenant: is not a key here; allowed are endpoints, foreign, in, locations, managedBy, ",
        ),
        (
            "{name: a, when: {target: {type: x}}, then: hold}",
            "when.target.type: is not a key here; allowed are locations, managementGroups, names, resourceGroups, ",
        ),
        (
            "{name: a, when: {consumer: {subscriptions: []}}, then: hold}",
            "when.consumer.subscriptions: it needs at least",
        ),
        ("{name: a, when: {groups: []}, then: hold}", "when.groups: it needs at least 1"),
        (
            "{name: a, when: {target: {types: [storage]}}, then: hold}",
            "when.target.types.0: 'storage' does not look right",
        ),
        ("{name: a, when: {consumer: {in: }}, then: hold}", "when.consumer.in: say what it is, or leave the key out"),
        ("{name: a, when: {consumer: {in: hub}}, then: hold}", "when.consumer.in: it should be 'estate' or 'tenant'"),
        ("{name: a, when: {consumer: {foreign: }}, then: hold}", "when.consumer.foreign: say what it is, or leave"),
        (
            "{name: a, when: {consumer: {foreign: false}}, then: hold}",
            "when.consumer.foreign: it should be true, not false",
        ),
        ('{name: "a\\nb", then: hold}', "name: 'a\\nb' does not look right"),
        (f"{{name: {'a' * 61}, then: hold}}", f"name: '{'a' * 61}' does not look right"),
    ],
)
def test_a_fault_in_a_rule_is_told_with_its_line_and_key(rule: str, fault: str) -> None:
    [told] = faults(rules("{name: first, then: hold}", rule))
    assert told.startswith(f"line 9: approvals.rules.1.{fault}") or told.startswith(
        f"line 9: approvals.rules.1: {fault}"
    )


def test_every_rule_has_a_name_of_its_own() -> None:
    [fault] = faults(rules("{name: own storage, then: hold}", "{name: Own Storage, then: hold}"))
    assert fault == "line 7: approvals.rules: two rules are called own storage; every rule has a name of its own"


def test_a_rule_that_approves_for_every_target_is_warned_of(tmp_path: Path) -> None:
    when = "when: {consumer: {in: estate}, groups: [blob]}"
    first = "{name: first, when: {groups: [file]}, then: hold}"
    _, warnings = parse(rules(first, f"{{name: wide, {when}, then: approve}}"), "f")
    assert warnings == ("f: line 9: approvals.rules.1: 'wide' approves connections to every kind of target",)
    assert parse(rules(f"{{name: wide, {when}, then: reject}}"))[1] == ()


def test_hold_is_the_only_default() -> None:
    for default in ("approve", "reject"):
        with pytest.raises(ConfigError, match=r"approvals.default: it should be 'hold'"):
            parse(LEAST + f"approvals: {{default: {default}}}")


@pytest.mark.parametrize(
    ("rule", "is_one"),
    [
        (f"{{name: a, when: {{consumer: {{in: estate}}, target: {{types: [{STORAGE_TYPE}]}}}}, then: approve}}", True),
        ("{name: a, then: hold}", True),
        ("{name: a, when: {consumer: {subscriptions: []}}, then: hold}", False),
        ("{name: a, when: {consumer: {foreign: false}}, then: hold}", False),
        ("{name: a, when: {colour: red}, then: hold}", False),
        ("{name: a, then: accept}", False),
        ("{name: '', then: hold}", False),
    ],
)
def test_the_schema_for_editors_and_we_agree(rule: str, is_one: bool) -> None:
    assert jsonschema.Draft202012Validator(schema()).is_valid(yaml.safe_load(rules(rule))) is is_one
    if is_one:
        parse(rules(rule))
    else:
        assert faults(rules(rule))
