"""A YAML document as plain data with its lines: every refusal is a fault with its place, never an exception."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubwarden.config.document import LARGEST, Document, read_document

TEXT = """\
# a comment
instance: contoso
hubs:
  - name: weu
    zones: [a,
            b]
  - name: neu
records:
  ttl: 10
"""


def test_a_document_is_plain_data() -> None:
    document = read_document(TEXT)
    assert document.faults == []
    assert document.data == {
        "instance": "contoso",
        "hubs": [{"name": "weu", "zones": ["a", "b"]}, {"name": "neu"}],
        "records": {"ttl": 10},
    }


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 2),
        (("instance",), 2),
        (("hubs",), 3),
        (("hubs", 0), 4),
        (("hubs", 0, "name"), 4),
        (("hubs", 0, "zones"), 5),
        (("hubs", 0, "zones", 1), 6),
        (("hubs", 1, "name"), 7),
        (("records", "ttl"), 9),
    ],
)
def test_everything_has_the_line_on_which_it_stands(path: tuple[str | int, ...], line: int) -> None:
    document = read_document(TEXT)
    assert path in document.lines
    assert document.line(path) == line


@pytest.mark.parametrize(
    ("path", "line"),
    [
        pytest.param(("records", "addresses", 3), 8, id="missing in a mapping"),
        pytest.param(("hubs", 1, "zones"), 7, id="missing in a list's item"),
        pytest.param(("estate",), 2, id="missing at the top"),
    ],
)
def test_what_is_not_there_has_the_line_of_what_is_around_it(path: tuple[str | int, ...], line: int) -> None:
    assert read_document(TEXT).line(path) == line


def test_a_document_without_anything_is_nothing_on_line_one() -> None:
    for text in ("", "# only a comment\n"):
        document = read_document(text)
        assert (document.data, document.faults, document.line(("instance",))) == (None, [], 1)


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        pytest.param(
            "a: &x 1\nb: *x\n",
            [
                "line 1: &x: no aliases or anchors; repeat the value",
                "line 2: *x: no aliases or anchors; repeat the value",
            ],
            id="anchor and alias",
        ),
        pytest.param("a: &x 1\n", ["line 1: &x: no aliases or anchors; repeat the value"], id="an anchor alone"),
        pytest.param("a: 1\nb: 2\na: 3\n", ["line 3: a: the key is there twice"], id="a key twice"),
        pytest.param(
            "a:\n  b: 1\n  'b': 2\na: 3\n",
            ["line 3: a.b: the key is there twice", "line 4: a: the key is there twice"],
            id="two keys twice",
        ),
        pytest.param("a:\n  - b: 1\n    b: 2\n", ["line 3: a.0.b: the key is there twice"], id="a key twice in a list"),
        pytest.param("? [a]\n: b\n", ["line 1: a key is a single word"], id="a key that is a list"),
        pytest.param("? {a: b}\n: c\n", ["line 1: a key is a single word"], id="a key that is a mapping"),
        pytest.param("a: 1\nb: !mine x\n", ["line 2: !mine: no tags; write the value plainly"], id="a tag of its own"),
        pytest.param(
            "a: !!python/name:os.system x\n",
            ["line 1: !python/name:os.system: no tags; write the value plainly"],
            id="a tag that calls code",
        ),
        pytest.param(
            "a: !x 1\nb: !y 2\n",
            ["line 1: !x: no tags; write the value plainly", "line 2: !y: no tags; write the value plainly"],
            id="two tags",
        ),
        pytest.param(
            "a: !x &y 1\n",
            ["line 1: !x: no tags; write the value plainly", "line 1: &y: no aliases or anchors; repeat the value"],
            id="a tag and an anchor",
        ),
        pytest.param("[" * 21, ["line 1: nested more than 20 deep"], id="a list too deep, and not closed"),
        pytest.param("[" * 21 + "]" * 21, ["line 1: nested more than 20 deep"], id="a list too deep"),
        pytest.param("{a: " * 21 + "}" * 21, ["line 1: nested more than 20 deep"], id="a mapping too deep"),
        pytest.param(
            "".join(f"{'  ' * depth}a:\n" for depth in range(30)),
            ["line 21: nested more than 20 deep"],
            id="blocks too deep",
        ),
        pytest.param("- " * 21 + "a", ["line 1: nested more than 20 deep"], id="block lists too deep"),
        pytest.param(
            "a: !x 1\nb: " + "[" * 21,
            ["line 1: !x: no tags; write the value plainly", "line 2: nested more than 20 deep"],
            id="a tag, and then too deep",
        ),
        pytest.param("b: 1\na: 2001-13-45\n", ["line 2: a: month must be in 1..12"], id="month 13"),
        pytest.param("a:\n  - x\n  - 2001-02-30\n", ["line 3: a.1: day is out of range for month"], id="February 30"),
        pytest.param("a: 2001-01-01T25:00:00Z\n", ["line 1: a: hour must be in 0..23"], id="hour 25"),
    ],
)
def test_what_yaml_allows_and_we_do_not_is_a_fault_with_its_line(text: str, faults: list[str]) -> None:
    assert read_document(text).faults == faults


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("a:\n  - [b\n", 3, id="not closed"),
        pytest.param("a: 1\n b: 2\n", 2, id="indented too far"),
        pytest.param("a: 1\n\tb: 2\n", 2, id="a tab"),
        pytest.param("a: 'x\n", 2, id="a quote not closed"),
        pytest.param("a: 1\n---\nb: 2\n", 2, id="two documents"),
        pytest.param("%YAML 9.0\n---\na: 1\n", 1, id="another YAML"),
        pytest.param("a: b: c\n", 1, id="a colon too many"),
        pytest.param("a: =\n", 1, id="the value sign"),
    ],
)
def test_what_is_not_yaml_is_a_fault_with_its_line(text: str, line: int) -> None:
    document = read_document(text)
    assert document.data is None
    [fault] = document.faults
    assert fault.startswith(f"line {line}: not YAML: ")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a: \x00\n", id="NUL"),
        pytest.param("a: \ud800\n", id="half a character"),
        pytest.param("a: " + "9" * 5000 + "\n", id="a number of 5000 digits"),
        pytest.param("- " * 2000, id="deep lists"),
        pytest.param("[" * 10_000, id="deep flow lists that never end"),
        pytest.param("[" * 1000 + "]" * 1000, id="deep flow lists"),
        pytest.param("{a: " * 10_000 + "}" * 10_000, id="deep mappings"),
    ],
)
def test_what_cannot_be_read_is_a_fault(text: str) -> None:
    document = read_document(text)
    assert len(document.faults) == 1
    assert len(document.faults[0]) < 400


# Each short form, a form spelt out, one of YAML's own types, one by a handle; on a list, a mapping and a key.
TAGGED = {
    "a: !mine x\n": "!mine",
    "a: !!binary x\n": "!binary",
    "a: !!int '5'\n": "!int",
    "a: !!timestamp x\n": "!timestamp",
    "a: !!set {x}\n": "!set",
    "a: !!omap [x]\n": "!omap",
    "a: !<tag:example.com,2000:x> y\n": "!tag:example.com,2000:x",
    "a: ! x\n": "!",
    "a: !\n": "!",
    "!x [1]\n": "!x",
    "!x {a: 1}\n": "!x",
    "!!str a: 1\n": "!str",
    "? !x a\n: b\n": "!x",
    "%TAG ! tag:example.com,2000:\n---\n!y z\n": "!y",
}


@pytest.mark.parametrize("text", TAGGED)
def test_a_tag_of_any_kind_is_a_fault_with_its_line(text: str) -> None:
    document = read_document(text)
    [fault] = document.faults
    assert document.data is None
    assert fault.startswith(f"line {3 if text.startswith('%') else 1}: !")
    assert TAGGED[text] in fault
    assert fault.endswith(": no tags; write the value plainly")


def test_a_number_of_too_many_digits_is_a_fault_with_its_line() -> None:
    document = read_document("a: 1\nb:\n  - " + "9" * 5000 + "\n")
    [fault] = document.faults
    assert fault.startswith("line 3: b.0: ")
    assert "4300 digits" in fault


def test_what_cannot_be_made_of_a_value_is_told_for_each() -> None:
    assert read_document("a: 2001-13-45\nb: 2001-01-32\na: 1\n").faults == [
        "line 1: a: month must be in 1..12",
        "line 2: b: day is out of range for month",
        "line 3: a: the key is there twice",
    ]


def test_twenty_levels_are_read() -> None:
    assert read_document("[" * 20 + "]" * 20).faults == []
    assert read_document("{a: " * 20 + "x" + "}" * 20).faults == []
    assert read_document("- " * 20 + "x").faults == []
    assert read_document("[" * 20 + "]" * 20 + "\n").data == read_document("- " * 19 + "[]").data


def test_many_things_beside_each_other_are_not_deep() -> None:
    assert read_document("[" + "[], {a: {}}, " * 100 + "]").faults == []
    assert read_document("- a:\n    - b\n" * 100).faults == []


@pytest.mark.parametrize(("size", "faults"), [(LARGEST, 0), (LARGEST + 1, 1)])
def test_a_file_too_large_is_not_even_scanned(size: int, faults: int) -> None:
    document = read_document("#" * size)
    assert len(document.faults) == faults
    assert read_document("[" * (LARGEST + 1)).faults == ["the file has 256001 characters; at most 256000 are read"]


def test_aliases_cannot_make_a_small_file_endless() -> None:
    laughs = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30))
    document = read_document(laughs)
    assert document.data is None
    assert len(document.faults) == 30 + 29 * 9


def test_a_merge_key_is_a_key_like_any_other() -> None:
    assert read_document("<<: {a: 1}\nb: 2\n").data == {"<<": {"a": 1}, "b": 2}


def test_keys_are_text_however_they_look() -> None:
    assert read_document("1: a\ntrue: b\n~: c\n2001-01-01: d\n").data == {
        "1": "a",
        "true": "b",
        "~": "c",
        "2001-01-01": "d",
    }


YAMLISH = st.text(st.sampled_from("ab01 \n\t-:,[]{}#&*!|>'\"%@`?=~.<_+\u00e9\x00"), max_size=60)
TAGS = st.builds(
    "a: {}{} {}\n".format,
    st.sampled_from(["!", "!!", "!<", "!x!", "!!python/object:", "!!python/object/apply:"]),
    st.sampled_from(["int", "float", "bool", "null", "binary", "timestamp", "set", "omap", "pairs", "os.system", ">"]),
    st.sampled_from(["", "x", "[x]", "{x: 1}", "2001-13-45", "[[x]]"]),
)


@given(st.text() | YAMLISH | TAGS)
def test_any_text_gives_a_document_and_never_an_exception(text: str) -> None:
    document = read_document(text)
    assert type(document) is Document
    assert all(document.faults)
    assert document.line(("x", 0)) >= 1


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text("abc", max_size=3),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1, max_size=3), inner),
        max_leaves=20,
    )
)
def test_what_is_written_is_read_with_a_line_for_every_path(data: object) -> None:
    import yaml

    document = read_document(yaml.safe_dump(data))
    assert (document.data, document.faults) == (data, [])
    assert () in document.lines
    assert all(line >= 1 for line in document.lines.values())
