"""What an Azure subscription's events look like: changes of resources in the Event Grid schema.

Shape, casing and oddities are those of captured events (behaviour reference section 1.3). People in them are invented,
and are there so that whoever takes such events can be tested never to write them to a log.
"""

from __future__ import annotations

import random
import re
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from azure.eventgrid import SystemEventNames

from simulator import ids
from simulator.world import NETWORK_SERVICE, Change

TYPES: Mapping[tuple[str, bool], SystemEventNames] = {
    ("write", True): SystemEventNames.ResourceWriteSuccessEventName,
    ("write", False): SystemEventNames.ResourceWriteFailureEventName,
    ("delete", True): SystemEventNames.ResourceDeleteSuccessEventName,
    ("delete", False): SystemEventNames.ResourceDeleteFailureEventName,
    ("action", True): SystemEventNames.ResourceActionSuccessEventName,
    ("action", False): SystemEventNames.ResourceActionFailureEventName,
}
METHODS = {"write": "PUT", "delete": "DELETE", "action": "POST"}
GROUPS = re.compile("/resourcegroups/", re.IGNORECASE)
MICROSOFT, SOAP = (
    "http://schemas.microsoft.com/identity/claims",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims",
)


class Shapes:
    """Writes events; its choices are drawn from one seed, so that a run can be repeated."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)

    def event(self, change: Change, tenant: str, moment: datetime) -> dict[str, Any]:
        """The event that a change raises once it has reached its end."""
        verb = change.operation.rsplit("/", 1)[-1].lower()
        subscription = ids.parse(change.resource_id).subscription
        # Azure, one event spells `resourceGroups` in two ways, independently of each other.
        subject, scope = self._spelt(change.resource_id), self._spelt(change.resource_id)
        data: dict[str, Any] = {
            "authorization": {"scope": scope, "action": change.operation, "evidence": self._evidence(change)},
            "claims": self._claims(change, tenant, moment),
            "correlationId": change.correlation_id,
            **self._request(verb, scope),
            "resourceProvider": change.operation.split("/", 1)[0],
            "resourceUri": subject,
            "operationName": change.operation,
            "status": "Succeeded" if change.succeeded else "Failed",
            "subscriptionId": subscription,
            "tenantId": tenant,
        }
        return {
            "subject": subject,
            "eventType": TYPES[verb, change.succeeded].value,
            "id": self._guid(),
            "data": data,
            "dataVersion": "2",
            "metadataVersion": "1",
            "eventTime": f"{moment:%Y-%m-%dT%H:%M:%S.%f}{self._random.randrange(10)}Z",
            "topic": f"/subscriptions/{subscription}",
        }

    def _spelt(self, resource_id: str) -> str:
        return GROUPS.sub(self._random.choice(("/resourceGroups/", "/resourcegroups/")), resource_id)

    def _guid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def _request(self, verb: str, scope: str) -> dict[str, Any]:
        """Azure, the request is told sometimes (behaviour reference section 1.3)."""
        if self._random.random() < 0.5:
            return {}
        told = {
            "clientRequestId": self._guid(),
            "clientIpAddress": "203.0.113.10",
            "method": METHODS[verb],
            "url": f"https://management.azure.com{scope}?api-version=2024-05-01",
        }
        return {"httpRequest": told}

    def _evidence(self, change: Change) -> dict[str, str]:
        if change.principal != NETWORK_SERVICE:
            return {"role": "Subscription Admin"}
        return {
            "role": "Azure Network Service Role",
            "roleAssignmentScope": f"/subscriptions/{ids.parse(change.resource_id).subscription}",
            "roleAssignmentId": self._guid().replace("-", ""),
            "roleDefinitionId": "13ba9ab419f04804adc414ece36cc7a1",
            "principalId": self._guid().replace("-", ""),
            "principalType": "ServicePrincipal",
        }

    def _claims(self, change: Change, tenant: str, moment: datetime) -> dict[str, str]:
        issued = int(moment.timestamp())
        claims = {
            "aud": "https://management.core.windows.net/",
            "iss": f"https://sts.windows.net/{tenant}/",
            "iat": str(issued),
            "nbf": str(issued),
            "exp": str(issued + 3900),
            "aio": "E2ZgYLjxQn",
            "appid": change.principal,
            "appidacr": "2",
            f"{MICROSOFT}/objectidentifier": self._guid(),
            f"{MICROSOFT}/tenantid": tenant,
            f"{SOAP}/nameidentifier": "c3ViamVjdC1vZi1hLXRva2Vu",
            "uti": "dG9rZW4taWQ",
            "ver": "1.0",
        }
        if change.principal == NETWORK_SERVICE:
            return {**claims, f"{MICROSOFT}/identityprovider": f"https://sts.windows.net/{tenant}/"}
        return {
            **claims,
            "http://schemas.microsoft.com/claims/authnmethodsreferences": "rsa,mfa",
            f"{SOAP}/surname": "Beispiel",
            f"{SOAP}/givenname": "Adelheid",
            f"{SOAP}/name": "adelheid.beispiel@contoso.example",
            f"{SOAP}/upn": "adelheid.beispiel@contoso.example",
            f"{MICROSOFT}/scope": "user_impersonation",
            "ipaddr": "203.0.113.77",
            "name": "Adelheid Beispiel",
            "onprem_sid": "S-1-5-21-1111111111-2222222222-3333333333-4444",
            "puid": "1003BFFD00000001",
        }


def dead_letter(
    event: Mapping[str, Any], *, reason: str, attempts: int, outcome: str, published: datetime, last: datetime
) -> dict[str, Any]:
    """The record of an event that could not be delivered: the event and five fields more (section 1.6)."""
    return {
        **event,
        "deadLetterReason": reason,
        "deliveryAttempts": attempts,
        "lastDeliveryOutcome": outcome,
        "publishTime": moment_text(published),
        "lastDeliveryAttemptTime": moment_text(last),
    }


def moment_text(moment: datetime) -> str:
    """A moment with the seven digits that Azure writes."""
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}0Z"
