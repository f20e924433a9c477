"""Whatever a proxy answers to CONNECT, or does instead, nothing was sent; and it knows no token."""

import base64
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from routines.fire_api import Answer
from routines.values.reasons import Reason, State
from routines.wire import Proxy, Route
from tests import certificates
from tests.hostile import (
    HostileServer,
    Step,
    Visit,
    answer,
    closes,
    drips,
    hangs,
    pours,
    refused_port,
    resets,
    says,
    says_and_closes,
    says_and_hangs,
)
from tests.routines.fire_api.asking import PLAIN, SLACK, SOON, fire
from tests.routines.fire_api.test_not_sent import deaf

ENDPOINT = "https://endpoint.test"  # looked up by the proxy, if by anybody
OPEN = b"HTTP/1.1 200 Connection established\r\n\r\n"


def through(*steps: Step, timeout: float = 5, on_accept: Step | None = None) -> Answer:
    """Fire through a proxy that takes these steps; see that it was asked for a tunnel alone."""
    with HostileServer(*steps, on_accept=on_accept) as proxy:
        route = Route(proxy=Proxy.from_url(proxy.url))
        result = fire(ENDPOINT, timeout=timeout, route=route)
        for request in proxy.received:
            assert request.head.startswith(b"CONNECT endpoint.test:443 HTTP/1.1\r\n")
            assert PLAIN.encode() not in request.head
            assert b"fire" not in request.head.split(b"\r\n", 1)[0]
    assert result.state == State.NOT_SENT
    return result


ANSWERS = {
    "407": (answer(407), Reason.PROXY_SIGN_IN),
    "401": (answer(401), Reason.PROXY_SIGN_IN),
    "403 of a filter": (answer(403, b"<h1>Blocked by policy</h1>"), Reason.PROXY_REFUSED),
    "302 to a sign-in page": (answer(302, b"", {"Location": "http://x/"}), Reason.PROXY_REFUSED),
    "404": (answer(404), Reason.PROXY_REFUSED),
    "429": (answer(429), Reason.PROXY_REFUSED),
    "500": (answer(500), Reason.PROXY_FAILED),
    "502": (answer(502), Reason.PROXY_FAILED),
    "503 of squid, HTTP/1.0": (b"HTTP/1.0 503 x\r\nServer: squid\r\n\r\nno", Reason.PROXY_FAILED),
    "504": (answer(504), Reason.PROXY_FAILED),
    "407 after an interim answer": (
        b"HTTP/1.1 100 Continue\r\n\r\n" + answer(407),
        Reason.PROXY_SIGN_IN,
    ),
}


@pytest.mark.parametrize(("said", "reason"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_to_connect_that_opens_no_tunnel_has_its_own_reason(said, reason):
    result = through(says_and_closes(said))
    assert result.reason == reason
    assert result.error_message.startswith("The proxy answered ")
    assert result.http_status is None  # the endpoint has said nothing


@pytest.mark.parametrize(
    ("asked_for", "sentence"),
    [
        ("Basic realm=x", "The proxy answered 407 to CONNECT."),
        ("Negotiate", "It asks for Negotiate; only Basic (user and password) is supported."),
        ("<script>", "The proxy answered 407 to CONNECT."),
    ],
)
def test_a_proxy_that_wants_another_kind_of_sign_in_is_named(asked_for, sentence):
    said = answer(407, b"", {"Proxy-Authenticate": asked_for})
    assert through(says_and_closes(said)).error_message.endswith(sentence)


GARBAGE = {
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "bytes": bytes(range(256)) * 4,
    "a status that is none": b"HTTP/1.1 abc OK\r\n\r\n",
    "a head without end": b"HTTP/1.1 200 OK\r\nx: " + b"x" * 40_000,
    "something said in the tunnel already": OPEN + b"HTTP/1.1 200 OK\r\n\r\n",
    "nothing": b"",
    "half a head": b"HTTP/1.1 200 Connection est",
}


@pytest.mark.parametrize("said", GARBAGE.values(), ids=GARBAGE)
def test_what_is_no_answer_to_connect_sends_nothing(said):
    result = through(says_and_closes(said))
    assert result.reason == Reason.PROXY_UNREACHABLE
    assert result.error_message


@pytest.mark.parametrize("step", [closes(), resets()], ids=["closes", "resets"])
def test_a_proxy_that_cuts_off_sends_nothing(step):
    assert through(step).reason == Reason.PROXY_UNREACHABLE
    assert through(on_accept=step).reason == Reason.PROXY_UNREACHABLE


HANGING = {
    "before it answers": hangs(),
    "within its answer": says_and_hangs(b"HTTP/1.1 200"),
    "dripping": drips(b"HTTP/1.1 200 OK\r\nx: " + b"x" * 10_000),
    "with interim answers for ever": pours(b"HTTP/1.1 100 Continue\r\n\r\n"),
}


@pytest.mark.parametrize("step", HANGING.values(), ids=HANGING)
def test_a_proxy_that_hangs_ends_at_the_one_deadline(step):
    started = time.monotonic()
    result = through(step, timeout=SOON)
    assert time.monotonic() - started < SOON + SLACK
    assert result == Answer(
        Reason.PROXY_UNREACHABLE, error_message="The proxy did not answer in time."
    )


@pytest.mark.parametrize("step", [says_and_hangs(OPEN), says_and_closes(OPEN)])
def test_a_tunnel_in_which_nobody_shakes_hands_sends_nothing(step):
    started = time.monotonic()
    assert through(step, timeout=SOON).reason == Reason.TLS_FAILED
    assert time.monotonic() - started < SOON + SLACK


def test_a_proxy_that_is_not_there_sends_nothing():
    route = Route(proxy=Proxy.from_url(f"http://127.0.0.1:{refused_port()}"))
    assert fire(ENDPOINT, route=route).reason == Reason.PROXY_UNREACHABLE
    with deaf() as port:
        route = Route(proxy=Proxy.from_url(f"http://127.0.0.1:{port}"))
        assert fire(ENDPOINT, route=route, timeout=SOON).reason == Reason.PROXY_UNREACHABLE


def test_a_proxy_of_https_that_speaks_none_sends_nothing():
    with HostileServer(on_accept=says_and_closes(answer(400))) as proxy:
        route = Route(proxy=Proxy.from_url(proxy.url.replace("http:", "https:")))
        result = fire(ENDPOINT, route=route)
    assert result.reason == Reason.PROXY_UNREACHABLE
    assert "No secure connection to the proxy" in result.error_message


# --- A proxy that does open tunnels ---


@pytest.fixture
def certificate(tmp_path: Path) -> certificates.Certificate:
    return certificates.make(tmp_path)


def tunnels_to(port: int, *, cut_after: int | None = None) -> Step:
    """Opens the tunnel, and cuts it off once the endpoint has said so many bytes."""

    def step(visit: Visit) -> None:
        with socket.create_connection(("127.0.0.1", port)) as endpoint:
            visit.send(OPEN)
            threading.Thread(target=_pump, args=(visit, endpoint), daemon=True).start()
            said = 0
            while visit.is_open and (cut_after is None or said < cut_after):
                received = endpoint.recv(65_536)
                if not received:
                    break
                said += len(received)
                visit.send(received)
        visit.reset()

    return step


def _pump(visit: Visit, endpoint: socket.socket) -> None:
    with suppress(OSError):
        while received := visit.read(65_536):
            endpoint.sendall(received)
        endpoint.shutdown(socket.SHUT_RDWR)


def test_the_proxy_is_told_user_and_host_and_the_endpoint_the_token(certificate):
    with (
        HostileServer(tls=certificate.served) as endpoint,
        HostileServer(tunnels_to(endpoint.port)) as proxy,
    ):
        url = proxy.url.replace("://", "://j%C3%B6rg:p%40ss@")
        route = Route(proxy=Proxy.from_url(url), ca_file=certificate.certificate)
        assert fire(endpoint.url, text="hello", route=route).reason == Reason.SESSION_CREATED
        [asked] = proxy.received
    sent = base64.b64encode("jörg:p@ss".encode()).decode()
    assert asked.header("proxy-authorization") == f"Basic {sent}"
    assert asked.header("host") == f"127.0.0.1:{endpoint.port}"
    [request] = endpoint.received
    assert request.header("authorization") == f"Bearer {PLAIN}"
    assert b"roxy" not in request.head


def test_a_tunnel_within_the_tls_of_a_proxy_carries_a_fire(certificate):
    with (
        HostileServer(tls=certificate.served) as endpoint,
        HostileServer(tunnels_to(endpoint.port), tls=certificate.served) as proxy,
    ):
        route = Route(proxy=Proxy.from_url(proxy.url), ca_file=certificate.certificate)
        assert fire(endpoint.url, text="hello", route=route).reason == Reason.SESSION_CREATED


def test_a_tunnel_that_hangs_within_the_tls_of_a_proxy_ends_at_the_deadline(certificate):
    # The head of a TLS record that never comes whole: one byte at a time.
    dripping = drips(b"\x16\x03\x03\x40\x00" + b"\x02" * 5_000, after=OPEN)
    with HostileServer(dripping, tls=certificate.served) as proxy:
        route = Route(proxy=Proxy.from_url(proxy.url), ca_file=certificate.certificate)
        started = time.monotonic()
        assert fire(ENDPOINT, route=route, timeout=SOON).reason == Reason.TLS_FAILED
        assert time.monotonic() - started < SOON + SLACK


def test_a_tunnel_cut_off_after_the_request_left_is_unknown(certificate):
    with (
        HostileServer(hangs(), tls=certificate.served) as endpoint,
        HostileServer(tunnels_to(endpoint.port)) as proxy,
    ):
        route = Route(proxy=Proxy.from_url(proxy.url), ca_file=certificate.certificate)
        result = fire(endpoint.url, text="hello", route=route, timeout=SOON)
        assert (result.reason, endpoint.requests) == (Reason.NO_ANSWER, 1)


def test_neither_user_nor_password_of_a_proxy_is_in_any_repr():
    proxy = Proxy.from_url("http://somebody:hidden-word@127.0.0.1:3128")
    shown = repr(proxy) + str(proxy) + repr(Route(proxy=proxy)) + proxy.url
    assert "hidden-word" not in shown
    assert "somebody" not in shown


def test_a_step_that_says_and_waits_leaves_the_tunnel_for_the_next_fire(certificate):
    """A second fire is asked of the endpoint over the same tunnel: one CONNECT for both."""
    with (
        HostileServer(says(answer(401)), tls=certificate.served) as endpoint,
        HostileServer(tunnels_to(endpoint.port)) as proxy,
    ):
        route = Route(proxy=Proxy.from_url(proxy.url), ca_file=certificate.certificate)
        for _ in range(2):
            assert fire(endpoint.url, route=route).reason == Reason.TOKEN_REJECTED
        assert (proxy.requests, endpoint.requests) == (1, 2)
