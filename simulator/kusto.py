"""The bit of the Kusto query language that Resource Graph queries here are made of: a table, and what is done with it.

After the table's name come, each after a bar: `where`, `extend`, `project`, `mv-expand`, `summarize count()`,
`order by`, `limit` or `take`. Anything else is a QueryError that names it (behaviour reference section 5.6).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from simulator.kusto_expressions import Columns, Expression, Kind, Row, condition, expression
from simulator.kusto_words import QueryError, Words

# Azure, mv-expand makes so many rows of one at most, and does not say so (behaviour reference sections 5.5, 5.6).
MAX_EXPANDED = 128


@dataclass(frozen=True, slots=True)
class Table:
    """Rows with their columns; `limited` when the query itself asked for only so many of them."""

    columns: Columns
    rows: Sequence[Row]
    limited: bool = False


def run(query: str, tables: Mapping[str, Callable[[], Table]]) -> Table:
    """What a query gives. Raises QueryError."""
    words = Words(query)
    name = words.name()
    if name.lower() not in tables:
        raise QueryError(f"Not known to this simulator: table '{name}'. Known: {', '.join(tables)}.")
    table = tables[name.lower()]()
    while words.more():
        words.expect("|")
        operator = words.take()
        if operator not in _OPERATORS:
            raise QueryError(f"Not known to this simulator: operator '{operator}'. Known: {', '.join(_OPERATORS)}.")
        table = _OPERATORS[operator](words, table)
    return table


def _where(words: Words, table: Table) -> Table:
    holds = condition(words, table.columns)
    return replace(table, rows=[row for row in table.rows if holds(row)])


def _project(words: Words, table: Table) -> Table:
    made = _named(words, table.columns)
    values = [(name, each.value) for name, each in made.items()]
    rows = [{name: value(row) for name, value in values} for row in table.rows]
    return replace(table, columns=_kinds(made), rows=rows)


def _extend(words: Words, table: Table) -> Table:
    made = _named(words, table.columns)
    values = [(name, each.value) for name, each in made.items()]
    rows = [{**row, **{name: value(row) for name, value in values}} for row in table.rows]
    return replace(table, columns={**table.columns, **_kinds(made)}, rows=rows)


def _mv_expand(words: Words, table: Table) -> Table:
    """Kusto, a row for each element of a list; none for an empty one, and one for what is no list."""
    ((name, lists),) = _named(words, table.columns, most=1).items()
    if lists.kind is not Kind.DYNAMIC:
        raise QueryError(f"'mv-expand' needs a dynamic expression, which '{name}' is not.")
    rows = [{**row, name: each} for row in table.rows for each in _elements(lists.value(row))]
    return replace(table, columns={**table.columns, name: Kind.DYNAMIC}, rows=rows)


def _elements(value: Any) -> list[Any]:
    return value[:MAX_EXPANDED] if isinstance(value, list) else [value]


def _summarize(words: Words, table: Table) -> Table:
    name = words.name()
    if words.takes("="):
        words.expect("count")
    elif name == "count":
        name = "count_"
    else:
        raise QueryError(f"Not known to this simulator: 'summarize {name}'. Known: count().")
    words.expect("(")
    words.expect(")")
    keys = _named(words, table.columns) if words.takes("by") else {}
    counts: dict[tuple[Any, ...], int] = {} if keys else {(): 0}
    values = [_plain("summarize", each).value for each in keys.values()]
    for row in table.rows:
        found = tuple(value(row) for value in values)
        counts[found] = counts.get(found, 0) + 1
    rows = [{**dict(zip(keys, found, strict=True)), name: count} for found, count in counts.items()]
    return replace(table, columns={**_kinds(keys), name: Kind.NUMBER}, rows=rows)


def _order(words: Words, table: Table) -> Table:
    words.expect("by")
    keys: list[tuple[Callable[[Row], Any], bool]] = []
    while True:
        value = _plain("order", expression(words, table.columns)).value
        # Kusto, the order is descending unless said otherwise.
        keys.append((value, not words.takes("asc")))
        words.takes("desc")
        if not words.takes(","):
            break
    rows = list(table.rows)
    for value, descending in reversed(keys):
        rows.sort(key=_sortable(value), reverse=descending)
    return replace(table, rows=rows)


def _sortable(value: Callable[[Row], Any]) -> Callable[[Row], Any]:
    def key(row: Row) -> Any:
        found = value(row)
        return (found is not None, found)  # Kusto, null comes first

    return key


def _limit(words: Words, table: Table) -> Table:
    number = words.take()
    if not number.isdecimal():
        raise QueryError(f"Not known to this simulator: '{number}' where a number of rows could stand.")
    return replace(table, rows=table.rows[: int(number)], limited=True)


_OPERATORS: dict[str, Callable[[Words, Table], Table]] = {
    "where": _where,
    "extend": _extend,
    "project": _project,
    "mv-expand": _mv_expand,
    "summarize": _summarize,
    "order": _order,
    "limit": _limit,
    "take": _limit,
}


def _named(words: Words, columns: Columns, *, most: int | None = None) -> dict[str, Expression]:
    """Expressions by the names of their columns: the one the query gives, or that of a path."""
    made: dict[str, Expression] = {}
    while True:
        given = words.takes_name()
        each = expression(words, columns)
        if not (name := given or each.name):
            raise QueryError("Not known to this simulator: a column without a name; the query must say it.")
        made[name] = each
        if len(made) == most or not words.takes(","):
            return made


def _kinds(made: Mapping[str, Expression]) -> dict[str, Kind]:
    return {name: each.kind for name, each in made.items()}


def _plain(operator: str, key: Expression) -> Expression:
    """Kusto takes no dynamic value for a key: the query must say what it is."""
    if key.kind is Kind.DYNAMIC:
        raise QueryError(f"'{operator}' needs a key that is not dynamic, as '{key.name}' is: say tostring(...).")
    return key
