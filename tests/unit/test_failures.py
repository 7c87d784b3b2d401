"""Azure's failures become ours: the status and the code decide the type, and the type says whether to try again."""

from __future__ import annotations

import json

import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.core.pipeline.transport import HttpRequest, RequestsTransportResponse
from requests import Response

from hubwarden.arm.failures import ABSENT, RECORD_ABSENT, retry_after, translated
from hubwarden.errors import (
    DeniedError,
    HubwardenError,
    NotFoundError,
    PermanentError,
    RacedError,
    RefusedError,
    TemporaryError,
    ThrottledError,
    UnavailableError,
)


def error(
    status: int,
    code: str = "",
    message: str = "No.",
    *,
    body: str | None = None,
    kind: type[HttpResponseError] = HttpResponseError,
    headers: dict[str, str] | None = None,
) -> HttpResponseError:
    """What azure-core raises for an answer."""
    answer = Response()
    answer.status_code = status
    answer.reason = "Reason"
    answer.headers.update(headers or {})
    answer._content = (json.dumps({"error": {"code": code, "message": message}}) if body is None else body).encode()
    return kind(response=RequestsTransportResponse(HttpRequest("GET", "https://management.azure.com"), answer))


def ours(raised: Exception, *, absent: frozenset[str] = ABSENT) -> HubwardenError:
    with pytest.raises(HubwardenError) as caught, translated("reading", "/subscriptions/x", absent=absent):
        raise raised
    assert caught.value.__cause__ is raised
    return caught.value


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (404, "ResourceNotFound", NotFoundError),
        (404, "ResourceGroupNotFound", NotFoundError),
        (404, "ParentResourceNotFound", NotFoundError),
        (404, "SubscriptionNotFound", NotFoundError),
        (404, "", NotFoundError),
        (401, "InvalidAuthenticationToken", DeniedError),
        (403, "AuthorizationFailed", DeniedError),
        (403, "LinkedAuthorizationFailed", DeniedError),
        (412, "PreconditionFailed", RacedError),
        (429, "SubscriptionRequestsThrottled", ThrottledError),
        (409, "AnotherOperationInProgress", UnavailableError),
        (409, "Conflict", UnavailableError),
        (409, "", UnavailableError),
        (409, "ScopeLocked", RefusedError),
        (400, "InvalidParameter", RefusedError),
        (405, "", RefusedError),
        (408, "", UnavailableError),
        (500, "InternalServerError", UnavailableError),
        (502, "", UnavailableError),
        (503, "ServerBusy", UnavailableError),
        (504, "GatewayTimeout", UnavailableError),
        (599, "", UnavailableError),
    ],
)
def test_the_status_and_the_code_decide_the_type(status: int, code: str, kind: type[HubwardenError]) -> None:
    found = ours(error(status, code))
    assert type(found) is kind
    assert f"reading /subscriptions/x: Azure answered {status} {code}" in str(found)


@pytest.mark.parametrize("kind", [HttpResponseError, ResourceExistsError, ResourceModifiedError, ResourceNotFoundError])
def test_the_class_that_azure_core_picks_does_not_matter(kind: type[HttpResponseError]) -> None:
    assert type(ours(error(412, "PreconditionFailed", kind=kind))) is RacedError
    assert type(ours(error(409, "Conflict", kind=kind))) is UnavailableError


@pytest.mark.parametrize("status", [400, 401, 403, 409])
def test_azures_code_goes_with_the_error(status: int) -> None:
    found = ours(error(status, "ScopeLocked"))
    assert isinstance(found, DeniedError | RefusedError)
    assert found.code == "ScopeLocked"


@pytest.mark.parametrize(
    ("code", "of_a_resource", "of_a_record"),
    [
        pytest.param("ResourceNotFound", True, True, id="the resource"),
        pytest.param("ResourceGroupNotFound", True, False, id="its group"),
        pytest.param("NotFound", False, True, id="the word of the DNS provider"),
        pytest.param("ParentResourceNotFound", False, False, id="what it lies in"),
        pytest.param("SubscriptionNotFound", False, False, id="the subscription, or our right to see it"),
        pytest.param("InvalidResourceType", False, False, id="the type"),
        pytest.param("resourcenotfound", False, False, id="a word that Azure does not use"),
        pytest.param("", False, False, id="no code"),
    ],
)
def test_only_some_codes_of_a_404_prove_that_something_is_not_there(
    code: str, of_a_resource: bool, of_a_record: bool
) -> None:
    resource, record = ours(error(404, code)), ours(error(404, code), absent=RECORD_ABSENT)
    assert isinstance(resource, NotFoundError)
    assert isinstance(record, NotFoundError)
    assert (resource.proves_absence, record.proves_absence) == (of_a_resource, of_a_record)


def test_no_other_answer_is_taken_for_an_absence() -> None:
    for status in (400, 401, 403, 409, 410, 412, 429, 500):
        assert not isinstance(ours(error(status, "ResourceNotFound")), NotFoundError)


def test_what_proves_an_absence_is_named_by_who_asks() -> None:
    found = ours(error(404, "Nowhere"), absent=frozenset({"Nowhere"}))
    none = ours(error(404, "ResourceNotFound"), absent=frozenset())
    assert isinstance(found, NotFoundError)
    assert isinstance(none, NotFoundError)
    assert (found.proves_absence, none.proves_absence) == (True, False)


@pytest.mark.parametrize(
    ("body", "is_proof"),
    [
        pytest.param('{"code": "ResourceNotFound", "message": "gone"}', True, id="unwrapped"),
        pytest.param('{"code": "PreconditionFailed", "message": "etag mismatch"}', False, id="unwrapped, other code"),
        pytest.param("", False, id="empty"),
        pytest.param("<html>ResourceNotFound</html>", False, id="HTML"),
        pytest.param("[1]", False, id="a list"),
        pytest.param('{"error": null}', False, id="null"),
        pytest.param('{"error": {}}', False, id="no code"),
    ],
)
def test_an_answer_in_any_shape_is_translated(body: str, is_proof: bool) -> None:
    found = ours(error(404, body=body))
    assert isinstance(found, NotFoundError)
    assert found.proves_absence is is_proof


@pytest.mark.parametrize("kind", [HttpResponseError, DecodeError])
@pytest.mark.parametrize("body", ["<html>Sign in</html>", "", '{"value": ['])
@pytest.mark.parametrize("status", [200, 202, 204, 302, 304, 399])
def test_an_answer_that_cannot_be_read_is_none(status: int, body: str, kind: type[HttpResponseError]) -> None:
    found = ours(error(status, body=body, kind=kind))
    assert type(found) is UnavailableError
    assert str(found).startswith("reading /subscriptions/x: no answer: ")
    assert found.retry_after is None


def test_a_denied_answer_says_what_to_do() -> None:
    assert "Check the roles of Hubwarden's identity." in str(ours(error(403, "AuthorizationFailed")))


@pytest.mark.parametrize(
    "raised",
    [
        pytest.param(ServiceRequestError("Cannot connect to host"), id="no connection"),
        pytest.param(ServiceResponseError("Connection closed"), id="no answer"),
        pytest.param(ClientAuthenticationError("No token"), id="no token"),
        pytest.param(HttpResponseError("Broken"), id="an error without an answer"),
        pytest.param(ServiceRequestError(""), id="an error without a word"),
    ],
)
def test_no_answer_is_worth_another_try(raised: Exception) -> None:
    found = ours(raised)
    assert isinstance(found, UnavailableError)
    assert found.retry_after is None
    assert "no answer" in str(found)


def test_only_the_first_line_of_azures_words_is_repeated_and_not_all_of_it() -> None:
    found = str(ours(error(400, "Bad", "\n  " + "x" * 1000 + "\nsecret")))
    assert "x" * 800 in found
    assert "x" * 801 not in found
    assert "secret" not in found


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        pytest.param({"Retry-After": "17"}, 17.0, id="seconds"),
        pytest.param({"retry-after-ms": "1500"}, 1.5, id="milliseconds"),
        pytest.param({"x-ms-retry-after-ms": "2500"}, 2.5, id="Azure's own milliseconds"),
        pytest.param({"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0.0, id="a date that has passed"),
        pytest.param({}, None, id="none"),
    ],
)
@pytest.mark.parametrize("status", [409, 429, 500, 503])
def test_how_long_azure_asks_to_wait_goes_with_the_error(
    status: int, headers: dict[str, str], seconds: float | None
) -> None:
    found = ours(error(status, "Busy", headers=headers))
    assert isinstance(found, TemporaryError)
    assert found.retry_after == seconds


def test_without_an_answer_nobody_asked_to_wait() -> None:
    assert retry_after(HttpResponseError("Broken")) is None


def test_our_own_errors_and_a_programmers_pass_unchanged() -> None:
    for raised in (RacedError("raced"), KeyError("x")):
        with pytest.raises(type(raised)) as caught, translated("reading", "x"):
            raise raised
        assert caught.value is raised


def test_the_type_says_whether_trying_again_helps() -> None:
    temporary = [type(ours(error(status))) for status in (408, 409, 412, 429, 500)]
    permanent = [type(ours(error(status))) for status in (400, 401, 403)]
    assert all(issubclass(kind, TemporaryError) for kind in temporary)
    assert all(issubclass(kind, PermanentError) for kind in permanent)
    assert not issubclass(NotFoundError, TemporaryError | PermanentError)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("soon", None), ("", None), ("inf", 86400.0), ("1e12", 86400.0), ("9" * 400, 86400.0), ("-5", 0.0), ("7", 7.0)],
)
def test_a_wait_without_end_is_none_and_one_that_cannot_be_read_is_none_at_all(
    header: str, seconds: float | None
) -> None:
    found = ours(error(429, "TooManyRequests", headers={"Retry-After": header}))
    assert isinstance(found, ThrottledError)
    assert found.retry_after == seconds
