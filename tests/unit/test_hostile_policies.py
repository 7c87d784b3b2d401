"""Policies made to exhaust whoever reads them: refused, or read and decided by, and never more than that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hubwarden.approval.decide import judge
from hubwarden.config.loading import load
from hubwarden.errors import InputError
from hubwarden.model.endpoint import Tenancy
from hubwarden.model.expression import Expression, Regex
from hubwarden.model.facts import Facts
from tests.unit.given import SPOKE
from tests.unit.test_config import STORAGE
from tests.unit.test_config_approvals import rules

OWN = "consumer: {in: estate}"
FACTS = Facts(SPOKE, "Microsoft.Storage/storageAccounts", SPOKE, groups=("blob",), message="a" * 4000 + "!")

NESTED = 240
EXPRESSIONS = {
    "parentheses": f"{'(' * NESTED}target.name == 'a'{')' * NESTED}",
    "negations": f"{'!' * 900}(target.name == 'a')",
    "lists": f"{'[' * NESTED}1{']' * NESTED} == [] || target.name == 'a'",
    "conditions": "target.name == 'a' ? true : " * 30 + "false",
    "alternatives": " || ".join(["groups.exists(g, g == 'x')"] * 3 + ["target.name == 'a'"] * 40),
    "literal": f"'{'a' * 900}' != target.name",
    "loops beside each other": "groups.all(a, a != 'x') && groups.all(b, b != 'x') && groups.all(c, c != 'x')",
    "a loop over what is made": "[1, 2, 3].all(a, [1, 2, 3].all(b, [1, 2, 3].all(c, target.name != 'x')))",
    "growth": "groups.map(g, g + g).exists(g, g == 'x')",
    "text that grows": "(message + message).contains('x')",
    "bytes that grow": "bytes(message) + bytes(message) == b'x'",
    "numbers": "9223372036854775807 + 1 > 0 || target.name == 'a'",
    "division": "1 / 0 == 1 || target.name == 'a'",
}


def ended(tried: Callable[[], bool | None]) -> bool:
    """Whether it came to true, false or not known, or was refused in a few words."""
    try:
        return tried() in (True, False, None)
    except InputError as refused:
        return 0 < len(str(refused)) < 1500


@pytest.mark.parametrize("key", EXPRESSIONS)
def test_an_expression_of_any_shape_is_refused_or_comes_to_an_end(key: str) -> None:
    assert ended(lambda: Expression.parse(EXPRESSIONS[key]).holds(FACTS))


@pytest.mark.parametrize("key", ["growth", "text that grows", "bytes that grow"])
def test_nothing_can_grow(key: str) -> None:
    with pytest.raises(InputError):
        Expression.parse(EXPRESSIONS[key])


@pytest.mark.parametrize(
    "text", ["(a{1000}){1000}", "((((a{50}){50}){50}){50})", "(a{0,1000}){0,1000}$", "(" * 999, "a{99999}", "x*" * 500]
)
def test_a_pattern_that_would_take_much_memory_is_refused_or_bounded(text: str) -> None:
    """RE2 has a budget for what it makes of a pattern; one within it takes time in proportion to the text."""
    assert ended(lambda: Regex.parse(text).matches("a" * 4000 + "!"))


MANY = 2000


def test_a_policy_of_two_thousand_rules_is_read_and_decides_by_each(tmp_path: Path) -> None:
    """The first, one in the middle, the last, and none: each found where it stands."""
    kinds = ("names: [n{0}]", "resourceGroups: ['rg{0}-*']", "tags: {{owner: o{0}}}")
    lines = [
        f"{{name: r{number}, when: {{{OWN}, target: {{{kinds[number % 3].format(number)}}}}}, then: approve}}"
        for number in range(MANY)
    ]
    file = tmp_path / "hubwarden.yaml"
    file.write_text(rules(*lines), encoding="utf-8")
    policy = load({"AzureWebJobsStorage": STORAGE, "HUBWARDEN_CONFIG": str(file)}).policy
    ours = replace(FACTS, consumer=SPOKE, in_estate=True, tenancy=Tenancy.OURS, target_tags={})
    ours = replace(ours, target_name="x", target_resource_group="rg")
    asking = [replace(ours, target_name="n0"), replace(ours, target_tags={"owner": "o1001"}), ours]
    asking.insert(2, replace(ours, target_resource_group="rg1999-a"))
    assert [judge(policy, each).rule for each in asking] == ["r0", "r1001", "r1999", ""]
