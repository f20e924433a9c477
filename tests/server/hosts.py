"""Hosts of a test's own: network namespaces, each with a wire to this machine that can be cut.

Only root may make them; whoever is not is told so, as of a missing program (tests/daemons.py).
"""

import ctypes
import os
import random
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from uuid import uuid4

import pytest

from tests.daemons import program

_CLONE_NEWNET = 0x40000000  # <sched.h>


class Host:
    def __init__(self, network: str, number: int) -> None:
        """`network`: its first three numbers; each host has four addresses of it."""
        self.name = f"routines-{uuid4().hex[:6]}"
        self._wire = f"rt{uuid4().hex[:8]}"  # this machine's end
        self.gateway = f"{network}.{4 * number + 1}"  # this machine, as the host knows it
        self._address = f"{network}.{4 * number + 2}"

    @property
    def command(self) -> list[str]:
        """What is put before a command that is to run there."""
        return [program("ip"), "netns", "exec", self.name]

    def make(self) -> None:
        _ip("netns", "add", self.name)
        _ip(*f"link add {self._wire} type veth peer name wire netns {self.name}".split())
        _ip(*f"addr add {self.gateway}/30 dev {self._wire}".split())
        _ip(*f"link set {self._wire} up".split())
        for line in ("link set lo up", f"addr add {self._address}/30 dev wire", "link set wire up"):
            _ip("-n", self.name, *line.split())

    def remove(self) -> None:
        with suppress(subprocess.CalledProcessError):
            _ip("netns", "del", self.name)  # the wire goes with it

    @contextmanager
    def cut_off(self) -> Iterator[None]:
        """Nothing arrives and nothing is refused, as in life; at the end it is whole again."""
        _ip("-n", self.name, "link", "set", "wire", "down")
        try:
            yield
        finally:
            _ip("-n", self.name, "link", "set", "wire", "up")

    @contextmanager
    def relay(self, url: str) -> Iterator[str]:
        """A port of the host's loopback that leads to `url` of this machine's; not by the wire."""
        port = int(url.rpartition(":")[2])
        with closing(self._listener()) as listener:
            threading.Thread(target=_relay, args=(listener, port), daemon=True).start()
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
            listener.shutdown(socket.SHUT_RDWR)

    def _listener(self) -> socket.socket:
        """A socket belongs to the namespace in which it was made, whoever uses it."""
        made: list[socket.socket] = []

        def make() -> None:  # in a thread of its own, which stays there
            with open(f"/run/netns/{self.name}", "rb") as namespace:
                if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), _CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns")
            made.append(socket.create_server(("127.0.0.1", 0)))

        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        return made[0]


def _relay(listener: socket.socket, port: int) -> None:
    with suppress(OSError):  # shut down: the test is over
        while True:
            near, _ = listener.accept()
            threading.Thread(target=_carry, args=(near, port), daemon=True).start()


def _carry(near: socket.socket, port: int) -> None:
    """Both ways until both have ended."""
    with (
        suppress(OSError),
        closing(near),
        closing(socket.create_connection(("127.0.0.1", port))) as far,
    ):
        back = threading.Thread(target=_pump, args=(far, near), daemon=True)
        back.start()
        _pump(near, far)
        back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while content := source.recv(65_536):
            target.sendall(content)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextmanager
def hosts(number: int) -> Iterator[list[Host]]:
    if not _may_make_namespaces():
        if os.environ.get("REQUIRE_SERVERS") == "1":
            pytest.fail("Hosts are network namespaces, which only root may make.")
        pytest.skip("Hosts are network namespaces, which only root may make.")
    network = f"10.213.{random.randrange(256)}"  # others may test beside us
    made = [Host(network, one) for one in range(number)]
    try:
        for host in made:
            host.make()
        yield made
    finally:
        for host in made:
            host.remove()


def _may_make_namespaces() -> bool:
    name = f"routines-{uuid4().hex[:6]}"
    try:
        _ip("netns", "add", name)
    except subprocess.CalledProcessError:
        return False
    _ip("netns", "del", name)
    return True


def _ip(*arguments: str) -> None:
    subprocess.run([program("ip"), *arguments], check=True, capture_output=True)
