"""`coverage`: of which subscriptions of the estate the app is told what happens in them, and why not of the others."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from hubwarden.cli.terminal import FAILED, HELD, OK, add_command, add_format, asked, show
from hubwarden.model.coverage import Ours, account_id, app_id
from hubwarden.model.work import WORK_QUEUE
from hubwarden.report.coverage import coverage_csv, coverage_data, coverage_text

if TYPE_CHECKING:
    from hubwarden.cli.terminal import Commands


def add(commands: Commands) -> None:
    """Adds the command."""
    coverage = add_command(
        commands, "coverage", "list the subscriptions of the estate, and whether their events come to the app"
    )
    coverage.add_argument(
        "--app", metavar="ID", help="the app's resource id; without it, every app with a function `events` counts"
    )
    coverage.add_argument(
        "--queue",
        metavar="ID",
        help=f"resource id of the storage account of the queue `{WORK_QUEUE}`; without it, any account counts",
    )
    add_format(coverage).set_defaults(run=_coverage)


def _coverage(arguments: argparse.Namespace) -> int:
    from hubwarden.config.loading import load

    app = app_id(arguments.app) if arguments.app is not None else None
    account = account_id(arguments.queue) if arguments.queue is not None else None
    config = load()
    ours = Ours(app or config.environment.app, account)
    coverage = asked(lambda house: house.coverage(ours), config)
    show(
        arguments.format,
        coverage_data(coverage),
        lambda: coverage_text(coverage),
        lambda: coverage_csv(coverage),
    )
    if coverage.is_whole:
        return OK
    return HELD if coverage.is_known else FAILED
