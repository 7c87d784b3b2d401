"""The warm-up door: pays for the imports and the clients before the first event comes."""

from __future__ import annotations

import gc

import azure.functions as func
from azure.functions.warmup import WarmUpContext

from hubwarden.runtime import runtime

door = func.Blueprint()


@door.function_name("warmup")
@door.warm_up_trigger(arg_name="context")
async def warmup(context: WarmUpContext) -> None:  # noqa: ARG001 - the binding wants the name
    """Called by the platform on each new instance."""
    runtime()
    # The SDKs' 150,000 objects live as long as the process: a full collection of them would hold up an event for 0.1 s.
    gc.collect()
    gc.freeze()
