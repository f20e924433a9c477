"""One HTTP request with a total deadline, a byte cap, and certainty about whether it left.

The only module that imports httpx and httpcore. What their defaults leave open is closed here:

- their timeouts are per operation, so a server that drips holds a request for as long as it
  likes: every socket operation below is given no more than what is left of one deadline;
- their exceptions do not say whether anything was sent, and may hold the whole token: here the
  socket itself notes the first byte written, and no exception of theirs gets out;
- their client follows redirects, keeps cookies, reads .netrc and proxy variables if it is let:
  here there is none, only requests and one pool of connections. The token travels to one host.

A request is never sent twice. httpcore retries only a connection that was not established, and
it sends a request on one connection once, also when that connection was kept alive. What a
server had said on such a connection beyond its last answer is no answer to the next request.
"""

import os
import socket
import threading
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from contextvars import ContextVar
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any

import httpcore
import httpx

MAX_ANSWER_BYTES = 65_536  # the documented answers have some hundred
_CONNECT_SECONDS = 10.0
_KEEP_ALIVE_SECONDS = 60.0
_WRITE_CHUNK = 65_536
_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "User-Agent": f"python-httpx/{httpx.__version__}",
}


class Ended(Enum):
    """How the reading of an answer's body ended."""

    WHOLE = "whole"
    TOO_LARGE = "too large"
    TIMED_OUT = "timed out"
    CONNECTION_LOST = "connection lost"


@dataclass(frozen=True)
class RawAnswer:
    """An answer as it came: header names in lower case, body decompressed, cut at the cap."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    ended: Ended


class NotSent(Exception):
    """No byte of the request left this machine."""

    class Why(Enum):
        NO_CONNECTION = "no connection"
        TLS_FAILED = "TLS failed"
        UNSENDABLE = "unsendable"

    def __init__(self, why: Why) -> None:
        super().__init__(why.value)
        self.why = why


class AnswerLost(Exception):
    """The request left, at least in part, and not even an answer's head came back."""

    def __init__(self, *, timed_out: bool) -> None:
        super().__init__("timed out" if timed_out else "connection lost")
        self.timed_out = timed_out


def post(url: str, *, headers: Mapping[str, str], body: bytes, timeout: float) -> RawAnswer:
    """Send one POST and read its answer, all within `timeout` seconds.

    Raise NotSent or AnswerLost, and nothing else.
    """
    exchange = _Exchange(deadline=time.monotonic() + timeout)
    _current.set(exchange)
    try:
        request = httpx.Request("POST", url, headers={**_HEADERS, **headers}, content=body or None)
        with closing(_transport(os.getpid()).handle_request(request)) as response:
            if not exchange.heard:  # left over from the answer before; the true one is lost
                raise httpcore.RemoteProtocolError("An answer that was there before the request.")
            return _read(response, exchange)
    except Exception as error:
        # Whatever went wrong, only one question matters: had anything left? `from None` keeps
        # httpx's text out, which holds the whole Authorization header when a value is malformed.
        raise exchange.failure(error) from None


def warm_up() -> None:
    """Read the certificates now (about 25 ms), not in the first fire."""
    _transport(os.getpid())


def close_connections() -> None:
    """Close those kept for the next fire."""
    _transport(os.getpid()).close()


class _Exchange:
    """What the sockets below need to know of the request that their thread is sending."""

    def __init__(self, *, deadline: float) -> None:
        self.deadline = deadline
        self.connect_deadline = min(deadline, time.monotonic() + _CONNECT_SECONDS)
        self.request_left = False
        self.heard = False  # something came in since
        self.tls_failed = False

    @property
    def timed_out(self) -> bool:
        return time.monotonic() >= self.deadline

    def failure(self, error: Exception) -> NotSent | AnswerLost:
        if self.request_left:
            return AnswerLost(timed_out=self.timed_out)
        if self.tls_failed:
            return NotSent(NotSent.Why.TLS_FAILED)
        if isinstance(error, httpcore.NetworkError | httpcore.TimeoutException):
            return NotSent(NotSent.Why.NO_CONNECTION)
        return NotSent(NotSent.Why.UNSENDABLE)


_current: ContextVar[_Exchange] = ContextVar("exchange")


def _left(deadline: float, expired: type[httpcore.TimeoutException]) -> float:
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise expired("The deadline has passed.")
    return seconds


class _Stream(httpcore.NetworkStream):
    """A socket whose every operation is bounded by the deadline of the request at hand."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        exchange = _current.get()
        received = self._inner.read(max_bytes, _left(exchange.deadline, httpcore.ReadTimeout))
        exchange.heard = True
        return received

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        exchange = _current.get()
        for start in range(0, len(buffer), _WRITE_CHUNK):
            seconds = _left(exchange.deadline, httpcore.WriteTimeout)
            # Before the write: one that fails half-way has sent something.
            exchange.request_left = True
            self._inner.write(buffer[start : start + _WRITE_CHUNK], seconds)

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        exchange = _current.get()
        seconds = _left(exchange.connect_deadline, httpcore.ConnectTimeout)
        try:
            return _Stream(self._inner.start_tls(ssl_context, server_hostname, seconds))
        except Exception:
            exchange.tls_failed = True
            raise

    def close(self) -> None:
        self._inner.close()

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Backend(httpcore.SyncBackend):
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        exchange = _current.get()
        addresses = _addresses(host, port)
        for number, address in enumerate(addresses):
            seconds = _left(exchange.connect_deadline, httpcore.ConnectTimeout)
            # A share of what is left for each: the next one may answer where this one is deaf.
            seconds /= len(addresses) - number
            try:
                stream = super().connect_tcp(address, port, seconds, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if number + 1 == len(addresses):
                    raise
            else:
                exchange.tls_failed = False  # of an earlier attempt
                return _Stream(stream)
        raise httpcore.ConnectError("The host has no address.")


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)
    except OSError:
        raise httpcore.ConnectError("The host's address is not known.") from None
    return [str(address[0]) for *_, address in found]


class _Body(httpx.SyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        yield from self._stream

    def close(self) -> None:
        self._stream.close()


class _Transport(httpx.BaseTransport):
    """httpx's own transport, but for the sockets: those it gives no way to choose."""

    def __init__(self) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=False),
            max_connections=None,  # firing.py bounds how many are under way
            max_keepalive_connections=8,
            keepalive_expiry=_KEEP_ALIVE_SECONDS,
            retries=1,  # of connecting, which sends nothing
            network_backend=_Backend(),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        response = self._pool.handle_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
                ),
                headers=request.headers.raw,
                content=request.stream,
            )
        )
        return httpx.Response(
            response.status, headers=response.headers, stream=_Body(response.stream)
        )

    def close(self) -> None:
        self._pool.close()


_making = threading.Lock()


def _transport(process: int) -> _Transport:
    """The process's one pool, its connections kept open between fires (made after a fork)."""
    with _making:
        return _transport_of(process)


@lru_cache(maxsize=1)
def _transport_of(process: int) -> _Transport:
    return _Transport()


def _read(response: httpx.Response, exchange: _Exchange) -> RawAnswer:
    """From here on an answer exists: what cannot be read of its body is told by `ended`."""
    body, received, ended = bytearray(), 0, Ended.WHOLE
    decompressor = _decompressor(response.headers.get("content-encoding", ""))
    try:
        for chunk in response.iter_raw():
            received += len(chunk)
            room = MAX_ANSWER_BYTES + 1 - len(body)
            body += decompressor.decompress(chunk, room) if decompressor else chunk[:room]
            # `received` too: compressed nothings could come for ever.
            if max(len(body), received) > MAX_ANSWER_BYTES:
                ended = Ended.TOO_LARGE
                break
    except zlib.error:
        pass  # it came whole, and is not what it said it is
    except Exception:
        # Broken off, or dripping past the deadline. What came may hold the session all the same.
        ended = Ended.TIMED_OUT if exchange.timed_out else Ended.CONNECTION_LOST
    return RawAnswer(
        status=response.status_code,
        headers={name.lower(): value for name, value in response.headers.items()},
        body=bytes(body[:MAX_ANSWER_BYTES]),
        ended=ended,
    )


def _decompressor(encoding: str) -> Any:
    """We ask for no compression; what comes compressed all the same is opened up to the cap."""
    if encoding.strip().lower() in ("gzip", "x-gzip", "deflate"):
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # 32: tell gzip and zlib apart
    return None
