"""`python -m benchmarks`: measures everything on a local Azure, prints the table, and stores it in results.md."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

from rich.console import Console

from benchmarks import decisions, imports, package, wants
from benchmarks.estate import SETTINGS
from benchmarks.table import Section, markdown, show
from simulator.processes import Process, ProcessError

RESULTS = Path(__file__).with_name("results.md")
READY = re.compile("READY")
START_SECONDS = 120.0
# What the platform gives the app, of all that the local Azure tells.
GIVEN = (
    "ARM_ENDPOINT",
    "IDENTITY_ENDPOINT",
    "IDENTITY_HEADER",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "AzureWebJobsStorage",
    "APP_KEY",
    "APP_SYSTEM_KEY",
    "APP_MASTER_KEY",
)


def main() -> int:
    """0 if all was measured."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    load, started = os.getloadavg()[0], time.perf_counter()
    console.print("Measuring on a local Azure; this takes about four minutes …")
    packed = package.measure()  # before the local Azure, whose certificates are not those that libraries come by
    with tempfile.TemporaryDirectory(prefix="hubwarden-bench-") as directory:
        settings, env_file = Path(directory) / "hubwarden.yaml", Path(directory) / "bench.env"
        settings.write_text(SETTINGS)
        variables = {"HUBWARDEN_CONFIG": str(settings)}
        command = [sys.executable, "-m", "simulator", "up", "--app", str(imports.ROOT), "--env-file", str(env_file)]
        up = Process("the local Azure", command, directory=imports.ROOT, variables=variables)
        try:
            up.wait_for(READY, START_SECONDS)
            told = dict(line.split("=", 1) for line in env_file.read_text().splitlines())
            os.environ.update({**told, **variables})
            app_settings = {**variables, **{name: told[name] for name in GIVEN}, "FUNCTIONS_WORKER_RUNTIME": "python"}
            sections = [*asyncio.run(_measured(told, app_settings)), packed]
        except ProcessError as error:
            console.print(f"[red]{error}[/]")
            return 1
        finally:
            up.stop()
    show(console, sections)
    RESULTS.write_text(markdown(sections, time.perf_counter() - started, load), encoding="utf-8")
    console.print(f"Stored in {RESULTS.relative_to(imports.ROOT)}.")
    return 0


async def _measured(told: dict[str, str], settings: dict[str, str]) -> list[Section]:
    # Only now: aiohttp reads SSL_CERT_FILE when it is first imported.
    from benchmarks import answers, calls, cold_start, latency, sweep
    from benchmarks.stage import Stage

    async with AsyncExitStack() as stack:
        stage = await Stage.open(told, stack)
        counted = await calls.measure(stage)
        seen = await latency.resolvable(stage)
        await stage.silence()
        own = await latency.own_time(stage)
        cold = await cold_start.measure(stage, settings)
        swept = await sweep.measure(stage)  # among the last, for they empty the estate
        answered = await answers.measure(stage)
        alone = [wants.measure(), decisions.measure(), imports.measure(settings)]
        return [counted, seen, own, swept, answered, *alone, cold]


if __name__ == "__main__":
    sys.exit(main())
