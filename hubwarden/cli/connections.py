"""`connections`, `approve` and `reject`: who waits for an answer, and the answer of the person at the shell."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from hubwarden.cli.terminal import FAILED, HELD, OK, add_command, add_format, asked, show
from hubwarden.model.connection import Verdict
from hubwarden.model.endpoint import ConnectionStatus
from hubwarden.model.person import Ruling
from hubwarden.model.report import Report, Result, Status
from hubwarden.report.as_json import connection_data, report_data
from hubwarden.report.as_text import connections_csv, connections_text, report_csv, report_text
from hubwarden.runtime import Runtime

if TYPE_CHECKING:
    from hubwarden.cli.terminal import Commands


def add(commands: Commands) -> None:
    """Adds the commands."""
    connections = add_command(commands, "connections", "list connections, and what would be answered to them")
    statuses = [status.value for status in ConnectionStatus]
    which = f"which; {ConnectionStatus.PENDING} unless you say otherwise"
    connections.add_argument("--status", choices=statuses, default=ConnectionStatus.PENDING.value, help=which)
    add_format(connections).set_defaults(run=_connections)

    about = "approve a connection that waits, with your own sign-in"
    _add_answer(add_command(commands, "approve", about), Verdict.APPROVE)
    about = "reject a connection that waits, with your own sign-in; Azure does not take that back"
    _add_answer(add_command(commands, "reject", about), Verdict.REJECT)


def _add_answer(command: argparse.ArgumentParser, verdict: Verdict) -> None:
    command.add_argument("connection", metavar="CONNECTION", help="resource id of the connection")
    about = "what both sides read as the connection's description, cut to 140 characters there; kept in the ledger"
    command.add_argument("--reason", default="", metavar="TEXT", required=verdict is Verdict.REJECT, help=about)
    about = "resource id of the endpoint that it is meant for; refused where it is another's"
    command.add_argument("--endpoint", metavar="ENDPOINT", help=about)
    add_format(command).set_defaults(run=_decide, verdict=verdict)


def _connections(arguments: argparse.Namespace) -> int:
    found = asked(lambda house: house.connections(ConnectionStatus(arguments.status)))
    data = {"value": [connection_data(decision) for decision in found]}
    show(arguments.format, data, lambda: connections_text(found), lambda: connections_csv(found))
    return OK


def _decide(arguments: argparse.Namespace) -> int:
    ruling = Ruling.read(arguments.connection, arguments.verdict, arguments.reason, arguments.endpoint)

    async def decide(house: Runtime) -> Report:
        return await house.decide(ruling, await house.operator())

    report = asked(decide)
    show(arguments.format, report_data(report), lambda: report_text(report), lambda: report_csv(report))
    if report.status is not Status.DONE:
        return FAILED
    return OK if any(outcome.result is Result.DONE for outcome in report.outcomes) else HELD
