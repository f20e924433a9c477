"""Looking up a name ends at the deadline, too, and a hung resolver uses up no threads."""

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from routines.fire_api import Answer
from routines.values.reasons import Reason
from routines.wire import Proxy, Route, resolver
from tests.hostile import HostileServer
from tests.routines.fire_api.asking import SLACK, SOON, fire


class Resolver:
    """Knows the address of every name, and says it once it is let."""

    def __init__(self) -> None:
        self.asked = 0
        self.open = threading.Event()

    def __call__(self, host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        self.asked += 1
        self.open.wait()
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]


@pytest.fixture
def hung(monkeypatch: pytest.MonkeyPatch) -> Iterator[Resolver]:
    answering = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", answering)
    yield answering
    answering.open.set()
    for thread in threading.enumerate():
        if thread.name.startswith("look up "):
            thread.join()


def looking_up() -> int:
    return sum(thread.name.startswith("look up ") for thread in threading.enumerate())


@pytest.mark.parametrize(
    ("route", "answer"),
    [
        (Route(), Answer(Reason.NO_CONNECTION)),
        (
            Route(proxy=Proxy.from_url("http://proxy.test:3128")),
            Answer(Reason.PROXY_UNREACHABLE, error_message="The proxy did not answer in time."),
        ),
    ],
    ids=["of the endpoint", "of the proxy"],
)
def test_a_name_that_is_not_looked_up_in_time_sends_nothing(hung, route, answer):
    started = time.monotonic()
    assert fire("https://endpoint.test", timeout=SOON, route=route) == answer
    assert time.monotonic() - started < SOON + SLACK


def test_a_hung_resolver_has_one_thread_however_many_fires_wait_for_it(hung):
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: fire("https://endpoint.test", timeout=SOON), range(20)))
    assert answers == [Answer(Reason.NO_CONNECTION)] * 20
    assert (hung.asked, looking_up()) == (1, 1)


def test_look_ups_that_never_end_stay_few(hung, monkeypatch):
    monkeypatch.setattr(resolver, "HEALTHY_SECONDS", 0)  # each is taken for a hung one at once
    for number in range(3 * resolver.MOST_UNDER_WAY):
        fire(f"https://endpoint-{number}.test", timeout=0.01)
        fire("https://endpoint-0.test", timeout=0.01)
    assert looking_up() == resolver.MOST_UNDER_WAY


def test_a_resolver_that_has_recovered_is_asked_anew(hung):
    assert fire("http://endpoint.test:1", timeout=SOON).reason == Reason.NO_CONNECTION
    hung.open.set()
    with HostileServer() as server:
        answer = fire(f"http://endpoint.test:{server.port}")
    assert answer.reason == Reason.SESSION_CREATED


def test_a_name_that_is_none_sends_nothing(monkeypatch):
    def look_up(host: str, *_: object) -> None:
        host.encode("idna")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert fire(f"https://{'x' * 300}.test") == Answer(Reason.NO_CONNECTION)
