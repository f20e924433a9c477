"""Sockets that know the deadline of the request at hand, and whether anything of it has left."""

import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

import httpcore

from routines.wire import resolver, tunnel
from routines.wire.outcomes import AnswerLost, NotSent
from routines.wire.route import Proxy

# To look up the name, connect, come through a proxy and shake hands. Whatever is still unsent then
# stays unsent; what is left of the deadline is for the answer.
_CONNECT_SECONDS = 10.0
_WRITE_CHUNK = 65_536


class Exchange:
    """What the sockets below need to know of the request that their thread is sending."""

    def __init__(self, *, deadline: float) -> None:
        self.deadline = deadline
        self.connect_deadline = min(deadline, time.monotonic() + _CONNECT_SECONDS)
        self.left_at: float | None = None  # when the first byte did, by time.monotonic()
        self.heard = False  # something came in since
        self.not_sent: NotSent | None = None  # what has failed last, where it is known

    @property
    def request_left(self) -> bool:
        return self.left_at is not None

    @property
    def timed_out(self) -> bool:
        return time.monotonic() >= self.deadline

    def failure(self, error: Exception) -> NotSent | AnswerLost:
        if self.request_left:
            return AnswerLost(timed_out=self.timed_out, left_at=self.left_at)
        if self.not_sent is not None:
            return self.not_sent
        if isinstance(error, httpcore.NetworkError | httpcore.TimeoutException):
            return NotSent(NotSent.Why.NO_CONNECTION)
        return NotSent(NotSent.Why.UNSENDABLE)


current: ContextVar[Exchange] = ContextVar("exchange")


def _left(deadline: float, expired: type[httpcore.TimeoutException]) -> float:
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise expired("The deadline has passed.")
    return seconds


class _Stream(httpcore.NetworkStream):
    """A socket whose every operation is bounded by the deadline of the request at hand.

    `nested`: TLS within the TLS of a proxy, which httpcore bounds for each read of the socket
    alone. There a timer cuts off what drips.
    """

    def __init__(self, inner: httpcore.NetworkStream, *, nested: bool = False) -> None:
        self._inner = inner
        self._nested = nested

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        exchange = current.get()
        seconds = _left(exchange.deadline, httpcore.ReadTimeout)
        with self._bounded(seconds):
            received = self._inner.read(max_bytes, seconds)
        exchange.heard = True
        return received

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        exchange = current.get()
        for start in range(0, len(buffer), _WRITE_CHUNK):
            seconds = _left(exchange.deadline, httpcore.WriteTimeout)
            # Before the write: one that fails half-way has sent something.
            if exchange.left_at is None:
                exchange.left_at = time.monotonic()
            with self._bounded(seconds):
                self._inner.write(buffer[start : start + _WRITE_CHUNK], seconds)

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        exchange = current.get()
        seconds = _left(exchange.connect_deadline, httpcore.ConnectTimeout)
        try:
            with self._bounded(seconds):
                secured = self._inner.start_tls(ssl_context, server_hostname, seconds)
        except Exception:
            exchange.not_sent = NotSent(NotSent.Why.TLS_FAILED)
            raise
        return _Stream(secured, nested=self._nested)

    def close(self) -> None:
        self._inner.close()

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)

    @contextmanager
    def _bounded(self, seconds: float) -> Iterator[None]:
        if not self._nested:
            yield
            return
        timer = threading.Timer(seconds, _shut, [self._inner.get_extra_info("socket")])
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class Backend(httpcore.SyncBackend):
    """Connects straight or through a proxy: what asks for a connection sees no difference."""

    def __init__(self, proxy: Proxy | None, ssl_context: ssl.SSLContext, user_agent: str) -> None:
        self._proxy = proxy
        self._ssl_context = ssl_context
        self._user_agent = user_agent

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        exchange = current.get()
        try:
            if self._proxy is None:
                connected = _Stream(self._connect(host, port))
            else:
                connected = self._connect_through(self._proxy, host, port)
        except NotSent as failure:
            exchange.not_sent = failure
            raise httpcore.ProxyError(failure.why.value) from None
        except (httpcore.NetworkError, httpcore.TimeoutException) as error:
            # What a first attempt has failed of says more than that no time was left for a second.
            if self._proxy is not None and exchange.not_sent is None:
                timed_out = isinstance(error, httpcore.TimeoutException)
                detail = "The proxy did not answer in time." if timed_out else ""
                exchange.not_sent = NotSent(NotSent.Why.PROXY_UNREACHABLE, detail)
            raise
        exchange.not_sent = None  # of an earlier attempt
        return connected

    def _connect(self, host: str, port: int) -> httpcore.NetworkStream:
        deadline = current.get().connect_deadline
        addresses = _addresses(host, port, _left(deadline, httpcore.ConnectTimeout))
        for number, address in enumerate(addresses):
            seconds = _left(deadline, httpcore.ConnectTimeout)
            # A share of what is left for each: the next one may answer where this one is deaf.
            seconds /= len(addresses) - number
            try:
                return super().connect_tcp(address, port, seconds)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if number + 1 == len(addresses):
                    raise
        raise httpcore.ConnectError("The host has no address.")

    def _connect_through(self, proxy: Proxy, host: str, port: int) -> _Stream:
        deadline = current.get().connect_deadline
        stream = self._connect(proxy.host, proxy.port)
        try:
            if proxy.scheme == "https":
                seconds = _left(deadline, httpcore.ConnectTimeout)
                stream = self._start_tls_with(proxy, stream, seconds)
            tunnel.open_tunnel(
                proxy,
                host,
                port,
                user_agent=self._user_agent,
                write=lambda asked: stream.write(asked, _left(deadline, httpcore.WriteTimeout)),
                read=lambda: stream.read(4_096, _left(deadline, httpcore.ReadTimeout)),
            )
        except BaseException:
            stream.close()
            raise
        return _Stream(stream, nested=proxy.scheme == "https")

    def _start_tls_with(
        self, proxy: Proxy, stream: httpcore.NetworkStream, seconds: float
    ) -> httpcore.NetworkStream:
        try:
            return stream.start_tls(self._ssl_context, proxy.host, seconds)
        except httpcore.ConnectError:
            detail = "No secure connection to the proxy could be made; is it one of https://?"
            raise NotSent(NotSent.Why.PROXY_UNREACHABLE, detail) from None


def _addresses(host: str, port: int, seconds: float) -> list[str]:
    try:
        return resolver.addresses(host, port, seconds=seconds)
    except TimeoutError:
        raise httpcore.ConnectTimeout("The host's address was not found in time.") from None
    except (OSError, UnicodeError):  # UnicodeError: it is no name
        raise httpcore.ConnectError("The host's address is not known.") from None
