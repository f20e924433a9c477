"""No test reaches anything but this machine, and one that tries fails aloud."""

import socket
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings

from tests.hostile import HostileServer
from tests.outside_world import OutsideWorld
from tests.routines.fire_api.asking import fire

ELSEWHERE = [
    "192.0.2.1",  # reserved for documentation, as 2001:db8::1
    "endpoint.invalid",
    "localhost.example.com",
    "127.0.0.1.example.com",
    "0.0.0.0",
    "2001:db8::1",
    "::ffff:192.0.2.1",
]
WAYS: dict[str, Callable[[socket.socket, Any], object]] = {
    "connect": lambda one, address: one.connect(address),
    "connect_ex": lambda one, address: one.connect_ex(address),
    "sendto": lambda one, address: one.sendto(b"x", address),
    "sendto with flags": lambda one, address: one.sendto(b"x", 0, address),
}


@pytest.mark.parametrize("leave", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("host", ELSEWHERE)
def test_a_socket_that_leaves_this_machine_is_stopped(leave, host):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as one, pytest.raises(OutsideWorld):
        leave(one, (host, 443))


@pytest.mark.parametrize("host", [host for host in ELSEWHERE if host[0].isalpha()])
def test_no_name_is_looked_up_elsewhere(host):
    with pytest.raises(OutsideWorld):
        socket.create_connection((host, 443))
    with pytest.raises(OutsideWorld):
        socket.getaddrinfo(host.encode(), None)


@pytest.mark.parametrize("host", ["192.0.2.1", "endpoint.invalid", "api.anthropic.com"])
def test_the_fire_client_makes_no_answer_of_it(host):
    with pytest.raises(OutsideWorld):
        fire(f"https://{host}")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_loopback_is_open(host):
    with HostileServer() as server, socket.create_connection((host, server.port), 5) as one:
        assert one.getpeername() == ("127.0.0.1", server.port)


@pytest.mark.parametrize("way", ["sendto", "sendto with flags"])
def test_loopback_is_open_for_datagrams(way):
    kind = socket.SOCK_DGRAM
    with socket.socket(type=kind) as one, socket.socket(type=kind) as other:
        other.bind(("127.0.0.1", 0))
        other.settimeout(5)
        WAYS[way](one, other.getsockname())
        assert other.recv(1) == b"x"


def test_a_socket_of_the_file_system_is_no_network(tmp_path):
    with socket.socket(socket.AF_UNIX) as one, pytest.raises(FileNotFoundError):
        one.connect(str(tmp_path / "nobody"))


def test_the_tests_own_endpoint_is_on_this_machine():
    assert settings.CLAUDE_API_BASE_URL.startswith("http://127.0.0.1:")
