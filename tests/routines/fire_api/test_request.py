"""What is sent, and where to: the documented request, no redirects, no cookies."""

import json

import pytest

from routines.registry import header_versions
from routines.values.reasons import Reason, State
from tests.hostile import (
    OK,
    SESSION,
    HostileServer,
    Step,
    answer,
    closes,
    envelope,
    resets,
    says,
    says_and_closes,
    says_and_hangs,
)
from tests.routines.fire_api.asking import PLAIN, SOON, fire, fire_at

# --- The request ---


def test_the_request_is_the_documented_one():
    with HostileServer() as server:
        fire(server.url, routine_id="trig_abc", text='two\nlines, "quoted" é 🚀')
    request = server.received[0]
    assert request.head.startswith(b"POST /v1/claude_code/routines/trig_abc/fire HTTP/1.1\r\n")
    assert request.header("authorization") == f"Bearer {PLAIN}"
    assert request.header("anthropic-version") == header_versions.API_VERSION
    assert request.header("anthropic-beta") == header_versions.BETA_VERSION
    assert request.header("content-type") == "application/json"
    assert json.loads(request.body) == {"text": 'two\nlines, "quoted" é 🚀'}


def test_an_empty_text_sends_no_body_and_no_content_type():
    with HostileServer() as server:
        fire(server.url)
    assert server.received[0].body == b""
    assert server.received[0].header("content-type") is None


def test_an_empty_beta_version_is_not_sent():
    with HostileServer() as server:
        fire(server.url, beta_version="")
    assert server.received[0].header("anthropic-beta") is None


def test_json_sent_as_text_stays_one_literal_string():
    with HostileServer() as server:
        fire(server.url, text='{"text": "not this"}')
    assert json.loads(server.received[0].body)["text"] == '{"text": "not this"}'


# --- Redirects, cookies, connections ---


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int):
    with HostileServer() as target:
        location = {"Location": f"{target.url}/v1/claude_code/routines/trig_1/fire"}
        result = fire_at(says(answer(status, b"", location)), text="hello")
        assert (result.reason, result.http_status) == (Reason.UNEXPECTED_ANSWER, status)
        assert (target.connections, target.requests) == (0, 0)


def test_a_redirect_to_the_same_host_is_not_followed_either():
    result = fire_at(says(answer(307, b"", {"Location": "/elsewhere"})))
    assert result.reason == Reason.UNEXPECTED_ANSWER


@pytest.mark.parametrize("location", ["http://[", "https://host:port/", "http://\xff/", ""])
def test_a_redirect_to_nowhere_is_an_unexpected_answer(location: str):
    result = fire_at(says(answer(302, b"", {"Location": location})))
    assert (result.reason, result.http_status) == (Reason.UNEXPECTED_ANSWER, 302)


def test_cookies_are_not_sent_back():
    with HostileServer(says(answer(200, SESSION, {"Set-Cookie": "who=me; Path=/"}))) as server:
        fire(server.url)
        fire(server.url)
        assert server.requests == 2
    assert server.received[1].header("cookie") is None


def test_connections_are_reused():
    with HostileServer() as server:
        for _ in range(4):
            assert fire(server.url).reason == Reason.SESSION_CREATED
        assert (server.requests, server.connections) == (4, 1)


@pytest.mark.parametrize("hang_up", [closes(), resets()], ids=["closes", "resets"])
def test_a_kept_alive_connection_lost_under_a_request_is_unknown_and_sent_once(hang_up: Step):
    with HostileServer(says(OK), hang_up) as server:
        assert fire(server.url).reason == Reason.SESSION_CREATED
        assert fire(server.url, text="second").reason == Reason.CONNECTION_LOST
        assert server.requests == 2


def test_a_connection_closed_while_idle_gets_no_second_copy_of_a_request():
    with HostileServer(says_and_closes(OK)) as server:
        results = [fire(server.url) for _ in range(20)]
        started = [one for one in results if one.reason == Reason.SESSION_CREATED]
        assert len(started) == server.requests
        assert {one.state for one in results} <= {State.STARTED, State.UNKNOWN}


def test_a_fire_after_a_broken_one_gets_a_connection_of_its_own():
    with HostileServer(says_and_hangs(answer(200, SESSION)[:-5]), says(OK)) as server:
        assert fire(server.url, timeout=SOON).state == State.UNKNOWN
        assert fire(server.url).reason == Reason.SESSION_CREATED
        assert server.connections == 2


REFUSED = answer(401, envelope("authentication_error", "Invalid bearer token."))


@pytest.mark.parametrize("left_over", [OK, REFUSED, b"junk"], ids=["ok", "401", "junk"])
def test_what_a_server_said_beyond_its_answer_is_no_answer_to_the_next_request(left_over: bytes):
    with HostileServer(says(OK + left_over), says(OK)) as server:
        assert fire(server.url).reason == Reason.SESSION_CREATED
        assert fire(server.url).reason == Reason.CONNECTION_LOST
        assert fire(server.url).reason == Reason.SESSION_CREATED
        assert (server.requests, server.connections) == (3, 2)
