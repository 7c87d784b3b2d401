"""How takeovers are told: to terminals, to spreadsheets, as data; and the way back."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

from hubwarden.model.report import Outcome, Result
from hubwarden.model.takeover import (
    Gap,
    GroupZone,
    Obstacle,
    ObstacleReason,
    TakenOver,
    Takeover,
    TakeoverPlan,
    TakeoverReport,
)
from hubwarden.report.takeover import (
    UNSEEN,
    taken_data,
    takeover_csv,
    takeover_report_data,
    takeover_text,
    way_back,
)
from tests.unit.given import BLOB_ZONE, ENDPOINT, OTHER_ENDPOINT, SPOKE, key, put, zone
from tests.unit.test_takeover import group

READY = Takeover(ENDPOINT, group(), (put(was=put().addresses),))
EMPTY = Takeover(OTHER_ENDPOINT, replace(group(), zones=()))
REFUSED = Takeover(
    OTHER_ENDPOINT, obstacles=(Obstacle(ObstacleReason.LOCKED, "by x"), Obstacle(ObstacleReason.POLICY, "=by\x1by"))
)
DONE = TakenOver(READY, "r1", (Outcome(READY.puts[0], Result.DONE),), (Gap(key(), 1.25),), deleted=True)
FAILED = replace(DONE, gaps=(), error="st1 still stands", outcomes=(Outcome(READY.puts[0], Result.FAILED, "x"),))
AGAIN = "python -m hubwarden takeover"


def report(*done: TakenOver, plan: tuple[Takeover, ...] = (READY, REFUSED)) -> TakeoverReport:
    """A plan, and what was done of it."""
    return TakeoverReport(TakeoverPlan(plan), done)


def test_a_plan_tells_what_is_refused_what_cannot_be_seen_and_how_to_go_on() -> None:
    text = takeover_text(report(), AGAIN)
    assert text.startswith(f"1 to take over, 1 refused, plan {report().plan.hash}\n")
    assert f"refused: {OTHER_ENDPOINT}: locked: by x" in text
    assert "policy: =by\\x1by" in text
    assert UNSEEN in text
    assert text.endswith(f"{AGAIN} --apply {report().plan.hash}")
    assert "--apply" not in takeover_text(report(plan=(REFUSED,)), AGAIN)


def test_what_was_done_is_told_with_its_gaps() -> None:
    text = takeover_text(report(DONE), AGAIN)
    assert "1.250" in text
    assert f"longest gap: 1.250 s (orders.{BLOB_ZONE})" in text
    assert text.endswith("taken over: 1")


def test_a_failure_tells_the_way_back_only_where_the_group_was_deleted() -> None:
    text = takeover_text(report(FAILED, plan=(READY, EMPTY)), AGAIN)
    assert f"failed: {ENDPOINT}: st1 still stands" in text
    assert "dns-zone-group create" in text
    assert "taken over before that: 0; not begun: 1" in text
    assert "dns-zone-group" not in takeover_text(report(replace(FAILED, deleted=False)), AGAIN)


def test_the_way_back_has_a_command_for_each_zone_that_a_shell_can_read() -> None:
    two = group(GroupZone("blob's", zone(BLOB_ZONE).id), GroupZone("vault", zone("privatelink.vaultcore.azure.net").id))
    first, second = way_back(two)
    assert first == (
        f"az network private-endpoint dns-zone-group create --subscription {SPOKE} --resource-group rg-orders"
        " --endpoint-name pe-orders --name default --zone-name 'blob'\"'\"'s'"
        f" --private-dns-zone {zone(BLOB_ZONE).id}"
    )
    assert second.startswith("az network private-endpoint dns-zone-group add ")
    assert list(way_back(replace(two, zones=()))) == []


def test_as_csv_there_is_a_row_for_each_record_and_for_what_has_none() -> None:
    rows = list(csv.DictReader(io.StringIO(takeover_csv(report(DONE, plan=(READY, EMPTY, REFUSED))))))
    assert [(row["endpoint"], row["result"]) for row in rows] == [
        (str(ENDPOINT), "done"),
        (str(OTHER_ENDPOINT), "planned"),
        (str(OTHER_ENDPOINT), "refused"),
    ]
    assert (rows[0]["zone"], rows[0]["name"], rows[0]["type"], rows[0]["gap"]) == (BLOB_ZONE, "orders", "A", "1.250")
    assert rows[2]["error"] == "locked: by x; policy: =by\\x1by"
    [failed, _] = csv.DictReader(io.StringIO(takeover_csv(report(FAILED))))
    assert (failed["result"], failed["gap"], failed["error"]) == ("failed", "", "st1 still stands")


def test_a_group_without_records_is_shown_as_well_and_each_endpoint_by_itself() -> None:
    """With ids no line would fit."""
    without = replace(READY, group=None)
    lines = takeover_text(report(plan=(EMPTY, without)), AGAIN).splitlines()
    assert [line.split()[-1] for line in lines if line.startswith("endpoint ")] == [str(OTHER_ENDPOINT), str(ENDPOINT)]
    assert [line.split()[-1] for line in lines if line.startswith("zone group ")] == ["default", "(none)"]
    assert "addresses   10.1.0.4" in lines
    assert not any(line.startswith("gap") for line in lines)


def test_as_data_it_has_the_plan_and_what_came_of_it() -> None:
    data = takeover_report_data(report(DONE))
    assert data["plan"]["hash"] == report().plan.hash
    ready, refused = data["plan"]["takeovers"]
    assert ready["group"] == {"id": str(group().id), "zones": [str(zone(BLOB_ZONE).id)]}
    assert (refused["group"], refused["obstacles"][0]) == (None, {"reason": "locked", "detail": "by x"})
    assert data["applied"] == [taken_data(DONE)]
    assert data["longestGap"] == {"zone": str(zone(BLOB_ZONE).id), "name": "orders", "type": "A", "seconds": 1.25}
    assert takeover_report_data(report())["longestGap"] is None


def test_as_data_a_failure_has_its_way_back() -> None:
    data = taken_data(FAILED)
    assert (data["result"], data["error"], len(data["wayBack"])) == ("failed", "st1 still stands", 1)
    assert taken_data(DONE)["wayBack"] == []
    without = replace(FAILED, takeover=replace(READY, group=None))
    assert (taken_data(without)["group"], taken_data(without)["wayBack"]) == (None, [])
