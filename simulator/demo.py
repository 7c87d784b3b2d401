"""`python -m simulator.demo`: starts everything, plays the scenario as a consumer would, and tells what was seen."""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TextIO

from rich.console import Console

ROOT = Path(__file__).parents[1]
SECONDS_TO_START = 120.0


def main() -> int:
    """0 only if every step held."""
    parser = argparse.ArgumentParser(prog="python -m simulator.demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave everything running until Ctrl-C")
    keep = parser.parse_args().keep
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 110)
    with tempfile.TemporaryDirectory(prefix="hubwarden-demo-") as directory:
        env_file = Path(directory) / "demo.env"
        log = Path(directory) / "up.log"
        console.print("[bold]Hubwarden on a local Azure[/]: starting Azurite, the simulator and the function app …")
        with log.open("w") as output:
            up = _start(env_file, output)
            try:
                if not _is_ready(up, env_file, log, console):
                    return 1
                held = _play(env_file, console)
                if keep:
                    _keep(up, env_file, console)
            finally:
                up.terminate()
                up.wait(30)
        if not held:
            console.print(f"[red]Not every step held.[/] What the processes said:\n{log.read_text()[-4000:]}")
    return 0 if held else 1


def _start(env_file: Path, output: TextIO) -> subprocess.Popen[str]:
    variables = {**os.environ, "HUBWARDEN_CONFIG": str(ROOT / "hubwarden.yaml")}
    command = [sys.executable, "-m", "simulator", "up", "--app", str(ROOT), "--env-file", str(env_file)]
    return subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, stderr=output, text=True)


def _is_ready(up: subprocess.Popen[str], env_file: Path, log: Path, console: Console) -> bool:
    assert up.stdout is not None
    for line in up.stdout:
        if line.strip() == "READY" and env_file.exists():
            return True
    console.print(f"[red]It did not start:[/]\n{log.read_text()[-4000:]}")
    return False


def _play(env_file: Path, console: Console) -> bool:
    os.environ.update(read(env_file))
    # Only now: aiohttp reads SSL_CERT_FILE when it is first imported.
    from simulator.scenario import play

    return asyncio.run(play(console))


def read(env_file: Path) -> dict[str, str]:
    """The variables in an environment file."""
    lines = env_file.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def _keep(up: subprocess.Popen[str], env_file: Path, console: Console) -> None:
    console.print("\nIt stays up until Ctrl-C. For clients of your own:\n")
    for name, value in read(env_file).items():
        console.print(f"export {name}='{value}'", soft_wrap=True)
    try:
        up.wait()
    except KeyboardInterrupt:
        console.print("\nEnded.")


if __name__ == "__main__":
    sys.exit(main())
