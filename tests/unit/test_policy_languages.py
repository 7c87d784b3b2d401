"""What owners write in policies: globs, regular expressions, CEL, notes. Faults are told, and nothing runs away."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubwarden.errors import InputError
from hubwarden.model import expression as languages
from hubwarden.model.endpoint import Tenancy
from hubwarden.model.expression import Expression, Regex
from hubwarden.model.facts import FACTS, Facts, Kind
from hubwarden.model.glob import Glob
from hubwarden.model.note import NAMES, Note
from tests.unit.given import SPOKE

BLANK = Facts(None, "Microsoft.Storage/storageAccounts", SPOKE)
WHOLE = replace(
    BLANK,
    consumer=SPOKE.upper(),
    in_estate=True,
    tenancy=Tenancy.OURS,
    groups=("Blob",),
    consumer_management_groups=("Corp",),
    consumer_resource_group="RG",
    consumer_name="PE",
    consumer_location="westeurope",
    consumer_tags={"Env": "Prod"},
    target_management_groups=("Corp",),
    target_resource_group="RG-T",
    target_name="Orders",
    target_location="westeurope",
    target_tags={"Env": "Prod"},
    message="Let me in",
    age=7200.0,
)

# Globs.

LETTERS = st.text("abAB*?", max_size=8)


@given(LETTERS.filter(bool), st.text("abAB", max_size=10))
def test_a_glob_is_any_characters_for_a_star_and_one_for_a_question_mark(glob: str, name: str) -> None:
    as_expression = re.escape(glob).replace(r"\*", ".*").replace(r"\?", ".")
    expected = re.fullmatch(as_expression, name, re.IGNORECASE) is not None
    assert Glob.parse(glob).matches(name) is expected


@pytest.mark.parametrize(("glob", "name"), [("[a-b]", "a"), ("a", "a\n"), ("a.c", "abc"), ("\u017f", "s"), ("a", "")])
def test_nothing_else_is_special_and_only_ascii_has_no_case(glob: str, name: str) -> None:
    assert not Glob.parse(glob).matches(name)
    assert Glob.parse(glob).matches(glob)


def test_many_stars_take_no_more_steps_than_both_lengths_multiplied() -> None:
    class Counted(str):
        steps = 0

        def __getitem__(self, place: Any) -> str:
            Counted.steps += 1
            return super().__getitem__(place)

    glob = Glob(Counted("*a" * 100 + "b"))
    assert not glob.matches("a" * 250)
    assert Counted.steps <= 4 * 201 * 250


@pytest.mark.parametrize("text", ["", " a", "a\n", "a\u202e", "x" * 261, None, 5])
def test_what_no_name_could_be_is_no_glob(text: object) -> None:
    with pytest.raises(InputError):
        Glob.parse(text)


def test_a_glob_of_stars_is_anything() -> None:
    assert Glob.parse("**").is_anything
    assert not Glob.parse("*?").is_anything
    assert str(Glob.parse("Prod-*")) == "prod-*"


# Regular expressions.


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("(", "not a regular expression as RE2 has them: missing ): ("),
        ("(?=a)", "not a regular expression as RE2 has them: invalid perl operator: (?="),
        (r"(a)\1", r"not a regular expression as RE2 has them: invalid escape sequence: \1"),
        ("(x{1000}){1000}", "not a regular expression as RE2 has them: "),
        ("a*", "it matches every text, so it asks nothing"),
        (".*", "it matches every text, so it asks nothing"),
        ("", "a regular expression has 1 to 1000 characters"),
        ("a" * 1001, "a regular expression has 1 to 1000 characters"),
        ("\ud800", "a regular expression has 1 to 1000 characters"),
        (None, "a regular expression is text, not NoneType"),
    ],
)
def test_what_re2_refuses_and_what_asks_nothing_is_a_fault(text: object, told: str) -> None:
    with pytest.raises(InputError, match=re.escape(told)):
        Regex.parse(text)


def test_a_regular_expression_has_the_semantics_of_re2() -> None:
    assert Regex.parse("(?i)inc[0-9]+").matches("see INC12") is True
    assert Regex.parse("^inc").matches("see inc") is False
    assert Regex.parse("^$").matches("") is True
    assert Regex.parse(r"\bticket\b").matches("\x07ticket\x1b[2J") is True
    assert str(Regex.parse("a")) == "a"


def test_no_expression_backtracks() -> None:
    """A backtracking engine would need 2 to the power of 4,000 steps for this."""
    assert Regex.parse("(a+)+$").matches("a" * 4000 + "!") is False
    assert Expression.parse("message.matches('(a+)+$')").holds(replace(BLANK, message="a" * 4000 + "!")) is False


@pytest.mark.parametrize("message", ["a" * 4097, "a\ud800", "a\x00b"])
def test_a_text_that_cannot_be_looked_at_is_not_known(message: str) -> None:
    """The engine itself would end a text at U+0000, and so find that "a\\0b" is "a"."""
    assert Regex.parse("a").matches(message) is None
    assert Expression.parse("message.contains('a')").holds(replace(BLANK, message=message)) is None
    assert Expression.parse("message.contains('a') || target.type != ''").holds(replace(BLANK, message=message)) is True


@given(st.text(max_size=50))
def test_any_text_is_searched_or_not_known(text: str) -> None:
    assert Regex.parse("^[a-z]*$").matches(text) in (True, False, None)


# CEL.


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("consumer.inestate", "at character 9: undeclared reference to 'consumer.inestate'; facts are consumer.sub"),
        ("groups.exists(g, g == 'a') &&\n  tarrget.name == 'a'", "at line 2, character 10: undeclared reference"),
        ("consumer.inEstate == 'yes'", "at character 19: found no matching overload for '_==_' applied to '(bool, "),
        ("consumer.inEstate &&", "at character 21: Syntax error"),
        ("consumer.name", "a condition is true or false, and this is STRING"),
        ("true", "it names no fact, so it asks nothing; facts are consumer.subscription"),
        ("'consumer.inEstate' == 'a'", "it names no fact, so it asks nothing"),
        ("message.matches('(')", "not CEL that can be used: invalid regular expression: missing ): ("),
        ("age > duration('2d')", "'2d' is no duration: they are in h, m, s and ms"),
        ("groups.map(g, g) == groups", "at character 11: found no matching overload for '_+_'"),
        ("message + 'a' == 'b'", "at character 9: found no matching overload for '_+_'"),
        ("(" * 40 + "consumer.inEstate" + ")" * 40, "not CEL: CANCELLED: Expression recursion limit exceeded"),
        ("consumer.inEstate" + " " * 1000, "text of at most 1000 characters, and this has 1017"),
        ("message == 'a\0b'", "a CEL expression is Unicode text"),
        (" && ".join(["groups.all(g, g != 'a')"] * 4), "a CEL expression has at most 3 of all, exists and exists_one"),
        (True, "a CEL expression is text, not bool"),
    ],
)
def test_a_fault_in_an_expression_is_told_with_its_place(text: object, told: str) -> None:
    with pytest.raises(InputError, match=re.escape(told)):
        Expression.parse(text)


SAMPLES = {
    Kind.TEXT: "!= ''",
    Kind.LIST: "!= []",
    Kind.TAGS: "!= {}",
    Kind.TRUTH: "",
    Kind.DURATION: "> duration('1h')",
}


@pytest.mark.parametrize("name", FACTS)
def test_every_fact_is_declared_with_its_type_and_not_known_of_blank_facts(name: str) -> None:
    asked = Expression.parse(f"{name} {SAMPLES[FACTS[name].kind]}")
    assert asked.names == {name}
    assert asked.holds(WHOLE) is True
    assert asked.holds(BLANK) is (True if name in ("target.type", "target.subscription") else None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("target.type == 'microsoft.storage/storageaccounts'", True),
        ("target.name == 'Orders'", False),
        ("groups == ['blob'] && consumer.managementGroups == ['corp']", True),
        ("consumer.tags.env == 'Prod' && 'env' in target.tags", True),
        ("consumer.tags.owner == 'me'", None),
        ("has(consumer.tags.owner) && consumer.tags.owner == 'me'", False),
        ("message == 'Let me in' && message.startsWith('Let')", True),
        ("consumer.tenancy == 'ours' && age == duration('2h')", True),
        ("groups.size() / (groups.size() - 1) == 1", None),
        ("groups.all(g, g in ['blob', 'dfs'])", True),
    ],
)
def test_facts_are_in_lower_case_but_for_the_message_and_the_values_of_tags(text: str, expected: bool | None) -> None:
    assert Expression.parse(text).holds(WHOLE) is expected


def test_what_is_not_known_is_not_known_as_kleene_has_it() -> None:
    facts = replace(BLANK, target_name="a")
    for text, expected in (
        ("target.name == 'b' && consumer.inEstate", False),
        ("consumer.inEstate && target.name == 'b'", False),
        ("target.name == 'a' || consumer.inEstate", True),
        ("consumer.inEstate || target.name == 'a'", True),
        ("target.name == 'a' && consumer.inEstate", None),
        ("consumer.inEstate || !consumer.inEstate", None),
        ("consumer.inEstate ? true : target.name == 'a'", None),
    ):
        assert Expression.parse(text).holds(facts) is expected, text


def test_an_estate_without_our_tenant_is_not_in_the_estate() -> None:
    asked = Expression.parse("consumer.inEstate")
    assert asked.holds(replace(WHOLE, tenancy=Tenancy.FOREIGN)) is False
    assert asked.holds(replace(WHOLE, tenancy=Tenancy.UNKNOWN)) is None


NESTED = "groups.all(a, groups.all(b, groups.all(c, a != 'x' || b != 'x' || c != 'x')))"


def test_loops_within_loops_are_stopped_by_the_engine() -> None:
    """The engine counts steps: 10,000 of them are all that an expression has."""
    assert Expression.parse(NESTED).holds(replace(BLANK, groups=("a",) * 10)) is True
    assert Expression.parse(NESTED).holds(replace(BLANK, groups=("a",) * 100)) is None
    assert Expression.parse("groups.all(a, a != 'x')").holds(replace(BLANK, groups=("a",) * 1001)) is None


def test_tags_that_cannot_be_looked_at_are_not_known() -> None:
    asked = Expression.parse("'env' in consumer.tags")
    assert asked.holds(replace(BLANK, consumer_tags={"env": "a" * 5000})) is None
    assert asked.holds(replace(BLANK, consumer_tags={"env\ud800": "a"})) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("target.name == 'Orders'", True),
        ("target.name == 'orders' && consumer.inEstate", False),
        ('target.name == "Orders"', True),
    ],
)
def test_capitals_in_the_texts_of_an_expression_are_seen(text: str, expected: bool) -> None:
    assert Expression.parse(text).has_capitals is expected
    assert str(Expression.parse(text)) == text


# Notes.


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{nobody}", "'nobody' is no fact that a note can show; it can: consumer.subscription"),
        ("{consumer.tags}", "'consumer.tags' is no fact that a note can show"),
        ("{target.name!r}", "'target.name!r' is no fact"),
        ("{}", "'' is no fact"),
        ("{{target.name}}", "braces stand only around the name of a fact"),
        ("a } b", "braces stand only around the name of a fact"),
        ("", "a note is one line of 1 to 140 characters"),
        ("a\nb", "a note is one line of 1 to 140 characters"),
        ("a" * 141, "a note is one line of 1 to 140 characters"),
        (5, "a note is text, not int"),
    ],
)
def test_a_note_names_facts_in_braces_and_nothing_else_is_special(text: object, told: str) -> None:
    with pytest.raises(InputError, match=re.escape(told)):
        Note.parse(text)


@pytest.mark.parametrize("name", NAMES)
def test_a_note_shows_every_fact_and_a_question_mark_for_what_is_not_known(name: str) -> None:
    note = Note.parse(f"<{{{name}}}>")
    assert note.told(WHOLE) not in ("<?>", "<>")
    assert (note.told(BLANK) == "<?>") is (name not in ("target.type", "target.subscription"))
    assert str(note) == f"<{{{name}}}>"


def test_facts_in_a_note_are_plain_text() -> None:
    note = Note.parse("{groups}: {consumer.inEstate}, {age}, {message}")
    facts = replace(WHOLE, groups=("blob", "dfs"), message="{target.name} %s {0}")
    assert note.told(facts) == "blob, dfs: true, 2 h, {target.name} %s {0}"
    assert Note.parse("{groups}").told(replace(BLANK, groups=())) == "none"


@given(st.text())
def test_a_note_is_seen_whole_and_never_longer_than_azure_takes(message: str) -> None:
    told = Note.parse("said: {message}").told(replace(BLANK, message=message))
    assert told.isprintable()
    assert len(told.encode("utf-16-le")) <= 280
    assert told.startswith("said:")


def test_a_note_of_which_nothing_can_be_seen_is_empty() -> None:
    assert Note.parse("{message}").told(replace(BLANK, message="\x1b\u202e\ud800 \n")) == ""
    assert Note.parse("{message}").told(replace(BLANK, message="\U0001f600" * 100)) == "\U0001f600" * 70


def test_the_engine_is_made_once() -> None:
    assert languages._environment() is languages._environment()


@given(
    st.text("ab", max_size=3),
    st.sampled_from(["", "*", "?", "+", "{0}", "{2}", "*?", "??", ".", "[ab]", "$", "|b", "(|a)", "(?i)a", r"\Qb\E"]),
    st.text("ab", max_size=2),
    st.text("abAB", max_size=5),
)
def test_the_look_at_how_a_match_begins_changes_nothing(plain: str, special: str, rest: str, text: str) -> None:
    """A quick way out for texts that cannot match; RE2 itself is the measure."""
    pattern = f"{plain}{special}{rest}"
    found = languages._matched(text, pattern)
    if isinstance(found, bool):
        assert Regex(pattern).matches(text) is found
