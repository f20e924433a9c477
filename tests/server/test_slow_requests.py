"""Connections that hold half a request: the pages go on, and none of them is held for ever."""

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPResponse
from pathlib import Path

import httpx
import pytest

from tests.server.product import Database, Product, serving, wait_until

NOBODY_FIRES = "http://127.0.0.1:9"
SETTINGS = {"WEB_WORKERS": "1", "WEB_THREADS": "3"}
HALF_A_HEAD = b"POST /sign-in/ HTTP/1.1\r\nHost: {host}\r\nContent-Le"
HALF_A_BODY = b"POST /sign-in/ HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1000\r\n\r\nlogin=tom"
NOTHING_YET = b""


@contextmanager
def slow_clients(product: Product, count: int, begun: bytes) -> Iterator[list[socket.socket]]:
    url = httpx.URL(product.url)
    with ExitStack() as open_ones:
        clients = []
        for _ in range(count):
            client = socket.create_connection((url.host, url.port or 0), timeout=60)
            clients.append(open_ones.enter_context(client))
            client.sendall(begun.replace(b"{host}", url.netloc))
        yield clients


def answered(clients: list[socket.socket]) -> int:
    readable, _, _ = select.select(clients, [], [], 0)
    return len(readable)


@pytest.fixture
def product(database: Database, tmp_path: Path) -> Iterator[Product]:
    with serving(database, NOBODY_FIRES, tmp_path, **SETTINGS) as product:
        yield product


@pytest.mark.parametrize(
    "begun", [HALF_A_BODY, HALF_A_HEAD, NOTHING_YET], ids=["bodies", "heads", "silence"]
)
def test_slow_requests_stop_no_page(product, begun):
    with slow_clients(product, 60, begun) as clients:
        visitor = product.visitor()  # two pages and a form
        assert visitor.client.get("/").status_code == 200
        assert answered(clients) == 0  # all of them are still waited for


def test_a_body_that_comes_late_is_taken_whole(product):
    with slow_clients(product, 1, HALF_A_BODY) as [client]:
        product.visitor()
        client.sendall(b"x" * 991)
        assert client.recv(1_000).startswith(b"HTTP/1.1 403 ")  # Django has read it: no CSRF token


def test_half_a_form_is_never_taken_for_a_whole_one(product):
    """A connection that breaks off within a text must not fire the half that came."""
    with slow_clients(product, 1, HALF_A_BODY) as [client]:
        client.shutdown(socket.SHUT_WR)
        said = HTTPResponse(client)
        said.begin()
        assert said.status == 408
        assert b"Nothing was done or sent" in said.read()


@pytest.mark.parametrize("dripping", [False, True], ids=["silent", "dripping"])
def test_what_is_not_whole_in_time_is_ended(database, tmp_path, dripping):
    with (
        serving(
            database, NOBODY_FIRES, tmp_path, config="tests.server.impatient_gunicorn", **SETTINGS
        ) as product,
        slow_clients(product, 2, HALF_A_BODY) as bodies,
        slow_clients(product, 2, HALF_A_HEAD) as heads,
    ):
        stop = threading.Event()
        if dripping:
            threading.Thread(target=_drip, args=(bodies + heads, stop), daemon=True).start()
        said = [client.recv(1_000) for client in bodies]
        assert [one.split(b"\r\n")[0] for one in said] == [b"HTTP/1.1 408 Request Timeout"] * 2
        for client in heads:
            wait_until(lambda client=client: _is_closed(client))
        stop.set()
        assert "A request did not arrive whole in time method=POST" in product.log.read_text()
        assert "Traceback" not in product.log.read_text()


def _drip(clients: list[socket.socket], stop: threading.Event) -> None:
    while not stop.wait(0.05):
        for client in clients:
            try:
                client.sendall(b"x")
            except OSError:
                pass


def _is_closed(client: socket.socket) -> bool:
    try:
        return client.recv(1_000) == b""
    except OSError:
        return True
