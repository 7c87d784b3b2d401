"""`config check` and `config schema`: what hubwarden.yaml says, before anything runs on it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from hubwarden.cli.terminal import OK, add_command, text_of

if TYPE_CHECKING:
    from hubwarden.cli.terminal import Commands


def add(commands: Commands) -> None:
    """Adds the command."""
    config = add_command(commands, "config", "check hubwarden.yaml, or print its JSON Schema")
    config_commands = config.add_subparsers(required=True, metavar="check|schema")
    check = add_command(config_commands, "check", "list every fault and warning; exit 2 when there is a fault")
    check.add_argument(
        "file", nargs="?", type=Path, metavar="FILE", help="the file; without one, what the app itself would use"
    )
    check.set_defaults(run=_check)
    add_command(config_commands, "schema", "print the JSON Schema for editors").set_defaults(run=_schema)


def _check(arguments: argparse.Namespace) -> int:
    from hubwarden.config.loading import load, parse

    file: Path | None = arguments.file
    warnings = parse(text_of(file), str(file))[1] if file else load().warnings
    print("\n".join(warnings) if warnings else "no faults, no warnings")
    return OK


def _schema(_: argparse.Namespace) -> int:
    from hubwarden.config.loading import schema

    print(json.dumps(schema(), indent=2))
    return OK
