"""The package that is deployed: the app and its data, nothing else, and files that need not be compiled again."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from hubwarden.errors import ConfigError
from infra.package import LIBRARIES, Package, PackageError, make
from tests.house.sources import ROOT

UNCHECKED_HASH = b"\x01\x00\x00\x00"  # PEP 552: bit 0 says by hash, bit 1 would say that the source is looked at
RUN = """
import json, sys
sys.path.insert(0, sys.argv[1])
import function_app
from hubwarden.runtime import is_ready, settings
assert is_ready(), settings()
print(json.dumps([function_app.__cached__, sorted(sys.modules)]))
"""


@pytest.fixture(scope="module")
def no_libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Requirements that name none: what pip brings is not what is tested here, and nothing is fetched."""
    file = tmp_path_factory.mktemp("requirements") / "requirements.txt"
    file.write_text("# none\n")
    return file


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory, no_libraries: Path) -> Package:
    return make(ROOT / "hubwarden.yaml", tmp_path_factory.mktemp("package"), requirements=no_libraries)


def test_the_package_holds_the_app_its_data_and_its_settings_and_nothing_else(package: Package) -> None:
    """No test, no simulator, no document, and not the shell, whose user has rights of their own."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    new = subprocess.run(
        ["git", "ls-files", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    rooms = {each for each in (*listed, *new) if each.startswith(("handlers/", "hubwarden/"))}
    shell = {each for each in rooms if each.startswith(("hubwarden/cli/", "hubwarden/__main__"))}
    wanted = {*(rooms - shell), "function_app.py", "host.json", "hubwarden.yaml", "requirements.txt"}
    with zipfile.ZipFile(package.path) as archive:
        inside = set(archive.namelist())
    assert shell
    assert {each for each in inside if not each.endswith(".pyc")} == {each for each in wanted if (ROOT / each).exists()}
    sources = {each for each in inside if each.endswith(".py")}
    assert {each for each in inside if each.endswith(".pyc")} == {
        Path(importlib.util.cache_from_source(each)).as_posix() for each in sources
    }


def test_its_compiled_files_are_believed_whatever_times_a_zip_gives_them(package: Package) -> None:
    """Zips know two seconds: of twenty files compiled by time, eleven were stale once unpacked."""
    with zipfile.ZipFile(package.path) as archive:
        heads = {name: archive.read(name)[4:8] for name in archive.namelist() if name.endswith(".pyc")}
    assert heads
    assert set(heads.values()) == {UNCHECKED_HASH}


def test_unpacked_it_runs_with_its_settings_and_without_the_shell(package: Package, tmp_path: Path) -> None:
    with zipfile.ZipFile(package.path) as archive:
        archive.extractall(tmp_path)
    variables = {"AzureWebJobsStorage__accountName": "sthubwarden"}
    command = [sys.executable, "-I", "-W", "error", "-c", RUN, str(tmp_path)]
    run = subprocess.run(command, cwd="/", env=variables, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    compiled, modules = json.loads(run.stdout)
    assert Path(compiled).is_relative_to(tmp_path)
    assert not {"hubwarden.cli", "simulator", "tests"} & set(modules)


def test_the_same_content_gives_the_same_entries(package: Package, no_libraries: Path, tmp_path: Path) -> None:
    """Whoever makes it again finds what was deployed; when it was made is not part of it."""
    again = make(ROOT / "hubwarden.yaml", tmp_path, requirements=no_libraries)
    with zipfile.ZipFile(package.path) as one, zipfile.ZipFile(again.path) as other:
        kept = [[(each.filename, each.date_time) for each in archive.infolist()] for archive in (one, other)]
    assert kept[0] == kept[1]
    assert LIBRARIES.as_posix() not in str(kept[0])


def test_faulty_settings_are_not_deployed(tmp_path: Path, no_libraries: Path) -> None:
    settings = tmp_path / "mine.yaml"
    settings.write_text("instance: contoso\n")
    with pytest.raises(ConfigError, match="estate"):
        make(settings, tmp_path / "dist", requirements=no_libraries)
    with pytest.raises(PackageError, match=r"absent\.yaml cannot be read"):
        make(tmp_path / "absent.yaml", tmp_path / "dist", requirements=no_libraries)
    assert not (tmp_path / "dist").exists()


def test_a_library_that_cannot_be_had_leaves_no_package(tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("not-pinned-by-a-hash==1.0\n")
    with pytest.raises(PackageError, match="hash"):
        make(ROOT / "hubwarden.yaml", tmp_path / "dist", requirements=requirements)
    assert list((tmp_path / "dist").iterdir()) == []
