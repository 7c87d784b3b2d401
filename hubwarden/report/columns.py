"""Text in columns, for terminals and for spreadsheets: neither may be steered by what a stranger wrote."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Sequence

WIDEST = 120
"""Characters of a line in a table that is made to fit."""


def aligned(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines with aligned columns; nothing at all where there is no row."""
    cells = [headings, *rows]
    if len(cells) == 1:
        return []
    widths = [max(len(row[column]) for row in cells) for column in range(len(headings))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def fitted(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The same without what is empty throughout; where a line would be too wide to read, each row by itself.

    A resource id alone is wider than most terminals: so it stands in a line of its own, from which it can be copied.
    """
    rows = list(rows)
    told = [column for column in range(len(headings)) if any(row[column] for row in rows)]
    lines = aligned([headings[column] for column in told], [[row[column] for column in told] for row in rows])
    return lines if all(len(line) <= WIDEST for line in lines) else _row_by_row(headings, rows)


def _row_by_row(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    width = max(map(len, headings))
    lines: list[str] = []
    for row in rows:
        named = zip(headings, row, strict=True)
        lines += [*([""] if lines else []), *(f"{name.ljust(width)}  {cell}" for name, cell in named if cell)]
    return [*lines, ""]


def as_csv(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """CSV with a row of headings."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(headings)
    writer.writerows([cell(str(each)) for each in row] for row in rows)
    return out.getvalue()


def cell(text: str) -> str:
    """A stranger's text as a cell: a spreadsheet must not take it for a formula."""
    safe = printable(text)
    return f"'{safe}" if safe[:1] in ("=", "+", "-", "@") and safe != "@" else safe  # a lone @ is a zone's own name


def printable(text: str) -> str:
    """A stranger's text for a terminal: control and format characters are shown as escapes."""
    return "".join(
        character if unicodedata.category(character)[0] != "C" else character.encode("unicode_escape").decode()
        for character in text
    )
