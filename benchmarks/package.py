"""What the deployed package weighs, and what its compiled files spare a new instance."""

from __future__ import annotations

import shutil
import statistics
import tempfile
import zipfile
from pathlib import Path

from benchmarks.imports import ROOT, probe
from benchmarks.table import Row, Section, text
from infra.package import LIBRARIES, SETTINGS, make

TIMES = 5
CLIENTS_OF = {"AzureWebJobsStorage__accountName": "sthubwarden"}
"""What the clients of a first event are built from; nobody is called."""
HOW = (
    f"`make package`, unpacked as the platform does; then fresh, isolated interpreters, {TIMES} of each, medians, with "
    "the package's own libraries: the import of the app and the clients of a first event. Without compiled files each "
    "one compiles anew, and keeps nothing, as an instance does that may not write where the package lies."
)


def measure() -> Section:
    """Makes the package, which fetches the libraries."""
    with tempfile.TemporaryDirectory(prefix="hubwarden-bench-") as directory:
        app, bare = Path(directory, "app"), Path(directory, "bare")
        made = make(ROOT / SETTINGS, Path(directory))
        with zipfile.ZipFile(made.path) as package:
            package.extractall(app)
        shutil.copytree(app, bare, ignore=shutil.ignore_patterns("__pycache__"))
        compiled, plain = ([_probe(place) for _ in range(TIMES)] for place in (app, bare))
    return Section(
        "Package",
        HOW,
        [
            Row("size", f"{made.size / 1e6:.1f} MB, {made.unpacked / 1e6:.1f} MB unpacked"),
            Row("app and clients loaded, compiled files as they were packed", _said(compiled)),
            Row("the same without compiled files", _said(plain)),
        ],
    )


def _probe(app: Path) -> list[float]:
    return probe(app, "warm", CLIENTS_OF, libraries=app / LIBRARIES, keeps=False)


def _said(figures: list[list[float]]) -> str:
    seconds, size, _ = (statistics.median(each) for each in zip(*figures, strict=True))
    return f"{text(seconds)}, {size:.0f} MB"
