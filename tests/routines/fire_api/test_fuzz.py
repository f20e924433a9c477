"""Generated answers through the real client on a real socket: each ends in exactly one Answer."""

import base64
import gzip
import json
import threading
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from routines import fire_api
from routines.fire_api import Answer
from routines.registry import header_versions
from routines.values.reasons import MEANINGS, Reason, State
from routines.values.tokens import Token
from tests.effort import examples
from tests.hostile import OK, SESSION, HostileServer, Step, Visit, answer, in_turn, says

PLAIN = "sk-ant-oat01-Fuzz9s~test.token_of-this-routine-AbCdEf0123456789"
LONGEST = {
    "error_type": 100,
    "error_message": 2_000,
    "request_id": 200,
    "session_id": 200,
    "session_url": 2_000,
}

# --- What an endpoint might say ---

echoes = st.sampled_from(
    [PLAIN, PLAIN[20:32], PLAIN.upper(), PLAIN.encode().hex(), PLAIN[13:]]
    + [base64.b64encode(b"x" * offset + PLAIN.encode()).decode() for offset in range(3)]
)
any_text = st.text(
    st.characters(codec=None) | st.sampled_from('\x00\ud800\udfff\u202e"<{&'), max_size=30
)
texts = any_text | st.builds("{}{}{}".format, any_text, echoes, any_text)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
errors = st.fixed_dictionaries(
    {"type": st.just("error") | json_values},
    optional={
        "error": json_values
        | st.fixed_dictionaries(
            {}, optional={"type": texts | json_values, "message": texts | json_values}
        ),
        "request_id": texts | json_values,
    },
)
sessions = st.fixed_dictionaries(
    {},
    optional={
        "type": st.just("routine_fire") | json_values,
        "claude_code_session_id": texts | json_values,
        "claude_code_session_url": texts
        | json_values
        | st.builds("https://claude.ai/code/{}".format, texts),
    },
)
documents = st.one_of(json_values, errors, sessions, st.just(SESSION))


def dumped(document: object, encoding: str) -> bytes:
    return json.dumps(document).encode(encoding)


bodies = st.one_of(
    st.binary(max_size=300),
    texts.map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.builds(dumped, documents, st.sampled_from(["utf-8", "utf-8", "utf-16", "utf-32-be"])),
    st.builds(dumped, documents, st.just("utf-8")).map(gzip.compress),
    st.sampled_from([b"[" * 20_000, b" " * 100_000, b"x" * 70_000]),
)

statuses = st.sampled_from([200, 400, 401, 403, 404, 429, 500, 503, 529]) | st.integers(100, 999)
header_values = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=20) | echoes
headers = st.dictionaries(
    st.sampled_from(
        [
            "request-id",
            "Retry-After",
            "Content-Encoding",
            "Content-Type",
            "Location",
            "Set-Cookie",
            "Connection",
            "Transfer-Encoding",
            "Content-Length",
            "X-Other",
        ]
    ),
    header_values
    | st.sampled_from(["gzip", "deflate", "chunked", "close", "0", "7", "-1", "9999999", "/"]),
    max_size=4,
)
whole_answers = st.builds(
    answer, statuses, bodies, headers, reason=st.just("Whatever") | st.just("")
)


@st.composite
def wires(draw: st.DrawFn) -> list[bytes]:
    """The bytes of an answer, perhaps cut short or damaged, in one or more parts."""
    content = draw(whole_answers | st.binary(max_size=100))
    if draw(st.integers(0, 3)) == 0:
        content = content[: draw(st.integers(0, len(content)))]
    if content and draw(st.integers(0, 5)) == 0:
        at = draw(st.integers(0, min(len(content) - 1, 200)))
        content = content[:at] + draw(st.binary(min_size=1, max_size=3)) + content[at + 1 :]
    cuts = sorted(draw(st.lists(st.integers(0, len(content)), max_size=3)))
    return [content[a:b] for a, b in zip([0, *cuts], [*cuts, len(content)], strict=True)]


ends = st.sampled_from([Visit.close, Visit.close, Visit.reset])


# --- What must come of it ---


@pytest.fixture(scope="module")
def server() -> Iterator[HostileServer]:
    with HostileServer() as server:
        yield server


@settings(
    max_examples=examples(500),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(parts=wires(), end=ends)
@example(parts=[OK], end=Visit.close)
@example(parts=[], end=Visit.reset)
def test_whatever_comes_ends_in_one_answer(
    server: HostileServer, caplog: pytest.LogCaptureFixture, parts: list[bytes], end: Step
):
    ended = threading.Event()
    server.steps = [in_turn(says(*parts), end, lambda _: ended.set())]
    before = server.requests
    result = fire_api.fire(
        base_url=server.url,
        routine_id="trig_1",
        token=Token(PLAIN),
        beta_version=header_versions.BETA_VERSION,
        api_version=header_versions.API_VERSION,
        text="hello",
        timeout=60,  # each of these endings is seen at once
    )
    assert ended.wait(60)  # so that the next fire finds this connection closed
    assert server.requests == before + 1
    assert type(result) is Answer
    assert result.state in (State.STARTED, State.REFUSED, State.UNKNOWN)
    assert MEANINGS[result.reason].state == result.state
    if result.reason == Reason.SESSION_CREATED:
        assert result.session_url.startswith("https://claude.ai/")
    for field, longest in LONGEST.items():
        assert_storable(getattr(result, field), longest)
    assert result.http_status is None or 100 <= result.http_status <= 999
    assert_no_token(repr(result) + caplog.text)


def assert_storable(value: str, longest: int) -> None:
    value.encode()  # fails for half a surrogate pair
    assert "\x00" not in value
    assert len(value) <= longest


def assert_no_token(text: str) -> None:
    text = text.lower()
    twelves = [PLAIN[at : at + 12] for at in range(13, len(PLAIN) - 11)]
    for echo in (*twelves, *(twelve.encode().hex() for twelve in twelves)):
        assert echo.lower() not in text
    for offset in range(3):
        # Two characters in from each side, where the neighbours' bits have no say.
        encoded = base64.b64encode(b"x" * offset + PLAIN.encode()).decode().rstrip("=")
        assert encoded[4:-2].lower() not in text
