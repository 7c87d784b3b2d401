"""`runs`: what Hubwarden did."""

from __future__ import annotations

import argparse
import json
import re
from typing import TYPE_CHECKING

from hubwarden.cli.terminal import OK, add_command, add_format, asked, show
from hubwarden.errors import InputError
from hubwarden.model.report import run_id
from hubwarden.report.as_json import run_data, run_report
from hubwarden.report.as_text import run_text, runs_csv, runs_text

if TYPE_CHECKING:
    from hubwarden.cli.terminal import Commands

MOST_RUNS = 500


def add(commands: Commands) -> None:
    """Adds the commands."""
    runs = add_command(commands, "runs", "list past and running runs, the newest first, or show one")
    runs.add_argument("id", nargs="?", metavar="RUN", help="the run to show; its Report is JSON in any format but csv")
    runs.add_argument(
        "--top", type=_count, default=20, metavar="COUNT", help="how many to list; 20 unless you say otherwise"
    )
    add_format(runs).set_defaults(run=_runs)


def _count(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,2}", text, re.ASCII) or int(text) > MOST_RUNS:
        raise argparse.ArgumentTypeError(f"{text[:80]!r} is not a whole number from 1 to {MOST_RUNS}")
    return int(text)


def _runs(arguments: argparse.Namespace) -> int:
    if arguments.id is not None:
        return _one_run(run_id(arguments.id), arguments.format)
    found, _ = asked(lambda house: house.runs(arguments.top))
    data = {"value": [run_data(run) for run in found]}
    show(arguments.format, data, lambda: runs_text(found), lambda: runs_csv(found))
    return OK


def _one_run(named: str, form: str) -> int:
    found = asked(lambda house: house.run_named(named))
    if found is None:
        raise InputError(f"{named}: no such run is known; runs are kept for 30 days")
    shown = json.dumps(run_report(found), indent=2)
    show(form, run_report(found), lambda: run_text(found) if found.report is None else shown, lambda: runs_csv([found]))
    return OK
