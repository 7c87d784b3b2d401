"""`python -m hubwarden names`: documents in, wanted records out, without settings and without Azure."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from hubwarden import cli
from tests.unit.given import DOCUMENTS, document

COLUMNS = ["endpoint", "zone", "name", "type", "addresses", "reason", "unconfirmed"]
NEITHER = "neither a private endpoint nor a network interface"
GUID = "fb7e20a0-8891-458b-b969-55ddb3382f51"
WORKSPACE = "11111111-2222-3333-4444-555555555555"
MONITOR = "privatelink.monitor.azure.com"
UNCONFIRMED = "unconfirmed"

# By hand, from the documents and Microsoft's table: file(s), and of each record zone, name, addresses.
WANTED: dict[str, tuple[tuple[str, ...], str, set[tuple[str, str, str]]]] = {
    "cosmos": (
        ("01_cosmos_sql_recorded",),
        UNCONFIRMED,
        {
            ("privatelink.documents.azure.com", "cli-test-cosmosdb-pe-000002", "10.0.0.4"),
            ("privatelink.documents.azure.com", "cli-test-cosmosdb-pe-000002-westus", "10.0.0.5"),
        },
    ),
    "registry with its interface": (
        ("05_acr_georeplicated", "05b_acr_georeplicated_nic"),
        "",
        {
            ("privatelink.azurecr.io", "myregistry", "10.20.2.6"),
            ("privatelink.azurecr.io", "myregistry.eastus.data", "10.20.2.4"),
            ("privatelink.azurecr.io", "myregistry.westus.data", "10.20.2.5"),
        },
    ),
    "monitor scope, of five zones": (
        ("06_ampls_13_fqdns",),
        UNCONFIRMED,
        {
            (MONITOR, "api", "10.20.3.4"),
            (MONITOR, "global.in.ai", "10.20.3.5"),
            (MONITOR, "profiler", "10.20.3.6"),
            (MONITOR, "live", "10.20.3.7"),
            (MONITOR, "diagservices-query", "10.20.3.8"),
            (MONITOR, "snapshot", "10.20.3.9"),
            (MONITOR, "global.handler.control", "10.20.3.10"),
            (MONITOR, "japaneast-0.in.ai", "10.20.3.11"),
            (MONITOR, "japaneast.livediagnostics", "10.20.3.12"),
            ("privatelink.blob.core.windows.net", "scadvisorcontentpl", "10.20.3.13"),
            ("privatelink.oms.opinsights.azure.com", WORKSPACE, "10.20.3.14"),
            ("privatelink.ods.opinsights.azure.com", WORKSPACE, "10.20.3.15"),
            ("privatelink.agentsvc.azure-automation.net", WORKSPACE, "10.20.3.16"),
        },
    ),
    "machine learning, with a wildcard": (
        ("07_aml_workspace",),
        UNCONFIRMED,
        {
            ("privatelink.api.azureml.ms", f"{GUID}.workspace.eastus", "10.1.0.5"),
            ("privatelink.api.azureml.ms", f"{GUID}.workspace.eastus.cert", "10.1.0.5"),
            ("privatelink.api.azureml.ms", f"*.{GUID}.inference.eastus", "10.1.0.7"),
            ("privatelink.notebooks.azure.net", f"ml-myworkspace-eastus-{GUID}.eastus", "10.1.0.6"),
        },
    ),
    "key vault": (
        ("11_key_vault",),
        UNCONFIRMED,
        {("privatelink.vaultcore.azure.net", "kv-hub", "10.20.7.4")},
    ),
    "web app": (
        ("13_webapp_with_scm",),
        UNCONFIRMED,
        {
            ("privatelink.azurewebsites.net", "web-orders", "10.20.9.4"),
            ("privatelink.azurewebsites.net", "web-orders.scm", "10.20.9.4"),
        },
    ),
    "key vault with a zone group": (
        ("19b_kv_zone_group_attached_nic", "19_kv_zone_group_attached"),
        "",
        {("privatelink.vaultcore.azure.net", "kv-zg", "10.20.7.9")},
    ),
}


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    errors: str

    @property
    def rows(self) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.out)))


@pytest.fixture
def names(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Names:
    """Runs the command; there are no settings to be read."""
    monkeypatch.setenv("HUBWARDEN_CONFIG", str(tmp_path / "none.yaml"))
    return Names(capsys)


@dataclass(frozen=True, slots=True)
class Names:
    """The command."""

    capsys: pytest.CaptureFixture[str]

    def __call__(self, *files: str | Path, form: str = "csv", cloud: str = "") -> Said:
        paths = [str(file if isinstance(file, Path) else DOCUMENTS / f"{file}.json") for file in files]
        code = cli.main(["names", *paths, "--format", form, *(["--cloud", cloud] if cloud else [])])
        return Said(code, *self.capsys.readouterr())


@pytest.mark.parametrize(("files", "unconfirmed", "records"), WANTED.values(), ids=WANTED)
def test_a_document_wants_the_records_that_were_written_by_hand(
    names: Names, files: tuple[str, ...], unconfirmed: str, records: set[tuple[str, str, str]]
) -> None:
    said = names(*files)
    assert (said.code, said.errors) == (0, "")
    assert said.out.splitlines()[0] == ",".join(COLUMNS)
    assert {(row["zone"], row["name"], row["addresses"]) for row in said.rows} == records
    assert {(row["type"], row["reason"], row["unconfirmed"]) for row in said.rows} == {("A", "", unconfirmed)}
    [endpoint] = {row["endpoint"] for row in said.rows}
    assert endpoint in {document(file)["id"] for file in files}, "as it is spelt in the document"


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        pytest.param("04_acr_manual_pending_recorded", "not_approved", id="pending"),
        pytest.param("15_pls_manual_approved_empty_dns", "no_names", id="a partner's private link service"),
        pytest.param("19_kv_zone_group_attached", "not_ready", id="a zone group, and no interface's document"),
    ],
)
def test_an_endpoint_that_is_held_is_an_answer(names: Names, file: str, reason: str) -> None:
    said = names(file)
    assert (said.code, said.errors) == (0, "")
    assert said.rows == [dict.fromkeys(COLUMNS, "") | {"endpoint": document(file)["id"], "reason": reason}]


@pytest.mark.parametrize(
    "file", ["04b_acr_connections_list_recorded", "04c_acr_approve_put_recorded", "17_spec_dns_zone_group"]
)
def test_a_file_of_something_else_is_an_error_and_the_others_are_done(names: Names, file: str) -> None:
    said = names(file, "11_key_vault")
    assert said.code == 2
    assert f"{file}.json" in said.errors
    assert NEITHER in said.errors
    assert [row["name"] for row in said.rows] == ["kv-hub"]


def test_files_that_cannot_be_read_are_each_an_error_and_the_others_are_done(names: Names, tmp_path: Path) -> None:
    broken, binary = tmp_path / "broken.json", tmp_path / "binary.json"
    broken.write_text("{", encoding="utf-8")
    binary.write_bytes(b"\x80{}")
    said = names(broken, binary, tmp_path / "missing.json", tmp_path, "11_key_vault")
    assert said.code == 2
    told = said.errors.splitlines()
    assert [any(str(file) in line for line in told) for file in (broken, binary, tmp_path / "missing.json")] == [
        True
    ] * 3
    assert len(told) == 4
    assert [row["name"] for row in said.rows] == ["kv-hub"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_a_file_may_be_in_any_unicode_as_shells_write_it(names: Names, tmp_path: Path, encoding: str) -> None:
    """`az ... > file` writes UTF-16 in Windows PowerShell."""
    marked = tmp_path / "marked.json"
    marked.write_text(json.dumps(document("11_key_vault")), encoding=encoding)
    assert [row["name"] for row in names(marked).rows] == ["kv-hub"]


def test_a_files_name_steers_no_terminal(names: Names, tmp_path: Path) -> None:
    file = tmp_path / "orders\x1b[2J\n.json"
    file.write_text("{}", encoding="utf-8")
    assert r"orders\x1b[2J\n.json: neither" in names(file).errors


def test_an_interface_alone_is_told_of(names: Names) -> None:
    said = names("05b_acr_georeplicated_nic")
    assert (said.code, said.rows) == (0, [])
    assert "no file has the private endpoint of" in said.errors


def vault(tmp_path: Path, *fqdns: str, **changes: str) -> Path:
    """The document of a key vault's endpoint that shows these names, with one address each, or several."""
    whole = document("11_key_vault")
    whole["properties"]["customDnsConfigs"] = [
        {"fqdn": fqdn, "ipAddresses": changes.get("addresses", "10.0.0.4").split()} for fqdn in fqdns
    ]
    file = tmp_path / "vault.json"
    file.write_text(json.dumps(whole), encoding="utf-8")
    return file


def test_several_addresses_are_joined_and_ipv6_addresses_have_a_row_of_their_own(names: Names, tmp_path: Path) -> None:
    said = names(vault(tmp_path, "kv-hub.vault.azure.net", addresses="10.0.0.5 fd00::4 10.0.0.4"))
    assert [(row["type"], row["addresses"]) for row in said.rows] == [("A", "10.0.0.4;10.0.0.5"), ("AAAA", "fd00::4")]


@pytest.mark.parametrize(
    ("fqdn", "addresses"),
    [
        pytest.param("kv-hub.blob.core.windows.net", "10.0.0.4", id="another service's suffix"),
        pytest.param("kv-hub.vault.azure.net", "8.8.8.8", id="a public address"),
    ],
)
def test_a_name_that_is_held_has_a_row_with_the_name_as_it_is_shown(
    names: Names, tmp_path: Path, fqdn: str, addresses: str
) -> None:
    [row] = names(vault(tmp_path, fqdn, addresses=addresses)).rows
    assert row == dict.fromkeys(COLUMNS, "") | {
        "endpoint": document("11_key_vault")["id"],
        "name": fqdn,
        "reason": "name_not_allowed",
    }


def test_a_held_record_has_its_zone_and_its_name_there(names: Names, tmp_path: Path) -> None:
    many = " ".join(f"10.0.1.{number}" for number in range(1, 22))
    [row] = names(vault(tmp_path, "kv-hub.vault.azure.net", addresses=many)).rows
    held = (row["zone"], row["name"], row["type"], row["addresses"], row["reason"])
    assert held == ("privatelink.vaultcore.azure.net", "kv-hub", "A", "", "too_many_addresses")


def test_the_cloud_decides_the_zone(names: Names, tmp_path: Path) -> None:
    file = vault(tmp_path, "kv-hub.vault.usgovcloudapi.net")
    assert [(row["zone"], row["name"]) for row in names(file, cloud="usgov").rows] == [
        ("privatelink.vaultcore.usgovcloudapi.net", "kv-hub")
    ]
    assert [row["reason"] for row in names(file).rows] == ["name_not_allowed"]


def test_a_zones_own_name_is_shown_as_it_is_and_a_formula_is_none(names: Names, tmp_path: Path) -> None:
    whole = document("11_key_vault")
    [connection] = whole["properties"]["privateLinkServiceConnections"]
    connection["properties"]["groupIds"] = ["portal"]
    connection["properties"]["privateLinkServiceId"] = connection["properties"]["privateLinkServiceId"].replace(
        "Microsoft.KeyVault/vaults", "Microsoft.DataFactory/factories"
    )
    whole["properties"]["customDnsConfigs"] = [
        {"fqdn": "adf.azure.com", "ipAddresses": ["10.0.0.4"]},
        {"fqdn": "=cmd|' /C calc'!A0", "ipAddresses": ["10.0.0.5"]},
    ]
    file = tmp_path / "portal.json"
    file.write_text(json.dumps(whole), encoding="utf-8")
    rows = names(file).rows
    assert [(row["zone"], row["name"], row["reason"], row["unconfirmed"]) for row in rows] == [
        ("privatelink.adf.azure.com", "@", "", UNCONFIRMED),
        ("", "'=cmd|' /C calc'!A0", "name_not_allowed", ""),
    ]


def test_as_json_it_is_a_list_of_the_same_like_every_list(names: Names) -> None:
    said = names("11_key_vault", "15_pls_manual_approved_empty_dns", form="json")
    (key, rows), *others = json.loads(said.out).items()
    assert (key, others) == ("value", [])
    assert rows == [
        {
            "endpoint": document("11_key_vault")["id"],
            "zone": "privatelink.vaultcore.azure.net",
            "name": "kv-hub",
            "type": "A",
            "addresses": ["10.20.7.4"],
            "reason": None,
            "unconfirmed": True,
        },
        {
            "endpoint": document("15_pls_manual_approved_empty_dns")["id"],
            "zone": None,
            "name": None,
            "type": None,
            "addresses": [],
            "reason": "no_names",
            "unconfirmed": False,
        },
    ]


def test_as_a_table_it_says_why_what_is_held_is_held(names: Names, tmp_path: Path) -> None:
    said = names(vault(tmp_path, "kv-hub.vault.azure.net", "\u202ekv.vault.azure.net"), form="table")
    wanted, held, _ = (dict(line.split(maxsplit=1) for line in row.splitlines()) for row in said.out.split("\n\n"))
    assert list(wanted) == [each for each in COLUMNS if each != "reason"]
    assert list(wanted.values())[1:] == ["privatelink.vaultcore.azure.net", "kv-hub", "A", "10.0.0.4", UNCONFIRMED]
    assert list(held.items())[1:] == [("name", "\\u202ekv.vault.azure.net"), ("reason", "name_not_allowed")]
    [why] = said.out.rstrip().split("\n\n")[2:]
    assert why.startswith("name_not_allowed: \\u202ekv.vault.azure.net for /subscriptions/")
    assert "only ASCII" in why


def test_where_there_is_no_endpoint_the_table_says_so(names: Names) -> None:
    assert names("05b_acr_georeplicated_nic", form="table").out == "no endpoints\n"
