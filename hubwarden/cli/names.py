"""`names`: the records that private endpoints in files would want, without settings and without Azure."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hubwarden.catalog import catalogue
from hubwarden.catalog.rows import CLOUDS
from hubwarden.cli.terminal import BAD_INPUT, OK, add_format, show
from hubwarden.dns.offline import wishes_offline
from hubwarden.errors import trouble
from hubwarden.report.columns import printable
from hubwarden.report.names import NameRow, names_csv, names_data, names_text

if TYPE_CHECKING:
    from hubwarden.cli.terminal import Commands

ABOUT = """Reads private endpoints and network interfaces as ARM JSON (a document, an array of them, or an ARM list) and
prints the records that they would want. Interfaces are matched to their endpoints by id, whichever file they are in. A
record that no interface's document backs is `unconfirmed`. Azure is not asked, nor hubwarden.yaml: targets count as
ours, names that records.shared must allow as allowed, and addresses must be private ones. Exit code 2 where a file
cannot be read, or holds anything else; the others are done all the same."""


def add(commands: Commands) -> None:
    """Adds the command."""
    names = commands.add_parser(
        "names", help="show the records that private endpoints in files would want, offline", description=ABOUT
    )
    names.add_argument("file", nargs="+", type=Path, metavar="FILE")
    names.add_argument("--cloud", choices=CLOUDS, default="public", help="whose catalogue; public unless you say so")
    add_format(names).set_defaults(run=_names)


def _names(arguments: argparse.Namespace) -> int:
    from hubwarden.arm.files import Files
    from hubwarden.config.schema import RecordsPart

    files = Files()
    for file in arguments.file:
        try:
            files.read(str(file), file.read_bytes())
        except OSError as error:
            files.faults.append(f"{file}: cannot be read: {trouble(error)}")
    services, networks = catalogue(arguments.cloud), RecordsPart().addresses
    rows = []
    for filed in files.endpoints():
        wished = wishes_offline(filed.endpoint, catalogue=services, networks=networks)
        rows += [NameRow.of(filed.endpoint.id, want, confirmed=filed.confirms(want.fqdn)) for want in wished.wants]
        rows += [NameRow.of(filed.endpoint.id, held) for held in wished.held]
    show(arguments.format, names_data(rows), lambda: names_text(rows), lambda: names_csv(rows))
    print("".join(f"{printable(line)}\n" for line in (*files.notes, *files.faults)), end="", file=sys.stderr)
    return BAD_INPUT if files.faults else OK
