"""The table that all measurements end in: on the screen for whoever runs it, in Markdown for whoever asks later."""

from __future__ import annotations

import math
import os
import platform
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rich.console import Console
from rich.markup import escape
from rich.table import Table

COLUMNS = ("what", "measured", "goal", "peers")


@dataclass(frozen=True, slots=True)
class Row:
    """One line; `peers` is empty where nothing is known, for nothing is guessed."""

    what: str
    measured: str
    goal: str = ""
    peers: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Lines that were measured in the same way, and that way."""

    title: str
    how: str
    rows: Sequence[Row]


def spread(seconds: Iterable[float], *, worst: bool = False) -> str:
    """Median and 95th percentile (the nearest that was measured), perhaps the worst, and of how many."""
    ordered = sorted(seconds)
    said = f"median {text(statistics.median(ordered))}, p95 {text(ordered[math.ceil(0.95 * len(ordered)) - 1])}"
    return said + (f", max {text(ordered[-1])}" if worst else "") + f" (n={len(ordered)})"


def text(seconds: float) -> str:
    """Seconds for people: three digits that mean something, in milliseconds below one second."""
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.01 else f"{seconds * 1000:.1f} ms"


def show(console: Console, sections: Iterable[Section]) -> None:
    """Prints everything as one table, and under it how it was measured."""
    table = Table(*COLUMNS, show_lines=True)
    ways = []
    for number, section in enumerate(sections, 1):
        table.add_row(f"[bold]{number}. {escape(section.title)}[/]", end_section=True)
        for row in section.rows:
            table.add_row(*(escape(cell) for cell in (row.what, row.measured, row.goal, row.peers)))
        ways.append(f"{number}. {section.how}")
    console.print(table)
    console.print("How it was measured:\n" + escape("\n".join(ways)))


def markdown(sections: Iterable[Section], seconds: float, load: float) -> str:
    """The same as a document, with what the figures depend on."""
    lines = [
        "# What Hubwarden costs",
        "",
        f"Made by `make bench` (`python -m benchmarks`) on {datetime.now(UTC):%Y-%m-%d} in {seconds:.0f} s: "
        f"{platform.python_implementation()} {platform.python_version()}, {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} CPUs, load average {load:.1f} before and {os.getloadavg()[0]:.1f} after. Everything, the "
        "simulated Azure included, shares those CPUs. Times are of that machine; calls are of every machine. "
        "An empty cell is something nobody knows.",
    ]
    for number, section in enumerate(sections, 1):
        lines += [
            "",
            f"## {number}. {section.title}",
            "",
            section.how,
            "",
            _line(COLUMNS),
            _line(["---"] * len(COLUMNS)),
        ]
        lines += [_line((row.what, row.measured, row.goal, row.peers)) for row in section.rows]
    return "\n".join([*lines, ""])


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
