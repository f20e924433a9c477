"""Bytes that are no request: answered in the envelope of the door, and not repeated."""

from http import HTTPStatus
from pathlib import Path

import pytest
from gunicorn.http.errors import InvalidResponseHeader

from dashboard.serving import unreadable
from routines.values import api_keys
from tests.server.product import Database, serving
from tests.server.test_fire_door import Raw, head

NOBODY_FIRES = "http://127.0.0.1:9"
SPOILT = {
    "a method in small letters": (lambda head: head.replace(b"POST", b"post", 1), 400),
    "an address that is too long": (lambda head: head.replace(b"/fire", b"x" * 9_000, 1), 414),
    "headers that are too long": (lambda head: head.replace(b"Host", b"X: " + b"x" * 9_000), 431),
    "no colon": (lambda head: head.replace(b"Authorization:", b"Authorization", 1), 400),
    "a control character": (lambda head: head.replace(b"Bearer", b"Bearer \x01", 1), 400),
    "two lengths": (lambda head: head.replace(b"Host", b"Content-Length: 1\r\nHost", 1), 400),
    "an expectation": (lambda head: head.replace(b"Host", b"Expect: tea\r\nHost", 1), 417),
}


def test_what_is_no_request_is_told_so_and_not_repeated(database: Database, tmp_path: Path):
    key = api_keys.make().reveal()
    with serving(database, NOBODY_FIRES, tmp_path, WEB_WORKERS="1") as product:
        for name, (spoil, status) in SPOILT.items():
            answer = Raw(product, spoil(head(key, "Content-Length: 2")) + b"{}")
            assert answer.status == status, name
            assert "Nothing was done or sent." in answer.message, name
            assert key not in answer.body.decode(), name
        said = product.log.read_text()
    assert said.count("Invalid request from ip=127.0.0.1") == len(SPOILT)
    assert key not in said


@pytest.mark.parametrize("failure", [RuntimeError("x"), InvalidResponseHeader("x")])
def test_what_breaks_outside_of_django_says_that_nothing_is_known(failure):
    problem = unreadable.problem_with(failure)
    assert problem.status == HTTPStatus.INTERNAL_SERVER_ERROR
    assert b'"type": "api_error"' in unreadable.answer(problem)
    assert "do not fire again" in problem.sentence
