"""The expressions of the Kusto query language that Resource Graph queries here are made of, compiled once per query.

Comparisons (`==`, `!=`, `=~`, `!~`, `in`, `in~`, `contains`, `has`, `startswith`, `endswith`, and `<`, `<=`, `>`, `>=`
of numbers), `and`, `or`, brackets, a few functions, texts, numbers, truth values, and paths into dynamic values.
Anything else is a QueryError that names it (behaviour reference section 5.6).
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any

from simulator.kusto_words import QueryError, Words, is_text, unquoted

Row = dict[str, Any]


class Kind(Enum):
    """What Kusto knows of a column before it sees a value: no key, order or page can be made of a dynamic one."""

    TEXT = "text"
    NUMBER = "number"
    TRUTH = "truth"
    DYNAMIC = "dynamic"


Columns = Mapping[str, Kind]


@dataclass(frozen=True, slots=True)
class Expression:
    """Something with a value for each row; `name` is what its column is called unless the query says it, or empty."""

    kind: Kind
    value: Callable[[Row], Any]
    name: str = ""


def expression(words: Words, columns: Columns) -> Expression:
    """Reads an expression. Raises QueryError."""
    parts = [_conjunction(words, columns)]
    while words.takes("or"):
        parts.append(_conjunction(words, columns))
    return parts[0] if len(parts) == 1 else _joined("or", any, parts)


def condition(words: Words, columns: Columns) -> Callable[[Row], Any]:
    """Reads an expression that is true or false. Raises QueryError."""
    return _truth("where", expression(words, columns))


def _conjunction(words: Words, columns: Columns) -> Expression:
    parts = [_comparison(words, columns)]
    while words.takes("and"):
        parts.append(_comparison(words, columns))
    return parts[0] if len(parts) == 1 else _joined("and", all, parts)


def _joined(word: str, join: Callable[[Any], bool], parts: list[Expression]) -> Expression:
    values = [_truth(word, part) for part in parts]
    return Expression(Kind.TRUTH, lambda row: join(value(row) for value in values))


def _truth(word: str, part: Expression) -> Callable[[Row], Any]:
    if part.kind is not Kind.TRUTH:
        raise QueryError(f"'{word}' needs what is true or false, not a {part.kind.value} such as '{part.name}'.")
    return part.value


def _comparison(words: Words, columns: Columns) -> Expression:
    left = _operand(words, columns)
    if words.next_is("in", "in~"):
        return _among(words, columns, left)
    if words.next_is(*_COMPARISONS):
        sign = words.take()
        compare, of_null = _COMPARISONS[sign]
        right = _operand(words, columns)
        _refuse_unlike(sign, left.kind, right.kind)
        first, second = left.value, right.value

        def compared(row: Row) -> bool:
            one, other = first(row), second(row)
            # Kusto, nothing equals null, and everything differs from it.
            return of_null if one is None or other is None else compare(one, other)

        return Expression(Kind.TRUTH, compared)
    if (word := words.next_name()) not in _FOLLOW:
        raise QueryError(f"Not known to this simulator: comparison '{word}'. Known: {', '.join(_COMPARISONS)}.")
    return left


def _refuse_unlike(sign: str, left: Kind, right: Kind) -> None:
    kinds = {left, right} - {Kind.DYNAMIC}
    if len(kinds) > 1 or (sign in _ORDERS and kinds - {Kind.NUMBER}):
        raise QueryError(f"'{sign}' cannot compare a {left.value} with a {right.value}.")


def _among(words: Words, columns: Columns, left: Expression) -> Expression:
    folds = words.take() == "in~"
    words.expect("(")
    wanted = [_operand(words, columns)]
    while words.takes(","):
        wanted.append(_operand(words, columns))
    words.expect(")")
    equal = _COMPARISONS["=~" if folds else "=="][0]

    def among(row: Row) -> bool:
        value = left.value(row)
        return value is not None and any(equal(value, each.value(row)) for each in wanted)

    return Expression(Kind.TRUTH, among)


def _operand(words: Words, columns: Columns) -> Expression:
    word = words.take()
    if word == "(":
        inner = expression(words, columns)
        words.expect(")")
        return inner
    if is_text(word):
        text = unquoted(word)
        return Expression(Kind.TEXT, lambda _row: text)
    if word.isdecimal():
        number = int(word)
        return Expression(Kind.NUMBER, lambda _row: number)
    if word in ("true", "false"):
        truth = word == "true"
        return Expression(Kind.TRUTH, lambda _row: truth)
    if not re.fullmatch(r"[A-Za-z_]\w*", word):
        raise QueryError(f"A name is needed where '{word}' stands.")
    return _called(word, words, columns) if words.takes("(") else _path(word, words, columns)


def _called(function: str, words: Words, columns: Columns) -> Expression:
    if function not in _FUNCTIONS:
        raise QueryError(f"Not known to this simulator: function '{function}'. Known: {', '.join(_FUNCTIONS)}.")
    arguments = [expression(words, columns)]
    while words.takes(","):
        arguments.append(expression(words, columns))
    words.expect(")")
    kind, most, apply = _FUNCTIONS[function]
    if most is not None and len(arguments) > most:
        raise QueryError(f"'{function}' takes {most}.")
    values = [argument.value for argument in arguments]
    if len(values) == 1:
        only = values[0]
        return Expression(kind, lambda row: apply(only(row)))
    return Expression(kind, lambda row: apply(*(value(row) for value in values)))


def _path(column: str, words: Words, columns: Columns) -> Expression:
    if column not in columns:
        raise QueryError(f"Failed to resolve column or scalar expression named '{column}'.")
    steps: list[str | int] = []
    while words.next_is(".", "["):
        steps.append(words.name() if words.take() == "." else _index(words))
    if not steps:
        return Expression(columns[column], lambda row: row[column], column)
    if columns[column] is not Kind.DYNAMIC:
        raise QueryError(f"Column '{column}' has nothing inside: it is not dynamic.")
    named = all(isinstance(step, str) for step in steps)
    return Expression(
        Kind.DYNAMIC,
        lambda row: _within(row[column], steps),
        "_".join([column, *map(str, steps)]) if named else "",
    )


def _index(words: Words) -> str | int:
    word = words.take()
    if not is_text(word) and not word.isdecimal():
        raise QueryError(f"Not known to this simulator: the index '{word}'.")
    words.expect("]")
    return unquoted(word) if is_text(word) else int(word)


def _within(value: Any, steps: list[str | int]) -> Any:
    for step in steps:
        if isinstance(step, str):
            value = value.get(step) if isinstance(value, dict) else None
        else:
            value = value[step] if isinstance(value, list) and step < len(value) else None
    return value


def text_of(value: Any) -> str:
    """Kusto, a value as a text: nothing for null, JSON without blanks for what is not plain."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return one == other
    if isinstance(one, bool) or isinstance(other, bool) or isinstance(one, str) or isinstance(other, str):
        return text_of(one) == text_of(other)
    return bool(one == other)


def _folded(compare: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    return lambda one, other: compare(text_of(one).lower(), text_of(other).lower())


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def numbers(one: Any, other: Any) -> bool:
        return all(isinstance(each, int | float) for each in (one, other)) and compare(one, other)

    return numbers


def _has(text: str, term: str) -> bool:
    """Kusto, a term stands between what is neither letter nor digit."""
    return _term(term).search(text) is not None


@lru_cache(maxsize=256)
def _term(term: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W_]){re.escape(term)}(?![^\W_])")


# Each comparison, and what it says of a null.
_COMPARISONS: dict[str, tuple[Callable[[Any, Any], bool], bool]] = {
    "==": (_equal, False),
    "!=": (lambda one, other: not _equal(one, other), True),
    "=~": (_folded(operator.eq), False),
    "!~": (_folded(operator.ne), True),
    "contains": (_folded(operator.contains), False),
    "has": (_folded(_has), False),
    "startswith": (_folded(str.startswith), False),
    "endswith": (_folded(str.endswith), False),
    "<": (_ordered(operator.lt), False),
    "<=": (_ordered(operator.le), False),
    ">": (_ordered(operator.gt), False),
    ">=": (_ordered(operator.ge), False),
}
_FOLLOW = ("", "and", "or", "by", "asc", "desc")
_ORDERS = ("<", "<=", ">", ">=")


def _is_empty(value: Any) -> bool:
    return value is None or value == ""  # Kusto, an empty list is not empty


def _concatenated(*lists: Any) -> list[Any]:
    return [each for found in lists if isinstance(found, list) for each in found]


# Each function: the kind of its value, how many arguments it takes at most, and what it does.
_FUNCTIONS: dict[str, tuple[Kind, int | None, Callable[..., Any]]] = {
    "tostring": (Kind.TEXT, 1, text_of),
    "tolower": (Kind.TEXT, 1, lambda value: text_of(value).lower()),
    "array_concat": (Kind.DYNAMIC, None, _concatenated),
    "array_length": (Kind.NUMBER, 1, lambda value: len(value) if isinstance(value, list) else None),
    "isnull": (Kind.TRUTH, 1, lambda value: value is None),
    "isnotnull": (Kind.TRUTH, 1, lambda value: value is not None),
    "isempty": (Kind.TRUTH, 1, _is_empty),
    "isnotempty": (Kind.TRUTH, 1, lambda value: not _is_empty(value)),
    "not": (Kind.TRUTH, 1, operator.not_),
}
