"""Files and functions that stay small enough to read, each with a first sentence."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.house.sources import called, modules, tree

ROOMS = ("function_app.py", "handlers", "hubwarden", "simulator")
LONGEST_MODULE = 400
LONGEST_FUNCTION = 60
SAY_NOTHING = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc", "service", "services"}

every_module = pytest.mark.parametrize("file", modules(*ROOMS), ids=called)


@every_module
def test_a_module_is_no_longer_than_one_can_keep_in_mind(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= LONGEST_MODULE


@every_module
def test_a_function_fits_on_a_screen(file: Path) -> None:
    functions = [node for node in ast.walk(tree(file)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    lengths = {function.name: (function.end_lineno or 0) - function.lineno + 1 for function in functions}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION} == {}


@every_module
def test_a_module_begins_by_saying_what_it_is_for(file: Path) -> None:
    first, _, _ = (ast.get_docstring(tree(file)) or "").partition("\n")
    assert len(first) > 20


@every_module
def test_a_module_is_named_for_what_it_holds(file: Path) -> None:
    assert not SAY_NOTHING & set(file.with_suffix("").parts)
