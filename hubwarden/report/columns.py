"""Text in columns, for terminals and for spreadsheets: neither may be steered by what a stranger wrote."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Sequence


def aligned(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines with aligned columns; nothing at all where there is no row."""
    cells = [headings, *rows]
    if len(cells) == 1:
        return []
    widths = [max(len(row[column]) for row in cells) for column in range(len(headings))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


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
