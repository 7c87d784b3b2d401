"""The shell's door: `python -m hubwarden`. Exit codes: 0 ok, 1 failed or unfinished, 2 bad input, 3 held."""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from hubwarden.errors import ConfigError, HubwardenError, InputError
from hubwarden.model.connection import Decision
from hubwarden.model.dns_name import DnsName
from hubwarden.model.endpoint import PRIVATE_ENDPOINT, ConnectionStatus, private_endpoint_id
from hubwarden.model.report import Report, Run, Status, run_id
from hubwarden.model.scope import Everything, OneEndpoint, OneTarget, Scope, target_id
from hubwarden.report.as_json import connection_data, explanation_data, name_data, report_data, run_data, run_report
from hubwarden.report.as_text import (
    connections_csv,
    connections_text,
    explanation_text,
    name_text,
    report_csv,
    report_text,
    run_text,
    runs_csv,
    runs_text,
)
from hubwarden.runtime import Runtime

OK, FAILED, BAD_INPUT, HELD = 0, 1, 2, 3
MOST_RUNS = 500


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

    reconcile = commands.add_parser("reconcile", help="make records right and answer connections, now")
    reconcile.add_argument(
        "id", nargs="?", help="resource id of a private endpoint, or of a target; without one, the whole estate"
    )
    reconcile.add_argument("--plan", action="store_true", help="only show what would be done")
    _with_format(reconcile).set_defaults(run=_reconcile)

    explain = commands.add_parser("explain", help="what is seen, wanted, held and owned, and why")
    explain.add_argument("what", help="resource id of a private endpoint, or a host name")
    explain.add_argument("--format", choices=("table", "json"), default="table")
    explain.set_defaults(run=_explain)

    runs = commands.add_parser("runs", help="list past and running runs, the newest first, or show one")
    runs.add_argument("id", nargs="?", help="the run to show; its Report is JSON in any format but csv")
    runs.add_argument("--top", type=_count, default=20, help="how many to list; 20 unless you say otherwise")
    _with_format(runs).set_defaults(run=_runs)

    connections = commands.add_parser("connections", help="list connections, and what would be answered to them")
    statuses = [status.value for status in ConnectionStatus]
    connections.add_argument("--status", choices=statuses, default=ConnectionStatus.PENDING.value)
    _with_format(connections).set_defaults(run=_connections)
    return parser


def _with_format(command: argparse.ArgumentParser) -> argparse.ArgumentParser:
    command.add_argument("--format", choices=("table", "json", "csv"), default="table")
    return command


def _count(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,2}", text, re.ASCII) or int(text) > MOST_RUNS:
        raise argparse.ArgumentTypeError(f"{text[:80]!r} is not a whole number from 1 to {MOST_RUNS}")
    return int(text)


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
    scope = _scope(arguments.id)

    async def run() -> Report:
        async with _opened() as house:
            return await house.run(scope, applies=not arguments.plan)

    report = asyncio.run(run())
    _print(arguments.format, report_data(report), lambda: report_text(report), lambda: report_csv(report))
    if report.status is not Status.DONE:
        return FAILED
    return HELD if report.plan.held else OK


def _scope(text: str | None) -> Scope:
    if text is None:
        return Everything()
    target = target_id(text)
    return OneEndpoint(target, thorough=True) if target.is_a(PRIVATE_ENDPOINT) else OneTarget(target)


def _print(form: str, data: object, table: Callable[[], str], as_csv: Callable[[], str]) -> None:
    match form:
        case "json":
            print(json.dumps(data, indent=2))
        case "csv":
            print(as_csv().rstrip())
        case _:
            print(table())


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


def _runs(arguments: argparse.Namespace) -> int:
    if arguments.id is not None:
        return _one_run(run_id(arguments.id), arguments.format)

    async def newest() -> list[Run]:
        async with _opened() as house:
            return (await house.runs(arguments.top))[0]

    found = asyncio.run(newest())
    data = {"value": [run_data(run) for run in found]}
    _print(arguments.format, data, lambda: runs_text(found), lambda: runs_csv(found))
    return OK


def _one_run(named: str, form: str) -> int:
    async def read() -> Run | None:
        async with _opened() as house:
            return await house.run_named(named)

    found = asyncio.run(read())
    if found is None:
        raise InputError(f"{named}: no such run is known; runs are kept for 30 days")
    shown = json.dumps(run_report(found), indent=2)
    _print(
        form, run_report(found), lambda: run_text(found) if found.report is None else shown, lambda: runs_csv([found])
    )
    return OK


def _connections(arguments: argparse.Namespace) -> int:
    async def read() -> tuple[Decision, ...]:
        async with _opened() as house:
            return await house.connections(ConnectionStatus(arguments.status))

    found = asyncio.run(read())
    data = {"value": [connection_data(decision) for decision in found]}
    _print(arguments.format, data, lambda: connections_text(found), lambda: connections_csv(found))
    return OK


def _opened() -> Runtime:
    from hubwarden.config.loading import load

    return Runtime.build(load())
