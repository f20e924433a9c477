"""Sending one request and reading its answer. What this room promises: __init__.py."""

import os
import ssl
import threading
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import httpcore
import httpx

from routines.wire import sockets
from routines.wire.outcomes import Ended, RawAnswer
from routines.wire.route import Route

MAX_ANSWER_BYTES = 65_536  # the endpoint's documented answers have some hundred
_KEEP_ALIVE_SECONDS = 60.0
_USER_AGENT = f"python-httpx/{httpx.__version__}"
_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "User-Agent": _USER_AGENT,
}
_STRAIGHT = Route()


def ask(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    timeout: float,
    body: bytes = b"",
    route: Route = _STRAIGHT,
    most_bytes: int = MAX_ANSWER_BYTES,
) -> RawAnswer:
    """Send one request and read its answer, all within `timeout` seconds.

    Plain http, which is for this machine alone, goes through no proxy: that would read it.
    Raise NotSent or AnswerLost, and nothing else.
    """
    exchange = sockets.Exchange(deadline=time.monotonic() + timeout)
    sockets.current.set(exchange)
    try:
        request = httpx.Request(method, url, headers={**_HEADERS, **headers}, content=body or None)
        if request.url.scheme != "https":
            route = Route(ca_file=route.ca_file)
        with closing(_transport(route).handle_request(request)) as response:
            if not exchange.heard:  # left over from the answer before; the true one is lost
                raise httpcore.RemoteProtocolError("An answer that was there before the request.")
            return _read(response, exchange, most_bytes)
    except Exception as error:
        # Whatever went wrong, only one question matters: had anything left? `from None` keeps
        # httpx's text out, which holds the whole Authorization header when a value is malformed.
        raise exchange.failure(error) from None


def warm_up(route: Route = _STRAIGHT) -> None:
    """Read the certificates now (about 25 ms), not in the first request."""
    _transport(route)


def close_connections() -> None:
    """Close those kept for the next request."""
    with _making:
        for (process, _), transport in _transports.items():
            if process == os.getpid():
                transport.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        yield from self._stream

    def close(self) -> None:
        self._stream.close()


class _Transport(httpx.BaseTransport):
    """httpx's own transport, but for the sockets: those it gives no way to choose."""

    def __init__(self, route: Route) -> None:
        ssl_context = _ssl_context(route)
        self._pool = httpcore.ConnectionPool(
            ssl_context=ssl_context,
            max_connections=None,  # firing.py bounds how many are under way
            max_keepalive_connections=8,
            keepalive_expiry=_KEEP_ALIVE_SECONDS,
            retries=1,  # of connecting, which sends nothing
            network_backend=sockets.Backend(route.proxy, ssl_context, _USER_AGENT),
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
_transports: dict[tuple[int, Route], _Transport] = {}


def _transport(route: Route) -> _Transport:
    """One pool a process and route, its connections kept open between requests.

    Made after a fork: two processes must not talk on one connection.
    """
    key = os.getpid(), route
    with _making:
        if key not in _transports:
            _transports[key] = _Transport(route)
        return _transports[key]


def _ssl_context(route: Route) -> ssl.SSLContext:
    context = httpx.create_ssl_context(trust_env=False)  # of certifi's authorities
    if route.ca_file:
        context.load_verify_locations(cafile=route.ca_file)
        # On from Python 3.13. It refuses authorities whose certificates lack formalities, as those
        # of many companies do; whom we trust does not change with it.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _read(response: httpx.Response, exchange: sockets.Exchange, most_bytes: int) -> RawAnswer:
    """From here on an answer exists: what cannot be read of its body is told by `ended`."""
    body, received, ended = bytearray(), 0, Ended.WHOLE
    decompressor = _decompressor(response.headers.get("content-encoding", ""))
    try:
        for chunk in response.iter_raw():
            received += len(chunk)
            room = most_bytes + 1 - len(body)
            body += decompressor.decompress(chunk, room) if decompressor else chunk[:room]
            # `received` too: compressed nothings could come for ever.
            if max(len(body), received) > most_bytes:
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
        body=bytes(body[:most_bytes]),
        ended=ended,
        left_at=exchange.left_at,
    )


def _decompressor(encoding: str) -> Any:
    """We ask for no compression; what comes compressed all the same is opened up to the cap."""
    if encoding.strip().lower() in ("gzip", "x-gzip", "deflate"):
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # 32: tell gzip and zlib apart
    return None
