"""What the commands have in common: exit codes, formats, and the house itself."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from hubwarden.runtime import Runtime

OK, FAILED, BAD_INPUT, HELD = 0, 1, 2, 3
"""What a command ends with: well, with something that failed, for bad input, or with something held or refused."""

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_format(command: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Gives a command its `--format`: table, json or csv."""
    command.add_argument("--format", choices=("table", "json", "csv"), default="table")
    return command


def show(form: str, data: object, table: Callable[[], str], as_csv: Callable[[], str]) -> None:
    """Prints what was found in the form that was asked for."""
    match form:
        case "json":
            print(json.dumps(data, indent=2))
        case "csv":
            print(as_csv().rstrip())
        case _:
            print(table())


def opened() -> Runtime:
    """The house, built from the settings. Raises ConfigError with every fault of theirs."""
    from hubwarden.config.loading import load

    return Runtime.build(load())
