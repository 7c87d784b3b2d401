"""Tables for terminals: what would be too wide to read is shown row by row, and nothing gets lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hubwarden.report.columns import WIDEST, aligned, fitted

HEADINGS = ("op", "was", "why")
WIDE = "x" * WIDEST
CELLS = st.text("ab ", max_size=80).map(str.strip)


def test_what_fits_is_a_table_without_the_columns_that_are_empty_throughout() -> None:
    assert fitted(HEADINGS, [("put", "", "wanted"), ("drop", "", "gone")]) == [
        "op    why",
        "put   wanted",
        "drop  gone",
    ]
    assert fitted(HEADINGS, []) == aligned(HEADINGS, []) == []


def test_what_does_not_fit_is_shown_row_by_row_without_what_is_empty() -> None:
    assert fitted(HEADINGS, [("put", "", WIDE), ("drop", "10.0.0.4", "gone")]) == [
        "op   put",
        f"why  {WIDE}",
        "",
        "op   drop",
        "was  10.0.0.4",
        "why  gone",
        "",
    ]


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=4))
def test_no_line_is_wider_than_can_be_read_unless_a_cell_is(rows: list[tuple[str, str, str]]) -> None:
    lines = fitted(HEADINGS, rows)
    assert all(len(line) <= WIDEST for line in lines)
    assert all(cell in "\n".join(lines) for row in rows for cell in row)
