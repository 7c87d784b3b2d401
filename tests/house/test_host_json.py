"""host.json: valid by the schema that editors use, and in step with the doors' own times."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from handlers import answers, events, sweep, work
from tests.house.sources import ROOT

HOST: dict[str, Any] = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))
# Its source is in its $comment.
SCHEMA: dict[str, Any] = json.loads((Path(__file__).parent / "host-json.schema.json").read_text(encoding="utf-8"))


def faults(host: dict[str, Any]) -> list[str]:
    return [error.json_path for error in jsonschema.Draft7Validator(SCHEMA).iter_errors(host)]


def test_host_json_is_what_its_schema_allows() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    assert faults(HOST) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param(("functionTimeout",), "10 minutes", id="a timeout in words"),
        pytest.param(("extensions", "queues", "batchSize"), "16", id="text for a number"),
        pytest.param(("version",), "1.0", id="another version"),
        pytest.param(("extensions", "queues", "maximumDequeueCount"), 5, id="a setting that is none"),
    ],
)
def test_the_schema_is_strict_enough_to_tell(path: tuple[str, ...], value: Any) -> None:
    broken = deepcopy(HOST)
    part = broken
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    assert faults(broken)


def test_the_doors_end_before_the_platform_ends_them() -> None:
    hours, minutes, seconds = (int(part) for part in HOST["functionTimeout"].split(":"))
    timeout = timedelta(hours=hours, minutes=minutes, seconds=seconds).total_seconds()
    assert timeout >= 2 * work.WITHIN
    assert max(work.WITHIN_FOR_ALL, sweep.WITHIN_FOR_ALL) + 30 < timeout  # to hand on and to note it takes time, too
    assert sweep.WITHIN < 60  # then the next look at what is pending is due
    assert events.WITHIN < 30  # Event Grid waits no longer
    assert answers.WITHIN < 230  # nor does Azure's load balancer


def test_a_message_that_cannot_be_done_ends_in_the_poison_queue() -> None:
    assert HOST["extensions"]["queues"]["maxDequeueCount"] == 5
