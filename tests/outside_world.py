"""The guard between the tests and everything that is not this machine."""

import ipaddress
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest


class OutsideWorld(BaseException):
    """A test tried to leave this machine. No Exception: the fire client would make it an answer."""


@contextmanager
def shut_out() -> Iterator[None]:
    """Let sockets reach loopback alone, and look up no other name."""
    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", _guarded(socket.socket.connect))
    patch.setattr(socket.socket, "connect_ex", _guarded(socket.socket.connect_ex))
    patch.setattr(socket.socket, "sendto", _guarded(socket.socket.sendto))
    patch.setattr(socket, "getaddrinfo", _guarded_look_up(socket.getaddrinfo))
    yield
    patch.undo()


def _guarded(leave: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(self: socket.socket, *arguments: Any) -> Any:
        address = arguments[-1]  # sendto may have flags before it
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address[0]):
            raise OutsideWorld(address)
        return leave(self, *arguments)

    return guarded


def _guarded_look_up(look_up: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(host: Any, *arguments: Any, **more: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name and not _is_loopback(name):
            raise OutsideWorld(name)
        return look_up(host, *arguments, **more)

    return guarded


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
