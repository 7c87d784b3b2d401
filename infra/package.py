"""The package that is deployed: `python -m infra.package` puts the app and what it needs, and nothing else, into a zip.

Libraries are built in, as the lock file pins them, so that nothing is fetched while an app is deployed. Compiled files
are `unchecked-hash`: the times in a zip are too coarse for Python to trust a compiled file by its time, and compiling
the libraries anew takes each new instance seconds and hundreds of megabytes.
"""

from __future__ import annotations

import argparse
import compileall
import hashlib
import py_compile
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hubwarden import __version__
from hubwarden.config.loading import parse
from hubwarden.errors import ConfigError

ROOT = Path(__file__).parents[1]
DIRECTORY = ROOT / "dist"
LIBRARIES = Path(".python_packages", "lib", "site-packages")
"""Where the platform's Python worker looks for an app's libraries."""

SETTINGS = "hubwarden.yaml"
REQUIREMENTS = "requirements.txt"
FILES = ("function_app.py", "host.json", REQUIREMENTS)
ROOMS = ("handlers", "hubwarden")
_SHELL = ("hubwarden/cli", "hubwarden/__main__.py")  # is run by people, with rights of their own
_OF_NO_USE = ("*.pyi", "*.pyx", "*.pxd", "*.c", "*.h")  # to a running app
_PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip knows: the same content gives the same zip


class PackageError(Exception):
    """No package was made; the message says why."""


@dataclass(frozen=True, slots=True)
class Package:
    """A package that was made; `size` and `unpacked` in bytes."""

    path: Path
    size: int
    unpacked: int
    sha256: str


def make(settings: Path, directory: Path = DIRECTORY, *, requirements: Path = ROOT / REQUIREMENTS) -> Package:
    """Makes the package for the version of Python that runs this, with an estate's settings.

    Raises ConfigError for faulty settings and PackageError where a library cannot be had; then no file is left behind.
    """
    try:
        text = settings.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PackageError(f"{settings} cannot be read: {error}") from error
    parse(text, str(settings))
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="package-", dir=directory) as scratch:
        app = Path(scratch) / "app"
        _copy(app)
        (app / SETTINGS).write_text(text, encoding="utf-8")
        _install(app / LIBRARIES, requirements)
        _compile(app)
        made = Path(scratch) / "package.zip"
        unpacked = _zip(app, made)
        path = directory / f"hubwarden-{__version__}-py{sys.version_info.major}{sys.version_info.minor}.zip"
        made.replace(path)
    return Package(path, path.stat().st_size, unpacked, hashlib.sha256(path.read_bytes()).hexdigest())


def _copy(app: Path) -> None:
    left_out = {ROOT / each for each in _SHELL}

    def not_deployed(directory: str, names: list[str]) -> list[str]:
        return [name for name in names if name == "__pycache__" or Path(directory, name) in left_out]

    app.mkdir()
    for name in FILES:
        shutil.copyfile(ROOT / name, app / name)
    for name in ROOMS:
        shutil.copytree(ROOT / name, app / name, ignore=not_deployed)


def _install(libraries: Path, requirements: Path) -> None:
    """Installs what is pinned, for the platform's machines, whatever machine this is."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(libraries), "--no-compile"]
    command += ["--require-hashes", "--only-binary=:all:", "--implementation=cp", f"--python-version={python}"]
    command += [f"--platform={each}" for each in _PLATFORMS]
    run = subprocess.run(
        [*command, "--requirement", str(requirements)],
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        raise PackageError(f"the libraries could not be had for Python {python}:\n{run.stderr.strip()}")
    shutil.rmtree(libraries / "bin", ignore_errors=True)
    for pattern in _OF_NO_USE:
        for path in libraries.rglob(pattern):
            path.unlink()
    for path in sorted(libraries.rglob("tests")):
        shutil.rmtree(path, ignore_errors=True)


def _compile(app: Path) -> None:
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    # What is told of a failure names the file as it lies in the app, not where it was put together.
    if not compileall.compile_dir(app, maxlevels=20, quiet=1, workers=0, stripdir=app, invalidation_mode=mode):
        raise PackageError("a file of the app or of a library cannot be compiled: see above")


def _zip(app: Path, target: Path) -> int:
    unpacked = 0
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
        for path in _files(app):
            content = path.read_bytes()
            unpacked += len(content)
            entry = zipfile.ZipInfo(path.relative_to(app).as_posix(), _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            package.writestr(entry, content)
    return unpacked


def _files(app: Path) -> Iterator[Path]:
    return (path for path in sorted(app.rglob("*")) if path.is_file())


def main() -> int:
    """0 if the package was made, 1 if a library could not be had, 2 if the settings are faulty."""
    parser = argparse.ArgumentParser(prog="python -m infra.package", description="Makes the package that is deployed.")
    parser.add_argument("--settings", type=Path, default=ROOT / SETTINGS, help=f"your {SETTINGS}")
    parser.add_argument("--directory", type=Path, default=DIRECTORY, help="where the package is put (dist)")
    arguments = parser.parse_args()
    try:
        package = make(arguments.settings, arguments.directory)
    except ConfigError as error:
        print("\n".join(error.faults), file=sys.stderr)
        return 2
    except PackageError as error:
        print(error, file=sys.stderr)
        return 1
    megabytes = f"{package.size / 1e6:.1f} MB, {package.unpacked / 1e6:.1f} MB unpacked"
    print(f"{package.path}\n{megabytes}\nsha256 {package.sha256}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
