"""A server that does to its clients whatever a test tells it, on a real loopback socket.

A mock transport accepts headers that a real one refuses, and knows nothing of resets, drips and
kept-alive connections. Here a test says, request by request, what happens on the wire:

    with HostileServer(says(OK), closes()) as server:  # answers once, then hangs up
        ...
        assert server.requests == 2
"""

import gzip
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

SESSION_ID = "session_01HJKLMNOPQRSTUVWXYZ"
SESSION_URL = f"https://claude.ai/code/{SESSION_ID}"
SESSION = {
    "type": "routine_fire",
    "claude_code_session_id": SESSION_ID,
    "claude_code_session_url": SESSION_URL,
}


def answer(
    status: int = 200,
    body: object = b"",
    headers: Mapping[str, str] | None = None,
    *,
    reason: str = "Whatever",
) -> bytes:
    """A whole HTTP answer. A `body` that is not bytes is dumped as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {"Content-Length": str(len(content)), "request-id": "req_hostile", **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} {reason}\r\n{head}\r\n".encode("latin-1") + content


def envelope(error_type: str, message: str, **more: object) -> dict[str, object]:
    return {"type": "error", "error": {"type": error_type, "message": message}, **more}


OK = answer(200, SESSION)


@dataclass(frozen=True)
class Request:
    head: bytes
    body: bytes

    def header(self, name: str) -> str | None:
        for line in self.head.decode("latin-1").split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.lower() == name.lower():
                return value.strip()
        return None


class Visit:
    """One connection as the server sees it. Whatever the client has done, nothing here raises."""

    def __init__(self, connection: socket.socket, stopping: threading.Event) -> None:
        self._connection = connection
        self._stopping = stopping
        self._received = b""
        self.is_open = True

    def send(self, content: bytes) -> None:
        try:
            self._connection.sendall(content)
        except OSError:
            self.close()

    def drip(self, content: bytes, *, every: float = 0.05) -> None:
        """One byte at a time, until all is sent, the client has left or the server stops."""
        for at in range(len(content)):
            self.send(content[at : at + 1])
            if not self.is_open or self._stopping.wait(every):
                return

    def pour(self, content: bytes) -> None:
        """The same again and again until the client has left or the server stops."""
        while self.is_open and not self._stopping.is_set():
            self.send(content)

    def hang(self) -> None:
        self._stopping.wait()

    def close(self) -> None:
        self.is_open = False
        self._connection.close()

    def reset(self) -> None:
        """Close with RST instead of FIN."""
        try:
            self._connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
        except OSError:
            pass
        self.close()

    def wait_for_bytes(self) -> None:
        """Until something of a request has arrived; nothing of it is read."""
        try:
            self._connection.recv(1, socket.MSG_PEEK)
        except OSError:
            pass

    def read(self, size: int) -> bytes:
        try:
            return self._connection.recv(size)
        except OSError:
            return b""

    def read_request(self) -> Request | None:
        """The next whole request, None if the client has left."""
        while b"\r\n\r\n" not in self._received:
            if not self._receive():
                return None
        head, _, self._received = self._received.partition(b"\r\n\r\n")
        length = int(Request(head, b"").header("content-length") or 0)
        while len(self._received) < length:
            if not self._receive():
                return None
        body, self._received = self._received[:length], self._received[length:]
        return Request(head, body)

    def _receive(self) -> bool:
        chunk = self.read(65_536)
        self._received += chunk
        return bool(chunk)


Step = Callable[[Visit], None]


def in_turn(*steps: Step) -> Step:
    def step(visit: Visit) -> None:
        for one in steps:
            one(visit)

    return step


def says(*parts: bytes) -> Step:
    """Sends this, and keeps the connection for the next request."""

    def step(visit: Visit) -> None:
        for part in parts:
            visit.send(part)

    return step


def says_and_closes(*parts: bytes) -> Step:
    return in_turn(says(*parts), Visit.close)


def says_and_hangs(*parts: bytes) -> Step:
    return in_turn(says(*parts), Visit.hang)


def says_and_resets(*parts: bytes) -> Step:
    return in_turn(says(*parts), Visit.reset)


def drips(content: bytes, *, after: bytes = b"") -> Step:
    return in_turn(says(after), lambda visit: visit.drip(content))


def pours(content: bytes, *, after: bytes = b"") -> Step:
    return in_turn(says(after), lambda visit: visit.pour(content))


def hangs() -> Step:
    return Visit.hang


def closes() -> Step:
    return Visit.close


def resets() -> Step:
    return Visit.reset


def gzip_bomb(megabytes: int = 64) -> bytes:
    return gzip.compress(b" " * (megabytes * 1024 * 1024), compresslevel=9)


class HostileServer:
    """Does one step per request, the last one for all that follow.

    `on_accept` is done first with each connection, before anything is read from it. `requests`
    holds every request that arrived whole, `connections` counts those accepted.
    """

    def __init__(
        self,
        *steps: Step,
        on_accept: Step | None = None,
        tls: ssl.SSLContext | None = None,
        receive_buffer: int = 0,
    ) -> None:
        self.steps: list[Step] = list(steps) or [says(OK)]
        self.received: list[Request] = []
        self.connections = 0
        self._on_accept = on_accept
        self._tls = tls
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.socket()
        if receive_buffer:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(128)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def requests(self) -> int:
        return len(self.received)

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopping.set()
        _hang_up(self._listener)  # wakes accept()
        while self._threads:
            with self._lock:
                for connection in self._sockets:
                    _hang_up(connection)
                waiting, self._threads = self._threads, []
            for thread in waiting:
                thread.join(timeout=10)
        self._listener.close()

    def _start(self, target: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        with self._lock:
            self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                self._threads = [thread for thread in self._threads if thread.is_alive()]
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with self._lock:
            self._sockets.append(connection)
        wrapped = connection
        try:
            if self._tls is not None:
                wrapped = self._tls.wrap_socket(connection, server_side=True)
                with self._lock:  # it has taken the socket over
                    self._sockets[self._sockets.index(connection)] = wrapped
            self._play(Visit(wrapped, self._stopping))
        except OSError:
            pass  # a handshake that failed
        finally:
            with self._lock:
                self._sockets.remove(wrapped)
            wrapped.close()
            connection.close()

    def _play(self, visit: Visit) -> None:
        if self._on_accept is not None:
            self._on_accept(visit)
        while visit.is_open and not self._stopping.is_set():
            request = visit.read_request()
            if request is None:
                return
            with self._lock:
                self.received.append(request)
                step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
            step(visit)


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


def refused_port() -> int:
    """A port of this machine where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
