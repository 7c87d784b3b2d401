"""What infra's files say, read without a compiler: parameters, modules with what they are given, and literal values."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.house.sources import ROOT

INFRA = ROOT / "infra"
BICEP = sorted(INFRA.rglob("*.bicep"))

_PARAMETER = re.compile(r"^(?P<before>(?:^(?:@|[ \])]).*\n)*)^param (?P<name>\w+) \w+(?P<default> =)?", re.MULTILINE)
_MODULE = re.compile(r"^module (?P<name>\w+) '(?P<path>[^']+)'", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a Bicep file."""

    name: str
    is_required: bool
    is_described: bool


@dataclass(frozen=True, slots=True)
class Module:
    """A module as one file uses another."""

    name: str
    path: Path
    given: frozenset[str]


def text_of(name: str) -> str:
    """A file of infra."""
    return (INFRA / name).read_text(encoding="utf-8")


def data_of(name: str) -> Any:
    """A JSON file of infra."""
    return json.loads(text_of(name))


def parameters(file: Path) -> list[Parameter]:
    """The parameters of a Bicep file."""
    found = _PARAMETER.finditer(file.read_text(encoding="utf-8"))
    return [Parameter(each["name"], not each["default"], "@description(" in each["before"]) for each in found]


def modules_of(file: Path) -> Iterator[Module]:
    """The modules that a Bicep file uses."""
    text = file.read_text(encoding="utf-8")
    for each in _MODULE.finditer(text):
        body = block(text, text.index("params:", each.end()))
        yield Module(each["name"], (file.parent / each["path"]).resolve(), frozenset(keys(body)))


def block(text: str, start: int) -> str:
    """What stands between the first brace after `start` and the one that closes it."""
    begin = text.index("{", start)
    depth = 0
    for at in range(begin, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return text[begin + 1 : at]
    raise ValueError(f"no brace closes the one at {begin}")


def keys(body: str) -> list[str]:
    """The keys of an object, without those of objects in it."""
    flat = re.sub(r"'(?:\\.|[^'\\])*'", "''", body)  # an interpolation's braces are no object's
    while (emptied := re.sub(r"\{[^{}]*\}|\[[^\[\]]*\]|\([^()]*\)", "0", flat)) != flat:
        flat = emptied
    return re.findall(r"(?:^|[\n,])\s*(\w+):", flat)
