"""Every exemption from a gate is counted: a new one is agreed on here, in this dictionary, or it does not come in."""

from __future__ import annotations

import io
import re
import tokenize
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from tests.house.sources import ROOT, called, modules

KINDS = {
    "type: ignore": re.compile(r"#\s*type:\s*ignore"),
    "noqa": re.compile(r"#\s*noqa\b", re.IGNORECASE),
    "no cover": re.compile(r"#\s*pragma:\s*no\s*(cover|branch)"),
    "nosec": re.compile(r"#\s*nosec\b"),
    "fmt": re.compile(r"#\s*fmt:\s*(off|skip)"),
}

AGREED: dict[str, dict[str, int]] = {
    "handlers": {"noqa": 2},
    "hubwarden": {"type: ignore": 1},
    "simulator": {"noqa": 3},
    "tests": {"type: ignore": 1, "noqa": 5, "fmt": 4},
}

FOLDERS = sorted({called(file).split("/")[0] for file in (*ROOT.glob("[!.]*/*.py"), *ROOT.glob("*.py"))})


@cache
def comments(file: Path) -> tuple[str, ...]:
    """The comments of a file: what stands in a text is none."""
    tokens = tokenize.generate_tokens(io.StringIO(file.read_text(encoding="utf-8")).readline)
    return tuple(token.string for token in tokens if token.type == tokenize.COMMENT)


@pytest.mark.parametrize("folder", FOLDERS)
def test_exemptions_are_as_many_as_agreed(folder: str) -> None:
    found: Counter[str] = Counter()
    for file in modules(folder):
        for comment in comments(file):
            found.update(kind for kind, pattern in KINDS.items() if pattern.search(comment))
    assert dict(found) == AGREED.get(folder, {})


def test_every_agreed_folder_is_there() -> None:
    assert set(AGREED) <= set(FOLDERS)


def test_an_exemption_names_what_it_exempts_from() -> None:
    bare = re.compile(r"#\s*(type:\s*ignore(?!\[)|noqa(?!: [A-Z]))")
    found = [
        f"{called(file)}: {comment}" for file in modules(*FOLDERS) for comment in comments(file) if bare.search(comment)
    ]
    assert found == []
