"""`policy check`, `policy test` and `policy try`: a policy before it decides about anybody; nothing is answered."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from hubwarden.approval.rehearse import compare, judge_each, rehearse
from hubwarden.cli.terminal import BAD_INPUT, FAILED, HELD, OK, add_command, add_format, asked, show, text_of
from hubwarden.errors import ConfigError, InputError, trouble
from hubwarden.model.judgement import Asking, Case
from hubwarden.report.faults import faults_csv, faults_data
from hubwarden.report.rehearsal import (
    comparison_csv,
    comparison_data,
    comparison_text,
    counted,
    judged_csv,
    judged_data,
    judged_text,
    rehearsal_csv,
    rehearsal_data,
    rehearsal_text,
)

if TYPE_CHECKING:
    from hubwarden.cli.terminal import Commands
    from hubwarden.model.policy import Policy

TRY = """Shows what a policy would decide on every connection that waits in the estate, and why. Reader rights suffice,
and nothing is written: no answer, nor anything in the ledger. With --snapshot it needs neither Azure nor settings. It
is the policy's word alone: limits, and what else may hold an answer back, are what `connections` shows. With --against,
only what another policy would decide otherwise: exit code 3 if that is another verdict for any connection, 0 if not."""


def add(commands: Commands) -> None:
    """Adds the command."""
    policy = add_command(commands, "policy", "check the rules of approvals, or try them on cases, or on what waits")
    policy_commands = policy.add_subparsers(required=True, metavar="check|test|try")
    said = "list the faults and warnings of a file's policy; exit 2 when there is a fault"
    check = add_command(policy_commands, "check", said)
    check.add_argument("file", type=Path, metavar="FILE", help="a file such as hubwarden.yaml")
    add_format(check).set_defaults(run=_check)
    said = "try a policy on the cases of a file, without Azure; exit 1 when one comes out otherwise than expected"
    test = add_command(policy_commands, "test", said)
    test.add_argument("file", type=Path, metavar="FILE", help="cases; `policy: FILE` in it names the policy beside it")
    add_format(test).set_defaults(run=_test)
    said = "show what a policy would decide on what waits now, or what another would decide otherwise"
    tries = policy_commands.add_parser("try", help=said, description=TRY)
    tries.add_argument("file", type=Path, nargs="?", metavar="FILE", help="the policy; the configured one if left out")
    tries.add_argument("--against", type=Path, metavar="OTHER", help="show only what this policy would do otherwise")
    where = tries.add_mutually_exclusive_group()
    where.add_argument("--snapshot", type=Path, metavar="SNAP", help="what waited when this file was saved; no Azure")
    where.add_argument("--save", type=Path, metavar="SNAP", help="also write what waits, with all that can be learnt")
    add_format(tries).set_defaults(run=_try)


def _check(arguments: argparse.Namespace) -> int:
    from hubwarden.config.loading import parse

    path: Path = arguments.file
    try:
        file, warnings = parse(text_of(path), str(path))
    except ConfigError as error:
        if arguments.format == "table":
            raise
        faults = error.faults
        show(arguments.format, faults_data(faults, ()), str, lambda: faults_csv(faults, ()))
        return BAD_INPUT
    about = [warning for warning in warnings if ": approvals." in warning]
    told = "\n".join(about) or f"{counted(len(file.approvals.rules), 'rule')}, no faults, no warnings"
    show(arguments.format, faults_data((), about), lambda: told, lambda: faults_csv((), about))
    return OK


def _test(arguments: argparse.Namespace) -> int:
    from hubwarden.config.cases import read_cases

    path: Path = arguments.file
    said = read_cases(text_of(path), str(path))
    cases = [Case(part.name, part.facts.facts(), part.expect.decided, part.expect.rule) for part in said.cases]
    rehearsal = rehearse(_policy_in(path.parent / said.policy), cases)
    show(
        arguments.format,
        rehearsal_data(rehearsal),
        lambda: rehearsal_text(rehearsal),
        lambda: rehearsal_csv(rehearsal),
    )
    return OK if all(each.is_as_expected for each in rehearsal.tried) else FAILED


def _try(arguments: argparse.Namespace) -> int:
    policy = _policy_in(arguments.file or _configured())
    other = _policy_in(arguments.against) if arguments.against else None
    waiting = _waiting(arguments, [each for each in (policy, other) if each])
    if other is None:
        judged = judge_each(policy, waiting)
        show(arguments.format, judged_data(judged), lambda: judged_text(judged), lambda: judged_csv(judged))
        return OK
    found = compare(policy, other, waiting)
    show(arguments.format, comparison_data(found), lambda: comparison_text(found), lambda: comparison_csv(found))
    return HELD if found.other_verdicts else OK


def _waiting(arguments: argparse.Namespace, policies: list[Policy]) -> tuple[Asking, ...]:
    """What the policies are tried on: what a file has, or what waits now, which is perhaps written down."""
    from hubwarden.config.snapshot import read_snapshot, write_snapshot

    if arguments.snapshot:
        return read_snapshot(text_of(arguments.snapshot), str(arguments.snapshot))

    waiting = asked(lambda house: house.asking(policies, wholly=arguments.save is not None))
    if arguments.save:
        try:
            arguments.save.write_text(write_snapshot(waiting), encoding="utf-8")
        except OSError as error:
            raise InputError(f"{arguments.save}: cannot be written: {trouble(error)}") from error
    return waiting


def _configured() -> Path:
    from hubwarden.config.environment import read_environment

    return read_environment().config_file


def _policy_in(path: Path) -> Policy:
    from hubwarden.config.loading import parse

    return parse(text_of(path), str(path))[0].approvals.policy()
