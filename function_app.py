"""The function app: it registers the doors, and nothing else."""

import azure.functions as func

from handlers import api, api_decide, api_read, api_word, coverage, events, sweep, warmup, work

app = func.FunctionApp()
for door in (
    events.door,
    work.door,
    sweep.door,
    coverage.door,
    api.door,
    api_read.door,
    api_word.door,
    api_decide.door,
    warmup.door,
):
    app.register_functions(door)
