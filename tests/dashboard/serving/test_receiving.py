"""A request has arrived before it takes a place in Django, and gives it back whatever happens."""

import io
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from gunicorn.http.errors import InvalidChunkSize, NoMoreData

from dashboard.serving import door_addresses
from dashboard.serving import receiving as module
from dashboard.serving.headers import HEADERS
from dashboard.serving.receiving import Receiving

MOST = 1_000


@pytest.fixture
def connection() -> Iterator[socket.socket]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours


class File(list[bytes]):
    """As `wsgi.file_wrapper` is."""


def environ(connection: socket.socket, body: bytes = b"", length: str | None = None) -> Any:
    return {
        "gunicorn.socket": connection,
        "wsgi.input": io.BytesIO(body),
        "wsgi.file_wrapper": File,
        "CONTENT_LENGTH": str(len(body)) if length is None else length,
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/routines/x/fire/",
    }


def application(seen: list[bytes], answer: Iterable[bytes] = (b"ok",)) -> Callable[..., Any]:
    def answering(environ: Any, start_response: Any) -> Iterable[bytes]:
        seen.append(environ["wsgi.input"].read())
        return answer

    return answering


def closed(answer: Any) -> None:
    list(answer)
    answer.close()


@pytest.mark.parametrize(
    ("body", "length", "read"),
    [
        (b"a=1", None, b"a=1"),
        (b"", "", b""),
        (b"", "0", b""),
        (b"a=1", "nonsense", b""),
        (b"a=1&b=2", "3", b"a=1"),  # what follows is the next request's
        (b"x" * MOST, None, b"x" * MOST),
        (b"x" * (MOST + 1), None, b""),  # Django refuses it by its length
        (b"a=1", "9" * 30, b""),
    ],
)
def test_django_gets_the_body_whole_or_not_at_all(connection, body, length, read):
    seen: list[bytes] = []
    receiving = Receiving(application(seen), places=1, most_bytes=MOST)
    closed(receiving(environ(connection, body, length), None))
    assert seen == [read]


class Chunks(io.BytesIO):
    """Of a request without a length, as gunicorn hands them over; then perhaps they break off."""

    def __init__(self, body: bytes, failure: Exception | None = None) -> None:
        super().__init__(body)
        self._failure = failure

    def read(self, size: int | None = -1) -> bytes:
        chunk = super().read(size)
        if not chunk and self._failure is not None:
            raise self._failure
        return chunk


def in_chunks(connection: socket.socket, chunks: Chunks, path: str = "/routines/x/fire/") -> Any:
    known = environ(connection, length="") | {"PATH_INFO": path, "wsgi.input": chunks}
    return known | {"HTTP_TRANSFER_ENCODING": "chunked"}


@pytest.mark.parametrize("body", [b"", b"a=1", b"x" * MOST], ids=len)
def test_what_comes_in_chunks_gets_a_length(connection, body):
    seen: list[bytes] = []
    asked = in_chunks(connection, Chunks(body))
    closed(Receiving(application(seen), places=1, most_bytes=MOST)(asked, None))
    assert (seen, asked["CONTENT_LENGTH"]) == ([body], str(len(body)))


def test_of_too_many_chunks_no_more_is_read_than_tells_so(connection):
    chunks = Chunks(b"x" * 10_000_000)
    asked = in_chunks(connection, chunks)
    closed(Receiving(application([]), places=1, most_bytes=MOST)(asked, None))
    assert int(asked["CONTENT_LENGTH"]) > MOST
    assert chunks.tell() < 200_000


BROKEN = [NoMoreData(), InvalidChunkSize(b"x"), ConnectionResetError()]


@pytest.mark.parametrize("failure", BROKEN, ids=lambda one: type(one).__name__)
def test_chunks_that_break_off_never_reach_a_view(connection, failure):
    seen: list[bytes] = []
    said: list[str] = []
    receiving = Receiving(application(seen), places=1, most_bytes=MOST)
    receiving(in_chunks(connection, Chunks(b"a=1", failure)), lambda status, _: said.append(status))
    assert (seen, said) == ([], ["408 Request Timeout"])
    at_door = in_chunks(connection, Chunks(b"a=1", failure), "/v1/x")
    closed(receiving(at_door, None))  # for Django to refuse, in the words of the door
    assert (seen, at_door[door_addresses.CUT_SHORT]) == ([b""], True)


def test_half_a_body_never_reaches_django(connection):
    seen: list[bytes] = []
    answered: list[tuple[str, dict[str, str]]] = []
    receiving = Receiving(application(seen), places=1, most_bytes=MOST)
    receiving(
        environ(connection, b"a=1", "900"),
        lambda status, headers: answered.append((status, dict(headers))),
    )
    [(status, headers)] = answered
    assert (seen, status) == ([], "408 Request Timeout")
    assert headers.items() >= HEADERS.items()  # the dashboard's own answer: pages say what it says


class Page(list[bytes]):
    """As Django's answers are: whole, and closed once."""

    streaming = False
    closed = 0

    def close(self) -> None:
        self.closed += 1


def test_who_reads_an_answer_slowly_holds_no_place(connection):
    page = Page([b"ok"])
    receiving = Receiving(application([], page), places=1, most_bytes=MOST)
    answers: list[Iterable[bytes]] = []
    asking = threading.Thread(
        target=lambda: answers.extend(receiving(environ(connection), None) for _ in range(3)),
        daemon=True,
    )
    asking.start()
    asking.join(30)
    assert [list(answer) for answer in answers] == [[b"ok"]] * 3  # none of them read before
    assert page.closed == 3  # and each has given its database connection back


@pytest.mark.parametrize("answer", [Page([b"ok"]), File([b"ok"]), [b"ok"]], ids=type)
def test_an_answer_that_is_not_read_in_time_is_ended(connection, answer, monkeypatch):
    monkeypatch.setattr(module, "SENDING_SECONDS", 0.0)
    monkeypatch.setattr(module, "LOOK_EVERY", 0.01)
    monkeypatch.setattr(module, "watch", module.Watch())
    receiving = Receiving(application([], answer), places=1, most_bytes=MOST)
    connection.settimeout(30)  # TimeoutError, were it never ended
    piece = next(iter(receiving(environ(connection), None)))
    with pytest.raises(BrokenPipeError):
        connection.sendall(piece * 10_000_000)


def test_a_place_is_free_again_once_a_streamed_answer_is_through(connection):
    receiving = Receiving(application([]), places=1, most_bytes=MOST)
    first = receiving(environ(connection), None)
    second = threading.Thread(target=lambda: closed(receiving(environ(connection), None)))
    second.start()
    second.join(0.05)
    assert second.is_alive()  # it waits for the place
    closed(first)
    second.join()


def test_a_place_is_free_again_after_a_failure_and_during_a_file(connection):
    def failing(environ: Any, start_response: Any) -> Iterable[bytes]:
        raise ZeroDivisionError

    receiving = Receiving(failing, places=1, most_bytes=MOST)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            receiving(environ(connection), None)
    file = File([b"x"])
    receiving = Receiving(application([], file), places=1, most_bytes=MOST)
    assert [receiving(environ(connection), None) for _ in range(2)] == [file, file]


def test_a_storm_of_programs_leaves_places_to_the_pages(connection):
    receiving = Receiving(application([]), places=4, most_bytes=MOST)
    at_door = environ(connection) | {"PATH_INFO": "/v1/x"}
    programs = [receiving(dict(at_door), None) for _ in range(2)]
    third = threading.Thread(target=lambda: closed(receiving(dict(at_door), None)), daemon=True)
    third.start()
    pages: list[Any] = []
    asking = threading.Thread(
        target=lambda: pages.extend(receiving(environ(connection), None) for _ in range(2)),
        daemon=True,
    )
    third.join(0.05)
    asking.start()
    asking.join(30)
    assert len(pages) == 2  # neither of them waits
    assert third.is_alive()
    closed(programs[0])
    closed(pages[0])
    third.join(30)
    assert not third.is_alive()
