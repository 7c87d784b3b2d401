"""`policy check` and `policy test`: a policy before it decides about anybody, without Azure."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from hubwarden.approval.rehearse import Case, Rehearsal, Tried, rehearse
from hubwarden.cli.terminal import FAILED, OK, add_command, text_of
from hubwarden.model.connection import Verdict

if TYPE_CHECKING:
    from hubwarden.cli.terminal import Commands
    from hubwarden.config.cases import Cases
    from hubwarden.config.schema import File


def add(commands: Commands) -> None:
    """Adds the command."""
    policy = add_command(commands, "policy", "check the rules of approvals, or try them on cases of your own")
    policy_commands = policy.add_subparsers(required=True, metavar="check|test")
    said = "list the faults and warnings of a file's policy; exit 2 when there is a fault"
    check = add_command(policy_commands, "check", said)
    check.add_argument("file", type=Path, metavar="FILE", help="a file such as hubwarden.yaml")
    check.set_defaults(run=_check)
    said = "try a policy on the cases of a file, without Azure; exit 1 when one comes out otherwise than expected"
    test = add_command(policy_commands, "test", said)
    test.add_argument("file", type=Path, metavar="FILE", help="cases; `policy: FILE` in it names the policy beside it")
    test.set_defaults(run=_test)


def _check(arguments: argparse.Namespace) -> int:
    file, warnings = _policy_in(arguments.file)
    about = [warning for warning in warnings if ": approvals." in warning]
    print("\n".join(about) if about else f"{_counted(len(file.approvals.rules), 'rule')}, no faults, no warnings")
    return OK


def _test(arguments: argparse.Namespace) -> int:
    from hubwarden.config.cases import read_cases

    path: Path = arguments.file
    cases = read_cases(text_of(path), str(path))
    file, _ = _policy_in(path.parent / cases.policy)
    rehearsal = rehearse(file.approvals.policy(), _cases(cases))
    print(_told(rehearsal))
    return OK if all(each.is_as_expected for each in rehearsal.tried) else FAILED


def _cases(cases: Cases) -> list[Case]:
    return [Case(part.name, part.facts.facts(), Verdict(part.expect.verdict), part.expect.rule) for part in cases.cases]


def _told(rehearsal: Rehearsal) -> str:
    failed = [each for each in rehearsal.tried if not each.is_as_expected]
    lines = [_failure(each) for each in failed]
    lines += [f"never exercised: {name}" for name in rehearsal.unexercised]
    return "\n".join([*lines, f"{_counted(len(rehearsal.tried), 'case')}, {len(failed)} failed"])


def _failure(tried: Tried) -> str:
    case, found = tried.case, tried.judgement
    by = f" by {case.rule}" if case.rule else ""
    return f"failed: {case.name}: expected {case.verdict}{by}, but {found.verdict}: {found.reason}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _policy_in(path: Path) -> tuple[File, tuple[str, ...]]:
    from hubwarden.config.loading import parse

    return parse(text_of(path), str(path))
