"""`python -m simulator.demo`: starts everything, plays the scenario as a consumer would, and tells what was seen."""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import signal
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from simulator.processes import Process, ProcessError

ROOT = Path(__file__).parents[1]
SECONDS_TO_START, SECONDS_TO_STOP = 120.0, 60.0


def main() -> int:
    """0 only if every step held."""
    parser = argparse.ArgumentParser(prog="python -m simulator.demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave everything running until Ctrl-C")
    keep = parser.parse_args().keep
    for number in (signal.SIGINT, signal.SIGTERM):  # both mean the end, wherever it was started from
        signal.signal(number, signal.default_int_handler)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 110)
    console.print("[bold]Hubwarden on a local Azure[/]: starting Azurite, the simulator and the function app …")
    with tempfile.TemporaryDirectory(prefix="hubwarden-demo-") as directory:
        env_file = Path(directory) / "demo.env"
        command = [sys.executable, "-m", "simulator", "up", "--app", str(ROOT), "--env-file", str(env_file)]
        settings = {"HUBWARDEN_CONFIG": str(ROOT / "hubwarden.yaml"), "WEBSITE_AUTH_ENABLED": "true"}
        up = Process("up", command, directory=ROOT, variables=settings)
        try:
            up.wait_for(re.compile("READY$"), SECONDS_TO_START)
            variables = dict(line.split("=", 1) for line in env_file.read_text(encoding="utf-8").splitlines())
            held = _play(variables, console)
            if keep:
                _keep(up, variables, console)
        except ProcessError as error:
            console.print(f"It did not start: {error}", style="red", markup=False)
            return 1
        finally:
            up.stop(SECONDS_TO_STOP)
    if not held:
        console.print(f"What the processes said last:\n{up.said()}", markup=False)
    return 0 if held else 1


def _play(variables: dict[str, str], console: Console) -> bool:
    os.environ.update(variables)
    # Only now: aiohttp reads SSL_CERT_FILE when it is first imported.
    from simulator.scenario import play

    return asyncio.run(play(console))


def _keep(up: Process, variables: dict[str, str], console: Console) -> None:
    try:
        console.print("\nIt stays up until Ctrl-C. For the shell and clients of your own, in another terminal:\n")
        for name, value in variables.items():
            console.print(f"export {name}='{value}'", soft_wrap=True)
        up.wait()
    except KeyboardInterrupt:
        console.print("\nEnded.")


if __name__ == "__main__":
    sys.exit(main())
