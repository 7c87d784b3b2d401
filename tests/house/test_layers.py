"""Who may import whom: the contracts of import-linter, and who may speak to which part of the outside."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.sources import PRODUCT, ROOT, called, modules, tree

# What of the outside has one room: every path that begins so may import it, and no other.
ROOMS = {
    "azure.mgmt": ("hubwarden/arm/",),
    "azure.data": ("hubwarden/ledger/",),
    "azure.storage": ("hubwarden/ledger/",),
    "azure.identity": ("hubwarden/runtime/",),
    "azure.eventgrid": ("hubwarden/announce.py",),
    "azure.monitor": ("hubwarden/telemetry/",),
    "opentelemetry": ("hubwarden/telemetry/",),
    "azure.functions": ("handlers/", "function_app.py"),
    "azure.core": ("hubwarden/arm/", "hubwarden/ledger/", "hubwarden/announce.py", "hubwarden/runtime/"),
    "cel_expr_python": ("hubwarden/model/expression.py",),
    "os.environ": ("hubwarden/config/environment.py",),
    "os.getenv": ("hubwarden/config/environment.py",),
    "os.putenv": (),
    "importlib.import_module": (),
    "simulator": (),
    "tests": (),
}


def reached(module: ast.Module) -> Iterator[str]:
    """Every dotted name that a module imports, or reaches as an attribute of what it imports."""
    names: dict[str, str] = {}
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
                names[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: rooms are imported by their full names"
            for alias in node.names:
                yield f"{node.module}.{alias.name}"
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in names:
            yield f"{names[node.value.id]}.{node.attr}"


def strangers(file: Path, module: ast.Module, rooms: dict[str, tuple[str, ...]]) -> list[str]:
    """What a file reaches and has no business with."""
    return [
        f"{called(file)}: {name}"
        for name in reached(module)
        for outside, allowed in rooms.items()
        if f"{name}.".startswith(f"{outside}.") and not called(file).startswith(allowed)
    ]


def test_the_contracts_of_import_linter_are_kept() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    run = subprocess.run(command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "0 broken" in run.stdout


@pytest.mark.parametrize("file", modules(*PRODUCT), ids=called)
def test_each_room_reaches_only_its_own_part_of_the_outside(file: Path) -> None:
    assert strangers(file, tree(file), ROOMS) == []


@pytest.mark.parametrize(
    "line",
    [
        "import azure.mgmt.network",
        "from azure.mgmt.network import aio",
        "from azure import mgmt",
        "import azure.mgmt.network as net",
        "import os\nos.environ['X']",
        "import os as o\no.getenv('X')",
        "from os import environ",
        "def f():\n    from azure.identity.aio import DefaultAzureCredential",
        "if TYPE_CHECKING:\n    import azure.functions",
        "import simulator.world",
    ],
)
def test_no_way_of_importing_escapes_the_rule(line: str) -> None:
    assert strangers(ROOT / "hubwarden/dns/plan.py", ast.parse(line), ROOMS)


@pytest.mark.parametrize(
    "outside",
    [each for each in ROOMS if each.startswith(("azure.", "opentelemetry")) and each != "azure.core"],
)
def test_each_part_of_the_outside_is_reached_by_its_room(outside: str) -> None:
    found = [file for file in modules(*PRODUCT) if strangers(file, tree(file), {outside: ()})]
    assert found
    assert all(called(file).startswith(ROOMS[outside]) for file in found)


@pytest.mark.parametrize("word", ["simulator", "pytest"])
def test_the_product_never_speaks_of_what_it_is_tested_with(word: str) -> None:
    texts = [
        file
        for place in PRODUCT
        for file in ([ROOT / place] if place.endswith(".py") else sorted((ROOT / place).rglob("*")))
        if file.is_file() and "__pycache__" not in file.parts
    ]
    assert len(texts) > len(modules(*PRODUCT))
    assert [called(file) for file in texts if word in file.read_text(encoding="utf-8").lower()] == []


def test_the_product_never_asks_whether_it_is_being_tested() -> None:
    asked = [
        f"{called(file)}: {name}"
        for file in modules(*PRODUCT)
        for name in reached(tree(file))
        if name in ("sys.modules", "sys.argv") or name.startswith("unittest")
    ]
    assert asked == []
