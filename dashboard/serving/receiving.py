"""Requests that come slowly, and answers that are read slowly, hold no place that pages need.

gunicorn's threads read requests and write answers themselves and know no time limit for it, so a
few connections that each hold half a request, or read no answer, would stop every page. Hence two
kinds of places (0026-slow-requests.md):

- gunicorn has many threads, which cost little while they wait. They receive, and send;
- WEB_THREADS of them at a time may be in Django: whoever has received a request takes one of these
  places, and gives it back once the answer is made. What is streamed is made while it is sent.
  Programs at the doors get half of these at a time, or else a storm of theirs would stop the pages.

And a watch ends what takes too long altogether, however steadily it drips.
"""

import io
import logging
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import IO, Any

from gunicorn.http.errors import ParseException

from dashboard.serving import door_addresses
from dashboard.serving.headers import HEADERS

logger = logging.getLogger(__name__)

THREADS = 128  # beside WEB_THREADS, for requests that are still coming
HEAD_SECONDS = 10.0
BODY_SECONDS = 30.0  # a megabyte over a bad telephone connection takes about ten
SENDING_SECONDS = 60.0  # for an answer, or for each piece of one that is streamed
LOOK_EVERY = 1.0
_IN_MEMORY = 262_144  # bytes of a body; what is longer lies in a temporary file
_CHUNK = 65_536
_LONGEST_PATH = 300

Environ = dict[str, Any]
Application = Callable[[Environ, Any], Iterable[bytes]]


class Watch:
    """Ends a connection, as if the client had hung up, when the time for it has run out.

    The thread that reads then finds the end of the request; answering is still possible. The one
    that sends (`sending`) finds the connection gone.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: dict[socket.socket, tuple[float, int]] = {}
        self._looks = False

    def allow(self, connection: socket.socket, seconds: float, *, sending: bool = False) -> None:
        ends = socket.SHUT_RDWR if sending else socket.SHUT_RD
        with self._lock:
            self._until[connection] = time.monotonic() + seconds, ends
            if not self._looks:  # here, in the worker: a fork takes no threads along
                self._looks = True
                threading.Thread(target=self._look, name="slow requests", daemon=True).start()

    def forget(self, connection: socket.socket) -> None:
        with self._lock:
            self._until.pop(connection, None)

    def _look(self) -> None:
        while True:
            time.sleep(LOOK_EVERY)
            now = time.monotonic()
            with self._lock:  # so that none of them is closed meanwhile, and another opened
                for connection, (until, ends) in self._until.items():
                    if until < now:
                        with suppress(OSError):
                            connection.shutdown(ends)


watch = Watch()


class Receiving:
    """WSGI, around Django: receive the body, take a place, give it back when there is an answer.

    worker.py forgets the connection when the request is over.
    """

    def __init__(self, application: Application, *, places: int, most_bytes: int) -> None:
        self._application = application
        self._places = threading.BoundedSemaphore(places)
        # Two at least, if there are two: one may be held by a program that waits for its outcome.
        for_programs = min(places, max(places // 2, 2))
        self._places_for_programs = threading.BoundedSemaphore(for_programs)
        self._most_bytes = most_bytes

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        connection = environ["gunicorn.socket"]
        watch.allow(connection, BODY_SECONDS)
        is_door = door_addresses.leads_to_door(environ.get("PATH_INFO", ""))
        most_bytes = door_addresses.LARGEST_BODY if is_door else self._most_bytes
        body = _received(environ, most_bytes)
        watch.forget(connection)
        if body is None and is_door:
            environ[door_addresses.CUT_SHORT], body = True, io.BytesIO()
        if body is None:
            return _refuse(environ, start_response)
        environ["wsgi.input"] = body
        needed = [self._places_for_programs, self._places] if is_door else [self._places]
        for place in needed:
            place.acquire()

        def end() -> None:
            for place in needed:
                place.release()
            body.close()

        try:
            answer: Iterable[bytes] = self._application(environ, start_response)
        except BaseException:
            end()
            raise
        watch.allow(connection, SENDING_SECONDS, sending=True)
        file_wrapper = environ.get("wsgi.file_wrapper")
        is_file = file_wrapper is not None and isinstance(answer, file_wrapper)
        if is_file:
            end()  # gunicorn sends the file by itself
            return answer
        if getattr(answer, "streaming", True):
            return _Streamed(answer, connection, end)
        try:
            return list(answer)
        finally:
            _close(answer, end)


class _Streamed:
    """What the application makes while it is sent; at its end, the place is free."""

    def __init__(
        self, answer: Iterable[bytes], connection: socket.socket, end: Callable[[], None]
    ) -> None:
        self._answer = answer
        self._connection = connection
        self._end = end

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._answer:
            watch.allow(self._connection, SENDING_SECONDS, sending=True)
            yield piece
            watch.forget(self._connection)  # the next one may take long to make

    def close(self) -> None:
        _close(self._answer, self._end)


def _close(answer: Iterable[bytes], end: Callable[[], None]) -> None:
    try:
        close = getattr(answer, "close", None)
        if close is not None:
            close()
    finally:
        end()


def _received(environ: Environ, most_bytes: int) -> IO[bytes] | None:
    """The body; None if not all of it came: half a form must not be taken for a whole one.

    One that is too long comes back empty, for Django to refuse it by its length. One that comes in
    chunks, as programs stream it, gets its length here: Django would take it for empty.
    """
    if "HTTP_TRANSFER_ENCODING" in environ:  # gunicorn knows chunked alone, and refuses all others
        return _received_in_chunks(environ, most_bytes)
    length = environ.get("CONTENT_LENGTH") or ""
    missing = int(length) if length.isascii() and length.isdigit() and len(length) < 20 else 0
    if not 0 < missing <= most_bytes:
        return io.BytesIO()
    body = _place_for_body()
    with suppress(OSError):  # the client is gone
        while missing > 0:
            chunk = environ["wsgi.input"].read(min(missing, _CHUNK))
            if not chunk:
                break
            body.write(chunk)
            missing -= len(chunk)
    if missing > 0:
        body.close()
        return None
    body.seek(0)
    return body


def _received_in_chunks(environ: Environ, most_bytes: int) -> IO[bytes] | None:
    body, length = _place_for_body(), 0
    try:
        while length <= most_bytes and (chunk := environ["wsgi.input"].read(_CHUNK)):
            body.write(chunk)
            length += len(chunk)
    except (OSError, ParseException):  # it breaks off, or is no sequence of chunks
        body.close()
        return None
    environ["CONTENT_LENGTH"] = str(length)
    body.seek(0)
    return body


def _place_for_body() -> IO[bytes]:
    body: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  # Django reads it
    return body


def _refuse(environ: Environ, start_response: Any) -> Iterable[bytes]:
    logger.warning(
        "A request did not arrive whole in time",
        extra={
            "facts": {
                "method": environ.get("REQUEST_METHOD", ""),
                "path": environ.get("PATH_INFO", "")[:_LONGEST_PATH],
                "status": 408,
            }
        },
    )
    sentence = (
        b"The request did not arrive whole in time. Nothing was done or sent. Try once more.\n"
    )
    own = {"Content-Type": "text/plain; charset=utf-8", "Content-Length": str(len(sentence))}
    start_response("408 Request Timeout", list((HEADERS | own).items()))
    return [sentence]
