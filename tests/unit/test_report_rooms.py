"""Reports and explanations, as data for programs, as text and CSV for people; strangers' text steers neither."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from hubwarden.model.dns_name import DnsName
from hubwarden.model.endpoint import ConnectionStatus, Endpoint, Gone
from hubwarden.model.explanation import Explanation, NameExplanation
from hubwarden.model.plan import Change, Held, HeldReason, MissingZone, Plan
from hubwarden.model.record import Keeper, RecordType, Unread
from hubwarden.model.report import Outcome, Report, Result
from hubwarden.model.scope import OneEndpoint
from hubwarden.report.as_json import change_data, explanation_data, held_data, name_data, report_data
from hubwarden.report.as_text import COLUMNS, explanation_text, name_text, report_csv, report_text
from tests.unit.given import (
    BLOB,
    BLOB_ZONE,
    ENDPOINT,
    GUID,
    TARGET,
    addresses,
    claim,
    drop,
    endpoint,
    key,
    put,
    record,
    want,
    zone,
)

PLACE = {"zone": BLOB_ZONE, "zoneId": str(key().zone), "type": "A"}
CREATED = put()
GOING = drop(key=key("old"))
HELD = Held(HeldReason.CONTESTED, ENDPOINT, "somebody holds it", key("billing"), BLOB, waits=True)
NAMELESS = Held(HeldReason.MALFORMED, ENDPOINT, "no name", name="x y")
ZONELESS = Held(
    HeldReason.NO_ZONE, ENDPOINT, "no zone", name=BLOB, missing=MissingZone("weu", DnsName(BLOB_ZONE), creatable=True)
)
WHOLE = Report(
    run="7f3c",
    scope=OneEndpoint(ENDPOINT),
    mode="apply",
    started_at=datetime(2026, 1, 2, 3, 4, 5, 678_900, tzinfo=UTC),
    finished_at=datetime(2026, 1, 2, 3, 4, 6, tzinfo=UTC),
    plan=Plan((CREATED, GOING), (HELD, NAMELESS), (key("same"),)),
    outcomes=(Outcome(CREATED, Result.DONE), Outcome(GOING, Result.FAILED, "403 AuthorizationFailed")),
)


def test_a_report_has_the_shape_that_the_api_promises() -> None:
    data = report_data(WHOLE)
    assert data == {
        "run": "7f3c",
        "scope": {"endpoint": str(ENDPOINT), "thorough": False},
        "mode": "apply",
        "startedAt": "2026-01-02T03:04:05.678Z",
        "finishedAt": "2026-01-02T03:04:06.000Z",
        "status": "partial",
        "plan": {
            "hash": WHOLE.plan.hash,
            "changes": [change_data(CREATED), change_data(GOING)],
            "overLimit": [],
            "held": [held_data(HELD), held_data(NAMELESS)],
            "unchanged": 1,
            "warnings": [],
        },
        "decisions": [],
        "outcomes": [
            {"change": change_data(CREATED), "result": "done", "error": None},
            {"change": change_data(GOING), "result": "failed", "error": "403 AuthorizationFailed"},
        ],
    }
    assert json.loads(json.dumps(data)) == data


@pytest.mark.parametrize(
    ("change", "data"),
    [
        pytest.param(
            put(was=addresses("10.9.9.9"), why="the addresses differ"),
            {
                "op": "put",
                "name": "orders",
                "addresses": ["10.1.0.4"],
                "was": ["10.9.9.9"],
                "why": "the addresses differ",
            },
            id="put",
        ),
        pytest.param(
            GOING,
            {"op": "drop", "name": "old", "addresses": [], "was": ["10.1.0.4"], "why": "the endpoint is gone"},
            id="drop",
        ),
    ],
)
def test_a_change_says_what_was_and_what_will_be(change: Change, data: dict[str, Any]) -> None:
    assert change_data(change) == {**data, **PLACE, "endpoint": str(ENDPOINT)}


@pytest.mark.parametrize(
    ("held", "zone", "name"),
    [
        pytest.param(HELD, BLOB_ZONE, "billing", id="a record"),
        pytest.param(NAMELESS, None, "x y", id="only a name"),
        pytest.param(ZONELESS, BLOB_ZONE, BLOB, id="a name whose zone is missing"),
        pytest.param(Held(HeldReason.NOT_READY, ENDPOINT, "later"), None, None, id="the whole endpoint"),
    ],
)
def test_what_is_held_comes_with_its_meaning(held: Held, zone: str | None, name: str | None) -> None:
    data = held_data(held)
    assert (data["zone"], data["name"], data["connection"]) == (zone, name, None)
    assert (data["reason"], data["meaning"]) == (held.reason.value, held.reason.meaning)
    assert (data["endpoint"], data["detail"]) == (str(ENDPOINT), held.detail)


FOREIGN = record(key=key("billing"), keeper=Keeper.UNMARKED, owner=None, addresses=addresses("10.9.9.9"), ttl=60)
EXPLAINED = Explanation(
    endpoint=ENDPOINT,
    seen=endpoint(),
    wants=(want(),),
    claims=(claim(),),
    standing={key("new"): None, key(): record(), key("billing"): FOREIGN},
    plan=Plan((put(key=key("new")),), (HELD,), (key(),)),
)


def test_an_explanation_tells_what_is_seen_wanted_held_and_owned() -> None:
    data = explanation_data(EXPLAINED)
    place = {**PLACE, "name": "orders"}
    assert data["endpoint"] == str(ENDPOINT)
    assert data["wanted"] == [{"hub": "weu", **place, "fqdn": BLOB, "addresses": ["10.1.0.4"]}]
    assert data["owned"] == [{"hub": "weu", **place, "fqdn": BLOB, "addresses": ["10.1.0.4"], "state": "served"}]
    assert data["held"] == [held_data(HELD)]
    assert data["changes"] == [change_data(EXPLAINED.plan.changes[0])]
    assert json.loads(json.dumps(data)) == data


def test_one_record_in_the_zones_of_two_hubs_is_told_apart() -> None:
    """Two hubs have zones of one name; where all names are different, they say enough."""
    east = replace(key(), zone=zone(BLOB_ZONE, "rg-east").id)
    both, contested = (CREATED, replace(CREATED, hub="east", key=east)), replace(HELD, key=east)
    ids = [str(each.key.zone) for each in both]
    twice = replace(WHOLE, plan=Plan(both, (contested,)), outcomes=(Outcome(both[1], Result.FAILED, "403"),))
    assert [row["zoneId"] for row in rows(twice)] == [*ids, ids[1]]
    assert [each["zoneId"] for each in report_data(twice)["plan"]["changes"]] == ids
    text = report_text(twice)
    assert text.count(ids[0]) == 1
    assert f"failed: {east} in {ids[1]}: 403" in text.splitlines()
    assert f"held: contested: {east} in {ids[1]} for {ENDPOINT}: somebody holds it" in text.splitlines()
    assert str(key().zone) not in report_text(replace(twice, plan=Plan(both[:1]), outcomes=()))

    seen = replace(EXPLAINED, standing=dict.fromkeys((key(), east)), plan=Plan(both, (contested,)))
    lines = explanation_text(seen).splitlines()
    for mine, where in zip((key(), east), ids, strict=True):
        assert any(line.startswith(f"  {mine} in {where}: nothing stands there") for line in lines)
        assert any(line.startswith(f"would put {mine} in {where} -> ") for line in lines)
        by_name = name_text(NameExplanation(DnsName(BLOB), seen.standing, ()))
        assert f"  {mine} in {where}: nothing stands there" in by_name


def test_what_stands_in_the_zones_is_told_in_order_and_with_its_keeper() -> None:
    place = PLACE
    assert explanation_data(EXPLAINED)["standing"] == [
        {
            **place,
            "name": "billing",
            "exists": True,
            "addresses": ["10.9.9.9"],
            "ttl": 60,
            "keeper": "unmarked",
            "instance": None,
            "owner": None,
        },
        {**place, "name": "new", "exists": False},
        {
            **place,
            "name": "orders",
            "exists": True,
            "addresses": ["10.1.0.4"],
            "ttl": 10,
            "keeper": "hubwarden",
            "instance": "contoso",
            "owner": str(ENDPOINT),
        },
    ]


@pytest.mark.parametrize(
    ("seen", "data"),
    [
        pytest.param(
            Gone(ENDPOINT, proven=True, detail="404"), {"exists": False, "proven": True, "detail": "404"}, id="gone"
        ),
        pytest.param(
            endpoint(guid="", manual=True, status=ConnectionStatus.PENDING, settled=False),
            {
                "exists": True,
                "resourceGuid": None,
                "location": "westeurope",
                "target": str(TARGET),
                "groups": ["blob"],
                "status": "Pending",
                "manual": True,
                "settled": False,
                "names": [{"fqdn": BLOB, "addresses": ["10.1.0.4"], "from": "nic"}],
            },
            id="there",
        ),
    ],
)
def test_what_is_seen_of_an_endpoint_is_told_whether_it_is_there_or_not(seen: Endpoint | Gone, data: Any) -> None:
    assert explanation_data(replace(EXPLAINED, seen=seen))["seen"] == data


def test_an_endpoint_that_shows_its_guid_is_told_with_it() -> None:
    assert explanation_data(EXPLAINED)["seen"]["resourceGuid"] == GUID


def test_a_name_is_explained_by_its_records_and_their_endpoints() -> None:
    explained = NameExplanation(DnsName(BLOB), {key(): record()}, (EXPLAINED,))
    data = name_data(explained)
    assert (data["name"], len(data["standing"])) == (BLOB, 1)
    assert data["endpoints"] == [explanation_data(EXPLAINED)]


# For people's eyes.


def test_a_report_reads_as_a_table_with_what_failed_and_what_is_held() -> None:
    lines = report_text(WHOLE).splitlines()
    assert lines[0] == f"apply: partial, 1 unchanged, plan {WHOLE.plan.hash}"
    assert lines[1].split() == ["op", "record", "addresses", "was", "why", "result"]
    assert lines[2].split()[:4] == ["put", f"orders.{BLOB_ZONE}", "A", "10.1.0.4"]
    assert lines[2].endswith("done")
    assert lines[3].split()[0] == "drop"
    assert lines[3].endswith("failed")
    assert lines[4] == f"failed: old.{BLOB_ZONE} A: 403 AuthorizationFailed"
    assert lines[5] == f"held: contested: billing.{BLOB_ZONE} A for {ENDPOINT}: somebody holds it"
    assert lines[6] == f"held: malformed: x y for {ENDPOINT}: no name"
    assert len(lines) == 7


@pytest.mark.parametrize(
    ("held", "line"),
    [
        pytest.param(
            Held(HeldReason.NOT_READY, ENDPOINT, "later"), f"held: not_ready: {ENDPOINT}: later", id="all of it"
        ),
        pytest.param(Held(HeldReason.UNCERTAIN, None, "404"), "held: uncertain: 404", id="a target that shows nothing"),
    ],
)
def test_what_is_held_reads_with_what_is_known_of_it(held: Held, line: str) -> None:
    assert report_text(replace(WHOLE, outcomes=(), plan=Plan(held=(held,)))).splitlines()[1:] == [line]


def test_a_report_of_a_mere_plan_says_so_for_each_change() -> None:
    planned = replace(WHOLE, mode="plan", outcomes=(), plan=Plan((CREATED,)))
    assert report_text(planned).splitlines()[2].endswith("planned")


def test_a_report_with_nothing_to_do_is_one_line() -> None:
    assert report_text(replace(WHOLE, outcomes=(), plan=Plan())).splitlines() == [
        f"apply: done, 0 unchanged, plan {Plan().hash}"
    ]


def test_an_explanation_reads_line_by_line() -> None:
    text = explanation_text(EXPLAINED)
    assert text.splitlines() == [
        str(ENDPOINT),
        f"  target: {TARGET}  groups: blob",
        "  connection: Approved  location: westeurope",
        f"  name: {BLOB} -> 10.1.0.4 (from its nic)",
        "",
        "records:",
        f"  billing.{BLOB_ZONE} A: 10.9.9.9 (unmarked); not claimed",
        f"  new.{BLOB_ZONE} A: nothing stands there; not claimed",
        f"  orders.{BLOB_ZONE} A: 10.1.0.4 (hubwarden); served",
        f"would put new.{BLOB_ZONE} A -> 10.1.0.4: wanted, and nothing stands there",
        f"held: contested: billing.{BLOB_ZONE} A: {HeldReason.CONTESTED.meaning} (somebody holds it)",
    ]


UNREAD = Unread("reading record: Azure answered 403 AuthorizationFailed")


def test_a_record_that_was_not_shown_is_neither_there_nor_not_there() -> None:
    unread = replace(EXPLAINED, standing={key(): UNREAD, key("new"): None})
    place = PLACE
    data = explanation_data(unread)["standing"]
    assert data == [
        {**place, "name": "new", "exists": False},
        {**place, "name": "orders", "exists": None, "detail": UNREAD.detail},
    ]
    assert name_data(NameExplanation(DnsName(BLOB), unread.standing, ()))["standing"] == data
    assert json.loads(json.dumps(data)) == data


def test_a_record_that_was_not_shown_reads_so() -> None:
    unread = replace(EXPLAINED, standing={key(): UNREAD, key("new"): UNREAD})
    lines = explanation_text(unread).splitlines()
    assert f"  orders.{BLOB_ZONE} A: not shown: {UNREAD.detail}; served" in lines
    assert f"  new.{BLOB_ZONE} A: not shown: {UNREAD.detail}; not claimed" in lines
    assert name_text(NameExplanation(DnsName(BLOB), {key(): UNREAD}, ())).splitlines() == [
        f"{BLOB}:",
        f"  orders.{BLOB_ZONE} A: not shown: {UNREAD.detail}",
        "  no endpoint is known to want it",
    ]


def test_why_a_record_was_not_shown_steers_no_terminal() -> None:
    said = {key(): Unread("\x1b[2J\nheld: nothing")}
    for text in (
        explanation_text(replace(EXPLAINED, standing=said)),
        name_text(NameExplanation(DnsName(BLOB), said, ())),
    ):
        assert "not shown: \\x1b[2J\\nheld: nothing" in text
        assert "\x1b" not in text


@pytest.mark.parametrize(("proven", "word"), [(True, "proven"), (False, "not proven")])
def test_an_explanation_of_a_gone_endpoint_says_how_sure_it_is(proven: bool, word: str) -> None:
    gone = replace(EXPLAINED, seen=Gone(ENDPOINT, proven, "404"), standing={}, plan=Plan((GOING,)))
    assert explanation_text(gone).splitlines() == [
        str(ENDPOINT),
        f"  not there ({word}): 404",
        "",
        "records: none wanted, none claimed",
        f"would drop old.{BLOB_ZONE} A: the endpoint is gone",
    ]


def test_an_endpoint_without_target_and_groups_is_explained_too() -> None:
    bare = endpoint(target=None, target_text="", groups=(), manual=True)
    lines = explanation_text(replace(EXPLAINED, seen=bare)).splitlines()
    assert lines[1] == "  target: (none)  groups: (none)"
    assert lines[2] == "  connection: Approved (manual)  location: westeurope"


def test_a_name_reads_with_its_records_and_then_each_endpoint() -> None:
    text = name_text(NameExplanation(DnsName(BLOB), {key(): record(), key("new"): None}, (EXPLAINED,)))
    head, tail = text.split("\n\n", 1)
    assert head.splitlines() == [
        f"{BLOB}:",
        f"  new.{BLOB_ZONE} A: nothing stands there",
        f"  orders.{BLOB_ZONE} A: 10.1.0.4 (hubwarden)",
    ]
    assert tail == explanation_text(EXPLAINED)


def test_a_name_that_no_hub_has_a_zone_for_says_so() -> None:
    assert name_text(NameExplanation(DnsName("a.com"), {}, ())) == "a.com:\n  no hub has a zone for it"


@pytest.mark.parametrize(
    ("stranger", "shown"),
    [
        pytest.param("\x1b[2Jgone", "\\x1b[2Jgone", id="terminal escape"),
        pytest.param("a\nheld: nothing", "a\\nheld: nothing", id="a line of its own"),
        pytest.param("a\u202eb", "a\\u202eb", id="text direction"),
        pytest.param("a\ud800b", "a\\ud800b", id="half a character"),
        pytest.param("\u00fcber \u65e5", "\u00fcber \u65e5", id="letters of any script"),
    ],
)
def test_a_strangers_text_steers_no_terminal(stranger: str, shown: str) -> None:
    held = Held(HeldReason.MALFORMED, ENDPOINT, stranger, name=stranger)
    text = report_text(replace(WHOLE, outcomes=(), plan=Plan(held=(held,))))
    assert text.splitlines()[-1] == f"held: malformed: {shown} for {ENDPOINT}: {shown}"
    assert shown in report_csv(replace(WHOLE, outcomes=(), plan=Plan(held=(held,))))


def rows(report: Report) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(report_csv(report))))


def test_a_name_whose_zone_is_missing_is_told_with_the_zone_that_there_should_be() -> None:
    [row] = rows(replace(WHOLE, plan=Plan(held=(ZONELESS,))))
    assert (row["op"], row["zone"], row["name"], row["type"]) == ("held", BLOB_ZONE, BLOB, "")


def test_a_report_as_csv_has_a_row_for_each_change_and_each_thing_held() -> None:
    two = put(key=key(kind=RecordType.AAAA), addresses=addresses("fd00::4", "fd00::5"))
    found = rows(replace(WHOLE, plan=Plan((CREATED, GOING, two), (HELD, NAMELESS))))
    assert [list(row) for row in found] == [list(COLUMNS)] * 5
    assert [row["op"] for row in found] == ["put", "drop", "put", "held", "held"]
    assert [row["result"] for row in found] == ["done", "failed", "", "", ""]
    assert found[1] == {
        "op": "drop",
        "zone": BLOB_ZONE,
        "name": "old",
        "type": "A",
        "addresses": "",
        "was": "10.1.0.4",
        "why": "the endpoint is gone",
        "endpoint": str(ENDPOINT),
        "zoneId": PLACE["zoneId"],
        "connection": "",
        "result": "failed",
        "error": "403 AuthorizationFailed",
    }
    assert (found[2]["addresses"], found[2]["type"]) == ("fd00::4;fd00::5", "AAAA")
    assert (found[3]["zone"], found[3]["name"], found[3]["why"]) == (
        BLOB_ZONE,
        "billing",
        "contested: somebody holds it",
    )
    assert (found[4]["zone"], found[4]["name"], found[4]["type"]) == ("", "x y", "")


@pytest.mark.parametrize("formula", ["=HYPERLINK(1)", "+1", "-1", "@x"])
def test_a_strangers_text_is_no_formula_in_a_spreadsheet(formula: str) -> None:
    held = Held(HeldReason.MALFORMED, ENDPOINT, formula, name=formula)
    [row] = rows(replace(WHOLE, plan=Plan(held=(held,))))
    assert row["name"] == f"'{formula}"
    assert row["why"] == f"malformed: {formula}"


STRANGERS = [
    pytest.param("=1+1", "'=1+1", id="a formula"),
    pytest.param("+1", "'+1", id="plus"),
    pytest.param("-1", "'-1", id="minus"),
    pytest.param("@SUM(A1)", "'@SUM(A1)", id="at"),
    pytest.param("a=1", "a=1", id="a sign that begins nothing"),
    pytest.param("\t=1", "\\t=1", id="a tab in front of a formula"),
    pytest.param("\r=1", "\\r=1", id="a carriage return in front of a formula"),
    pytest.param("\n=1", "\\n=1", id="a line end in front of a formula"),
    pytest.param("=a\r\nput,x", "'=a\\r\\nput,x", id="a formula and a row of its own"),
    pytest.param('a","b', 'a","b', id="a cell of its own"),
    pytest.param("\x1b[2J", "\\x1b[2J", id="terminal escape"),
    pytest.param("\x00", "\\x00", id="NUL"),
    pytest.param("\u202e=x", "\\u202e=x", id="text direction"),
    pytest.param("", "", id="nothing"),
]


@pytest.mark.parametrize(("stranger", "cell"), STRANGERS)
def test_a_strangers_text_stays_in_its_cell_and_means_nothing_there(stranger: str, cell: str) -> None:
    changed = put(why=stranger)
    held = Held(HeldReason.MALFORMED, ENDPOINT, stranger, name=stranger)
    report = replace(WHOLE, plan=Plan((changed,), (held,)), outcomes=(Outcome(changed, Result.FAILED, error=stranger),))
    first, second = rows(report)
    assert (first["why"], first["error"], second["name"]) == (cell, cell, cell)
    assert second["why"] == f"malformed: {cell.removeprefix(chr(39))}"
    assert all(character.isprintable() or character in "\r\n" for character in report_csv(report))


def test_a_name_is_not_said_to_have_no_zone_where_the_zones_were_not_shown() -> None:
    said = NameExplanation(DnsName("a.com"), {}, (), ("the zones of hub weu were not shown: 403",))
    assert name_text(said) == "a.com:\n  not known: the zones of hub weu were not shown: 403"
    assert name_data(said)["trouble"] == ["the zones of hub weu were not shown: 403"]
