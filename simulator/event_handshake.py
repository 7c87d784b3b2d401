"""The handshake: no event goes to a webhook that has not agreed to take them (behaviour reference section 1.9)."""

from __future__ import annotations

import asyncio
import json
import secrets
import uuid
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from azure.eventgrid import SystemEventNames

from simulator import ids
from simulator.clock import Clock
from simulator.documents import Document
from simulator.event_destinations import Destination, Destinations
from simulator.event_shapes import moment_text
from simulator.event_subscriptions import EventGridError, name_of

PAUSE_SECONDS = 5


class Handshakes:
    """Asks each webhook once for each state of its event subscription: at creation, and after an update."""

    def __init__(self, clock: Clock, destinations: Destinations) -> None:
        self._clock = clock
        self._destinations = destinations
        self._made: dict[str, asyncio.Task[None]] = {}

    async def agreed(self, document: Document, destination: Destination, scale: float) -> None:
        """Returns when the destination has agreed; an Azure resource need not.

        Raises EventGridError.
        """
        if destination.in_azure:
            return
        state = json.dumps([ids.key(document["id"]), document["properties"]], sort_keys=True)
        if state not in self._made:
            self._made[state] = asyncio.create_task(self._ask(document, destination.address, scale))
        await asyncio.shield(self._made[state])

    async def stop(self) -> None:
        """Breaks off those under way."""
        for task in self._made.values():
            task.cancel()
        await asyncio.gather(*self._made.values(), return_exceptions=True)

    async def _ask(self, document: Document, url: str, scale: float) -> None:
        answer = ""
        for attempt in range(2):
            if attempt:
                await self._clock.sleep(PAUSE_SECONDS * scale)
            code = str(uuid.uuid4())
            event = _validation(document, code, moment_text(self._clock.moment()))
            try:
                status, body = await self._destinations.post(url, {"aeg-event-type": "SubscriptionValidation"}, [event])
            except (TimeoutError, aiohttp.ClientError) as error:
                answer = type(error).__name__
                continue
            if status == 200 and _answers(body, code):
                return
            answer = f"{status} {body[:200].decode(errors='replace')}"
        place = urlsplit(url)
        raise EventGridError(
            f"event subscription '{name_of(document)}': the webhook at {place.netloc}{place.path} must "
            f"answer the validation with 200 and its code, but answered: {answer}"
        )


def _validation(document: Document, code: str, moment: str) -> dict[str, Any]:
    name, token = name_of(document), secrets.token_hex(8).upper()
    return {
        "id": str(uuid.uuid4()),
        "topic": ids.parse(document["id"]).parent,
        "subject": "",
        "data": {
            "validationCode": code,
            "validationUrl": f"https://rp-westeurope.eventgrid.azure.net:553/eventsubscriptions/{name}/validate"
            f"?id={code}&t={moment}&apiVersion=2020-10-15-preview&token={token}",
        },
        "eventType": SystemEventNames.EventGridSubscriptionValidationEventName.value,
        "eventTime": moment,
        "metadataVersion": "1",
        "dataVersion": "1",
    }


def _answers(body: bytes, code: str) -> bool:
    try:
        found = json.loads(body)
    except ValueError:
        return False
    return isinstance(found, dict) and found.get("validationResponse") == code
