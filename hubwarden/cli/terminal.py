"""What the commands have in common: exit codes, formats, and the house itself."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from hubwarden.errors import InputError, trouble
from hubwarden.model.plan import plan_hash
from hubwarden.runtime import Runtime

OK, FAILED, BAD_INPUT, HELD = 0, 1, 2, 3
"""What a command ends with: well, with something that failed, for bad input, or with something held or refused."""

if TYPE_CHECKING:
    from hubwarden.config.loading import Config

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

Answer = TypeVar("Answer")


def add_command(commands: Commands, name: str, about: str) -> argparse.ArgumentParser:
    """Adds a command; what the list of commands says `about` it stands in its own help as well."""
    return commands.add_parser(name, help=about, description=f"{about[0].upper()}{about[1:]}.")


def add_apply(command: argparse.ArgumentParser) -> None:
    """Gives a command its `--apply`: the hash of the plan that is to be done; None where it is only to be shown."""
    about = "do the very plan that was shown with this hash; without it, nothing is written"
    command.add_argument("--apply", metavar="HASH", type=_hash, help=about)


def add_format(command: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Gives a command its `--format`: table, json or csv."""
    about = "for people, which is the default, or for programs; these have everything"
    command.add_argument("--format", choices=("table", "json", "csv"), default="table", help=about)
    return command


def show(form: str, data: object, table: Callable[[], str], as_csv: Callable[[], str]) -> None:
    """Prints what was found in the form that was asked for."""
    match form:
        case "json":
            print(json.dumps(data, indent=2))
        case "csv":
            print(as_csv().rstrip())
        case _:
            print(table().rstrip())


def text_of(file: Path) -> str:
    """What a file says. Raises InputError where it cannot be read."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: cannot be read: {trouble(error)}") from error


def asked(question: Callable[[Runtime], Awaitable[Answer]], config: Config | None = None) -> Answer:
    """What the house answers, which is built for it from the settings and closed again.

    Raises what the question raises, and ConfigError with every fault of the settings.
    """
    from hubwarden.config.loading import load

    async def answered() -> Answer:
        async with Runtime.build(config or load()) as house:
            return await question(house)

    return asyncio.run(answered())


def _hash(text: str) -> str:
    try:
        return plan_hash(text)
    except InputError as error:
        raise argparse.ArgumentTypeError(f"{text[:80]!r}: {error}") from error
