"""The bit of the Kusto query language that Resource Graph queries here are made of.

A query is a table and then, each after a bar: `where` with `==`, `=~`, `!=`, `!~`, `and`, `or` and brackets; `project`
of columns and paths, renamed or not; `order by` columns. Anything else is a QueryError that names it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Row = dict[str, Any]
_Predicate = Callable[[Row], bool]

_TOKEN = re.compile(r"\s*(?:(?P<text>'[^']*'|\"[^\"]*\")|(?P<word>[A-Za-z_][\w]*)|(?P<sign>==|=~|!=|!~|[=(),.|]))")
_COMPARISONS: dict[str, Callable[[str, str], bool]] = {
    "==": lambda left, right: left == right,
    "=~": lambda left, right: left.lower() == right.lower(),
    "!=": lambda left, right: left != right,
    "!~": lambda left, right: left.lower() != right.lower(),
}


class QueryError(Exception):
    """The query is wrong, or says what this simulator does not know."""


def run(query: str, tables: Mapping[str, Callable[[], list[Row]]]) -> list[Row]:
    """The rows a query gives. Raises QueryError."""
    words = _Words(query)
    table = words.word()
    if table.lower() not in tables:
        raise QueryError(f"Not known to this simulator: table '{table}'. Known: {', '.join(tables)}.")
    rows = tables[table.lower()]()
    while words.more():
        words.expect("|")
        operator = words.word()
        if operator not in _OPERATORS:
            raise QueryError(f"Not known to this simulator: operator '{operator}'. Known: {', '.join(_OPERATORS)}.")
        rows = _OPERATORS[operator](words, rows)
    return rows


class _Words:
    """The words of a query, read from left to right."""

    def __init__(self, query: str) -> None:
        self._words: list[str] = []
        position, query = 0, query.strip()
        while position < len(query):
            match = _TOKEN.match(query, position)
            if match is None:
                raise QueryError(f"Not known to this simulator: '{query[position:].strip()[:20]}'.")
            self._words.append(match.group().strip())
            position = match.end()

    def more(self) -> bool:
        return bool(self._words)

    def next_is(self, *words: str) -> bool:
        return self.more() and self._words[0] in words

    def take(self) -> str:
        if not self._words:
            raise QueryError("The query ends too early.")
        return self._words.pop(0)

    def word(self) -> str:
        taken = self.take()
        if not re.fullmatch(r"\w+", taken):
            raise QueryError(f"A name is needed where '{taken}' stands.")
        return taken

    def text(self) -> str:
        taken = self.take()
        if taken[0] not in "'\"":
            raise QueryError(f"Not known to this simulator: a comparison with '{taken}', which is no text.")
        return taken[1:-1]

    def expect(self, word: str) -> None:
        taken = self.take()
        if taken != word:
            raise QueryError(f"Not known to this simulator: '{taken}' where '{word}' could stand.")

    def path(self) -> list[str]:
        names = [self.word()]
        while self.next_is("."):
            self.take()
            names.append(self.word())
        return names


def _where(words: _Words, rows: list[Row]) -> list[Row]:
    predicate = _alternatives(words)
    return [row for row in rows if predicate(row)]


def _alternatives(words: _Words) -> _Predicate:
    parts = [_conjunction(words)]
    while words.next_is("or"):
        words.take()
        parts.append(_conjunction(words))
    return lambda row: any(part(row) for part in parts)


def _conjunction(words: _Words) -> _Predicate:
    parts = [_comparison(words)]
    while words.next_is("and"):
        words.take()
        parts.append(_comparison(words))
    return lambda row: all(part(row) for part in parts)


def _comparison(words: _Words) -> _Predicate:
    if words.next_is("("):
        words.take()
        inner = _alternatives(words)
        words.expect(")")
        return inner
    path, sign = words.path(), words.take()
    if sign not in _COMPARISONS:
        raise QueryError(f"Not known to this simulator: comparison '{sign}'. Known: {', '.join(_COMPARISONS)}.")
    compare, text = _COMPARISONS[sign], words.text()
    return lambda row: compare(_text(_value(row, path)), text)


def _project(words: _Words, rows: list[Row]) -> list[Row]:
    columns: dict[str, list[str]] = {}
    while True:
        path = words.path()
        name = "_".join(path)
        if words.next_is("="):
            words.take()
            name, path = path[-1], words.path()
        columns[name] = path
        if not words.next_is(","):
            return [{name: _value(row, path) for name, path in columns.items()} for row in rows]
        words.take()


def _order(words: _Words, rows: list[Row]) -> list[Row]:
    words.expect("by")
    keys: list[tuple[list[str], bool]] = []
    while True:
        path = words.path()
        # Kusto, the order is descending unless said otherwise.
        descending = words.take() == "desc" if words.next_is("asc", "desc") else True
        keys.append((path, descending))
        if not words.next_is(","):
            break
        words.take()
    ordered = list(rows)
    for path, descending in reversed(keys):
        ordered.sort(key=lambda row, path=path: _text(_value(row, path)), reverse=descending)  # type: ignore[misc]
    return ordered


_OPERATORS: dict[str, Callable[[_Words, list[Row]], list[Row]]] = {
    "where": _where,
    "project": _project,
    "order": _order,
}


def _value(row: Row, path: list[str]) -> Any:
    value: Any = row
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _text(value: Any) -> str:
    return "" if value is None else str(value)
