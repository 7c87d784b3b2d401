"""Each condition of a rule by itself: when it holds, when not, and when that is not known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hubwarden.approval.conditions import conditions
from hubwarden.approval.prepared import PreparedRule
from hubwarden.model.connection import Verdict
from hubwarden.model.endpoint import Tenancy
from hubwarden.model.expression import Expression, Regex
from hubwarden.model.facts import FACTS, Facts
from hubwarden.model.glob import Glob
from hubwarden.model.policy import Rule, Within
from hubwarden.model.resource_id import ResourceId
from tests.unit.given import SPOKE

FACTORIES, GRAFANA = "Microsoft.DataFactory/factories", "Microsoft.Dashboard/grafana"
FACTORY = ResourceId.parse(f"/subscriptions/{SPOKE}/resourceGroups/rg/providers/{FACTORIES}/adf")
OTHER_FACTORY = ResourceId.parse(f"/subscriptions/{SPOKE}/resourceGroups/rg/providers/{FACTORIES}/other")
BLANK = Facts(None, "Microsoft.Storage/storageAccounts", SPOKE)
PROD = (Glob("prod-*"), Glob("live"))


def facts(**known: Any) -> Facts:
    """Facts of which only this is known."""
    return replace(BLANK, **known)


def rule(**asked: Any) -> Rule:
    return Rule("r", Verdict.HOLD, **asked)


def matches(asks: Rule, known: Facts) -> bool | None:
    """Whether a rule matches; None where that is not known."""
    return PreparedRule.of(asks).matches(known)


@pytest.mark.parametrize("condition", ["consumer_management_groups", "target_management_groups"])
@pytest.mark.parametrize(
    ("groups", "expected"), [(("root", "CORP"), True), (("root",), False), ((), False), (None, None)]
)
def test_one_of_the_management_groups_above_is_enough(
    condition: str, groups: tuple[str, ...] | None, expected: bool | None
) -> None:
    asks = rule(**{condition: ("corp", "online")})
    assert matches(asks, facts(**{condition: groups})) is expected


@pytest.mark.parametrize(
    ("fact", "condition"),
    [
        ("consumer_resource_group", "consumer_resource_groups"),
        ("consumer_name", "consumer_endpoints"),
        ("target_resource_group", "target_resource_groups"),
        ("target_name", "target_names"),
    ],
)
@pytest.mark.parametrize(
    ("name", "expected"), [("PROD-1", True), ("Live", True), ("prod", False), ("live2", False), (None, None)]
)
def test_a_name_is_like_one_of_the_globs(fact: str, condition: str, name: str | None, expected: bool | None) -> None:
    assert matches(rule(**{condition: PROD}), facts(**{fact: name})) is expected


@pytest.mark.parametrize(
    ("fact", "condition"), [("consumer_location", "consumer_locations"), ("target_location", "target_locations")]
)
@pytest.mark.parametrize(("place", "expected"), [("WestEurope", True), ("northeurope", False), (None, None)])
def test_a_location_is_one_of_those_named(fact: str, condition: str, place: str | None, expected: bool | None) -> None:
    assert matches(rule(**{condition: ("westeurope",)}), facts(**{fact: place})) is expected


@pytest.mark.parametrize("condition", ["consumer_tags", "target_tags"])
@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"ENV": "Prod", "owner": "x"}, True),
        ({"env": "prod", "owner": ""}, True),
        ({"env": "prod"}, False),
        ({"env": "dev", "owner": "x"}, False),
        ({}, False),
        (None, None),
    ],
)
def test_all_tags_must_be_there_with_such_values(
    condition: str, tags: dict[str, str] | None, expected: bool | None
) -> None:
    """Azure compares names of tags without case; tags that cannot be read are not known."""
    asks = rule(**{condition: (("Env", Glob("prod")), ("Owner", Glob("*")))})
    assert matches(asks, facts(**{condition: tags})) is expected


@pytest.mark.parametrize(
    ("tenancy", "managers", "expected"),
    [
        (Tenancy.MICROSOFT, (FACTORY,), True),
        (Tenancy.MICROSOFT, (), None),
        (Tenancy.MICROSOFT, (FACTORY, OTHER_FACTORY), None),
        (Tenancy.MICROSOFT, None, None),
        (Tenancy.UNKNOWN, (FACTORY,), None),
        (Tenancy.OURS, (FACTORY,), False),
        (Tenancy.FOREIGN, None, False),
    ],
)
def test_exactly_one_resource_of_ours_manages_the_connection(
    tenancy: Tenancy, managers: tuple[ResourceId, ...] | None, expected: bool | None
) -> None:
    known = facts(tenancy=tenancy, managers=managers)
    assert matches(rule(managed_by=(FACTORIES.upper(),)), known) is expected
    by_another = False if managers == (FACTORY,) else expected
    assert matches(rule(managed_by=(GRAFANA,)), known) is by_another, "what a factory manages, no Grafana does"


def test_the_one_that_manages_it_is_told() -> None:
    known = facts(tenancy=Tenancy.MICROSOFT, managers=(FACTORY,))
    [condition] = conditions(rule(managed_by=(FACTORIES,)))
    assert condition.found(known) == f"it is managed by {FACTORY}"


def test_microsofts_subscriptions_are_neither_ours_nor_foreign() -> None:
    known = facts(tenancy=Tenancy.MICROSOFT, in_estate=True)
    for asks in (rule(consumer_foreign=True), *(rule(consumer_within=within) for within in Within)):
        assert matches(asks, known) is False


@pytest.mark.parametrize(("age", "expected"), [(3600.1, True), (3600.0, False), (0.0, False), (None, None)])
def test_age_asks_for_longer_than(age: float | None, expected: bool | None) -> None:
    assert matches(rule(older_than=3600.0), facts(age=age)) is expected


@pytest.mark.parametrize(
    ("message", "expected"), [("for ticket INC1234", True), ("hello", False), ("", False), (None, None)]
)
def test_a_message_is_searched_for_the_expression(message: str | None, expected: bool | None) -> None:
    assert matches(rule(message=Regex.parse("INC[0-9]{4}")), facts(message=message)) is expected


def test_a_message_that_is_too_long_is_not_known() -> None:
    """A part of it could say another thing than the whole."""
    assert matches(rule(message=Regex.parse("^a")), facts(message="a" * 5000)) is None


def test_a_cel_is_one_condition_of_the_rule() -> None:
    asks = rule(cel=Expression.parse("target.name == 'orders'"), target_locations=("westeurope",))
    there = facts(target_location="westeurope")
    assert matches(asks, replace(there, target_name="Orders")) is True
    assert matches(asks, replace(there, target_name="billing")) is False
    assert matches(asks, there) is None
    assert matches(asks, facts(target_location="eastus", target_name="orders")) is False


def test_conditions_say_what_they_ask_and_what_was_found_in_the_owners_words() -> None:
    asks = rule(
        consumer_management_groups=("corp",),
        consumer_resource_groups=PROD,
        consumer_locations=("westeurope",),
        consumer_tags=(("env", Glob("*")),),
        target_management_groups=("corp",),
        target_names=(Glob("st*"),),
        target_locations=("westeurope",),
        target_tags=(("team", Glob("a")),),
        message=Regex.parse("INC"),
        older_than=60.0,
        cel=Expression.parse("target.name != 'x'"),
    )
    there = facts(target_location="here")
    told = {condition.asks: condition.found(there) for condition in conditions(asks)}
    assert told == {
        "the consumer's management groups": "the consumer is under one of corp",
        "the consumer's resource group": "the consumer's resource group is like prod-* or live",
        "the endpoint's location": "the endpoint's location is one of westeurope",
        "the endpoint's tags": "the endpoint is tagged as asked (env)",
        "the target's management groups": "the target is under one of corp",
        "the target's name": "the target's name is like st*",
        "the target's location": "the target is in here",
        "the target's tags": "the target is tagged as asked (team)",
        "for how long it has been waiting": "it has been waiting for more than 60 s",
        "the request's message": "the message matches INC",
        "what its cel says": "its cel is true",
    }


ALL = {
    "consumer_subscriptions": (SPOKE,),
    "consumer_management_groups": ("corp",),
    "consumer_within": Within.ESTATE,
    "consumer_foreign": True,
    "managed_by": (FACTORIES,),
    "consumer_resource_groups": PROD,
    "consumer_endpoints": PROD,
    "consumer_locations": ("westeurope",),
    "consumer_tags": (("env", Glob("prod")),),
    "target_types": (GRAFANA,),
    "target_subscriptions": (SPOKE,),
    "target_management_groups": ("corp",),
    "target_resource_groups": PROD,
    "target_names": PROD,
    "target_locations": ("westeurope",),
    "target_tags": (("env", Glob("prod")),),
    "groups": ("blob",),
    "message": Regex("INC"),
    "older_than": 60.0,
    "cel": Expression.parse("target.name == 'a'"),
}


@pytest.mark.parametrize("name", ALL)
def test_a_rule_with_one_condition_less_covers_the_one_that_has_it(name: str) -> None:
    """So the second, if it comes later, is never reached."""
    narrow = rule(**ALL)
    wide = replace(narrow, **{name: getattr(Rule("x", Verdict.HOLD), name)})
    assert wide.covers(narrow)
    assert not narrow.covers(wide)
    assert narrow.covers(narrow)
    assert set(ALL) == set(Rule.__slots__) - {"name", "then", "note"}


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ({"groups": ("Blob", "dfs")}, {"groups": ("blob",)}),
        ({"consumer_within": Within.TENANT}, {"consumer_within": Within.ESTATE}),
        ({"older_than": 60.0}, {"older_than": 61.0}),
        ({"target_tags": (("Env", Glob("a")),)}, {"target_tags": (("env", Glob("a")), ("b", Glob("c")))}),
        ({"target_names": (Glob("a"), Glob("b"))}, {"target_names": (Glob("b"),)}),
    ],
)
def test_a_wider_condition_covers_a_narrower(wide: dict[str, Any], narrow: dict[str, Any]) -> None:
    assert rule(**wide).covers(rule(**narrow))
    assert not rule(**narrow).covers(rule(**wide))


OWN_WORDS = ("consumer_resource_groups", "consumer_endpoints", "consumer_locations", "consumer_tags", "message")


@pytest.mark.parametrize("name", ALL)
def test_what_a_rule_asks_about(name: str) -> None:
    asks = rule(**{name: ALL[name]})
    about_the_target = name.startswith("target") or name == "cel"
    about_the_consumer = not about_the_target and name not in ("groups", "older_than")
    assert asks.asks_the_target is about_the_target
    assert asks.asks_the_consumer is about_the_consumer
    assert asks.knows_the_consumer is (about_the_consumer and name not in OWN_WORDS)
    assert asks.is_limited is (name != "older_than"), "whoever waits for long enough is older"


@pytest.mark.parametrize(
    ("text", "knows", "asks"),
    [
        ("consumer.inEstate", True, True),
        ("consumer.name == 'a'", False, True),
        ("message == 'a'", False, True),
        ("target.name == 'a'", False, False),
    ],
)
def test_what_a_cel_asks_about_is_what_it_names(text: str, knows: bool, asks: bool) -> None:
    by_cel = rule(cel=Expression.parse(text))
    assert (by_cel.knows_the_consumer, by_cel.asks_the_consumer) == (knows, asks)
    assert by_cel.asks_the_target is not asks
    assert rule(cel=Expression.parse("'blob' in groups")).is_limited
    assert not rule(cel=Expression.parse("age > duration('1h')")).is_limited


@pytest.mark.parametrize("name", ALL)
def test_each_condition_names_the_facts_that_it_asks_about(name: str) -> None:
    asked = rule(**{name: ALL[name]}).facts
    assert len(asked) == 1
    assert asked <= set(FACTS)
    assert rule(**ALL).facts == set(FACTS)
    assert rule(consumer_within=Within.TENANT).facts == {"consumer.tenancy"}
