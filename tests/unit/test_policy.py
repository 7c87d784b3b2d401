"""The policy: three values, the first rule that matches, and what is not known can only hold (law 10)."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hubwarden.approval.decide import decide, open_questions
from hubwarden.model.connection import Verdict
from hubwarden.model.endpoint import Tenancy
from hubwarden.model.expression import Expression, Regex
from hubwarden.model.facts import Facts
from hubwarden.model.glob import Glob
from hubwarden.model.note import Note
from hubwarden.model.policy import Policy, Rule, Within
from hubwarden.model.resource_id import ResourceId
from tests.unit.given import HUB_SUBSCRIPTION, SPOKE, connection

STORAGE, VAULT = "Microsoft.Storage/storageAccounts", "Microsoft.KeyVault/vaults"
OURS, FOREIGN, UNKNOWN = Tenancy.OURS, Tenancy.FOREIGN, Tenancy.UNKNOWN
CONNECTION = connection("c", groups=(), message="ignore your rules and let me in")
KNOWN = Facts(
    consumer=SPOKE,
    target_type=STORAGE,
    target_subscription=SPOKE,
    in_estate=True,
    tenancy=OURS,
    groups=("blob",),
)
BY_ESTATE = Rule("own", Verdict.APPROVE, consumer_within=Within.ESTATE)
BY_NOTHING = Rule("anything", Verdict.HOLD)


def verdict(facts: Facts, *rules: Rule) -> tuple[Verdict, str]:
    """What is decided, and by which rule."""
    decision = decide(Policy(rules), CONNECTION, facts)
    assert (decision.connection, decision.after) == (CONNECTION, None)
    return decision.verdict, decision.rule


def value(facts: Facts, **conditions: Any) -> bool | None:
    """Whether a rule with these conditions matches; None where that is not known."""
    found = verdict(facts, Rule("r", Verdict.REJECT, **conditions))
    return {(Verdict.REJECT, "r"): True, (Verdict.HOLD, "r"): None, (Verdict.HOLD, ""): False}[found]


def test_without_rules_everything_is_held() -> None:
    assert verdict(KNOWN) == (Verdict.HOLD, "")


def test_a_rule_without_conditions_matches_everything() -> None:
    assert verdict(replace(KNOWN, consumer=None, in_estate=None, tenancy=UNKNOWN, groups=None), BY_NOTHING) == (
        Verdict.HOLD,
        "anything",
    )
    assert decide(Policy((BY_NOTHING,)), CONNECTION, KNOWN).reason == "rule anything: it has no conditions"


@pytest.mark.parametrize(
    ("consumer", "expected"), [(SPOKE, True), (SPOKE.upper(), True), (HUB_SUBSCRIPTION, False), (None, None)]
)
def test_the_consumers_subscription(consumer: str | None, expected: bool | None) -> None:
    assert value(replace(KNOWN, consumer=consumer), consumer_subscriptions=(SPOKE,)) is expected


@pytest.mark.parametrize(
    ("in_estate", "tenancy", "expected"),
    [
        (True, OURS, True),
        (True, FOREIGN, False),
        (True, UNKNOWN, None),
        (False, OURS, False),
        (False, FOREIGN, False),
        (False, UNKNOWN, False),
        (None, OURS, None),
        (None, FOREIGN, False),
        (None, UNKNOWN, None),
    ],
)
def test_the_estate_is_what_the_settings_name_and_our_tenant_has(
    in_estate: bool | None, tenancy: Tenancy, expected: bool | None
) -> None:
    facts = replace(KNOWN, in_estate=in_estate, tenancy=tenancy)
    assert value(facts, consumer_within=Within.ESTATE) is expected


@pytest.mark.parametrize(
    ("tenancy", "in_tenant", "foreign"), [(OURS, True, False), (FOREIGN, False, True), (UNKNOWN, None, None)]
)
def test_an_unknown_tenancy_is_neither_ours_nor_foreign(
    tenancy: Tenancy, in_tenant: bool | None, foreign: bool | None
) -> None:
    facts = replace(KNOWN, tenancy=tenancy)
    assert value(facts, consumer_within=Within.TENANT) is in_tenant
    assert value(facts, consumer_foreign=True) is foreign


def test_the_targets_type_and_subscription_are_always_known() -> None:
    assert value(KNOWN, target_types=(VAULT, STORAGE.upper())) is True
    assert value(KNOWN, target_types=(VAULT,)) is False
    assert value(KNOWN, target_subscriptions=(SPOKE.upper(),)) is True
    assert value(KNOWN, target_subscriptions=(HUB_SUBSCRIPTION,)) is False


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        (("blob",), True),
        (("BLOB", "dfs"), True),
        (("blob", "file"), False),
        (("file",), False),
        ((), False),
        (None, None),
    ],
)
def test_all_groups_of_the_connection_must_be_allowed(groups: tuple[str, ...] | None, expected: bool | None) -> None:
    assert value(replace(KNOWN, groups=groups), groups=("blob", "Dfs")) is expected


@pytest.mark.parametrize("values", [*itertools.product([True, False, None], repeat=3)])
def test_a_rule_is_false_if_one_condition_is_else_unknown_if_one_is(values: tuple[bool | None, ...]) -> None:
    consumer, tenancy, groups = values
    facts = replace(
        KNOWN,
        consumer={True: SPOKE, False: HUB_SUBSCRIPTION, None: None}[consumer],
        tenancy={True: FOREIGN, False: OURS, None: UNKNOWN}[tenancy],
        groups={True: ("blob",), False: ("file",), None: None}[groups],
    )
    expected = False if False in values else None if None in values else True
    assert value(facts, consumer_subscriptions=(SPOKE,), consumer_foreign=True, groups=("blob",)) is expected


def test_the_first_rule_that_matches_wins() -> None:
    reject = Rule("no vaults", Verdict.REJECT, target_types=(VAULT,))
    assert verdict(KNOWN, reject, BY_ESTATE, BY_NOTHING) == (Verdict.APPROVE, "own")
    assert verdict(replace(KNOWN, target_type=VAULT), reject, BY_ESTATE) == (Verdict.REJECT, "no vaults")
    assert verdict(KNOWN, BY_NOTHING, BY_ESTATE) == (Verdict.HOLD, "anything")


def test_a_rule_that_cannot_be_judged_holds_and_ends_the_search() -> None:
    foreign = Rule("strangers", Verdict.REJECT, consumer_foreign=True)
    storage = Rule("storage", Verdict.APPROVE, consumer_subscriptions=(SPOKE,), target_types=(STORAGE,))
    assert verdict(replace(KNOWN, tenancy=UNKNOWN), foreign, storage) == (Verdict.HOLD, "strangers")
    assert verdict(KNOWN, foreign, storage) == (Verdict.APPROVE, "storage")


def test_the_reason_names_the_rule_and_the_facts() -> None:
    rule = replace(
        BY_ESTATE,
        consumer_subscriptions=(SPOKE,),
        target_types=(STORAGE,),
        target_subscriptions=(SPOKE,),
        groups=("blob",),
    )
    assert decide(Policy((rule,)), CONNECTION, KNOWN).reason == (
        f"rule own: the consumer is in subscription {SPOKE}, the consumer is in the estate, the target is a {STORAGE}, "
        f"the target is in subscription {SPOKE}, the groups are blob"
    )
    in_doubt = replace(KNOWN, consumer=None, in_estate=None, tenancy=UNKNOWN, groups=None)
    assert decide(Policy((rule,)), CONNECTION, in_doubt).reason == (
        "rule own cannot be judged; not known: the consumer's subscription, whether the consumer is in the estate, "
        "the connection's groups"
    )
    assert decide(Policy(()), CONNECTION, KNOWN).reason.startswith("no rule matches")
    foreign = Rule("strangers", Verdict.REJECT, consumer_foreign=True)
    there = replace(KNOWN, tenancy=FOREIGN)
    assert decide(Policy((foreign,)), CONNECTION, there).reason == "rule strangers: the consumer is in another tenant"


def some(*choices: Any) -> st.SearchStrategy[tuple[Any, ...]]:
    """No condition, or one with one of these."""
    return st.lists(st.sampled_from(choices), max_size=1).map(tuple)


FACTORY = ResourceId.parse(f"/subscriptions/{SPOKE}/resourceGroups/rg/providers/Microsoft.DataFactory/factories/adf")
GROUPS = st.lists(st.sampled_from(["blob", "dfs", "file"]), max_size=2, unique=True).map(tuple)
NAMES = some(Glob("a*"), Glob("?b"))
TAGS = some(("env", Glob("prod")), ("Owner", Glob("*")))
EXPRESSIONS = [
    Expression.parse(text)
    for text in (
        "consumer.inEstate || message == 'let me in'",
        "!(consumer.tenancy in ['ours', 'microsoft']) && groups.all(g, g != 'file')",
        "consumer.tags.env == 'prod' ? consumer.name == 'ab' : age > duration('1h')",
        "consumer.subscription == target.subscription && 'corp' in consumer.managementGroups",
        "target.tags.exists(t, t == 'env') || has(consumer.tags.owner)",
    )
]
RULES = st.builds(
    Rule,
    name=st.sampled_from(["a", "b", "c"]),
    then=st.sampled_from(Verdict),
    consumer_subscriptions=some(SPOKE, HUB_SUBSCRIPTION),
    consumer_management_groups=some("corp"),
    consumer_within=st.none() | st.sampled_from(Within),
    consumer_foreign=st.booleans(),
    managed_by=some("Microsoft.DataFactory/factories"),
    consumer_resource_groups=NAMES,
    consumer_endpoints=NAMES,
    consumer_locations=some("westeurope"),
    consumer_tags=TAGS,
    target_types=some(STORAGE, VAULT),
    target_subscriptions=some(SPOKE, HUB_SUBSCRIPTION),
    target_management_groups=some("corp"),
    target_resource_groups=NAMES,
    target_names=NAMES,
    target_locations=some("westeurope"),
    target_tags=TAGS,
    groups=GROUPS,
    message=st.none() | st.just(Regex("let me")),
    older_than=st.none() | st.just(3600.0),
    cel=st.none() | st.sampled_from(EXPRESSIONS),
)
# Most rules ask little, or hardly any would ever match.
POLICIES = st.lists(
    st.builds(
        lambda rule, kept: replace(
            Rule(rule.name, rule.then), **{field: getattr(rule, field) for field in kept if field in Rule.__slots__}
        ),
        RULES,
        st.sets(st.sampled_from([field for field in Rule.__slots__ if field not in ("name", "then")]), max_size=3),
    ),
    max_size=4,
).map(lambda rules: Policy(tuple(rules)))
SHORT_NAMES = st.sampled_from(["ab", "b", "abc"])
SHOWN_TAGS = st.dictionaries(st.sampled_from(["env", "owner"]), st.sampled_from(["prod", "dev"]))
FACTS = st.builds(
    Facts,
    consumer=st.sampled_from([SPOKE, HUB_SUBSCRIPTION]),
    target_type=st.sampled_from([STORAGE, VAULT]),
    target_subscription=st.sampled_from([SPOKE, HUB_SUBSCRIPTION]),
    in_estate=st.booleans(),
    tenancy=st.sampled_from([OURS, FOREIGN, Tenancy.MICROSOFT]),
    groups=GROUPS,
    consumer_management_groups=some("corp", "other"),
    managers=st.sampled_from([(FACTORY,)]),
    consumer_resource_group=SHORT_NAMES,
    consumer_name=SHORT_NAMES,
    consumer_location=st.sampled_from(["westeurope", "northeurope"]),
    consumer_tags=SHOWN_TAGS,
    target_management_groups=some("corp", "other"),
    target_resource_group=SHORT_NAMES,
    target_name=SHORT_NAMES,
    target_location=st.sampled_from(["westeurope", "northeurope"]),
    target_tags=SHOWN_TAGS,
    message=st.sampled_from(["let me in", "hello"]),
    age=st.sampled_from([60.0, 7200.0]),
)
MAY_BE_UNKNOWN = sorted(set(Facts.__slots__) - {"target_type", "target_subscription"})


@st.composite
def known_in_part(draw: st.DrawFn) -> tuple[Facts, Facts]:
    """Facts, and the same with some of them not known."""
    whole = draw(FACTS)
    lost = draw(st.sets(st.sampled_from(MAY_BE_UNKNOWN)))
    blank: dict[str, Any] = {name: UNKNOWN if name == "tenancy" else None for name in lost}
    return whole, replace(whole, **blank)


@given(POLICIES, known_in_part())
def test_what_is_not_known_can_only_hold(policy: Policy, facts: tuple[Facts, Facts]) -> None:
    whole, part = (decide(policy, CONNECTION, each) for each in facts)
    assert part.verdict in (whole.verdict, Verdict.HOLD)
    if part.verdict is not Verdict.HOLD:
        assert part == whole


@given(POLICIES, known_in_part())
def test_settled_facts_decide_the_same_whatever_else_comes_to_be_known(
    policy: Policy, facts: tuple[Facts, Facts]
) -> None:
    whole, part = facts
    assume(not any(rule.managed_by for rule in policy.rules))  # nobody can learn yet who manages a connection
    if not open_questions(policy, part):
        assert not open_questions(policy, whole)
        assert decide(policy, CONNECTION, part) == decide(policy, CONNECTION, whole)


@given(POLICIES, FACTS)
def test_only_the_first_rule_that_matches_counts(policy: Policy, facts: Facts) -> None:
    decision = decide(policy, CONNECTION, facts)
    alone = [decide(Policy((rule,)), CONNECTION, facts) for rule in policy.rules]
    matching = [each for each in alone if each.rule]
    assert decision == (matching[0] if matching else decide(Policy(()), CONNECTION, facts))


@given(POLICIES, FACTS, st.text(max_size=20))
def test_a_connection_itself_decides_nothing_and_is_not_repeated(policy: Policy, facts: Facts, message: str) -> None:
    marked = replace(CONNECTION, message=f"{message}\u202e<b>")
    decision = decide(policy, marked, facts)
    assert replace(decision, connection=CONNECTION) == decide(policy, CONNECTION, facts)
    assert "\u202e" not in decision.reason


@given(POLICIES, FACTS)
def test_nobody_is_approved_on_the_own_words_of_a_consumer_alone(policy: Policy, facts: Facts) -> None:
    """What a stranger can write changes no stranger's connection to Approved."""
    stranger = replace(
        facts, consumer=None, consumer_management_groups=None, in_estate=None, tenancy=UNKNOWN, managers=None
    )
    assert decide(policy, CONNECTION, stranger).verdict is not Verdict.APPROVE


def test_a_cel_that_would_approve_whoever_says_please_holds_even_those_who_say_it() -> None:
    rule = Rule("polite", Verdict.APPROVE, cel=Expression.parse("consumer.inEstate || message == 'please'"))
    assert verdict(replace(KNOWN, message="let me in"), rule) == (Verdict.APPROVE, "polite")
    assert verdict(replace(KNOWN, message="please"), rule) == (Verdict.HOLD, "polite")
    reason = decide(Policy((rule,)), CONNECTION, replace(KNOWN, message="please")).reason
    assert reason == "rule polite would approve on the consumer's own words alone"
    assert verdict(replace(KNOWN, message="please"), replace(rule, then=Verdict.REJECT)) == (Verdict.REJECT, "polite")


@pytest.mark.parametrize(
    "asked",
    [
        "consumer.subscription != ''",
        f"consumer.subscription != '{SPOKE}'",
        "!('quarantine' in consumer.managementGroups)",
        "!consumer.inEstate",
        "consumer.tenancy != 'ours'",
        "consumer.tenancy != 'microsoft'",
    ],
)
def test_a_cel_that_asks_of_the_consumer_what_is_true_of_any_stranger_holds(asked: str) -> None:
    """It rests on the consumer's own words as well: whoever nobody has heard of says them, and is let in."""
    said = Rule("all but one", Verdict.APPROVE, cel=Expression.parse(f"{asked} && message == 'please'"))
    meant = replace(said, cel=Expression.parse(f"{asked} && consumer.tenancy == 'foreign'"))
    foreign = replace(
        KNOWN,
        consumer="99999999-2222-4222-8222-222222222222",
        in_estate=False,
        tenancy=Tenancy.FOREIGN,
        consumer_management_groups=(),
        message="please",
    )
    assert verdict(foreign, said) == (Verdict.HOLD, "all but one")
    assert verdict(foreign, meant) == (Verdict.APPROVE, "all but one"), "unless strangers are meant"
    by_key = replace(said, consumer_foreign=True)
    assert verdict(foreign, by_key) == (Verdict.APPROVE, "all but one"), "which a key may say as well"


HOSTILE = "pay 555-0100 \u202e<b>"


@given(POLICIES, FACTS)
def test_no_text_of_a_strangers_is_in_a_reason(policy: Policy, facts: Facts) -> None:
    written = replace(
        facts,
        consumer_resource_group=HOSTILE,
        consumer_name=HOSTILE,
        consumer_location=HOSTILE,
        consumer_tags={"env": HOSTILE, HOSTILE: "prod"},
        message=HOSTILE,
    )
    assert "555" not in decide(policy, CONNECTION, written).reason


def test_a_decision_has_the_note_of_its_rule_about_what_is_known() -> None:
    rule = Rule("r", Verdict.REJECT, Note.parse("no {target.name} for {consumer.location}"), groups=("blob",))
    facts = replace(KNOWN, target_name="orders")
    assert decide(Policy((rule,)), CONNECTION, facts).note == "no orders for ?"
    assert decide(Policy((rule,)), CONNECTION, replace(facts, groups=None)).note == "", "it is held"
    assert decide(Policy((BY_ESTATE,)), CONNECTION, facts).note == ""
    assert decide(Policy((BY_ESTATE,)), CONNECTION, facts).facts == facts, "for the ledger"


def test_only_what_the_rule_that_is_reached_asks_and_nobody_knows_is_an_open_question() -> None:
    first = Rule("a", Verdict.HOLD, target_names=(Glob("x"),), target_locations=("westeurope",), groups=("blob",))
    second = Rule("b", Verdict.REJECT, cel=Expression.parse("consumer.tags.a == 'b' || message == 'c'"))
    policy = Policy((first, second))
    assert open_questions(policy, KNOWN) == {"target.name", "target.location"}
    elsewhere = replace(KNOWN, target_name="y")
    assert open_questions(policy, elsewhere) == {"consumer.tags", "message"}
    assert open_questions(policy, replace(elsewhere, message="d")) == {"consumer.tags"}
    assert open_questions(policy, replace(elsewhere, message="c")) == frozenset()
    assert open_questions(policy, replace(elsewhere, consumer_tags={}, message="d")) == frozenset(), "it has failed"
    assert open_questions(Policy(), KNOWN) == frozenset()
