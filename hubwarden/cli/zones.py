"""`zones`: which zone a service's names belong in, and which of the zones a hub has."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from hubwarden.catalog import catalogue
from hubwarden.catalog.rows import CLOUDS
from hubwarden.cli.terminal import OK, add_command, add_format, asked, show
from hubwarden.errors import InputError
from hubwarden.report.zones import zones_csv, zones_data, zones_text

if TYPE_CHECKING:
    from hubwarden.cli.terminal import Commands
    from hubwarden.config.loading import Config


def add(commands: Commands) -> None:
    """Adds the command."""
    zones = add_command(commands, "zones", "list which zone each service's names belong in")
    zones.add_argument("--cloud", choices=CLOUDS, help="public unless you say otherwise; with --hub, the settings' own")
    zones.add_argument("--hub", help="also tell which of the zones this hub has; takes your own rows from the settings")
    add_format(zones).set_defaults(run=_zones)


def _zones(arguments: argparse.Namespace) -> int:
    if arguments.hub is None:
        rows, there = catalogue(arguments.cloud or "public").rows, None
    else:
        config = _settings(arguments)
        rows = catalogue(config.cloud, config.rows).rows
        there = asked(lambda house: house.hub_zones(arguments.hub), config).zones
    show(
        arguments.format,
        zones_data(rows, there),
        lambda: zones_text(rows, there),
        lambda: zones_csv(rows, there),
    )
    return OK


def _settings(arguments: argparse.Namespace) -> Config:
    from hubwarden.config.loading import load

    config = load()
    if arguments.cloud not in (None, config.cloud):
        raise InputError(
            f"--cloud {arguments.cloud}: the hubs are in the cloud of the settings, which is {config.cloud}"
        )
    names = [hub.name for hub in config.hubs]
    if arguments.hub not in names:
        raise InputError(f"--hub {arguments.hub}: it is not one of the hubs: {', '.join(names)}")
    return config
