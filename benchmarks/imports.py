"""What loading the app costs, in time and memory: each new instance pays it before its first event."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks.table import Row, Section, text

ROOT = Path(__file__).parents[1]
TIMES = 7
HOW = (
    f"Fresh, isolated interpreters, {TIMES} of each in turn, medians, compiled files warm; time of the import alone, "
    "memory as the highest resident size of the interpreter and all in it. The bare app is one function of "
    "`azure.functions` and nothing else; the worker imports that library in any case."
)
BARE = """\
import azure.functions as func

app = func.FunctionApp()


@app.function_name("events")
@app.event_grid_trigger(arg_name="event")
async def events(event: str) -> None:
    "Does nothing."
"""
# On Linux, ru_maxrss begins with what the parent had; the kernel's own note of the highest size does not.
PROBE = """
import json, resource, sys, time
sys.path[:0] = [sys.argv[1], *sys.argv[3:]]
started = time.perf_counter()
import function_app
if sys.argv[2] == "warm":
    from hubwarden.runtime import runtime
    runtime()
seconds = time.perf_counter() - started
try:
    with open("/proc/self/status") as status:
        size = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
except OSError:
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([seconds, size / 1024, len(sys.modules)]))
"""


def bare_app(directory: Path) -> Path:
    """Writes the smallest app that takes an event."""
    (directory / "function_app.py").write_text(BARE)
    (directory / "host.json").write_text('{"version": "2.0"}')
    return directory


def measure(variables: Mapping[str, str]) -> Section:
    """The app beside a bare one; `variables` are the settings that its clients are built from."""
    with tempfile.TemporaryDirectory(prefix="hubwarden-bench-") as directory:
        bare = bare_app(Path(directory))
        subjects = {"bare": (bare, "cold"), "app": (ROOT, "cold"), "warm": (ROOT, "warm")}
        found: dict[str, list[list[float]]] = {name: [] for name in subjects}
        for turn in range(TIMES + 1):
            for name, (app, state) in subjects.items():
                figures = probe(app, state, variables)
                found[name] += [figures] if turn else []  # the first turn compiles
    bare_said, app_said, warm_said = (_said(figures) for figures in found.values())
    goal = "that of a bare app"
    rows = [
        Row("import function_app", app_said, goal, f"bare azure.functions app, here: {bare_said}"),
        Row("the same and the clients of a first event, as the warm-up does", warm_said),
    ]
    return Section("Import time and memory", HOW, rows)


def probe(
    app: Path, state: str, variables: Mapping[str, str], *, libraries: Path | None = None, keeps: bool = True
) -> list[float]:
    """Seconds, megabytes and modules of loading an app `cold`, or `warm` with its clients, in a fresh interpreter.

    With `libraries` those come before the interpreter's own; unless it `keeps` them, what is compiled is not stored.
    """
    flags = ["-I"] if keeps else ["-I", "-B"]
    run = subprocess.run(
        [sys.executable, *flags, "-c", PROBE, str(app), state, *([str(libraries)] if libraries else [])],
        cwd=app,
        env=dict(variables),
        capture_output=True,
        text=True,
        check=True,
    )
    figures: list[float] = json.loads(run.stdout)
    return figures


def _said(figures: list[list[float]]) -> str:
    seconds, size, modules = (statistics.median(each) for each in zip(*figures, strict=True))
    return f"{text(seconds)}, {size:.0f} MB, {modules:.0f} modules"
