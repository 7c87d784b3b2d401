"""`adopt`, `replace`, `release` and `rename`: a person's word on records that a run by itself leaves as they are."""

from __future__ import annotations

import argparse
import shlex
from typing import TYPE_CHECKING

from hubwarden.cli.terminal import FAILED, HELD, OK, add_apply, add_command, add_format, asked, show
from hubwarden.model.plan import Plan
from hubwarden.model.report import Report, Status
from hubwarden.model.word import Verb, Word
from hubwarden.report.as_json import report_data
from hubwarden.report.as_text import report_csv, report_text

if TYPE_CHECKING:
    from hubwarden.cli.terminal import Commands

_HELP = {
    Verb.ADOPT: "take unmarked records that are as an endpoint wants them into ownership",
    Verb.REPLACE: "take over named records that others left with other addresses",
    Verb.RELEASE: "let go of records of ours that the settings do not cover any more",
    Verb.RENAME: "give all records that bear a former name of the instance its present one",
}


def add(commands: Commands) -> None:
    """Adds the commands."""
    for verb, said in _HELP.items():
        command = add_command(commands, verb.value, said)
        if verb is not Verb.RENAME:
            which = "" if verb is Verb.REPLACE else "; without one, all that there are"
            count = "+" if verb is Verb.REPLACE else "*"
            command.add_argument("names", metavar="NAME", nargs=count, help=f"public or full private names{which}")
        command.add_argument("--zone", help="only records in the zone of this name")
        command.add_argument("--hub", help="only records of this hub")
        add_apply(command)
        add_format(command).set_defaults(run=_obey, verb=verb, names=[])


def _obey(arguments: argparse.Namespace) -> int:
    word = Word.read(arguments.verb, arguments.names, arguments.zone, arguments.hub)
    report = asked(lambda house: house.run(word, applies=bool(arguments.apply), plan=arguments.apply or ""))
    lines = [] if arguments.apply else [_how(word, report.plan)]
    show(
        arguments.format,
        report_data(report),
        lambda: "\n".join([report_text(report), *lines]),
        lambda: report_csv(report),
    )
    if report.status is not Status.DONE:
        return FAILED
    return HELD if _is_refused(report) else OK


def _how(word: Word, plan: Plan) -> str:
    """The command that applies a plan, if there is anything in it."""
    if not plan.changes:
        return f"there is nothing to {word.verb}"
    where = [*(["--zone", str(word.zone)] if word.zone else []), *(["--hub", word.hub] if word.hub else [])]
    command = ["python", "-m", "hubwarden", word.verb.value, *map(str, word.names), *where, "--apply", plan.hash]
    return f"nothing is written yet; to apply this very plan: {shlex.join(command)}"


def _is_refused(report: Report) -> bool:
    """Whether something was held for itself; whoever only wants a name that another gets is no refusal."""
    plan = report.plan
    answered = {*plan.unchanged, *(change.key for change in plan.changes)}
    return any(held.key not in answered for held in plan.held)
