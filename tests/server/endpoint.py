"""An endpoint whose answers a test can hold, so that something happens while one is due."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from routines.practice_api import PracticeApi, PracticeServer
from routines.practice_api.rules import Answer, Request
from tests.hostile import SESSION, Visit, answer


class Endpoint(PracticeApi):
    def __init__(self, *, delay: float = 0.0) -> None:
        """`delay` is in seconds, before each 200."""
        super().__init__(delay=delay)
        self.texts: list[str] = []  # of the requests, as they came
        self._open = threading.Event()
        self._open.set()

    def answer(self, request: Request) -> Answer:
        self.texts.append(json.loads(request.body)["text"])
        answer = super().answer(request)  # the request is counted, its session made
        self._open.wait()
        return answer

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Requests arrive and make their sessions; until the end of `with`, none is answered."""
        self._open.clear()
        try:
            yield
        finally:
            self._open.set()


@contextmanager
def listening(*, delay: float = 0.0) -> Iterator[tuple[Endpoint, str]]:
    """The endpoint, and the URL at which it is."""
    endpoint = Endpoint(delay=delay)
    with PracticeServer(endpoint) as server:
        yield endpoint, server.url


_SYN_SENT = "02"  # in /proc/net/tcp


class FullListener:
    """A listener whose queue is full: connecting to it hangs, so nothing can be sent."""

    def __init__(self, listener: socket.socket, fillers: list[socket.socket]) -> None:
        self._listener, self._fillers = listener, fillers
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"

    def is_knocked_at(self) -> bool:
        """Whether somebody is trying to connect, as the kernel has it."""
        own = {filler.getsockname()[1] for filler in self._fillers}
        port = self._listener.getsockname()[1]
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            _, local, remote, state = line.split()[:4]
            here, there = (int(one.partition(":")[2], 16) for one in (local, remote))
            if state == _SYN_SENT and there == port and here not in own:
                return True
        return False

    def let_in(self) -> socket.socket:
        """Make room, and return the connection of who has been waiting; the kernel makes it."""
        own = {filler.getsockname() for filler in self._fillers}
        self._listener.settimeout(60)
        while True:
            connection, address = self._listener.accept()
            if address not in own:
                return connection
            connection.close()


@contextmanager
def full_listener() -> Iterator[FullListener]:
    with ExitStack() as sockets:
        full = sockets.enter_context(closing(socket.socket()))
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        fillers = [sockets.enter_context(closing(socket.socket())) for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        yield FullListener(full, fillers)


class KeptAnswer:
    """What a HostileServer says: a session, once `may_leave` is set."""

    def __init__(self) -> None:
        self.arrived, self.may_leave, self.was_read = (threading.Event() for _ in range(3))

    def __call__(self, visit: Visit) -> None:
        self.arrived.set()
        self.may_leave.wait(60)
        visit.send(answer(200, SESSION, {"Connection": "close"}))
        visit.read(1)  # returns when the other side has read the answer, and closes
        self.was_read.set()
