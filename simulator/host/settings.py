"""Reads host.json: the few settings that change what an app sees, with the host's defaults."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from simulator.host.worker import AppError


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """`extensions.queues`, by default as behaviour reference section 8.4 says."""

    batch_size: int = 16
    new_batch_threshold: int = 8
    max_dequeue_count: int = 5
    visibility_timeout: timedelta = timedelta(0)
    max_polling_interval: timedelta = timedelta(minutes=1)
    base64: bool = True


@dataclass(frozen=True, slots=True)
class HostSettings:
    """What of host.json this host honours."""

    route_prefix: str = "api"
    queues: QueueSettings = QueueSettings()


def read(directory: Path) -> HostSettings:
    """The settings of the app in the directory.

    Raises AppError if host.json is missing or faulty: without it the platform does not take a directory for an app.
    """
    path = directory / "host.json"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        extensions = document.get("extensions", {})
        prefix = extensions.get("http", {}).get("routePrefix", HostSettings().route_prefix)
        return HostSettings(route_prefix=str(prefix).strip("/"), queues=_queues(extensions.get("queues", {})))
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise AppError(f"{path} cannot be read: {error}") from error


def _queues(found: Mapping[str, Any]) -> QueueSettings:
    default = QueueSettings()
    batch = int(found.get("batchSize", default.batch_size))
    encoding = str(found.get("messageEncoding", "base64")).lower()
    if encoding not in {"base64", "none"}:
        raise ValueError(f"messageEncoding '{encoding}' is neither base64 nor none")
    return QueueSettings(
        batch_size=batch,
        new_batch_threshold=int(found.get("newBatchThreshold", batch // 2)),
        max_dequeue_count=int(found.get("maxDequeueCount", default.max_dequeue_count)),
        visibility_timeout=_span(found.get("visibilityTimeout"), default.visibility_timeout),
        max_polling_interval=_span(found.get("maxPollingInterval"), default.max_polling_interval),
        base64=encoding == "base64",
    )


def _span(text: str | None, default: timedelta) -> timedelta:
    """`hh:mm:ss`, as .NET writes a TimeSpan."""
    if text is None:
        return default
    hours, minutes, seconds = text.split(":")
    return timedelta(hours=int(hours), minutes=int(minutes), seconds=float(seconds))
