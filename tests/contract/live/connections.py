"""Looks at the target's side of an endpoint, on a storage account (behaviour reference section 4.3)."""

from __future__ import annotations

import re

from tests.azure import Answer
from tests.contract.live.estate import CONNECTIONS, AzureEstate, error_of
from tests.contract.live.sightings import Seen, observes


def _answered(answer: Answer) -> Seen:
    refusal = f"{error_of(answer).get('code')}: {error_of(answer).get('message')}" if answer.status >= 400 else ""
    return Seen(str(answer.status), refusal)


@observes(
    "what a waiting connection shows as its description",
    section="4.2",
    believed="the request message",
    version=CONNECTIONS,
    switch="requestMessageShown",
    ways={"the request message": True, "nothing": False},
)
async def request_message(estate: AzureEstate) -> Seen:
    connection = await estate.connection_of(estate.place.endpoint("pending"))
    shown = connection["properties"]["privateLinkServiceConnectionState"].get("description") or ""
    return Seen({"let me in": "the request message", "": "nothing"}.get(shown, shown))


@observes("how a connection is named", section="4.3", believed="the account's name, a dot, a guid", version=CONNECTIONS)
async def name_of_a_connection(estate: AzureEstate) -> Seen:
    name = (await estate.connection_of(estate.place.endpoint("pending")))["name"]
    shown = re.sub(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", "<guid>", name)
    return Seen(estate.place.plain(shown))


@observes(
    "what the answer to an approval is",
    section="4.3",
    believed="200, Approved",
    version=CONNECTIONS,
)
async def answer_to_an_approval(estate: AzureEstate) -> Seen:
    endpoint_id = await estate.request_endpoint("approval", manual=True)
    connection = await estate.connection_of(endpoint_id)
    answer = await estate.decide(connection, "Approved")
    assert answer.status in (200, 201, 202), answer.body
    await estate.follows(endpoint_id, "Approved")
    shown = (answer.body or {}).get("properties") or {}
    status = (shown.get("privateLinkServiceConnectionState") or {}).get("status", "no body")
    return Seen(f"{answer.status}, {status}", f"provisioningState {shown.get('provisioningState')}")


@observes(
    "approving a connection that is approved", section="4.3", believed="400", version=CONNECTIONS, ways=("400", "200")
)
async def approving_twice(estate: AzureEstate) -> Seen:
    connection = await estate.connection_of(estate.place.endpoint("approved"))
    return _answered(await estate.decide(connection, "Approved"))


@observes(
    "approving a connection that was rejected", section="4.3", believed="400", version=CONNECTIONS, ways=("400", "200")
)
async def approving_after_rejection(estate: AzureEstate) -> Seen:
    endpoint_id = await estate.request_endpoint("rejected", manual=True)
    connection = await estate.connection_of(endpoint_id)
    answer = await estate.decide(connection, "Rejected")
    assert answer.status == 200, answer.body
    await estate.follows(endpoint_id, "Rejected")
    return _answered(await estate.decide(connection, "Approved"))


@observes("answering a connection whose endpoint is gone", section="4.3", believed="404", version=CONNECTIONS)
async def answer_to_a_gone_endpoint(estate: AzureEstate) -> Seen:
    endpoint_id = await estate.request_endpoint("gone", manual=True)
    connection = await estate.connection_of(endpoint_id)
    await estate.remove(endpoint_id)

    async def gone() -> bool | None:
        return True if (await estate.ask("GET", connection["id"], version=CONNECTIONS)).status >= 400 else None

    await estate.until(gone, f"{connection['id']} gone")
    answer = await estate.decide(connection, "Approved")
    assert answer.status >= 400, "a connection that is gone was approved"
    return _answered(answer)
