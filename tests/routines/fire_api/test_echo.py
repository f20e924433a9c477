"""The token that the endpoint repeats is removed from whatever is kept."""

import base64
from collections.abc import Callable
from urllib.parse import quote

import pytest

from routines.fire_api import Answer
from routines.values.reasons import Reason
from routines.values.redaction import MESSAGE_REMOVED
from routines.values.tokens import Token
from tests.hostile import SESSION_ID, SESSION_URL, HostileServer, answer, envelope, says
from tests.routines.fire_api.asking import PLAIN, fire, fire_at
from tests.token_spellings import SPELLINGS


def base64_of(prefix: bytes) -> str:
    return base64.b64encode(prefix + PLAIN.encode() + b" and more").decode()


ECHOES = {
    "plain": PLAIN,
    "without its prefix": PLAIN.removeprefix("sk-ant-oat01-"),
    "in capitals": PLAIN.upper(),
    "percent-encoded": quote(PLAIN, safe=""),
    "percent-encoded twice": quote(quote(PLAIN, safe=""), safe=""),
    "every byte percent-encoded": "".join(f"%{byte:02X}" for byte in PLAIN.encode()),
    "hexadecimal": PLAIN.encode().hex(),
    "HTML, decimal": "".join(f"&#{byte};" for byte in PLAIN.encode()),
    "HTML, hexadecimal": "".join(f"&#x{byte:X};" for byte in PLAIN.encode()),
    "JSON escapes": "".join(f"\\u{byte:04x}" for byte in PLAIN.encode()),
    "JSON with escaped slashes": PLAIN.replace("/", "\\/"),
    "byte escapes": "".join(f"\\x{byte:02x}" for byte in PLAIN.encode()),
    "base64": base64.b64encode(PLAIN.encode()).decode(),
    "base64 at offset 0": base64_of(b"Bearer 12"),
    "base64 at offset 1": base64_of(b"Bearer "),
    "base64 at offset 2": base64_of(b"Bearer 1"),
    "base64 for URLs": base64.urlsafe_b64encode(PLAIN.encode()).decode(),
    "letters apart, as misread UTF-16": "\x00".join(PLAIN),
}


def texts_of(result: Answer) -> list[str]:
    return [
        result.error_type,
        result.error_message,
        result.request_id,
        result.session_id,
        result.session_url,
    ]


def assert_nothing_of_the_token_in(result: Answer, echo: str) -> None:
    """Not the echo, nor any stretch of it that would give a part of the token away."""
    visible = " ".join(texts_of(result)).replace("\ufffd", "").lower()
    echo = echo.replace("\x00", "").lower()
    third = len(echo) // 3
    pieces = [echo[at : at + third] for at in range(0, len(echo) - third, 4)]
    assert [piece for piece in pieces if piece in visible] == []


@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
def test_a_token_repeated_in_the_envelope_is_removed(echo: str):
    body = envelope(echo, f"Bad header: Bearer {echo}!", request_id=echo)
    printable = {} if "\x00" in echo else {"request-id": f"req {echo}"}
    result = fire_at(says(answer(400, body, printable)))
    assert "[token removed]" in result.error_message
    assert_nothing_of_the_token_in(result, echo)


@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
def test_a_token_repeated_in_a_session_is_removed(echo: str):
    session = {
        "claude_code_session_id": echo,
        "claude_code_session_url": f"https://claude.ai/code/{echo}",
    }
    result = fire_at(says(answer(200, session)))
    assert "[token removed]" in result.session_url
    assert_nothing_of_the_token_in(result, echo)


@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
def test_a_token_repeated_in_a_page_is_removed(echo: str):
    page = f"<pre>Authorization: Bearer {echo}</pre>".encode()
    result = fire_at(says(answer(502, page)))
    assert "[token removed]" in result.error_message
    assert_nothing_of_the_token_in(result, echo)


@pytest.mark.parametrize("spelled", SPELLINGS.values(), ids=SPELLINGS)
def test_a_token_in_another_spelling_is_in_nothing_that_is_kept(spelled: Callable[[str], str]):
    echo = spelled(PLAIN)
    session = {"claude_code_session_id": echo, "claude_code_session_url": f"https://x/{echo}"}
    header = {"request-id": f"req_{echo}"} if echo.isprintable() and echo.isascii() else {}
    body = envelope(f"error {echo}", f"Refused: {echo}", request_id=echo) | session
    result = fire_at(says(answer(400, body, header)))
    assert set(texts_of(result)) <= {MESSAGE_REMOVED, "req_hostile"}


def test_a_token_that_is_spread_over_an_answer_is_in_nothing_that_is_kept():
    body = PLAIN.removeprefix("sk-ant-oat01-")
    pieces = [body[at : at + 9] for at in range(0, 36, 9)]
    told = {"error": {"type": pieces[0], "message": pieces[1]}, "request_id": pieces[2]}
    result = fire_at(says(answer(400, told | {"claude_code_session_id": pieces[3]})))
    assert texts_of(result) == ["", MESSAGE_REMOVED, "", "", ""]
    assert result.reason == Reason.SESSION_NAMED
    # What is surely a session's name stays: a session exists, and only this leads to it.
    pieces[1] = body[9:18] + " and " + body[18:36]
    told = {"error": {"type": pieces[0], "message": pieces[1]}, "request_id": pieces[2]}
    result = fire_at(says(answer(400, told | {"claude_code_session_id": SESSION_ID})))
    assert MESSAGE_REMOVED in result.error_message
    assert result.session_id == SESSION_ID


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_a_token_repeated_in_a_page_of_another_encoding_is_removed(encoding: str):
    page = f"<pre>Bearer {PLAIN}</pre>".encode(encoding)
    assert_nothing_of_the_token_in(fire_at(says(answer(502, page))), PLAIN)


@pytest.mark.parametrize("before", [1_940, 1_960, 1_990, 1_999])
def test_a_token_across_the_cut_leaves_no_piece(before: int):
    result = fire_at(says(answer(500, envelope("api_error", "m" * before + PLAIN))))
    assert_nothing_of_the_token_in(result, PLAIN)
    assert "sk-ant" not in result.error_message


def test_the_reason_is_known_though_nothing_of_the_message_is_kept():
    message = f"The routine of {PLAIN} is paused."
    result = fire_at(says(answer(400, envelope("invalid_request_error", message))))
    assert (result.reason, result.error_message) == (Reason.PAUSED, MESSAGE_REMOVED)


def test_the_token_of_another_routine_is_removed_too():
    other = "sk-ant-oat01-somebody-elses-token"
    assert "somebody" not in fire_at(says(answer(500, other.encode()))).error_message


def test_a_very_short_token_does_not_garble_the_session():
    with HostileServer() as server:
        result = fire(server.url, token=Token("sk-ant-oat01-1"))
    assert (result.reason, result.session_url) == (Reason.SESSION_CREATED, SESSION_URL)
