"""`python -m simulator up`: a whole local Azure in the foreground, with the function app running in it."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from simulator.authority import Authority


def options(arguments: Sequence[str]) -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    up = parser.add_subparsers(required=True, metavar="up").add_parser("up", help="start everything, until SIGTERM")
    up.add_argument("--app", type=Path, default=Path(), help="the function app's directory; by default this one")
    up.add_argument("--no-app", action="store_true", help="no function app: only the simulated services")
    up.add_argument("--hosts", type=int, default=1, help="instances of the app; by default 1")
    up.add_argument("--env-file", type=Path, help="where to write the addresses and keys once all answer")
    up.add_argument("--port", type=int, default=0, help="port of the simulator; by default a free one")
    up.add_argument("--world", type=Path, help="a snapshot to start from; by default an empty world")
    up.add_argument("--no-subscribe", action="store_true", help="make no event subscriptions")
    up.add_argument("--timers", action="store_true", help="the first instance starts timers by their schedules")
    up.add_argument("--lease", type=int, help="seconds a queue message stays with a lost instance; by default 600")
    wanted = parser.parse_args(arguments)
    if not wanted.no_app and not (wanted.app / "host.json").is_file():
        up.error(f"--app {wanted.app}: no function app is there, for there is no host.json; --no-app does without")
    return wanted


def main(arguments: Sequence[str]) -> int:
    """Runs until SIGTERM or SIGINT; 1 if something does not start."""
    wanted = options(arguments)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    with tempfile.TemporaryDirectory(prefix="simulator-") as directory:
        authority = Authority(Path(directory))
        os.environ.update(authority.environment())
        # Only now: aiohttp reads SSL_CERT_FILE when it is first imported.
        from simulator.up import StartError, run

        try:
            asyncio.run(run(wanted, authority))
        except StartError as error:
            print(f"simulator: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
