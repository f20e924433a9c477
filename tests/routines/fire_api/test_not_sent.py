"""Failures before the first byte: nothing was sent."""

import socket
import ssl
import time
from pathlib import Path

import pytest

from routines.fire_api import Answer, wire
from routines.reasons import Reason, State
from routines.tokens import Token
from tests import certificates
from tests.hostile import HostileServer, hangs, refused_port, says_and_closes
from tests.routines.fire_api.asking import PLAIN, SLACK, SOON, fire


def test_a_refused_connection_sends_nothing():
    assert fire(f"http://127.0.0.1:{refused_port()}") == Answer(Reason.NO_CONNECTION)


def test_an_unknown_host_sends_nothing(monkeypatch: pytest.MonkeyPatch):
    def look_up(host: str, *_: object) -> None:  # asking a real resolver would leave this machine
        raise socket.gaierror(socket.EAI_NONAME, f"{host}: Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert fire("https://endpoint.invalid") == Answer(Reason.NO_CONNECTION)


def test_a_connection_that_is_not_established_in_time_sends_nothing():
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        address = deaf.getsockname()
        crowd = [socket.socket() for _ in range(4)]
        for one in crowd:  # fill the backlog: the next one's SYN is dropped
            one.setblocking(False)
            one.connect_ex(address)
        started = time.monotonic()
        result = fire(f"http://127.0.0.1:{address[1]}", timeout=SOON)
        assert time.monotonic() - started < SOON + SLACK
        for one in crowd:
            one.close()
    assert result == Answer(Reason.NO_CONNECTION)


@pytest.fixture
def self_signed(tmp_path: Path) -> ssl.SSLContext:
    return certificates.make(tmp_path).served


def test_a_certificate_that_nobody_vouches_for_sends_nothing(self_signed: ssl.SSLContext):
    with HostileServer(tls=self_signed) as server:
        assert fire(server.url) == Answer(Reason.TLS_FAILED)
        assert server.requests == 0


def test_a_server_without_tls_sends_nothing():
    with HostileServer(on_accept=says_and_closes(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as server:
        url = server.url.replace("http:", "https:")
        assert fire(url) == Answer(Reason.TLS_FAILED)
        assert server.requests == 0


def test_a_tls_handshake_that_hangs_ends_at_the_deadline():
    with HostileServer(on_accept=hangs()) as server:
        started = time.monotonic()
        result = fire(server.url.replace("http:", "https:"), timeout=SOON)
        assert time.monotonic() - started < SOON + SLACK
        assert (result.state, server.requests) == (State.NOT_SENT, 0)


UNSENDABLE = {
    "line break in a version": {"api_version": "2023-06-01\r\nX-Evil: 1"},
    "version outside ASCII": {"beta_version": "vérsion"},
    "lone surrogate in a version": {"beta_version": "\ud800"},
    "line break in the token": {"token": Token(f"{PLAIN}\n")},
    "token outside ASCII": {"token": Token(f"{PLAIN}\u200b")},
}


@pytest.mark.parametrize("values", UNSENDABLE.values(), ids=UNSENDABLE)
def test_a_malformed_header_is_not_sent(values, caplog: pytest.LogCaptureFixture):
    with HostileServer() as server:
        assert fire(server.url, **values) == Answer(Reason.UNSENDABLE)
        assert server.requests == 0
    assert PLAIN not in caplog.text


def test_a_failure_carries_no_exception_that_holds_the_token():
    headers = {"Authorization": f"Bearer {PLAIN}\n"}
    with pytest.raises(wire.NotSent) as caught:
        wire.post("http://127.0.0.1:9/", headers=headers, body=b"", timeout=1)
    assert PLAIN not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
