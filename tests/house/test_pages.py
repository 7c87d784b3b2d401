"""The pages render as they are meant: links lead to places that there are, and tables keep their columns."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path

import pytest

from hubwarden.cli import parser
from hubwarden.report.as_text import CONNECTION_COLUMNS
from hubwarden.report.columns import fitted
from tests.house.sources import ROOT

PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def prose(page: Path) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


@cache
def anchors(page: Path) -> frozenset[str]:
    """Where links may lead on a page: GitHub's names of its headings."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return frozenset(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings)


@each_page
def test_every_link_leads_to_a_file_and_to_a_heading_that_there_are(page: Path) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", prose(page)):
        if link.startswith("https://"):
            continue
        place, _, anchor = link.partition("#")
        leads_to = (page.parent / place).resolve() if place else page
        assert leads_to.exists(), link
        assert not anchor or anchor in anchors(leads_to), link


@each_page
def test_every_row_of_a_table_has_the_columns_of_its_heading(page: Path) -> None:
    for table in re.findall(r"^(?:\|.*\n)+", prose(page) + "\n", re.MULTILINE):
        heading, rule, *rows = table.splitlines()
        assert re.fullmatch(r"\|( ?-+ ?\|)+", rule), heading
        columns = {len(re.findall(r"(?<!\\)\|", row)) for row in (heading, rule, *rows)}
        assert len(columns) == 1, heading


@each_page
def test_every_table_and_block_of_code_begins_after_an_empty_line(page: Path) -> None:
    """Else GitHub takes a table for prose."""
    assert not re.search(r"^(?!\||\s*$).+\n\|", prose(page), re.MULTILINE)
    assert not re.search(r"^\S.*\n```\w", page.read_text(encoding="utf-8"), re.MULTILINE)


@each_page
def test_every_block_of_code_says_what_it_is_and_ends(page: Path) -> None:
    fences = re.findall(r"^```(.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(fences) % 2 == 0
    assert all(opening in {"console", "bash", "yaml", "json", "kusto"} for opening in fences[::2])
    assert not any(fences[1::2])


@each_page
def test_every_command_of_the_shell_that_is_shown_is_one_that_it_takes(page: Path) -> None:
    """With its options; ids that are cut short stand for whole ones."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    shown = re.findall(r"^(?:\$|\s+- run:) python -m hubwarden (.*)$", text, re.MULTILINE)
    for command in shown:
        parser().parse_args(shlex.split(command, comments=True))


def test_the_connection_that_is_shown_is_one_as_the_shell_shows_it() -> None:
    page = (ROOT / "docs" / "deciding.md").read_text(encoding="utf-8")
    shown = re.search(r"^connection  .*?(?=^\$)", page, re.MULTILINE | re.DOTALL)
    assert shown is not None
    told = dict(line.split("  ", 1) for line in shown[0].splitlines())
    row = [told.get(column, "").strip() for column in CONNECTION_COLUMNS]
    assert shown[0].splitlines() == [line for line in fitted(CONNECTION_COLUMNS, [row]) if line]


def test_the_readme_leads_to_every_page() -> None:
    """So that nobody has to look into the directory."""
    linked = {(ROOT / link).resolve() for link in re.findall(r"\]\(([^)#]+\.md)", prose(ROOT / "README.md"))}
    assert set(PAGES) - linked == {ROOT / "README.md"}
