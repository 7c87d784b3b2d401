"""hubwarden.yaml: what it may say, its defaults, and every kind of fault with its line and key, all together."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hubwarden.catalog import Trait
from hubwarden.config.environment import DEFAULT_FILE
from hubwarden.config.loading import Config, load, parse, schema
from hubwarden.errors import ConfigError
from hubwarden.model.dns_name import DnsName
from hubwarden.model.resource_id import ResourceId
from tests.unit.given import ENDPOINT, HUB_SUBSCRIPTION, PRIVATE, SPOKE

ZONES = f"/subscriptions/{HUB_SUBSCRIPTION}/resourceGroups/rg-dns"
NETWORK = f"/subscriptions/{HUB_SUBSCRIPTION}/resourceGroups/rg-hub/providers/Microsoft.Network/virtualNetworks/vnet"
LEAST = f"""\
instance: contoso
estate: {{subscriptions: [{SPOKE}]}}
hubs:
  - name: weu
    zones: [{ZONES}]
"""
"""The least that a file can say; it ends on line 5."""

STORAGE = "AccountName=st;AccountKey=a2V5"

Settings = Callable[..., Config]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Loads a file of that text in an environment that has storage."""

    def loaded(text: str, **variables: str) -> Config:
        file = tmp_path / "hubwarden.yaml"
        file.write_text(text, encoding="utf-8")
        return load({"AzureWebJobsStorage": STORAGE, "HUBWARDEN_CONFIG": str(file), **variables})

    return loaded


def faults(text: str) -> list[str]:
    """The faults of a text, without the name of the file."""
    with pytest.raises(ConfigError) as refused:
        parse(text, "f")
    assert all(fault.startswith("f: ") for fault in refused.value.faults)
    return [fault.removeprefix("f: ") for fault in refused.value.faults]


def test_the_least_file_means_the_defaults(settings: Settings) -> None:
    config = settings(LEAST)
    assert (config.instance, config.instances) == ("contoso", frozenset({"contoso"}))
    assert (config.applies, config.cloud, config.ttl) == (True, "public", 10)
    assert (config.management_groups, config.subscriptions, config.excluded) == ((), frozenset({SPOKE}), frozenset())
    assert config.addresses == PRIVATE
    assert config.publishes_foreign_targets is False
    assert (config.protected, config.rows, config.warnings) == (frozenset(), (), ())
    assert config.follow_ups == (15.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0)
    [hub] = config.hubs
    assert (hub.name, hub.zone_groups, hub.networks) == ("weu", (ResourceId.parse(ZONES),), ())
    assert (hub.locations, hub.subscriptions) == (frozenset(), frozenset())


def test_everything_that_is_said_is_heard(settings: Settings) -> None:
    config = settings(
        f"""\
instance: contoso
formerly: [oldname, older-name]
mode: plan
cloud: public
estate:
  managementGroups: [corp]
  subscriptions: [{SPOKE.upper()}]
  exclude: [{HUB_SUBSCRIPTION}]
hubs:
  - name: weu
    zones: [{ZONES}]
    networks: [{NETWORK}]
    publishes: {{locations: [WestEurope], subscriptions: [{SPOKE.upper()}]}}
    dns: {{servers: [10.0.0.4], via: firewall}}
records:
  ttl: 60
  addresses: [10.0.0.0/8, "fd00::/8"]
  foreignTargets: publish
  protected: [WWW.contoso.com.]
catalog:
  rows:
    - {{type: Contoso.Things/things, group: thing, zone: Privatelink.things.com, suffix: things.com, notes: ours}}
followUps: [100ms, 2s, 3m, 4h, 5d]
"""
    )
    assert config.instances == {"contoso", "oldname", "older-name"}
    assert config.applies is False
    assert (config.management_groups, config.subscriptions) == (("corp",), frozenset({SPOKE}))
    assert config.excluded == {HUB_SUBSCRIPTION}
    [hub] = config.hubs
    assert (hub.networks, hub.locations) == ((ResourceId.parse(NETWORK),), frozenset({"westeurope"}))
    assert hub.subscriptions == {SPOKE}
    assert config.ttl == 60
    assert config.addresses == (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8"))
    assert config.publishes_foreign_targets is True
    assert config.protected == {DnsName("www.contoso.com")}
    [row] = config.rows
    assert (row.type, row.group, row.notes) == ("Contoso.Things/things", "thing", "ours")
    assert (row.zone, row.suffix) == ("privatelink.things.com", "things.com")
    assert config.follow_ups == (0.1, 2.0, 180.0, 14400.0, 432000.0)
    assert [warning.split(": ")[2] for warning in config.warnings] == ["hubs.0.dns"]


def test_zones_that_would_be_made_for_nobody_are_warned_of() -> None:
    _, [warning] = parse(f"{LEAST}  - name: neu\n    zones: [{ZONES}]\n    createZones: true", "f")
    assert warning.startswith("f: line 8: hubs.1.createZones: without networks")


def test_a_hub_says_whether_zones_are_made_for_it_and_how_they_are_linked(settings: Settings) -> None:
    config = settings(f"{LEAST}  - name: neu\n    zones: [{ZONES}]\n    createZones: true\n    nxDomainRedirect: false")
    assert [(hub.creates_zones, hub.redirects) for hub in config.hubs] == [(False, True), (True, False)]


def test_an_owners_row_may_hold_placeholders_traits_and_any_group(settings: Settings) -> None:
    config = settings(
        LEAST
        + """
cloud: usgov
catalog:
  rows:
    - type: Microsoft.ContainerRegistry/registries
      group: "*"
      zone: "{region}.data.privatelink.azurecr.us"
      suffix: "{region}.data.AzureCR.us"
      traits: [part, silent]
"""
    )
    assert config.cloud == "usgov"
    [row] = config.rows
    assert (row.group, set(row.traits)) == ("*", {Trait.PART, Trait.SILENT})
    assert (row.zone, row.suffix) == ("{regionName}.data.privatelink.azurecr.us", "{regionName}.data.azurecr.us")


def test_outside_the_public_cloud_an_accounts_name_is_not_enough(tmp_path: Path) -> None:
    """Its address would be the public cloud's, for us as for the Functions host."""
    file = tmp_path / "hubwarden.yaml"
    file.write_text(LEAST + "\ncloud: usgov\n", encoding="utf-8")
    there = {
        f"AzureWebJobsStorage__{service}ServiceUri": f"https://st0.{service}.core.usgovcloudapi.net"
        for service in ("table", "queue")
    }
    settled = load({**there, "HUBWARDEN_CONFIG": str(file)})
    assert (settled.cloud, settled.environment.faults) == ("usgov", ())
    with pytest.raises(ConfigError) as refused:
        load({"AzureWebJobsStorage__accountName": "st0", "HUBWARDEN_CONFIG": str(file)})
    [fault] = refused.value.faults
    assert fault.startswith("AzureWebJobsStorage: this account is of the public cloud")
    assert "with cloud usgov give both AzureWebJobsStorage__tableServiceUri" in fault


def test_several_hubs_and_a_single_follow_up_are_fine(settings: Settings) -> None:
    config = settings(LEAST + f"  - name: neu\n    zones: [{ZONES}]\nfollowUps: [1m]\n")
    assert [hub.name for hub in config.hubs] == ["weu", "neu"]
    assert config.follow_ups == (60.0,)


# Faults, one by one: each with its line, its key, and what is allowed.


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        pytest.param(
            "colour: red",
            "colour: is not a key here; allowed are approvals, catalog, cloud, estate, events, followUps, formerly, "
            "hubs, instance, mode, records",
            id="a key that is none",
        ),
        pytest.param(
            "records: {tll: 5}",
            "records.tll: is not a key here; allowed are addresses, foreignTargets, limits, names, protected, shared, "
            "ttl",
            id="a key misspelt",
        ),
        pytest.param(
            "records: {limits: {per_zone: 5}}",
            "records.limits.per_zone: is not a key here; allowed are perZone, share, withdrawals",
            id="a key in the wrong spelling",
        ),
        pytest.param(
            "catalog: {rows: [{type: A.B/c, group: g, zone: z.com, suffix: s.com, zones: x}]}",
            "catalog.rows.0.zones: is not a key here; allowed are group, notes, suffix, traits, type, zone",
            id="a key too many in a list's item",
        ),
        pytest.param(
            "approvals: {limits: {hold: 1}}",
            "approvals.limits.hold: is not a key here; allowed are approve, reject",
            id="a key too many, two down",
        ),
        pytest.param("mode: dry", "mode: it should be 'apply' or 'plan', not 'dry'", id="another word"),
        pytest.param(
            "cloud: germany",
            "cloud: it should be 'public', 'usgov' or 'china', not 'germany'",
            id="a cloud that is no more",
        ),
        pytest.param("records: {ttl: 0}", "records.ttl: it should be greater than or equal to 1, not 0", id="too low"),
        pytest.param(
            "records: {ttl: 2147483648}",
            "records.ttl: it should be less than or equal to 2147483647, not 2147483648",
            id="too high",
        ),
        pytest.param(
            "records: {ttl: '10'}", "records.ttl: it should be a whole number, not '10'", id="text for a number"
        ),
        pytest.param(
            "records: {ttl: true}", "records.ttl: it should be a whole number, not true", id="true for a number"
        ),
        pytest.param(
            "records: {limits: {share: half}}", "records.limits.share: it should be a number, not 'half'", id="a word"
        ),
        pytest.param(
            "approvals: {people: approvers}",
            "approvals.people: it should be a list, not 'approvers'",
            id="a word for a list",
        ),
        pytest.param("records: {ttl: 1.5}", "records.ttl: it should be a whole number, not 1.5", id="half a second"),
        pytest.param(
            "records: {limits: {share: 2}}",
            "records.limits.share: it should be less than or equal to 1, not 2",
            id="more than all",
        ),
        pytest.param(
            "records: null",
            "records: it should be a mapping of keys to values, not null",
            id="null",
        ),
        pytest.param("formerly: oldname", "formerly: it should be a list, not 'oldname'", id="not a list"),
        pytest.param("formerly: {}", "formerly: it should be a list, not {}", id="a mapping for a list"),
        pytest.param("records: [ttl]", 'records: it should be a mapping of keys to values, not ["ttl"]', id="no keys"),
        pytest.param(
            "formerly: [old name]",
            "formerly.0: 'old name' does not look right; it matches ^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$, such as contoso",
            id="a word of two",
        ),
        pytest.param(
            "records: {addresses: [10.0.0.1/8]}", "records.addresses.0: 10.0.0.1/8 has host bits set", id="host bits"
        ),
        pytest.param(
            "records: {addresses: [10.0.0.0/8, intranet]}",
            "records.addresses.1: 'intranet' does not appear to be an IPv4 or IPv6 network",
            id="no network",
        ),
        pytest.param(
            "records: {addresses: [10]}", "records.addresses.0: a network is text such as 10.0.0.0/8", id="a number"
        ),
        pytest.param(
            "records: {protected: [www.contoso.com, a b]}",
            "records.protected.1: 'a b' is not a DNS name: 'a b' is not a label",
            id="no name",
        ),
        pytest.param(
            "records: {shared: [/x]}",
            "records.shared.0: '/x' is not a resource id: /subscriptions/ is missing",
            id="no id",
        ),
        pytest.param(
            "records: {foreignTargets: maybe}",
            "records.foreignTargets: it should be 'publish' or 'hold', not 'maybe'",
            id="neither publish nor hold",
        ),
        pytest.param(
            "followUps: [15s, soon]",
            "followUps.1: a duration is a whole number and ms, s, m, h or d, such as 15s",
            id="no duration",
        ),
        pytest.param(
            "followUps: [15]",
            "followUps.0: a duration is a whole number and ms, s, m, h or d, such as 15s",
            id="no unit",
        ),
        pytest.param(
            f"followUps: [{'9' * 400}d]",
            "followUps.0: a duration is a whole number and ms, s, m, h or d, such as 15s",
            id="longer than any float counts",
        ),
        pytest.param(
            "followUps: [1000000000s]",
            "followUps.0: a duration is a whole number and ms, s, m, h or d, such as 15s",
            id="ten digits",
        ),
        pytest.param(
            'approvals: {remindAfter: "2d\\n"}',
            "approvals.remindAfter: a duration is a whole number and ms, s, m, h or d, such as 15s",
            id="a line end after a duration",
        ),
        pytest.param("records: {ttl: 2001-13-45}", "records.ttl: month must be in 1..12", id="no date"),
        pytest.param("records: {ttl: !!int 5}", "!int: no tags; write the value plainly", id="a tag"),
        pytest.param("records: " + "[" * 10_000, "nested more than 20 deep", id="nested without end"),
        pytest.param(
            "approvals: {default: approve}",
            "approvals.default: it should be 'hold', not 'approve'",
            id="approving by default",
        ),
        pytest.param(
            "catalog: {rows: [{type: things, group: g, zone: z.com, suffix: s.com}]}",
            "catalog.rows.0.type: 'things' does not look right; it matches ^[A-Za-z0-9.]+(/[A-Za-z0-9]+)+$,"
            " such as Microsoft.Storage/storageAccounts",
            id="no type",
        ),
        *(
            pytest.param(f"catalog: {{rows: [{{type: A.B/c, {row}}}]}}", f"catalog.rows.0{fault}", id=said)
            for said, row, fault in (
                (
                    "a placeholder that is none",
                    "group: g, zone: 'p.{region}.x.com', suffix: '{area}.x.com'",
                    ".suffix: '{area}.x.com' holds '{area}', which is no placeholder; there are "
                    "{regionName}, {regionCode}, {dnsPrefix}, {partitionId}, {subzone}",
                ),
                (
                    "a placeholder of the zone that the suffix lacks",
                    "group: g, zone: 'p.{regionName}.x.com', suffix: x.com",
                    ": zone 'p.{regionName}.x.com' and suffix 'x.com' must hold the same placeholders; "
                    "{regionName} stands in one of them only",
                ),
                (
                    "a trait that is none",
                    "group: g, zone: p.x.com, suffix: x.com, traits: [loud]",
                    ".traits.0: it should be 'shared', 'apex', 'wildcard', 'not-created', 'part', 'own-records', "
                    "'assigned' or 'silent', not 'loud'",
                ),
                (
                    "a star in the middle of a group",
                    "group: a*b, zone: p.x.com, suffix: x.com",
                    r".group: 'a*b' does not look right; it matches ^(\*|[^*-]+-\*|[^*]+)$",
                ),
                ("a zone that is no text", "group: g, zone: 5, suffix: x.com", ".zone: a DNS name is text, not int"),
                (
                    "a wildcard zone",
                    "group: g, zone: '*.x.com', suffix: x.com",
                    ".zone: '*.x.com' is a wildcard; neither a zone nor a suffix is one",
                ),
            )
        ),
        pytest.param(
            "catalog: {rows: [{type: Microsoft.Network/PrivateLinkServices, group: '*', zone: p.com, suffix: x.com}]}",
            "catalog.rows.0: private link services have no rows; records.names gives them names",
            id="a row that would never count",
        ),
        pytest.param(
            "catalog: {rows: [{type: A.B/c, group: g, zone: p.com, suffix: x.com}, "
            "{type: a.b/C, group: G, zone: q.com, suffix: X.com.}]}",
            "catalog.rows: two rows have the same type, group and suffix: a.b/c, g, x.com",
            id="a row in place of the owner's own",
        ),
        pytest.param("events: {topic: 5}", "events.topic: it should be text, not 5", id="a number for text"),
    ],
)
def test_a_fault_says_its_line_its_key_and_what_is_allowed(more: str, fault: str) -> None:
    assert faults(LEAST + "\n" + more) == [f"line 7: {fault}"]


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        pytest.param("instance: contoso\n", "", "line 1: instance: is missing", id="no instance"),
        pytest.param(f"estate: {{subscriptions: [{SPOKE}]}}\n", "", "line 1: estate: is missing", id="no estate"),
        pytest.param(
            f"{{subscriptions: [{SPOKE}]}}",
            "{}",
            "line 2: estate: name managementGroups, or subscriptions, or both",
            id="an empty estate",
        ),
        pytest.param(
            SPOKE,
            "orders",
            "line 2: estate.subscriptions.0: 'orders' does not look right; it matches "
            "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$, such as 22222222-2222-4222-8222-222222222222",
            id="a subscription by name",
        ),
        pytest.param("name: weu\n    ", "", "line 4: hubs.0.name: is missing", id="a hub without a name"),
        pytest.param(f"    zones: [{ZONES}]\n", "", "line 4: hubs.0.zones: is missing", id="a hub without zones"),
        pytest.param(
            ZONES,
            NETWORK,
            f"line 5: hubs.0.zones.0: {NETWORK!r} is not a resource group; it ends with /resourceGroups/<name>",
            id="a network for a resource group",
        ),
        pytest.param(
            ZONES,
            f"/subscriptions/{SPOKE}",
            f"line 5: hubs.0.zones.0: '/subscriptions/{SPOKE}' is not a resource group; "
            "it ends with /resourceGroups/<name>",
            id="a subscription for a resource group",
        ),
        pytest.param(
            "zones:",
            f"networks: [{ENDPOINT}]\n    zones:",
            f"line 5: hubs.0.networks.0: {str(ENDPOINT)!r} is not a virtual network",
            id="an endpoint for a network",
        ),
        pytest.param(
            "name: weu",
            "name: weu\n    dns: {via: magic}",
            "line 5: hubs.0.dns.via: it should be 'resolver', 'firewall' or 'other', not 'magic'",
            id="another way to resolve",
        ),
        pytest.param(
            "name: weu",
            "name: weu\n    publishes:\n      locations: [West Europe]",
            "line 6: hubs.0.publishes.locations.0: 'West Europe' does not look right; it matches ^[a-zA-Z0-9]+$,"
            " such as westeurope",
            id="a location by its display name",
        ),
        pytest.param(
            "name: weu",
            "name: weu\n    zone: x",
            "line 5: hubs.0.zone: is not a key here; allowed are createZones, dns, name, networks, "
            "nxDomainRedirect, prefers, publishes, zones",
            id="a key misspelt in a hub",
        ),
        pytest.param(
            "  - name: weu",
            f"  - {{name: WEU, zones: [{ZONES}]}}\n  - name: weu",
            "line 3: hubs: two hubs are called weu; every hub has a name of its own",
            id="two hubs of one name",
        ),
    ],
)
def test_a_fault_in_what_must_be_there_says_where(before: str, after: str, fault: str) -> None:
    assert before in LEAST
    assert faults(LEAST.replace(before, after, 1)) == [fault]


def test_a_list_whose_items_are_refused_is_not_called_too_short_as_well() -> None:
    assert [fault.split(":")[1].strip() for fault in faults(LEAST.replace(ZONES, "a, b"))] == [
        "hubs.0.zones.0",
        "hubs.0.zones.1",
    ]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (LEAST.replace(f"[{ZONES}]", "[]"), "line 5: hubs.0.zones"),
        (LEAST + "records: {addresses: []}", "line 6: records.addresses"),
        (LEAST + "followUps: []", "line 6: followUps"),
        (f"instance: contoso\nestate: {{subscriptions: [{SPOKE}]}}\nhubs: []\n", "line 3: hubs"),
    ],
)
def test_a_list_that_must_not_be_empty_says_so(text: str, key: str) -> None:
    assert faults(text) == [f"{key}: it needs at least 1"]


@pytest.mark.parametrize("text", ["", "# nothing\n", "- instance\n", "contoso\n", "5\n", "null\n", "2026-01-01\n"])
def test_a_file_that_is_no_mapping_says_how_one_begins(text: str) -> None:
    assert faults(text) == ["line 1: the file is a mapping; it begins with 'instance: <name>'"]


def test_all_faults_of_the_file_are_told_together() -> None:
    broken = """\
instance: two words
mode: dry
estate: {}
hubs:
  - name: weu
    zones: [nowhere]
    colour: red
  - zones: []
records:
  ttl: 0
  protected: [a b]
followUps: [soon]
"""
    told = faults(broken)
    assert [fault.split(": ")[:2] for fault in told] == [
        ["line 1", "instance"],
        ["line 2", "mode"],
        ["line 3", "estate"],
        ["line 6", "hubs.0.zones.0"],
        ["line 7", "hubs.0.colour"],
        ["line 8", "hubs.1.name"],
        ["line 8", "hubs.1.zones"],
        ["line 10", "records.ttl"],
        ["line 11", "records.protected.0"],
        ["line 12", "followUps.0"],
    ]


@pytest.mark.parametrize("names", [("weu", "WEU"), ("neu", "weu", "weu"), ("a", "b", "A", "B")])
def test_two_hubs_of_one_name_are_told_at_the_line_of_the_hubs(names: tuple[str, ...]) -> None:
    hubs = "".join(f"  - name: {each}\n    zones: [{ZONES}]\n" for each in names)
    [fault] = faults(LEAST.partition("  - name")[0].replace("estate", "\n\nestate") + hubs)
    assert fault.startswith("line 5: hubs: two hubs are called ")


def test_a_number_of_5000_digits_is_told_with_its_line_and_key() -> None:
    [fault] = faults(LEAST + "records:\n  ttl: " + "9" * 5000)
    assert fault.startswith("line 7: records.ttl: ")


def test_a_file_too_large_is_refused_unread() -> None:
    [fault] = faults(LEAST + "#" * 256_000)
    assert fault.endswith("at most 256000 are read")


def test_faults_of_the_text_are_told_with_their_lines() -> None:
    assert faults(LEAST + "mode: plan\nmode: apply\n") == ["line 7: mode: the key is there twice"]
    assert faults("a: *x") == ["line 1: *x: no aliases or anchors; repeat the value"]
    assert faults("a: [")[0].startswith("line 1: not YAML: ")


# The file and the environment together.


def test_faults_of_the_file_and_of_the_environment_are_told_together(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        settings(LEAST + "mode: dry\nrecords: {ttl: 0}\n", AzureWebJobsStorage="", ARM_ENDPOINT="http://x")
    file = tmp_path / "hubwarden.yaml"
    assert [fault.split(": ")[0] for fault in refused.value.faults] == [
        "ARM_ENDPOINT",
        "AzureWebJobsStorage",
        str(file),
        str(file),
    ]
    assert all(f"\n  {fault}" in str(refused.value) for fault in refused.value.faults)


def test_a_good_file_in_a_faulty_environment_is_refused(settings: Settings) -> None:
    with pytest.raises(ConfigError, match="ARM_ENDPOINT"):
        settings(LEAST, ARM_ENDPOINT="http://x")


@pytest.mark.parametrize("kind", ["missing", "a directory", "not UTF-8"])
def test_a_file_that_cannot_be_read_is_a_fault(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "hubwarden.yaml"
    if kind == "a directory":
        file.mkdir()
    if kind == "not UTF-8":
        file.write_bytes(b"instance: \xff\n")
    with pytest.raises(ConfigError) as refused:
        load({"AzureWebJobsStorage": STORAGE, "HUBWARDEN_CONFIG": str(file)})
    [fault] = refused.value.faults
    assert fault.startswith(f"{file}: cannot be read: ")
    assert kind != "not UTF-8" or fault.endswith("it is not text in UTF-8, as byte 11 shows")


def test_the_shipped_file_is_loaded_where_no_other_is_named() -> None:
    config = load({"AzureWebJobsStorage": STORAGE})
    assert config.environment.config_file == DEFAULT_FILE
    assert (config.applies, config.warnings) == (True, ())
    assert [hub.networks for hub in config.hubs] == [()]


@pytest.mark.parametrize(
    "topic",
    [
        "http://t.westeurope-1.eventgrid.azure.net/api/events",
        "https://t.westeurope-1.eventgrid.azure.net",
        "https://me:secret@t.example/api/events",
        "https://t.example/api/events?code=1",
        "t.example/api/events",
        "",
    ],
)
def test_a_topic_is_an_https_endpoint_and_nothing_more(topic: str) -> None:
    """No key and no person in it: the app's identity publishes."""
    [fault] = faults(f"{LEAST}\nevents: {{topic: '{topic}'}}")
    assert fault.startswith(f"line 7: events.topic: '{topic}' does not look right")


def test_a_custom_topics_endpoint_is_taken() -> None:
    topic = "https://t.westeurope-1.eventgrid.azure.net/api/events"
    file, warnings = parse(f"{LEAST}\nevents: {{topic: '{topic}'}}")
    assert (file.events.topic, warnings) == (topic, ())


# What is read but not acted on is said aloud.


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ("    dns: {servers: [10.0.0.4]}", "hubs.0.dns"),
        (f"  - name: neu\n    zones: [{ZONES}]\n    dns: {{via: firewall}}", "hubs.1.dns"),
    ],
)
def test_what_this_version_does_not_act_on_is_warned_of_by_line(more: str, key: str) -> None:
    _, [warning] = parse(LEAST + more, "f")
    assert warning.startswith(f"f: line {6 + more.count(chr(10))}: {key}: ")


@pytest.mark.parametrize(
    "more",
    [
        "records: {shared: []}",
        "approvals: {}",
        "events: {topic: null}",
        f"  - {{name: n, zones: [{ZONES}], createZones: false}}",
        "    networks: []\n    dns: {}",
        f"    networks: [{NETWORK}]\n    createZones: true",
    ],
)
def test_what_says_nothing_is_not_warned_of(more: str) -> None:
    assert parse(LEAST + more)[1] == ()


# The schema for editors.


def test_the_schema_accepts_the_shipped_file() -> None:
    document = yaml.safe_load(DEFAULT_FILE.read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(schema())
    validator.check_schema(schema())
    assert list(validator.iter_errors(document)) == []
    assert json.loads(json.dumps(schema())) == schema()


@pytest.mark.parametrize(
    "more",
    [
        "colour: red",
        "mode: dry",
        "records: {ttl: 0}",
        "records: {tll: 5}",
        "followUps: [5]",
        "followUps: []",
        "cloud: germany",
    ],
)
def test_what_the_schema_refuses_is_refused_by_us_too(more: str) -> None:
    document = yaml.safe_load(LEAST + more)
    assert not jsonschema.Draft202012Validator(schema()).is_valid(document)
    assert faults(LEAST + more)


def under(part: Any, key: str) -> list[dict[str, Any]]:
    """What the schema says under a key, wherever it stands."""
    inner = list(part.values()) if isinstance(part, dict) else part if isinstance(part, list) else []
    found = [part[key]] if isinstance(part, dict) and isinstance(part.get(key), dict) else []
    return [*found, *(each for one in inner for each in under(one, key))]


def test_no_default_of_the_schema_contradicts_the_schema() -> None:
    whole = schema()
    properties = [each for group in under(whole, "properties") for each in group.values()]
    with_default = [each for each in properties if "default" in each]
    assert len(with_default) > 20
    for each in with_default:
        jsonschema.Draft202012Validator({**each, "$defs": whole["$defs"]}).validate(each["default"])


def test_a_duration_in_the_schema_has_no_default_in_seconds() -> None:
    whole = schema()
    [remind] = under(whole, "remindAfter")
    assert "default" not in remind
    assert "default" not in whole["properties"]["followUps"]


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("15s", True),
        ("100ms", True),
        ("7d", True),
        ("0s", True),
        ("1000000000d", False),
        ("x15s", False),
        ("15sx", False),
        ("15", False),
        ("1.5s", False),
        ("-5s", False),
        ("15 s", False),
        ("", False),
    ],
)
def test_the_schema_and_we_agree_on_what_a_duration_is(text: str, is_one: bool) -> None:
    [remind] = under(schema(), "remindAfter")
    for part in (remind, schema()["properties"]["followUps"]["items"]):
        assert (part["pattern"][0], part["pattern"][-1]) == ("^", "$")
        assert jsonschema.Draft202012Validator(part).is_valid(text) is is_one
    if is_one:
        parse(LEAST + f"followUps: ['{text}']\napprovals: {{remindAfter: '{text}'}}\n")
    else:
        assert len(faults(LEAST + f"followUps: ['{text}']\napprovals: {{remindAfter: '{text}'}}\n")) == 2


def test_every_key_of_the_schema_is_in_camel_case() -> None:
    parts: list[dict[str, Any]] = [schema(), *schema()["$defs"].values()]
    keys = [key for part in parts for key in part.get("properties", {})]
    assert len(keys) > 30
    assert [key for key in keys if "_" in key or not key[0].islower()] == []
    assert all(part["additionalProperties"] is False for part in parts if part["type"] == "object")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["instance", "name", "zones", "hubs", "estate", "subscriptions", "ttl", "limits", "rows", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    st.dictionaries(
        st.sampled_from(
            ["instance", "mode", "estate", "hubs", "records", "catalog", "approvals", "events", "followUps"]
        ),
        VALUES,
    )
)
def test_whatever_the_file_says_it_is_read_or_refused_with_faults(data: dict[str, Any]) -> None:
    told: tuple[str, ...] = ("f: nothing",)
    try:
        parse(yaml.safe_dump(data), "f")
    except ConfigError as error:
        told = error.faults
    assert told
    assert all(fault.startswith("f: ") for fault in told)


@pytest.mark.parametrize("wait", ["8d", "999999999d"])
def test_a_follow_up_later_than_a_queue_can_hide_it_is_a_fault(wait: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(LEAST + f"followUps: [{wait}]\n")
    assert any("followUps.0: it should be less than or equal to 604800" in fault for fault in caught.value.faults)
