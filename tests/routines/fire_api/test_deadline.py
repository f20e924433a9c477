"""Everything ends at one deadline, and a request that left is sent once."""

import time

import pytest

from routines.values.reasons import Reason
from tests.hostile import (
    HostileServer,
    Step,
    Visit,
    answer,
    closes,
    drips,
    envelope,
    hangs,
    in_turn,
    pours,
    resets,
    says_and_closes,
    says_and_hangs,
)
from tests.routines.fire_api.asking import CHUNKED, SLACK, SOON, fire, fire_at

# --- Time: everything ends at one deadline ---

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
DRIPS = {
    "hang before the headers": hangs(),
    "hang within the headers": says_and_hangs(b"HTTP/1.1 200 OK\r\nrequest-id"),
    "hang before the body": says_and_hangs(HEAD),
    "hang within the body": says_and_hangs(HEAD + b'{"type"'),
    "dripping headers": drips(b"HTTP/1.1 200 OK\r\nx: " + b"x" * 10_000),
    "dripping body": drips(b" " * 1_000, after=HEAD),
    "dripping chunks": drips(b"1\r\n \r\n" * 1_000, after=CHUNKED),
    "endless interim answers": pours(b"HTTP/1.1 100 Continue\r\n\r\n"),
}


@pytest.mark.parametrize("step", DRIPS.values(), ids=DRIPS)
def test_no_answer_within_the_deadline_is_unknown(step: Step):
    started = time.monotonic()
    result = fire_at(step, timeout=SOON)
    assert result.reason == Reason.NO_ANSWER
    assert SOON <= time.monotonic() - started < SOON + SLACK


def test_an_error_whose_body_drips_is_still_that_error():
    head = b"HTTP/1.1 401 No\r\nContent-Length: 1000\r\n\r\n"
    assert fire_at(drips(b" " * 1_000, after=head), timeout=SOON).reason == Reason.TOKEN_REJECTED


def test_a_server_that_reads_slowly_does_not_stretch_the_deadline():
    def read_slowly(visit):
        while visit.read(2_000):
            time.sleep(0.05)

    with HostileServer(on_accept=read_slowly, receive_buffer=4_096) as server:
        started = time.monotonic()
        # Escaped, 800 kB: more than the sockets' buffers would swallow.
        result = fire(server.url, text="🚀" * 65_536, timeout=SOON)
        assert time.monotonic() - started < SOON + SLACK
        assert result.reason == Reason.NO_ANSWER


def test_a_server_that_never_reads_does_not_stretch_the_deadline():
    with HostileServer(on_accept=hangs(), receive_buffer=4_096) as server:
        started = time.monotonic()
        result = fire(server.url, text="🚀" * 65_536, timeout=SOON)
        assert time.monotonic() - started < SOON + SLACK
        assert (result.reason, server.requests) == (Reason.NO_ANSWER, 0)


# --- Lost connections ---

LOST = {
    "closed after the request": closes(),
    "reset after the request": resets(),
    "closed within the headers": says_and_closes(b"HTTP/1.1 200 OK\r\nrequ"),
    "closed before the body": says_and_closes(HEAD),
    "closed within the body": says_and_closes(HEAD + b'{"type": "routine_fire", '),
}


@pytest.mark.parametrize("step", LOST.values(), ids=LOST)
def test_a_connection_lost_after_the_request_is_unknown(step: Step):
    assert fire_at(step).reason == Reason.CONNECTION_LOST


@pytest.mark.parametrize("on_accept", [closes(), resets()], ids=["closed", "reset"])
def test_a_connection_lost_before_the_request_was_read_is_unknown(on_accept: Step):
    # A reset of a connection without any byte on it would rightly be one that was not sent.
    with HostileServer(on_accept=in_turn(Visit.wait_for_bytes, on_accept)) as server:
        # By the time it is written, nobody can tell how much of it was read.
        assert fire(server.url, text="hello").reason == Reason.CONNECTION_LOST
        assert (server.connections, server.requests) == (1, 0)


def test_an_early_refusal_is_read_though_the_request_was_not():
    refusal = answer(401, envelope("authentication_error", "No"), {"Connection": "close"})
    with HostileServer(on_accept=says_and_hangs(refusal)) as server:
        result = fire(server.url, text="hello")
    assert result.reason == Reason.TOKEN_REJECTED
