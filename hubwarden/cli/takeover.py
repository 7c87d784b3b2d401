"""`takeover`: a person, with their own rights, has Hubwarden's records take the place of zone groups'."""

from __future__ import annotations

import argparse
import shlex
from typing import TYPE_CHECKING

from hubwarden.cli.terminal import FAILED, HELD, OK, add_apply, add_command, add_format, asked, show
from hubwarden.model.endpoint import private_endpoint_id
from hubwarden.model.takeover import TakeoverReport
from hubwarden.report.takeover import takeover_csv, takeover_report_data, takeover_text
from hubwarden.runtime import Runtime

if TYPE_CHECKING:
    from hubwarden.cli.terminal import Commands


def add(commands: Commands) -> None:
    """Adds the command."""
    about = "take records over from endpoints' DNS zone groups, one endpoint at a time, with your own rights"
    takeover = add_command(commands, "takeover", about)
    takeover.add_argument(
        "endpoint",
        nargs="*",
        metavar="ENDPOINT",
        help="resource ids; without one, all whose zone groups made records in our hubs",
    )
    add_apply(takeover)
    add_format(takeover).set_defaults(run=_takeover)


def _takeover(arguments: argparse.Namespace) -> int:
    named = [private_endpoint_id(each) for each in arguments.endpoint]

    async def run(house: Runtime) -> TakeoverReport:
        if arguments.apply is None:
            return await house.plan_takeovers(named)
        return await house.take_over(named, arguments.apply)

    report = asked(run)
    again = shlex.join(["python", "-m", "hubwarden", "takeover", *map(str, named)])
    show(
        arguments.format,
        takeover_report_data(report),
        lambda: takeover_text(report, again),
        lambda: takeover_csv(report),
    )
    if report.failed:
        return FAILED
    return HELD if report.plan.refused else OK
