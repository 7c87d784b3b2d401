"""The function app: it registers the doors, and nothing else."""

import azure.functions as func

from handlers import api, events, warmup, work

app = func.FunctionApp()
for door in (events.door, work.door, api.door, warmup.door):
    app.register_functions(door)
