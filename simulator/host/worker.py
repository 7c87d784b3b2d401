"""Runs one function app's code on Microsoft's worker library: indexes it, and invokes its functions.

It knows functions and values; the triggers, which make invocations of what happens outside, are its siblings. The
library keeps its state in module globals, so there is one app in a process.
"""

from __future__ import annotations

import json
import logging
import os
import re
import secrets
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure_functions_runtime

from simulator import worker_protocol
from simulator.worker_protocol import ParameterBinding, RpcFunctionMetadata, StatusResult, TypedData

log = logging.getLogger(__name__)

TRIGGERS = frozenset({"httpTrigger", "eventGridTrigger", "queueTrigger", "timerTrigger", "warmupTrigger"})
OUTPUTS = frozenset({"http", "queue"})
# The platform retries these by means of its own and ignores a retry policy in the app.
UNRETRIED = frozenset({"eventGridTrigger", "queueTrigger"})

TRACEPARENT = re.compile(r"00-(?P<trace>[0-9a-f]{32})-[0-9a-f]{16}-(?P<flags>[0-9a-f]{2})")
SETTING = re.compile(r"%([^%]+)%")


class AppError(Exception):
    """The app cannot be run: it does not import, binds to something unknown, or a setting is missing."""


class FunctionFailedError(Exception):
    """An invocation raised; the message is the exception's type and text."""


@dataclass(frozen=True, slots=True)
class Function:
    """One function: what starts it and where its outputs go."""

    name: str
    id: str
    trigger: Mapping[str, Any]
    outputs: Mapping[str, Mapping[str, Any]]
    bindings: Sequence[Mapping[str, Any]]

    @property
    def kind(self) -> str:
        """The type of its trigger, such as `queueTrigger`."""
        kind: str = self.trigger["type"]
        return kind


@dataclass(frozen=True, slots=True)
class Trace:
    """The W3C trace context that an invocation runs in."""

    parent: str
    state: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What an invocation gave: its return value, and the outputs that it set."""

    returned: TypedData | None
    outputs: Mapping[str, TypedData]


def follow(headers: Mapping[str, str]) -> Trace:
    """A new span in the caller's trace, or in a new trace if the caller sent none that is valid."""
    match = TRACEPARENT.fullmatch(headers.get("traceparent", ""))
    span = secrets.token_hex(8)
    if match is None:
        return Trace(f"00-{secrets.token_hex(16)}-{span}-01")
    return Trace(f"00-{match['trace']}-{span}-{match['flags']}", headers.get("tracestate", ""))


def resolve(text: str) -> str:
    """The text with each `%NAME%` replaced by that app setting, as the host does in binding properties.

    Raises AppError if there is no such setting.
    """

    def value(match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            raise AppError(f"'%{match[1]}%' does not resolve to a value: there is no such app setting")
        return os.environ[match[1]]

    return SETTING.sub(value, text)


class Worker:
    """The app, indexed and ready to be invoked."""

    def __init__(self, functions: Sequence[Function]) -> None:
        self.functions = {function.name.lower(): function for function in functions}

    @classmethod
    async def load(cls, directory: Path) -> Worker:
        """Indexes the app in the directory, as the platform does when an instance starts.

        Raises AppError if it cannot be indexed, has no functions, or binds to what this host does not know.
        """
        sys.path.insert(0, str(directory))
        azure_functions_runtime.start_threadpool_executor()
        request = SimpleNamespace(capabilities={}, function_app_directory=str(directory))
        response = await azure_functions_runtime.worker_init_request(_message(worker_init_request=request))
        if response.result.status != StatusResult.Success:
            raise AppError(f"the app could not be indexed: {response.result.exception.message}")
        metadata = await azure_functions_runtime.functions_metadata_request(_message())
        functions = [_function(found) for found in metadata.function_metadata_results or ()]
        if not functions:
            raise AppError(
                f"no functions found in {directory}: is there a function_app.py, and is every blueprint registered?"
            )
        return cls(functions)

    async def invoke(
        self, function: Function, value: TypedData, *, metadata: Mapping[str, TypedData] | None = None, trace: Trace
    ) -> Result:
        """Runs the function once.

        Raises FunctionFailedError if it raises.
        """
        request = SimpleNamespace(
            invocation_id=str(uuid.uuid4()),
            function_id=function.id,
            input_data=[ParameterBinding(function.trigger["name"], value)],
            trigger_metadata=dict(metadata or {}),
            trace_context=SimpleNamespace(trace_parent=trace.parent, trace_state=trace.state, attributes={}),
            retry_context=SimpleNamespace(retry_count=0, max_retry_count=0, exception=None),
        )
        response = await azure_functions_runtime.invocation_request(_message(invocation_request=request))
        if response.result.status != StatusResult.Success:
            log.error("Executed 'Functions.%s' (Failed)\n%s", function.name, response.result.exception.stack_trace)
            raise FunctionFailedError(response.result.exception.message)
        return Result(response.return_value, {output.name: output.data for output in response.output_data})


def _message(**request: object) -> SimpleNamespace:
    properties = {"host": "127.0.0.1", "protos": worker_protocol}
    return SimpleNamespace(request=SimpleNamespace(**request), properties=properties)


def _function(found: RpcFunctionMetadata) -> Function:
    bindings = [json.loads(binding) for binding in found.raw_bindings]
    triggers = [binding for binding in bindings if binding["type"] in TRIGGERS]
    for binding in bindings:
        if binding["type"] not in TRIGGERS | OUTPUTS:
            raise AppError(f"function '{found.name}': binding type '{binding['type']}' is not simulated")
    if len(triggers) != 1:
        raise AppError(f"function '{found.name}' has {len(triggers)} triggers")
    if found.retry_options is not None:
        if triggers[0]["type"] not in UNRETRIED:
            raise AppError(f"function '{found.name}': a retry policy on a {triggers[0]['type']} is not simulated")
        log.warning("function '%s': the platform ignores a retry policy on a %s", found.name, triggers[0]["type"])
    outputs = {binding["name"]: binding for binding in bindings if binding["type"] in OUTPUTS}
    return Function(found.name, found.function_id, triggers[0], outputs, bindings)
