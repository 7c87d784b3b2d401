"""`names` in a process of its own: it needs no settings, no storage and no Azure."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from tests.doors.test_shell import BAD_INPUT, OK, shell
from tests.unit.given import DOCUMENTS, document

VAULT = DOCUMENTS / "11_key_vault.json"


async def test_it_answers_from_the_files_alone() -> None:
    done = await shell("names", str(VAULT), "--format", "csv", HUBWARDEN_CONFIG="/nowhere/hubwarden.yaml")
    assert (done.code, done.errors) == (OK, "")
    [row] = csv.DictReader(io.StringIO(done.out))
    assert list(row) == ["endpoint", "zone", "name", "type", "addresses", "reason", "unconfirmed"]
    assert list(row.values()) == [
        document("11_key_vault")["id"],
        "privatelink.vaultcore.azure.net",
        "kv-hub",
        "A",
        "10.20.7.4",
        "",
        "unconfirmed",
    ]


async def test_a_file_that_is_not_there_is_told_of_after_the_others_are_done() -> None:
    done = await shell("names", "missing.json", str(VAULT))
    assert done.code == BAD_INPUT
    assert "missing.json: cannot be read" in done.errors
    assert "kv-hub" in done.out


async def test_a_name_whose_letters_the_terminal_lacks_is_shown_all_the_same(tmp_path: Path) -> None:
    """Resource groups may have letters of any script (Azure's naming rules); a file on Windows may not."""
    file = tmp_path / "endpoint.json"
    file.write_text(VAULT.read_text(encoding="utf-8").replace("rg-spoke", "rg-\u015fube"), encoding="utf-8")
    done = await shell("names", str(file), PYTHONIOENCODING="ascii")
    assert (done.code, done.errors) == (OK, "")
    assert r"/resourceGroups/rg-\u015fube/" in done.out
    assert "kv-hub" in done.out


async def test_without_a_file_it_is_bad_input() -> None:
    assert (await shell("names")).code == BAD_INPUT
