"""An answer that names a session: never "nothing was started", and its session is never lost."""

import json
from urllib.parse import quote

import pytest

from routines.values.reasons import Reason, State
from tests.hostile import (
    SESSION,
    SESSION_ID,
    SESSION_URL,
    answer,
    envelope,
    says,
    says_and_closes,
)
from tests.routines.fire_api.asking import PLAIN, fire_at

CSE_ID = SESSION_ID.replace("session_", "cse_")
CSE_URL = f"https://claude.ai/code/{CSE_ID}"
STATUSES = [
    301,
    302,
    307,
    400,
    401,
    403,
    404,
    408,
    409,
    410,
    413,
    422,
    429,
    451,
    500,
    502,
    503,
    529,
]
CONFLICT = envelope("conflict_error", "A session was started already.")

# What an error may look like that names a session all the same.
SHAPES: dict[str, object] = {
    "the fields of a success beside the envelope": CONFLICT | SESSION,
    "the fields of a success alone": SESSION,
    "the ID alone": CONFLICT | {"claude_code_session_id": SESSION_ID},
    "the URL alone": CONFLICT | {"claude_code_session_url": SESSION_URL},
    "within the error": {"type": "error", "error": {"type": "conflict_error", **SESSION}},
    "within another object": CONFLICT | {"data": {"result": SESSION}},
    "within a list": [SESSION],
    "a list in the field": CONFLICT | {"claude_code_session_url": [SESSION_URL]},
    "an object in the field": CONFLICT | {"claude_code_session_id": {"value": SESSION_ID}},
    "a field of another name": CONFLICT | {"session_id": SESSION_ID},
    "a field of another spelling": CONFLICT | {"claudeCodeSessionId": SESSION_ID},
    "a document within the message": envelope("conflict_error", json.dumps(SESSION)),
    "a field called session": CONFLICT | {"session": {"id": SESSION_ID}},
    "an address in the message": envelope("conflict_error", f"See {SESSION_URL}."),
    "an ID in the message": envelope("conflict_error", f"{SESSION_ID} is running"),
    "the address as a string": SESSION_URL,
    "the other name": CONFLICT | {"claude_code_session_id": CSE_ID},
    "the other name in an address": CONFLICT | {"claude_code_session_url": CSE_URL},
    "a page of a proxy": f"<a href='{SESSION_URL}'>your session</a>".encode(),
    "an escaped address in no JSON": f"oops {SESSION_URL}".replace("/", "\\/").encode(),
    "two documents": json.dumps(SESSION).encode() * 2,
}


@pytest.mark.parametrize("status", [409, 400, 401, 403, 404, 429, 503])
@pytest.mark.parametrize("body", SHAPES.values(), ids=SHAPES)
def test_an_error_that_names_a_session_does_not_say_that_nothing_was_started(status, body):
    result = fire_at(says(answer(status, body)))
    assert result.state == State.UNKNOWN
    named = result.session_id + result.session_url
    assert SESSION_ID in named or CSE_ID in named


@pytest.mark.parametrize("status", [*STATUSES, 201, 202, 300, 499, 599, 999])
def test_no_status_loses_the_session_that_it_came_with(status):
    result = fire_at(says(answer(status, CONFLICT | SESSION)))
    assert result.state == State.UNKNOWN
    assert (result.session_id, result.session_url) == (SESSION_ID, SESSION_URL)


def test_it_keeps_what_the_endpoint_said_besides():
    body = CONFLICT | SESSION
    result = fire_at(says(answer(409, body)))
    assert result.reason == Reason.SESSION_NAMED
    assert result.error_type == "conflict_error"
    assert result.error_message == "A session was started already."


@pytest.mark.parametrize("name", ["Location", "Content-Location", "Claude-Code-Session-Url"])
@pytest.mark.parametrize("status", [302, 303, 409])
def test_a_session_named_by_a_header_is_kept(status, name):
    result = fire_at(says(answer(status, b"", {name: SESSION_URL})))
    assert (result.state, result.session_url) == (State.UNKNOWN, SESSION_URL)


ODD = {"a word": "abc", "another address": "https://evil.example/x", "a script": "javascript:x"}


def repeated(*members: str) -> bytes:
    """An object with members of one name, of which readers of JSON keep the last alone."""
    return (
        f'{{"error": {{"type": "conflict_error", "message": "m"}}, {", ".join(members)}}}'.encode()
    )


ODD_PLACES: dict[str, object] = {
    "the name of a field": CONFLICT | {"sessions": {SESSION_ID: {"state": "running"}}},
    "an address as the name of a field": CONFLICT | {"links": {SESSION_URL: 1}},
    "a field that comes twice": repeated(
        f'"claude_code_session_id": "{SESSION_ID}"', '"claude_code_session_id": null'
    ),
    "an object that comes twice": repeated(f'"data": {json.dumps(SESSION)}', '"data": null'),
    "an encoded address": CONFLICT | {"next": quote(f"/sign-in?to={SESSION_URL}", safe="")},
    "an encoded address in a page": f"<a href='?to={quote(SESSION_URL, safe='')}'>".encode(),
    "entities of a page": SESSION_URL.replace("/", "&#x2F;").encode(),
    "escapes in no JSON": f"oops {SESSION_URL}".replace("_", "\\u005f").encode(),
    "a page of two bytes a letter": f"<a href='{SESSION_URL}'>".encode("utf-16"),
    "far inside": b'{"a":' * 200 + f'"{SESSION_ID}"'.encode() + b"}" * 200,
    "before a dash": envelope("conflict_error", f"{SESSION_ID}- is running"),
    "with a dash": envelope("conflict_error", f"session_01HJ-{SESSION_ID[8:]} is running"),
}


@pytest.mark.parametrize("status", [401, 409, 429])
@pytest.mark.parametrize("body", ODD_PLACES.values(), ids=ODD_PLACES)
def test_a_session_that_stands_in_an_odd_place_is_found(status, body):
    result = fire_at(says(answer(status, body)))
    assert result.state == State.UNKNOWN
    assert SESSION_ID[8:] in result.session_id + result.session_url


@pytest.mark.parametrize("value", ODD.values(), ids=ODD)
@pytest.mark.parametrize(
    "field",
    ["claude_code_session_id", "claude_code_session_url", "session_id", "sessionUrl"],
)
def test_an_odd_name_is_a_name_too(field, value):
    result = fire_at(says(answer(409, CONFLICT | {field: value})))
    assert result.state == State.UNKNOWN
    assert value in (result.session_id, result.session_url)


OTHER_SHAPES = {
    "a list": ([SESSION], Reason.SESSION_CREATED),
    "an object around it": ({"data": SESSION}, Reason.SESSION_CREATED),
    "the address as a string": (SESSION_URL, Reason.SESSION_CREATED),
    "the ID under another name": ({"session_id": SESSION_ID}, Reason.ODD_SESSION_URL),
    "two documents": (json.dumps(SESSION).encode() * 2, Reason.UNREADABLE_ANSWER),
    "a page": (f"<a href='{SESSION_URL}'>".encode(), Reason.UNREADABLE_ANSWER),
    "an error": (envelope("api_error", f"After {SESSION_ID}"), Reason.UNREADABLE_ANSWER),
    "a list of odd values": ({"a": ["https://x"]}, Reason.UNREADABLE_ANSWER),
}


@pytest.mark.parametrize(("body", "reason"), OTHER_SHAPES.values(), ids=OTHER_SHAPES)
def test_a_success_of_another_shape_keeps_its_session(body, reason):
    result = fire_at(says(answer(200, body)))
    assert result.reason == reason
    if "odd" not in str(body) and body != {"a": ["https://x"]}:
        assert SESSION_ID in result.session_id + result.session_url


# --- What is no name of a session ---

NO_NAMES: dict[str, object] = {
    "empty fields": CONFLICT | {"claude_code_session_id": "", "claude_code_session_url": None},
    "a number": CONFLICT | {"claude_code_session_id": 7},
    "words with a dash": envelope("x_error", "session_limit-of-5-hours: see session_2fa-help"),
    "words that begin so": envelope("session_limit_error", "session_5h_limit: no session_id given"),
    "the field's name in a sentence": envelope("x_error", "claude_code_session_id is missing"),
    "another address": envelope("x_error", "See https://claude.ai/code/routines/trig_1"),
    "another host": envelope("x_error", "See https://claude.ai.example.com/code/"),
}


@pytest.mark.parametrize("body", NO_NAMES.values(), ids=NO_NAMES)
def test_an_error_that_names_no_session_is_still_refused(body):
    result = fire_at(says(answer(409, body)))
    assert result.reason == Reason.OTHER_REFUSAL
    assert (result.session_id, result.session_url) == ("", "")


def test_a_session_of_our_own_text_that_an_error_repeats_is_no_news():
    text = f"Go on with {SESSION_URL}"
    body = envelope("invalid_request_error", f"could not parse: {text}")
    result = fire_at(says(answer(400, body)), text=text)
    assert (result.reason, result.session_url) == (Reason.BAD_REQUEST, "")


def test_a_cookie_is_no_session_of_claude():
    headers = {"Set-Cookie": f"session_1={SESSION_ID}; path=/"}
    result = fire_at(says(answer(409, CONFLICT, headers)))
    assert (result.reason, result.session_id) == (Reason.OTHER_REFUSAL, "")


# --- Redaction, cuts, sizes ---


@pytest.mark.parametrize("status", [200, 409])
@pytest.mark.parametrize("behind", [f"?key={PLAIN}", f"#{PLAIN[20:40]}", f"/{PLAIN}"])
def test_a_token_behind_the_address_does_not_cost_the_address(status, behind):
    url = SESSION_URL + behind
    result = fire_at(says(answer(status, {"claude_code_session_url": url})))
    assert result.session_url == SESSION_URL
    assert result.state == (State.STARTED if status == 200 else State.UNKNOWN)


def test_a_token_in_the_name_is_dropped_and_nothing_is_called_refused():
    body = CONFLICT | {"claude_code_session_id": f"session_{PLAIN[14:44]}"}
    result = fire_at(says(answer(409, body)))
    assert result.state == State.UNKNOWN
    assert PLAIN[20:32] not in repr(result)


@pytest.mark.parametrize("status", [400, 401, 404, 409, 429])
def test_an_error_too_large_to_be_read_to_its_end_may_name_a_session(status):
    body = CONFLICT | {"padding": "x" * 100_000} | SESSION
    result = fire_at(says(answer(status, body)))
    assert result.state == State.UNKNOWN
    first = fire_at(says(answer(status, SESSION | {"padding": "x" * 100_000})))
    assert (first.state, first.session_url) == (State.UNKNOWN, SESSION_URL)


def test_a_large_page_of_a_proxy_is_still_its_refusal():
    page = b"<!doctype html>" + b"<p>Just a moment...</p>" * 5_000
    assert fire_at(says(answer(403, page))).reason == Reason.BLOCKED


@pytest.mark.parametrize("length", range(1, len(SESSION_URL) + 2, 7))
def test_a_name_that_was_cut_is_not_kept_as_a_whole_one(length):
    """Half a name would be the address of another session."""
    body = json.dumps({"claude_code_session_url": SESSION_URL}).encode()
    cut = body[: len(body) - 2 - len(SESSION_URL) + length]
    sent = answer(409, cut, {"Content-Length": "5000"})
    result = fire_at(says_and_closes(sent))
    assert result.state == State.UNKNOWN
    assert result.session_id in ("", SESSION_ID)
    assert result.session_url in ("", SESSION_URL)
