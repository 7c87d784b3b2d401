"""`reconcile` and `explain`: make records right and answer connections, and say why they stand so."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from hubwarden.cli.terminal import FAILED, HELD, OK, add_command, add_format, asked, show
from hubwarden.model.dns_name import DnsName
from hubwarden.model.endpoint import PRIVATE_ENDPOINT, private_endpoint_id
from hubwarden.model.report import Status
from hubwarden.model.scope import Everything, OneEndpoint, OneTarget, Scope, target_id
from hubwarden.report.as_json import explanation_data, name_data, report_data
from hubwarden.report.as_text import explanation_text, name_text, report_csv, report_text

if TYPE_CHECKING:
    from hubwarden.cli.terminal import Commands


def add(commands: Commands) -> None:
    """Adds the commands."""
    reconcile = add_command(commands, "reconcile", "make records right and answer connections, now")
    reconcile.add_argument(
        "id",
        nargs="?",
        metavar="ID",
        help="resource id of a private endpoint, or of a target; without one, the whole estate",
    )
    reconcile.add_argument("--plan", action="store_true", help="only show what would be done")
    add_format(reconcile).set_defaults(run=_reconcile)

    explain = add_command(commands, "explain", "show what is seen, wanted, held and owned, and why")
    explain.add_argument("what", metavar="WHAT", help="resource id of a private endpoint, or a host name")
    explain.add_argument("--format", choices=("table", "json"), default="table", help="for people, or for programs")
    explain.set_defaults(run=_explain)


def _reconcile(arguments: argparse.Namespace) -> int:
    scope = _scope(arguments.id)
    report = asked(lambda house: house.run(scope, applies=not arguments.plan))
    show(arguments.format, report_data(report), lambda: report_text(report), lambda: report_csv(report))
    if report.status is not Status.DONE:
        return FAILED
    return HELD if report.plan.held else OK


def _scope(text: str | None) -> Scope:
    if text is None:
        return Everything()
    target = target_id(text)
    return OneEndpoint(target, thorough=True) if target.is_a(PRIVATE_ENDPOINT) else OneTarget(target)


def _explain(arguments: argparse.Namespace) -> int:
    if arguments.what.startswith("/"):
        endpoint = private_endpoint_id(arguments.what)
        explanation = asked(lambda house: house.explain(endpoint))
        data, text = explanation_data(explanation), explanation_text(explanation)
    else:
        name = DnsName.parse(arguments.what)
        found = asked(lambda house: house.explain_name(name))
        data, text = name_data(found), name_text(found)
    print(json.dumps(data, indent=2) if arguments.format == "json" else text)
    return OK
