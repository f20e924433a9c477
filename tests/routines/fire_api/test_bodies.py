"""Bodies that are none, odd, huge, compressed or broken off, and heads that are no HTTP."""

import gzip
import json
import time
import zlib

import pytest

from routines.fire_api import Answer
from routines.values.reasons import Reason, State
from tests.hostile import (
    OK,
    SESSION,
    SESSION_ID,
    SESSION_URL,
    HostileServer,
    answer,
    envelope,
    gzip_bomb,
    in_turn,
    pours,
    says,
    says_and_closes,
    says_and_hangs,
    says_and_resets,
)
from tests.routines.fire_api.asking import CHUNKED, SOON, fire, fire_at

# --- Bodies ---

BODIES = {
    "empty": b"",
    "not JSON": b"<!doctype html><h1>Welcome</h1>",
    "cut off": b'{"type": "routine_fire", "claude_code_session',
    "number": b"7",
    "null": b"null",
    "other object": b'{"ok": true}',
    "number too long to read": b'{"a": ' + b"9" * 5_000 + b"}",
    "deeply nested": b"[" * 30_000,
    "deeply nested objects": b'{"a":' * 10_000,
    "UTF-16 without sense": "\ud800".encode("utf-16-le", "surrogatepass") * 20,
    "Latin-1": '{"claude_code_session_id": "é"}'.encode("latin-1"),
    "wrong types": b'{"claude_code_session_id": 7, "claude_code_session_url": ["https://x"]}',
    "null fields": b'{"claude_code_session_id": null, "claude_code_session_url": null}',
    "error in a 200": json.dumps(envelope("api_error", "Oops")).encode(),
    "error of another type": b'{"type": "error", "error": "Oops"}',
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_200_that_names_no_session_is_unknown(body: bytes):
    result = fire_at(says(answer(200, body)))
    assert (result.reason, result.http_status) == (Reason.UNREADABLE_ANSWER, 200)
    assert (result.session_id, result.session_url) == ("", "")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
def test_json_in_another_unicode_encoding_is_read(encoding: str):
    body = json.dumps(SESSION).encode(encoding)
    headers = {"Content-Type": "application/json; charset=no-such-charset"}
    assert fire_at(says(answer(200, body, headers))).reason == Reason.SESSION_CREATED


@pytest.mark.parametrize(
    "url",
    [
        *("http://claude.ai/code/session_1", "https://claude.ai.evil.example/code/session_1"),
        *("https://claude.ai@evil.example/", "javascript:alert(1)", "", "https://claude.ai/a b"),
    ],
)
def test_a_session_with_an_unsafe_url_is_started_and_kept_as_it_came(url: str):
    result = fire_at(says(answer(200, SESSION | {"claude_code_session_url": url})))
    assert (result.reason, result.session_id) == (Reason.ODD_SESSION_URL, SESSION_ID)
    assert result.session_url == url


def test_a_session_url_without_an_id_is_a_start():
    result = fire_at(says(answer(200, {"claude_code_session_url": SESSION_URL})))
    assert (result.reason, result.session_id) == (Reason.SESSION_CREATED, "")


def test_nul_and_lone_surrogates_are_replaced():
    body = rb'{"type":"error","error":{"type":"a\u0000b","message":"x\ud800y\u0000z\udfff"}}'
    result = fire_at(says(answer(500, body)))
    assert (result.error_type, result.error_message) == ("a\ufffdb", "x\ufffdy\ufffdz\ufffd")


def test_long_fields_are_cut_to_what_is_kept():
    body = envelope("t" * 5_000, "m" * 5_000, request_id="r" * 5_000)
    result = fire_at(says(answer(500, body, {"request-id": "r" * 5_000})))
    assert len(result.error_type) == 100
    assert len(result.error_message) == 2_000
    assert len(result.request_id) == 200


@pytest.mark.parametrize("status", [200, 500])
def test_a_gigantic_body_is_read_up_to_the_cap(status: int):
    result = fire_at(says(answer(status, b'{"a": "' + b"x" * 3_000_000 + b'"}')))
    assert result.state == State.UNKNOWN
    assert len(result.error_message) <= 500


def test_an_endless_body_ends():
    head = b"HTTP/1.1 200 OK\r\n\r\n"
    started = time.monotonic()
    result = fire_at(pours(b"x" * 10_000, after=head), timeout=10)
    assert result.reason == Reason.UNREADABLE_ANSWER
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", " GZIP "])
def test_a_compressed_answer_is_opened_though_none_was_asked_for(encoding: str):
    body = gzip.compress(json.dumps(SESSION).encode())
    result = fire_at(says(answer(200, body, {"Content-Encoding": encoding})))
    assert result.reason == Reason.SESSION_CREATED


def test_a_deflated_answer_is_opened():
    body = zlib.compress(json.dumps(SESSION).encode())
    result = fire_at(says(answer(200, body, {"Content-Encoding": "deflate"})))
    assert result.reason == Reason.SESSION_CREATED


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "zstd", "nonsense"])
def test_an_encoding_that_we_do_not_open_is_unknown(encoding: str):
    body = gzip.compress(b"{}")
    result = fire_at(says(answer(200, body, {"Content-Encoding": encoding})))
    assert result.reason == Reason.UNREADABLE_ANSWER


def test_gzip_that_is_none_is_unknown():
    result = fire_at(says(answer(200, b"not gzip", {"Content-Encoding": "gzip"})))
    assert result.reason == Reason.UNREADABLE_ANSWER


def test_a_gzip_bomb_is_opened_up_to_the_cap():
    bomb = answer(200, gzip_bomb(), {"Content-Encoding": "gzip"})
    assert fire_at(says(bomb)).reason == Reason.UNREADABLE_ANSWER


def test_endless_gzip_that_holds_nothing_ends_at_the_cap():
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"
    opening = zlib.compressobj(wbits=31)
    start = opening.compress(b"x") + opening.flush(zlib.Z_SYNC_FLUSH)
    empty_blocks = b"\x00\x00\x00\xff\xff" * 2_000
    began = time.monotonic()
    result = fire_at(pours(empty_blocks, after=head + start), timeout=10)
    assert result.reason == Reason.UNREADABLE_ANSWER
    assert time.monotonic() - began < 5


def test_a_chunked_answer_is_read():
    body = json.dumps(SESSION).encode()
    chunk = b"%x\r\n%b\r\n" % (len(body), body)
    assert fire_at(says(CHUNKED + chunk + b"0\r\n\r\n")).reason == Reason.SESSION_CREATED


def test_broken_chunks_after_a_whole_session_do_not_lose_it():
    body = json.dumps(SESSION).encode()
    chunk = b"%x\r\n%b\r\n" % (len(body), body)
    assert fire_at(says_and_closes(CHUNKED + chunk, b"zz\r\n")).session_id == SESSION_ID


@pytest.mark.parametrize("end", [says_and_closes, says_and_resets, says_and_hangs])
def test_a_partial_body_that_holds_the_whole_session_is_a_start(end):
    sent = answer(200, json.dumps(SESSION).encode(), {"Content-Length": "5000"})
    # A pause: a reset must not overtake the answer.
    with HostileServer(in_turn(says(sent), lambda _: time.sleep(0.1), end())) as server:
        result = fire(server.url, timeout=SOON)
        assert (result.reason, server.requests) == (Reason.SESSION_CREATED, 1)


# --- Odd heads ---

BROKEN_HEADS = {
    "not HTTP": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "no status": b"HTTP/1.1\r\n\r\n",
    "status of letters": b"HTTP/1.1 abc OK\r\n\r\n",
    "status of five digits": b"HTTP/1.1 20000 OK\r\n\r\n",
    "negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "length of letters": b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "NUL in a header": b"HTTP/1.1 200 OK\r\nx: a\x00b\r\n\r\n",
    "endless header": b"HTTP/1.1 200 OK\r\nx: " + b"x" * 300_000 + b"\r\n\r\n",
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "nothing": b"",
    "garbage": bytes(range(256)),
}


@pytest.mark.parametrize("head", BROKEN_HEADS.values(), ids=BROKEN_HEADS)
def test_a_head_that_is_no_http_is_unknown(head: bytes):
    assert fire_at(says_and_closes(head)) == Answer(Reason.CONNECTION_LOST)


def test_headers_that_are_not_ascii_are_no_trouble():
    result = fire_at(says(answer(200, SESSION, {"request-id": "r\xe9q", "X": "\xff\xfe"})))
    assert (result.reason, result.request_id) == (Reason.SESSION_CREATED, "réq")


def test_an_interim_answer_is_passed_over():
    assert fire_at(says(b"HTTP/1.1 100 Continue\r\n\r\n", OK)).reason == Reason.SESSION_CREATED


def test_an_early_hint_is_passed_over():
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    assert fire_at(says(hints, OK)).reason == Reason.SESSION_CREATED


def test_an_upgrade_to_another_protocol_is_unknown():
    sent = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
    assert fire_at(says_and_closes(sent)).state == State.UNKNOWN
