"""What an owner writes in a language of its own: CEL expressions, and regular expressions; one engine runs both.

The engine is Google's (cel-cpp, RE2). RE2 takes time in proportion to the text, whatever the expression; CEL has no
endless loops, and what its loops could build is bounded here: they compare and build nothing, as addition is only of
numbers; the engine stops after 10,000 steps of a loop, and an expression has a longest length and few loops.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Self

from hubwarden.errors import InputError
from hubwarden.model.facts import FACTS, Facts, Kind, Value
from hubwarden.model.resource_id import fold

LONGEST = 1000
"""Characters of an expression."""

MOST_LOOPS = 3
"""How often `all`, `exists` or `exists_one` may stand in an expression."""

LONGEST_TEXT = 4096
MOST_ITEMS = 1000
"""How much of a fact is looked at: what is longer is not known, for a part of it could say another thing."""

_LOOP = re.compile(r"\.\s*(all|exists|exists_one)\s*\(")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_DURATION = re.compile(r"\bduration\(\s*('[^']*'|\"[^\"]*\")\s*\)")
_UNSPEAKABLE = re.compile("[\\x00\\ud800-\\udfff]")
_PLAIN = re.compile(r"[A-Za-z0-9 _-]*")
_PLACE = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)")
# Without the additions of text and lists nothing grows, and `map` and `filter`, which need them, do not compile.
_LANGUAGE = """
name: "hubwarden"
stdlib:
  exclude_functions:
    - name: "_+_"
      overloads: [{id: add_string}, {id: add_bytes}, {id: add_list}]
"""


@dataclass(frozen=True, slots=True)
class Expression:
    """A CEL expression over the facts of a connection, which is true or false."""

    text: str
    names: frozenset[str]
    """The facts that it names."""
    _compiled: Any = field(compare=False, repr=False)

    @classmethod
    def parse(cls, text: object) -> Self:
        """Reads an expression. Raises InputError for one that does not compile, or is not true or false."""
        if not isinstance(text, str):
            raise InputError(f"a CEL expression is text, not {type(text).__name__}")
        if len(text) > LONGEST or not _is_speakable(text):
            raise InputError(
                f"a CEL expression is Unicode text of at most {LONGEST} characters, and this has {len(text)}"
            )
        if len(_LOOP.findall(text)) > MOST_LOOPS:
            raise InputError(f"a CEL expression has at most {MOST_LOOPS} of all, exists and exists_one")
        compiled = _compiled(text)
        if compiled.return_type() != _engine().Type.BOOL:
            raise InputError(f"a condition is true or false, and this is {compiled.return_type().name()}")
        names = frozenset(name for name in FACTS if name.rpartition(".")[2] in text and not _compiles(text, name))
        if not names:
            raise InputError(f"it names no fact, so it asks nothing; facts are {', '.join(FACTS)}")
        expression = cls(text, names, compiled)
        if fault := expression._fault():
            raise InputError(fault)
        return expression

    @property
    def texts(self) -> frozenset[str]:
        """The texts in it, without their quotes."""
        return frozenset(found[1:-1] for found in _QUOTED.findall(self.text))

    @property
    def has_capitals(self) -> bool:
        """Whether a text in it has a capital letter."""
        return any(text != fold(text) for text in self.texts)

    def holds(self, facts: Facts) -> bool | None:
        """Whether it is true; None where it cannot be told, or fails.

        CEL's own rules for errors are Kleene's for what is not known: `false && x` is false, `true || x` is true.
        """
        known: dict[str, object] = {}
        for name in self.names:
            if (value := _given(FACTS[name].read(facts))) is not None:
                known[name] = value
        found = _result(self._compiled, known)
        return found if isinstance(found, bool) else None

    def _fault(self) -> str:
        """What is wrong with a regular expression or a duration in it, as far as a trial shows."""
        tried = str(_result(self._compiled, {name: _SAMPLE[FACTS[name].kind] for name in self.names}))
        if "regular expression" in tried:
            return f"not CEL that can be used: {tried.partition(': ')[2]}"
        for text in _DURATION.findall(self.text):
            if _result(_compiled(f"duration({text}) == duration({text})"), {}) is not True:
                return f"{text} is no duration: they are in h, m, s and ms"
        return ""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Regex:
    """A regular expression of RE2, looked for anywhere in a text."""

    text: str
    _beginning: str = field(init=False, repr=False, compare=False)
    """Plain characters with which whatever matches begins, perhaps none: most texts do not have them."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_beginning", _beginning(self.text))

    @classmethod
    def parse(cls, text: object) -> Self:
        """Reads one. Raises InputError for what RE2 refuses, such as a look-ahead, and for one that matches all."""
        if not isinstance(text, str):
            raise InputError(f"a regular expression is text, not {type(text).__name__}")
        if not 0 < len(text) <= LONGEST or not _is_speakable(text):
            raise InputError(f"a regular expression has 1 to {LONGEST} characters")
        found = _matched("", text)
        if not isinstance(found, bool):
            raise InputError(f"not a regular expression as RE2 has them: {found.partition('expression: ')[2] or found}")
        if found and _matched("\u00a4 9 q Z _", text):
            raise InputError("it matches every text, so it asks nothing")
        return cls(text)

    def matches(self, text: str) -> bool | None:
        """Whether it is found in the text; None for a text that is not looked at."""
        if not _is_speakable(text):
            return None
        found = self._beginning in text and _matched(text, self.text)
        return found if isinstance(found, bool) else None

    def __str__(self) -> str:
        return self.text


def _beginning(pattern: str) -> str:
    """What stands before the first character that may be special; without the last one where that may be left out."""
    plain = _PLAIN.match(pattern)
    assert plain is not None
    found, rest = plain[0], pattern[plain.end() :]
    if "|" in rest:
        return ""
    return found[:-1] if rest[:1] in ("*", "?", "{") else found


def _given(value: Value | None) -> object:
    """A fact as the engine takes it; None where it is not known or cannot be looked at."""
    match value:
        case str():
            return value if _is_speakable(value) else None
        case tuple():
            return list(value) if _are_speakable(value) else None
        case Mapping():
            return dict(value) if _are_speakable([*value, *value.values()]) else None
        case float():
            return datetime.timedelta(seconds=value)
        case _:
            return value


def _are_speakable(texts: Iterable[str]) -> bool:
    found = list(texts)
    return len(found) <= MOST_ITEMS and all(map(_is_speakable, found))


def _is_speakable(text: str) -> bool:
    """Whether the engine sees the whole of it: no half of a surrogate pair, as JSON may bring it, and not too long.

    At U+0000 the engine ends a text: what follows would not be looked at.
    """
    return len(text) <= LONGEST_TEXT and not _UNSPEAKABLE.search(text)


_SAMPLE: Mapping[Kind, object] = {
    Kind.TEXT: "a",
    Kind.LIST: ["a"],
    Kind.TAGS: {"a": "a"},
    Kind.TRUTH: True,
    Kind.DURATION: datetime.timedelta(hours=1),
}


@cache
def _engine() -> Any:
    from cel_expr_python import cel

    return cel


@cache
def _environment(without: str = "") -> Any:
    """Where expressions compile: every fact declared with its type, but perhaps one."""
    cel = _engine()
    types = {
        Kind.TEXT: cel.Type.STRING,
        Kind.LIST: cel.Type.List(cel.Type.STRING),
        Kind.TAGS: cel.Type.Map(cel.Type.STRING, cel.Type.STRING),
        Kind.TRUTH: cel.Type.BOOL,
        Kind.DURATION: cel.Type.DURATION,
    }
    variables = {name: types[fact.kind] for name, fact in FACTS.items() if name != without}
    return cel.NewEnv(config=cel.NewEnvConfigFromYaml(_LANGUAGE), variables=variables)


def _compiled(text: str) -> Any:
    try:
        return _environment().compile(text)
    except RuntimeError as error:
        raise InputError(_told(str(error))) from error


def _compiles(text: str, without: str) -> bool:
    try:
        _environment(without).compile(text)
    except RuntimeError:
        return False
    return True


def _told(error: str) -> str:
    """The engine's first complaint in a line, with the place in the expression and the names that there are."""
    found = _PLACE.search(error)
    if found is None:
        return f"not CEL: {error.partition(' [')[0]}"
    line, column, what = found.groups()
    names = f"; facts are {', '.join(FACTS)}" if what.startswith("undeclared reference") else ""
    place = f"character {column}" if line == "1" else f"line {line}, character {column}"
    return f"not CEL that can be used: at {place}: {what.removesuffix(_NO_CONTAINER)}{names}"


_NO_CONTAINER = " (in container '')"


def _result(compiled: Any, data: Mapping[str, object]) -> object:
    """What an expression comes to; a text says why it comes to nothing."""
    try:
        found = compiled.eval(data=data)
    except RuntimeError as error:  # it was stopped
        return str(error)
    return found.value()


@cache
def _search() -> Any:
    cel = _engine()
    text = {"text": cel.Type.STRING, "pattern": cel.Type.STRING}
    return cel.NewEnv(variables=text).compile("text.matches(pattern)")


def _matched(text: str, pattern: str) -> bool | str:
    found = _result(_search(), {"text": text, "pattern": pattern})
    return found if isinstance(found, bool) else str(found)
