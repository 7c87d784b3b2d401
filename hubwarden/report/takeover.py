"""Takeovers of zone groups as plain data, as text and as CSV; and the commands that make a deleted group anew."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

from hubwarden.model.plan import Put
from hubwarden.model.takeover import Gap, TakenOver, Takeover, TakeoverReport, ZoneGroup
from hubwarden.report.as_json import change_data
from hubwarden.report.columns import as_csv, fitted, printable

COLUMNS = ("endpoint", "group", "zone", "name", "type", "addresses", "result", "gap", "error")

UNSEEN = (
    "Whether Terraform, Bicep or a pipeline makes a group anew cannot be seen from Azure, nor do tags tell: look for"
    " private_dns_zone_group of azurerm_private_endpoint, and for privateDnsZoneGroups in templates."
)

_ROW = tuple[str, ...]


def takeover_report_data(report: TakeoverReport) -> dict[str, Any]:
    """A plan of takeovers, and what was done of it; `applied` is empty where it was only planned."""
    longest = report.longest
    return {
        "plan": {"hash": report.plan.hash, "takeovers": [_takeover(each) for each in report.plan.takeovers]},
        "applied": [taken_data(each) for each in report.done],
        "longestGap": _gap(longest) if longest else None,
        "notKnown": UNSEEN,
    }


def taken_data(taken: TakenOver) -> dict[str, Any]:
    """One takeover as it ended: the gap of each name in seconds, and, where it failed, how to get back."""
    group = taken.takeover.group
    return {
        "run": taken.run,
        "endpoint": str(taken.takeover.endpoint),
        "group": str(group.id) if group else None,
        "result": "failed" if taken.error else "done",
        "gaps": [_gap(gap) for gap in taken.gaps],
        "error": taken.error or None,
        "wayBack": list(way_back(group)) if group and taken.error and taken.deleted else [],
    }


def takeover_text(report: TakeoverReport, again: str) -> str:
    """A plan, or what was done of it, for people; `again` is the command that was given, to which the hash is added."""
    plan = report.plan
    ready, refused = len(plan.ready), len(plan.refused)
    lines = [f"{ready} to take over, {refused} refused, plan {plan.hash}"]
    lines += fitted(("endpoint", "zone group", "record", "addresses", "result", "gap"), list(_rows(report)))
    for each in plan.refused:
        lines += [f"refused: {each.endpoint}: {obstacle}" for obstacle in each.obstacles]
    lines += _failures(report)
    if longest := report.longest:
        lines.append(f"longest gap: {longest.seconds:.3f} s ({longest.key.fqdn})")
    if report.done and not report.failed:
        lines.append(f"taken over: {len(report.done)}")
    elif not report.done and plan.ready:
        lines += [UNSEEN, f"Nothing was changed. To do this very plan: {again} --apply {plan.hash}"]
    return "\n".join(map(printable, lines))


def takeover_csv(report: TakeoverReport) -> str:
    """The same as CSV, a row for each record, or for an endpoint without any; addresses are joined by `;`."""
    ended = {taken.takeover.endpoint: taken for taken in report.done}
    rows: list[_ROW] = []
    for each in report.plan.takeovers:
        taken = ended.get(each.endpoint)
        result, error = _result(each, taken), _error(each, taken)
        group = each.group.id.name if each.group else ""
        for put in each.puts:
            place = (put.key.zone.name, put.key.name, put.key.type.value, ";".join(map(str, put.addresses)))
            rows.append((str(each.endpoint), group, *place, result, _seconds(put, taken), error))
        if not each.puts:
            rows.append((str(each.endpoint), group, "", "", "", "", result, "", error))
    return as_csv(COLUMNS, rows)


def way_back(group: ZoneGroup) -> Iterator[str]:
    """The commands of the Azure CLI that make a zone group as it was."""
    endpoint = group.id.parent
    for verb, zone in zip(("create", *["add"] * len(group.zones)), group.zones, strict=False):
        yield shlex.join(
            [
                *("az", "network", "private-endpoint", "dns-zone-group", verb),
                *("--subscription", endpoint.subscription, "--resource-group", endpoint.group),
                *("--endpoint-name", endpoint.name, "--name", group.id.name),
                *("--zone-name", zone.name, "--private-dns-zone", str(zone.zone)),
            ]
        )


def _failures(report: TakeoverReport) -> Iterator[str]:
    for taken in report.done:
        if taken.error:
            yield f"failed: {taken.takeover.endpoint}: {taken.error}"
            if taken.takeover.group and taken.deleted:
                yield "the way back, if you want it:"
                yield from (f"  {command}" for command in way_back(taken.takeover.group))
            left = len(report.plan.ready) - len(report.done)
            yield f"taken over before that: {len(report.done) - 1}; not begun: {left}"


def _rows(report: TakeoverReport) -> Iterator[_ROW]:
    ended = {taken.takeover.endpoint: taken for taken in report.done}
    for each in report.plan.takeovers:
        taken = ended.get(each.endpoint)
        group = each.group.id.name if each.group else "(none)"
        for put in each.puts:
            addresses = ", ".join(map(str, put.addresses))
            yield (str(each.endpoint), group, str(put.key), addresses, _result(each, taken), _seconds(put, taken))
        if not each.puts:
            yield (str(each.endpoint), group, "", "", _result(each, taken), "")


def _takeover(takeover: Takeover) -> dict[str, Any]:
    group = takeover.group
    return {
        "endpoint": str(takeover.endpoint),
        "group": {"id": str(group.id), "zones": [str(zone.zone) for zone in group.zones]} if group else None,
        "changes": [change_data(put) for put in takeover.puts],
        "obstacles": [{"reason": each.reason.value, "detail": each.detail} for each in takeover.obstacles],
    }


def _gap(gap: Gap) -> dict[str, Any]:
    key = gap.key
    return {"zone": str(key.zone), "name": key.name, "type": key.type.value, "seconds": round(gap.seconds, 3)}


def _result(takeover: Takeover, taken: TakenOver | None) -> str:
    if takeover.obstacles:
        return "refused"
    if taken is None:
        return "planned"
    return "failed" if taken.error else "done"


def _error(takeover: Takeover, taken: TakenOver | None) -> str:
    return taken.error if taken else "; ".join(map(str, takeover.obstacles))


def _seconds(put: Put, taken: TakenOver | None) -> str:
    gaps = {gap.key: gap.seconds for gap in taken.gaps} if taken else {}
    return f"{gaps[put.key]:.3f}" if put.key in gaps else ""
