"""Which trace a run belongs to: from what caused it, through the work queue, to the writes (W3C Trace Context)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from opentelemetry import context, trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from hubwarden.model.work import Cause
from hubwarden.telemetry.instruments import NAME

_TRACEPARENT = "traceparent"
_CAUSE = context.create_key("hubwarden-cause")
_RUN = context.create_key("hubwarden-run")

_tracer = trace.get_tracer(NAME)
_propagator = TraceContextTextMapPropagator()

Given = ParamSpec("Given")
Answer = TypeVar("Answer")
Step = Callable[Given, Coroutine[Any, Any, Answer]]


@contextmanager
def caused_by(cause: Cause) -> Iterator[None]:
    """What runs inside belongs to the trace of what caused it; a traceparent that is none is ignored."""
    found = _propagator.extract({_TRACEPARENT: cause.trace}, context.get_current())
    token = context.attach(context.set_value(_CAUSE, cause, found))
    try:
        yield
    finally:
        context.detach(token)


def cause_now() -> Cause:
    """What caused this, with the traceparent of the span that we are in, for whatever is handed on."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    known = context.get_value(_CAUSE)
    cause = known if isinstance(known, Cause) else Cause()
    return Cause(carrier.get(_TRACEPARENT, ""), cause.at, cause.again)


@contextmanager
def span(name: str, *, run: str = "") -> Iterator[None]:
    """A span of the trace that we are in; with `run`, a run's name, which all spans inside bear.

    Of an error only its type is told: its text may quote what somebody wrote.
    """
    around = context.set_value(_RUN, run) if run else context.get_current()
    token = context.attach(around)
    known = context.get_value(_RUN)
    attributes = {"hubwarden.run": known} if isinstance(known, str) else {}
    try:
        with _tracer.start_as_current_span(
            f"hubwarden {name}", attributes=attributes, record_exception=False, set_status_on_exception=False
        ) as opened:
            try:
                yield
            except BaseException as error:
                opened.set_status(trace.StatusCode.ERROR, type(error).__name__)
                raise
    finally:
        context.detach(token)


def spanned(name: str) -> Callable[[Step[Given, Answer]], Step[Given, Answer]]:
    """Wraps every call of an async function in a span."""

    def wrapping(function: Step[Given, Answer]) -> Step[Given, Answer]:
        @wraps(function)
        async def wrapped(*args: Given.args, **kwargs: Given.kwargs) -> Answer:
            with span(name):
                return await function(*args, **kwargs)

        return wrapped

    return wrapping
