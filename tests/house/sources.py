"""The project's own Python files, for the tests that read them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRODUCT = ("function_app.py", "handlers", "hubwarden")


def modules(*places: str) -> list[Path]:
    """Every Python file in these folders (or these files themselves), in order."""
    return [file for place in places for file in _files(ROOT / place)]


def _files(place: Path) -> Iterator[Path]:
    if place.suffix == ".py":
        yield place
    else:
        yield from sorted(file for file in place.rglob("*.py") if not {"node_modules", ".venv"} & set(file.parts))


def tree(file: Path) -> ast.Module:
    """The file's syntax."""
    return ast.parse(file.read_text(encoding="utf-8"), filename=str(file))


def called(file: Path) -> str:
    """The file's path from the root, as messages show it."""
    return file.relative_to(ROOT).as_posix()
