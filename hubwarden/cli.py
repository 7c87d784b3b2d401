"""The shell's door: `python -m hubwarden`. Exit codes: 0 ok, 1 something failed, 2 bad input, 3 held or refused."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from hubwarden.errors import ConfigError, HubwardenError, InputError
from hubwarden.model.dns_name import DnsName
from hubwarden.model.endpoint import private_endpoint_id
from hubwarden.model.report import OneEndpoint, Report
from hubwarden.report.as_json import explanation_data, name_data, report_data
from hubwarden.report.as_text import explanation_text, name_text, report_csv, report_text
from hubwarden.runtime import Runtime

OK, FAILED, BAD_INPUT, HELD = 0, 1, 2, 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and gives its exit code."""
    parsed = _parser().parse_args(arguments)
    try:
        code: int = parsed.run(parsed)
    except ConfigError as error:
        print("\n".join(error.faults), file=sys.stderr)
        return BAD_INPUT
    except InputError as error:
        print(error, file=sys.stderr)
        return BAD_INPUT
    except HubwardenError as error:
        print(error, file=sys.stderr)
        return FAILED
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hubwarden", description="Keeps the DNS of Azure Private Link right.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    config = commands.add_parser("config", help="check hubwarden.yaml, or print its JSON Schema")
    config_commands = config.add_subparsers(required=True, metavar="check|schema")
    check = config_commands.add_parser("check", help="list every fault and warning; exit 2 when there is a fault")
    check.add_argument("file", nargs="?", type=Path, help="the file; without one, what the app itself would use")
    check.set_defaults(run=_check)
    config_commands.add_parser("schema", help="print the JSON Schema for editors").set_defaults(run=_schema)

    reconcile = commands.add_parser("reconcile", help="make the records of a private endpoint right, now")
    reconcile.add_argument("endpoint", help="resource id of the private endpoint")
    reconcile.add_argument("--plan", action="store_true", help="only show what would be done")
    reconcile.add_argument("--format", choices=("table", "json", "csv"), default="table")
    reconcile.set_defaults(run=_reconcile)

    explain = commands.add_parser("explain", help="what is seen, wanted, held and owned, and why")
    explain.add_argument("what", help="resource id of a private endpoint, or a host name")
    explain.add_argument("--format", choices=("table", "json"), default="table")
    explain.set_defaults(run=_explain)
    return parser


def _check(arguments: argparse.Namespace) -> int:
    from hubwarden.config.loading import load, parse

    file: Path | None = arguments.file
    warnings = parse(_text(file), str(file))[1] if file else load().warnings
    print("\n".join(warnings) if warnings else "no faults, no warnings")
    return OK


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: cannot be read: {error}") from error


def _schema(_: argparse.Namespace) -> int:
    from hubwarden.config.loading import schema

    print(json.dumps(schema(), indent=2))
    return OK


def _reconcile(arguments: argparse.Namespace) -> int:
    scope = OneEndpoint(private_endpoint_id(arguments.endpoint), thorough=True)

    async def run() -> Report:
        async with _opened() as house:
            return await house.run(scope, applies=not arguments.plan)

    report = asyncio.run(run())
    formats = {"json": lambda: json.dumps(report_data(report), indent=2), "csv": lambda: report_csv(report).rstrip()}
    print(formats.get(arguments.format, lambda: report_text(report))())
    if report.unfinished:
        return FAILED
    return HELD if report.plan.held else OK


def _explain(arguments: argparse.Namespace) -> int:
    what = private_endpoint_id(arguments.what) if arguments.what.startswith("/") else DnsName.parse(arguments.what)

    async def run() -> str:
        async with _opened() as house:
            if isinstance(what, DnsName):
                found = await house.explain_name(what)
                data, text = name_data(found), name_text(found)
            else:
                explanation = await house.explain(OneEndpoint(what))
                data, text = explanation_data(explanation), explanation_text(explanation)
            return json.dumps(data, indent=2) if arguments.format == "json" else text

    print(asyncio.run(run()))
    return OK


def _opened() -> Runtime:
    from hubwarden.config.loading import load

    return Runtime.build(load())
