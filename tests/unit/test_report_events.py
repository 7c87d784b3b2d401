"""Announcements are made of changes, answers and what is held: ids, names, addresses and codes, and stable ids."""

from __future__ import annotations

import ipaddress
from dataclasses import replace

from hubwarden.model.announcement import Kind, digest
from hubwarden.model.connection import POLICY, Connection, Decision, Verdict
from hubwarden.model.endpoint import ConnectionStatus
from hubwarden.model.plan import Drop, Held, HeldReason, Put
from hubwarden.model.record import Owner, RecordKey, RecordType
from hubwarden.model.report import Outcome, Result
from hubwarden.model.resource_id import ResourceId
from hubwarden.report.as_events import id_of_record, left, of_answer, of_change, of_reminder
from tests.unit.given import ENDPOINT, HUB_SUBSCRIPTION, SPOKE

ZONE = f"/subscriptions/{HUB_SUBSCRIPTION}/resourceGroups/rg-dns/providers/Microsoft.Network/privateDnsZones/z.com"
KEY = RecordKey(ResourceId.parse(ZONE), "st1", RecordType.A)
TARGET = f"/subscriptions/{SPOKE}/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/st1"
CONNECTION = ResourceId.parse(f"{TARGET}/privateEndpointConnections/c1")
PE = ResourceId.parse(str(ENDPOINT))
ADDRESS = ipaddress.ip_address("10.1.0.4")
PUT = Put("weu", KEY, "st1.com", (ADDRESS,), 10, Owner("contoso", PE, "g"), None, (), "wanted")
DROP = Drop(KEY, "e1", (ADDRESS,), PE, "gone")
WAITS = Connection(CONNECTION, PE, ("blob",), ConnectionStatus.PENDING, "please", settled=True)
HOLD = Decision(WAITS, Verdict.HOLD, "", "no rule matches: please")
PERSON = "0b1d0000-0000-4000-8000-000000000001"
NOW = 5.0


def test_the_kinds_say_whose_they_are() -> None:
    of_connections = {kind for kind in Kind if kind.is_of_a_connection}
    assert {kind.value.split(".")[1] for kind in of_connections} == {"Connection"}
    assert {kind.value.split(".")[1] for kind in set(Kind) - of_connections} == {"Record"}


def test_a_digest_keeps_its_parts_apart() -> None:
    assert digest("a", "bc") != digest("ab", "c")
    assert digest("a", "b") == digest("a", "b")


def test_a_put_has_no_id_before_it_bears_an_etag() -> None:
    announcement = of_change(PUT, NOW)
    assert (announcement.kind, announcement.id) == (Kind.RECORD_REGISTERED, "")
    assert announcement.subject == f"{ZONE}/A/st1"
    assert announcement.data["addresses"] == ["10.1.0.4"]


def test_a_drop_is_known_by_the_etag_that_it_insists_on() -> None:
    announcement = of_change(DROP, NOW)
    assert announcement.id == id_of_record(Kind.RECORD_WITHDRAWN, KEY, "e1")
    assert announcement.id != of_change(replace(DROP, etag="e2"), NOW).id
    assert (announcement.data["addresses"], announcement.data["was"]) == ([], ["10.1.0.4"])


def test_an_answers_id_follows_from_the_decision() -> None:
    """Published twice, after a crash, it is the same event."""
    own = (CONNECTION, PE, Verdict.APPROVE, "own")
    first, again = (of_answer(*own, who=POLICY, name="d1", now=now) for now in (1.0, 2.0))
    assert first.id == again.id
    assert first.id != of_answer(*own, who=POLICY, name="d2", now=1.0).id
    assert first.data["who"] == "policy"
    unknown = of_answer(CONNECTION, None, Verdict.REJECT, "", who=PERSON, name="d1", now=1.0)
    assert (unknown.kind, unknown.data["endpoint"], unknown.data["rule"]) == (Kind.CONNECTION_REJECTED, None, None)
    assert unknown.data["who"] == PERSON


def test_a_connection_that_waits_is_told_once_with_the_reason_that_holds_it() -> None:
    over = Held(HeldReason.OVER_LIMIT, PE, "please", connection=CONNECTION)
    [announcement] = left([HOLD], [over], [], NOW)
    assert (announcement.kind, announcement.data["reason"]) == (Kind.CONNECTION_HELD, "over_limit")
    assert "please" not in str(announcement)


def test_a_connection_that_nobody_decided_on_is_told_by_what_holds_it() -> None:
    must_act = Held(HeldReason.UNCERTAIN, PE, "…", connection=CONNECTION)
    [announcement] = left([], [must_act], [], NOW)
    assert (announcement.kind, announcement.subject) == (Kind.CONNECTION_HELD, str(CONNECTION))


def test_what_was_answered_or_changes_by_itself_is_not_told_as_held() -> None:
    approved = replace(HOLD, verdict=Verdict.APPROVE, after=ConnectionStatus.APPROVED)
    soon = Held(HeldReason.NOT_READY, PE, "…", waits=True)
    busy = Held(HeldReason.NOT_READY, PE, "…", connection=CONNECTION, waits=True)
    assert (
        list(left([approved], [soon, busy], [Outcome(approved, Result.DONE), Outcome(PUT, Result.FAILED)], NOW)) == []
    )


def test_who_meets_anothers_answer_tells_nobody_of_one_that_waits() -> None:
    """Two instances find the same: one answers, and the other one's hold is over within the minute."""
    another_run = Held(HeldReason.NOT_READY, PE, "another run is answering it", connection=CONNECTION, waits=True)
    assert list(left([replace(HOLD, rule="own")], [another_run], [], NOW)) == []


def test_a_failed_answer_is_told() -> None:
    decision = replace(HOLD, verdict=Verdict.APPROVE, rule="own")
    [announcement] = left([decision], [], [Outcome(decision, Result.FAILED, "please")], NOW)
    assert (announcement.kind, announcement.data["rule"]) == (Kind.CONNECTION_FAILED, "own")
    assert "please" not in str(announcement)


def test_what_is_held_is_about_its_record_or_else_about_its_endpoint() -> None:
    held = [
        Held(HeldReason.CONTESTED, PE, "…", KEY, "st1.com"),
        Held(HeldReason.MALFORMED, PE, "…"),
        Held(HeldReason.NO_LONGER_COVERED, None, "…", KEY),
    ]
    told = list(left([], held, [], NOW))
    assert {each.kind for each in told} == {Kind.RECORD_HELD}
    assert [each.subject for each in told] == [f"{ZONE}/A/st1", str(PE), f"{ZONE}/A/st1"]
    assert [each.data["endpoint"] for each in told] == [str(PE), str(PE), None]


def test_a_reminder_says_since_when_and_when_it_was_told_of_last() -> None:
    """Of two that follow each other none is the other; all else is as when it was held first."""
    [first] = left([HOLD], [], [], NOW)
    reminder = of_reminder(HOLD, None, 0.0, None, NOW)
    more = {"reminder": True, "waitingSince": "1970-01-01T00:00:00.000Z", "lastReminder": None}
    assert (reminder.kind, reminder.subject, reminder.data) == (first.kind, first.subject, {**first.data, **more})
    assert of_reminder(HOLD, None, 0.0, 1.5, NOW).data["lastReminder"] == "1970-01-01T00:00:01.500Z"
