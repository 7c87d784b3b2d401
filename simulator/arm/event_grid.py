"""Event Grid's system topics and event subscriptions on the wire, read only; all are documents that are put in.

Sources: Microsoft's REST reference, System Topics - List By Subscription, System Topic Event Subscriptions - List By
System Topic, and - Get.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from simulator.arm.envelope import document, page
from simulator.documents import Document
from simulator.event_subscriptions import SUBSCRIPTIONS, TOPICS
from simulator.wire import Reply, Request, Router

_SUBSCRIPTION = "/subscriptions/{subscription}"
_TOPIC = f"{_SUBSCRIPTION}/resourceGroups/{{group}}/providers/{TOPICS}/{{topic}}"


def add_routes(router: Router) -> None:
    """Makes the Event Grid provider answer."""
    router.add("GET", f"{_SUBSCRIPTION}/providers/{TOPICS}", _list_topics)
    router.add("GET", f"{_TOPIC}/eventSubscriptions", _list_subscriptions)
    router.add("GET", f"{_TOPIC}/eventSubscriptions/{{name}}", _get_subscription)


def _list_topics(request: Request) -> Reply:
    return page(request, request.world.documents(TOPICS, subscription=request.values["subscription"]))


def _list_subscriptions(request: Request) -> Reply:
    topic = request.world.need(request.path.rpartition("/")[0])
    return page(request, [_shown(each) for each in request.world.store.below(topic["id"], SUBSCRIPTIONS)])


def _get_subscription(request: Request) -> Reply:
    return document(_shown(request.world.need(request.path)))


def _shown(found: Document) -> Document:
    """Azure, of a webhook's address the query is a secret, and only its base is shown."""
    destination = found["properties"].get("destination") or {}
    told = destination.get("properties") or {}
    if "endpointUrl" not in told:
        return found
    base = urlsplit(str(told["endpointUrl"]))._replace(query="", fragment="").geturl()
    kept = {name: value for name, value in told.items() if name != "endpointUrl"}
    shown = {**destination, "properties": {**kept, "endpointBaseUrl": base}}
    return {**found, "properties": {**found["properties"], "destination": shown}}
