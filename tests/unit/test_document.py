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
        pytest.param("a: 1\nb: !mine x\n", 2, id="a tag of its own"),
        pytest.param("a: !!python/name:os.system x\n", 1, id="a tag that calls code"),
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
        pytest.param("a: 2001-13-45\n", id="no date"),
        pytest.param("a: " + "9" * 5000 + "\n", id="a number of 5000 digits"),
        pytest.param("- " * 2000, id="deep lists"),
        pytest.param("[" * 1000 + "]" * 1000, id="deep flow lists"),
        pytest.param("{a: " * 1000 + "}" * 1000, id="deep mappings"),
    ],
)
def test_what_cannot_be_read_is_a_fault(text: str) -> None:
    document = read_document(text)
    assert len(document.faults) == 1
    assert len(document.faults[0]) < 400


@pytest.mark.parametrize(("size", "faults"), [(LARGEST, 0), (LARGEST + 1, 1)])
def test_a_file_too_large_is_not_even_scanned(size: int, faults: int) -> None:
    document = read_document("#" * size)
    assert len(document.faults) == faults


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


# YAML's own characters, without `!`: an explicit tag is a case of its own.
YAMLISH = st.text(st.sampled_from("ab01 \n\t-:,[]{}#&*|>'\"%@`?=~.<_+\u00e9\x00"), max_size=60)


@given(st.text() | YAMLISH)
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
