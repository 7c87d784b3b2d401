"""The shell's door: `python -m hubwarden`. Exit codes: 0 ok, 1 failed or unfinished, 2 bad input, 3 held or refused."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from hubwarden import __version__
from hubwarden.cli import connections, coverage, history, names, policy, records, settings, takeover, word, zones
from hubwarden.cli.terminal import BAD_INPUT, FAILED, HELD
from hubwarden.errors import ConfigError, HubwardenError, InputError, NotDecidedError, PlanChangedError, PlanOnlyError

COMMANDS = (settings, policy, names, zones, records, connections, history, word, takeover, coverage)
"""The modules that bring commands, in the order in which the help shows them."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and gives its exit code."""
    parsed = parser().parse_args(arguments)
    try:
        code: int = parsed.run(parsed)
        sys.stdout.flush()
    except ConfigError as error:
        print("\n".join(error.faults), file=sys.stderr)
        return BAD_INPUT
    except InputError as error:
        print(error, file=sys.stderr)
        return BAD_INPUT
    except (NotDecidedError, PlanChangedError, PlanOnlyError) as error:
        print(error, file=sys.stderr)
        return HELD
    except HubwardenError as error:
        print(error, file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("interrupted: what was begun may be half done", file=sys.stderr)
        return FAILED
    except BrokenPipeError:  # whoever reads has seen enough, as `head` has; at exit Python would write once more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    return code


def parser() -> argparse.ArgumentParser:
    """What the shell takes: every command with its options."""
    made = argparse.ArgumentParser(
        prog="python -m hubwarden",
        description="Keeps the DNS of Azure Private Link right, and answers those who ask to connect.",
        epilog="Exit codes: 0 ok, 1 something failed or was not looked at, 2 bad input, 3 held or refused.",
    )
    made.add_argument("--version", action="version", version=__version__)
    commands = made.add_subparsers(required=True, metavar="COMMAND")
    for module in COMMANDS:
        module.add(commands)
    return made
