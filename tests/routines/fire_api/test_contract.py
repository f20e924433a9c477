"""Each row of the contract in docs/fire-api.md, and its Retry-After."""

import datetime as dt
import json
from email.utils import format_datetime

import pytest

from routines.fire_api import Answer
from routines.values.reasons import Reason, State
from tests.hostile import OK, SESSION, SESSION_ID, SESSION_URL, answer, envelope, says
from tests.routines.fire_api.asking import fire_at

# --- One row of the contract each ---


def test_a_session_is_started():
    assert fire_at(says(OK)) == Answer(
        Reason.SESSION_CREATED,
        http_status=200,
        request_id="req_hostile",
        session_id=SESSION_ID,
        session_url=SESSION_URL,
    )


ROWS = {
    "paused": (400, envelope("invalid_request_error", "Routine is paused"), Reason.PAUSED),
    "text too long": (
        400,
        envelope("invalid_request_error", "text: String should have at most 65536 characters"),
        Reason.TEXT_TOO_LONG,
    ),
    "beta version": (
        400,
        envelope("invalid_request_error", "Unexpected value 'x' for anthropic-beta"),
        Reason.HEADER_VERSION,
    ),
    "api version": (
        400,
        envelope("invalid_request_error", "anthropic-version: header is required"),
        Reason.HEADER_VERSION,
    ),
    "other 400": (
        400,
        envelope("invalid_request_error", "could not parse request body as JSON"),
        Reason.BAD_REQUEST,
    ),
    "400 without envelope": (400, b"<h1>400 Bad Request</h1>", Reason.BAD_REQUEST),
    "401": (401, envelope("authentication_error", "Invalid bearer token"), Reason.TOKEN_REJECTED),
    "401 without body": (401, b"", Reason.TOKEN_REJECTED),
    "403": (403, envelope("permission_error", "Routines are off"), Reason.NO_ACCESS),
    "403 HTML": (403, b"<!doctype html><title>Just a moment...</title>", Reason.BLOCKED),
    "404": (404, envelope("not_found_error", "No such routine"), Reason.NO_SUCH_ROUTINE),
    "409 documented nowhere": (409, envelope("conflict_error", "?"), Reason.OTHER_REFUSAL),
    "408 of a proxy": (408, b"<h1>Request Timeout</h1>", Reason.UNEXPECTED_ANSWER),
    "429": (429, envelope("rate_limit_error", "Run limit reached"), Reason.LIMIT_REACHED),
    "500": (500, envelope("api_error", "Internal server error"), Reason.SERVER_ERROR),
    "500 that says overloaded": (500, envelope("overloaded_error", "?"), Reason.SERVER_ERROR),
    "502": (502, b"<h1>Bad Gateway</h1>", Reason.SERVER_ERROR),
    "502 with envelope": (502, envelope("overloaded_error", "?"), Reason.SERVER_ERROR),
    "503": (503, envelope("overloaded_error", "Overloaded"), Reason.OVERLOADED),
    "503 of a proxy": (503, b"<h1>Service Unavailable</h1>", Reason.SERVER_ERROR),
    "503 with another error": (503, envelope("api_error", "?"), Reason.SERVER_ERROR),
    "529": (529, envelope("overloaded_error", "Overloaded"), Reason.OVERLOADED),
    "529 without envelope": (529, b"", Reason.SERVER_ERROR),
    "599": (599, b"", Reason.SERVER_ERROR),
    "201": (201, SESSION, Reason.UNEXPECTED_ANSWER),
    "202 without body": (202, b"", Reason.UNEXPECTED_ANSWER),
    "204": (204, b"", Reason.UNEXPECTED_ANSWER),
    "304": (304, b"", Reason.UNEXPECTED_ANSWER),
}


@pytest.mark.parametrize(("status", "body", "reason"), ROWS.values(), ids=ROWS)
def test_each_status_has_its_reason(status: int, body: object, reason: Reason):
    result = fire_at(says(answer(status, body)))
    assert (result.reason, result.http_status) == (reason, status)
    assert result.request_id == "req_hostile"


def test_an_error_envelope_is_kept():
    result = fire_at(says(answer(404, envelope("not_found_error", "No routine trig_1"))))
    assert (result.error_type, result.error_message) == ("not_found_error", "No routine trig_1")


def test_the_request_id_of_the_body_stands_in_for_a_missing_header():
    body = json.dumps(envelope("api_error", "?", request_id="req_of_body")).encode()
    head = f"HTTP/1.1 500 Oops\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    assert fire_at(says(head + body)).request_id == "req_of_body"


def test_what_is_no_envelope_is_kept_as_the_message():
    page = b"<h1>Bad Gateway</h1>{{ 7*7 }}"
    assert fire_at(says(answer(502, page))).error_message == page.decode()


def test_a_session_named_by_an_undocumented_status_is_kept():
    result = fire_at(says(answer(201, SESSION)))
    assert (result.state, result.session_url) == (State.UNKNOWN, SESSION_URL)


# --- Retry-After ---


def in_two_minutes() -> str:
    return format_datetime(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=2), usegmt=True)


RETRY_AFTER = {
    "seconds": ("90", 90, 90),
    "date": (in_two_minutes, 100, 120),
    "absurd seconds": ("999999999999", 7 * 86_400, 7 * 86_400),
    "absurd date": ("Fri, 31 Dec 9999 23:59:59 GMT", 7 * 86_400, 7 * 86_400),
}


@pytest.mark.parametrize(("value", "least", "most"), RETRY_AFTER.values(), ids=RETRY_AFTER)
def test_retry_after_is_read_and_bounded(value, least, most):
    headers = {"Retry-After": value() if callable(value) else value}
    result = fire_at(says(answer(429, b"", headers)))
    assert result.retry_after is not None
    assert least <= result.retry_after.total_seconds() <= most


@pytest.mark.parametrize(
    "value",
    [
        *("", "-5", "0", "soon", "1e3", "12.5", "inf", "٣", "9" * 400),
        *("Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 99 Oct 2026 99:99:99 GMT", "Mon, 01 Jan 99999"),
    ],
)
def test_a_senseless_retry_after_counts_as_missing(value: str):
    sent = value.encode().decode("latin-1")
    assert fire_at(says(answer(429, b"", {"Retry-After": sent}))).retry_after is None


def test_a_missing_retry_after_is_no_trouble():
    result = fire_at(says(answer(429, envelope("rate_limit_error", "Later"))))
    assert (result.reason, result.retry_after) == (Reason.LIMIT_REACHED, None)


def test_retry_after_means_nothing_without_a_429():
    assert fire_at(says(answer(500, b"", {"Retry-After": "90"}))).retry_after is None
