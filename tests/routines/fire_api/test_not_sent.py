"""Failures before the first byte: nothing was sent."""

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from routines import wire
from routines.fire_api import Answer
from routines.values.reasons import Reason, State
from routines.values.tokens import Token
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


@contextmanager
def deaf(host: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """A port where connections are never established."""
    with socket.socket() as listening:
        listening.bind((host, port))
        listening.listen(0)
        crowd = [socket.socket() for _ in range(4)]
        for one in crowd:  # fill the backlog: the next one's SYN is dropped
            one.setblocking(False)
            one.connect_ex(listening.getsockname())
        yield listening.getsockname()[1]
        for one in crowd:
            one.close()


def test_a_connection_that_is_not_established_in_time_sends_nothing():
    with deaf() as port:
        started = time.monotonic()
        assert fire(f"http://127.0.0.1:{port}", timeout=SOON) == Answer(Reason.NO_CONNECTION)
        assert time.monotonic() - started < SOON + SLACK


@pytest.fixture
def addresses(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Those of endpoint.test."""
    look_up = socket.getaddrinfo
    found: list[str] = []

    def answer(host: str, port: int, *arguments: Any, **more: Any) -> list[Any]:
        if host == "endpoint.test":
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in found]
        return look_up(host, port, *arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return found


def test_a_host_of_many_addresses_has_no_more_time(addresses: list[str]):
    addresses += ["127.0.0.1"] * 12
    with deaf() as port:
        started = time.monotonic()
        assert fire(f"http://endpoint.test:{port}", timeout=SOON) == Answer(Reason.NO_CONNECTION)
        assert time.monotonic() - started < SOON + SLACK


def test_the_next_address_of_a_host_is_tried_in_time(addresses: list[str]):
    addresses += ["127.0.0.2", "127.0.0.3", "127.0.0.1"]
    with HostileServer() as server:
        port = int(server.url.rpartition(":")[2])
        with deaf("127.0.0.3", port):  # and nobody listens at the first
            result = fire(f"http://endpoint.test:{port}", timeout=1)
        assert (result.reason, server.requests) == (Reason.SESSION_CREATED, 1)


def test_a_host_without_an_address_sends_nothing(addresses: list[str]):
    assert not addresses
    assert fire("http://endpoint.test:1") == Answer(Reason.NO_CONNECTION)


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
        wire.ask("POST", "http://127.0.0.1:9/", headers=headers, timeout=1)
    assert PLAIN not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
