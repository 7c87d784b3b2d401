"""The warm-up door: pays for the imports and the clients before the first event comes."""

from __future__ import annotations

import azure.functions as func
from azure.functions.warmup import WarmUpContext

from hubwarden.runtime import runtime

door = func.Blueprint()


@door.function_name("warmup")
@door.warm_up_trigger(arg_name="context")
def warmup(context: WarmUpContext) -> None:  # noqa: ARG001 - the binding wants the name
    """Called by the platform on each new instance."""
    runtime()
