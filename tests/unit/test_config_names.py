"""`records.names` and `records.shared` in hubwarden.yaml: what they may say, and every fault with its line and key."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hubwarden.config.loading import load, parse
from hubwarden.errors import ConfigError
from hubwarden.model.dns_name import DnsName
from hubwarden.model.own_name import OwnName, ServicePattern
from tests.unit.given import RESOURCES, SPOKE, TARGET
from tests.unit.test_config import LEAST, STORAGE

SERVICE = f"{RESOURCES}/Microsoft.Network/privateLinkServices/pls-*"
ALIAS = "pls.0f1e2d3c-1111-4222-8333-0123456789ab.westeurope.azure.privatelinkservice"
ORDERS = DnsName("orders.svc.contoso.com")
ZONE = DnsName("svc.contoso.com")


def names(*entries: dict[str, object], more: str = "") -> str:
    """A file with these entries under `records.names`, the first on line 8."""
    lines = "".join(f"    - {json.dumps(entry)}\n" for entry in entries)
    return f"{LEAST}records:\n  names:\n{lines}{more}"


def faults(text: str) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        parse(text, "f")
    return [fault.removeprefix("f: ") for fault in refused.value.faults]


def test_names_and_suffixes_are_heard_and_warned_of_no_more(tmp_path: Path) -> None:
    file = tmp_path / "hubwarden.yaml"
    file.write_text(
        names(
            {"target": SERVICE, "fqdn": "Orders.svc.contoso.com.", "zone": "SVC.contoso.com"},
            {"target": ALIAS, "suffix": "svc.contoso.com", "zone": "svc.contoso.com"},
            {"target": ALIAS, "fqdn": "svc.contoso.com", "zone": "svc.contoso.com"},
            more=f"  shared: [{TARGET}]\n",
        )
    )
    config = load({"AzureWebJobsStorage": STORAGE, "HUBWARDEN_CONFIG": str(file)})
    by_id, by_alias = ServicePattern.parse(SERVICE), ServicePattern.parse(ALIAS)
    assert config.own_names == (
        OwnName(by_id, ZONE, fqdn=ORDERS),
        OwnName(by_alias, ZONE, suffix=ZONE),
        OwnName(by_alias, ZONE, fqdn=ZONE),
    )
    assert config.shared == {TARGET}
    assert config.warnings == ()


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        pytest.param({"fqdn": str(ORDERS)}, "target: is missing", id="no target"),
        pytest.param({"target": SERVICE, "fqdn": str(ORDERS), "zone": None}, "zone: a DNS name is text", id="no zone"),
        pytest.param({"target": str(TARGET), "fqdn": str(ORDERS)}, "target: ", id="a target that brings names"),
        pytest.param(
            {"target": SERVICE.replace(SPOKE, "*"), "fqdn": str(ORDERS)}, "target: ", id="any subscription's services"
        ),
        pytest.param({"target": SERVICE}, "give it an fqdn, or a suffix", id="neither a name nor a suffix"),
        pytest.param({"target": SERVICE, "fqdn": str(ORDERS), "suffix": str(ZONE)}, "one of the two", id="both"),
        pytest.param({"target": SERVICE, "fqdn": "a b"}, "fqdn: 'a b' is not a DNS name", id="no name"),
        pytest.param({"target": SERVICE, "fqdn": "orders.contoso.com"}, "does not lie in the zone", id="elsewhere"),
        pytest.param({"target": SERVICE, "fqdn": "x-svc.contoso.com"}, "does not lie in the zone", id="ends alike"),
        pytest.param({"target": SERVICE, "suffix": "contoso.com"}, "does not lie in the zone", id="a suffix above it"),
        pytest.param({"target": SERVICE, "suffix": "*.svc.contoso.com"}, "is a wildcard", id="a wildcard for a suffix"),
        pytest.param(
            {"target": SERVICE, "fqdn": "*.svc.contoso.com", "zone": "*.svc.contoso.com"},
            "is a wildcard",
            id="a wildcard for a zone",
        ),
    ],
)
def test_a_faulty_entry_is_told_with_its_line_and_key(entry: dict[str, object], fault: str) -> None:
    [told] = faults(names({"target": ALIAS, "fqdn": str(ORDERS), "zone": str(ZONE)}, {"zone": str(ZONE), **entry}))
    assert told.startswith("line 9: records.names.1")
    assert fault in told


@pytest.mark.parametrize(
    "zone",
    [
        pytest.param("privatelink.blob.core.windows.net", id="a zone of the catalogue"),
        pytest.param("x.privatelink.blob.core.windows.net", id="under one"),
        pytest.param("windows.net", id="above one"),
        pytest.param("net", id="far above one"),
        pytest.param("vault.azure.net", id="a suffix, whose zone is called otherwise"),
        pytest.param("privatelink.westeurope.things.contoso.com", id="one with a placeholder"),
        pytest.param("things.contoso.com", id="above one with a placeholder"),
        pytest.param("a.b.westeurope.things.contoso.com", id="under a suffix with a placeholder"),
    ],
)
def test_a_zone_of_the_catalogue_takes_no_name_of_ones_own(zone: str) -> None:
    """Design section 3.2: only the catalogue says what may stand there; the owner's rows are part of it."""
    row = {
        "type": "Contoso.Things/things",
        "group": "thing",
        "zone": "privatelink.{regionName}.things.contoso.com",
        "suffix": "{regionName}.things.contoso.com",
    }
    entry = {"target": SERVICE, "zone": zone}
    text = names(
        {**entry, "fqdn": f"x.{zone}"}, {**entry, "suffix": zone}, more=f"catalog: {{rows: [{json.dumps(row)}]}}"
    )
    told = faults(text)
    assert [fault.split(": ")[:2] for fault in told] == [
        ["line 8", "records.names.0.zone"],
        ["line 9", "records.names.1.zone"],
    ]
    assert all("only the catalogue says what may stand" in fault for fault in told)


@pytest.mark.parametrize("zone", ["svc.contoso.com", "contoso.azure", "blob.core.windows.net.contoso.com"])
def test_any_other_zone_may(zone: str) -> None:
    file, _ = parse(names({"target": SERVICE, "fqdn": f"x.{zone}", "zone": zone}), "f")
    assert [part.zone for part in file.records.names] == [DnsName(zone)]


def test_what_is_shared_is_a_resource() -> None:
    [told] = faults(f"{LEAST}records: {{shared: [/subscriptions/{SPOKE}]}}")
    assert told.startswith("line 6: records.shared.0: ")
    assert "is not a resource" in told
