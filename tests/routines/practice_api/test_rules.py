"""The practice API follows docs/fire-api.md to the letter: rule by rule, over a real socket.

So does the fire-compatible door, but for the differences that places.py lists.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from routines.practice_api import SPECIAL_ROUTINES, PracticeApi, PracticeServer
from routines.registry import header_versions
from routines.values import texts
from tests.routines.practice_api.places import ANSWERED_OTHERWISE, DIFFERS, Door, Practice

ROUTINE_ID = "trig_01Plain"


@pytest.fixture
def api() -> PracticeApi:
    return PracticeApi()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "place" in metafunc.fixturenames:
        door = pytest.param("door", marks=pytest.mark.django_db(transaction=True))
        places = ["practice"] if metafunc.function.__name__ in DIFFERS else ["practice", door]
        metafunc.parametrize("place", places, indirect=True)


@pytest.fixture
def place(
    request: pytest.FixtureRequest, api: PracticeApi, settings: Any
) -> Iterator[Practice | Door]:
    with PracticeServer(api) as server:
        if request.param == "practice":
            yield Practice(server.url, api)
        else:
            settings.CLAUDE_API_BASE_URL = server.url
            request.getfixturevalue("transactional_db")
            yield Door.at(request.getfixturevalue("live_server").url)


@pytest.fixture
def client(place: Practice | Door) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=place.url, trust_env=False) as client:
        yield client


@pytest.fixture
def fire(place: Practice | Door, client: httpx.Client) -> Any:
    """POST as documented; a header of None is left out."""

    def fire(
        routine_id: str = ROUTINE_ID, *, method: str = "POST", body: object = None, **headers: Any
    ) -> httpx.Response:
        sent = {
            "authorization": f"Bearer {place.token_for(routine_id)}",
            "anthropic-version": "2023-06-01",
            "anthropic-beta": "experimental-cc-routine-2026-04-01",
            "content-type": None if body is None else "application/json",
        }
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        return client.request(
            method,
            f"/v1/claude_code/routines/{routine_id}/fire",
            headers={name: value for name, value in sent.items() if value is not None},
            content=body,
        )

    return fire


def assert_refused(
    response: httpx.Response, status: int, error_type: str, message: str = ""
) -> None:
    """The documented envelope, whole, with its request ID in header and body."""
    content = response.json()
    content.pop("run", None)  # which the door adds
    assert response.status_code == status
    assert response.headers["content-type"] == "application/json"
    assert content == {
        "type": "error",
        "error": {"type": error_type, "message": content["error"]["message"]},
        "request_id": response.headers["request-id"],
    }
    assert re.fullmatch(r"req_\w+", content["request_id"])
    assert message in content["error"]["message"]


# --- The answer ---


def test_a_fire_is_answered_by_a_session(api, fire):
    response = fire(body={"text": "hello"})
    content = response.json()
    assert response.status_code == 200
    assert set(content) == {"type", "claude_code_session_id", "claude_code_session_url"}
    assert content["type"] == "routine_fire"
    assert re.fullmatch(r"session_01[0-9A-Z]{22}", content["claude_code_session_id"])
    assert content["claude_code_session_url"] == (
        f"https://claude.ai/code/{content['claude_code_session_id']}"
    )
    [session] = api.sessions
    assert session.session_id == content["claude_code_session_id"]
    assert (session.routine_id, session.text) == (ROUTINE_ID, "hello")


def test_every_answer_has_a_request_id(fire):
    assert re.fullmatch(r"req_\w+", fire().headers["request-id"])


def test_a_session_knows_the_request_id_of_its_answer(api, fire):
    response = fire()
    assert api.sessions[0].request_id == response.headers["request-id"]


def test_there_is_no_idempotency_each_request_makes_a_session(api, fire):
    answers = [fire(body={"text": "same"}) for _ in range(3)]
    assert len({one.json()["claude_code_session_id"] for one in answers}) == 3
    assert len({one.headers["request-id"] for one in answers}) == 3
    assert (api.requests, len(api.sessions)) == (3, 3)


# --- The body and its text ---


def test_the_body_is_optional(api, fire):
    assert fire().status_code == 200
    assert api.sessions[0].text == ""


def test_the_text_is_optional_and_unknown_fields_are_ignored(api, fire):
    assert fire(body={}).status_code == 200
    assert fire(body={"text": "known", "priority": 1}).status_code == 200
    assert [session.text for session in api.sessions] == ["", "known"]


def test_the_text_is_not_parsed(api, fire):
    dumped = json.dumps({"alert": "SEN-4521", "text": "not this"})
    fire(body={"text": dumped})
    assert api.sessions[0].text == dumped


@pytest.mark.parametrize("character", ["x", "é", "🚀", "\n"])
def test_a_text_of_65536_characters_is_taken_and_not_one_more(api, fire, character):
    assert fire(body={"text": character * 65_536}).status_code == 200
    refused = fire(body={"text": character * 65_537})
    assert_refused(refused, 400, "invalid_request_error", "at most 65536 characters")
    assert [len(session.text) for session in api.sessions] == [texts.MAX_CHARACTERS]


@pytest.mark.parametrize("text", [None, 7, True, ["a"], {"a": 1}], ids=repr)
def test_a_text_that_is_no_string_is_refused(api, fire, text):
    assert_refused(fire(body={"text": text}), 400, "invalid_request_error", "valid string")
    assert api.sessions == []


@pytest.mark.parametrize(
    "body",
    [b"text=hello", b'{"text": "cut of', b"[1]", b'"text"', b"\xff\xfe", b"[" * 100_000],
    ids=["a form", "cut off", "a list", "a string", "no UTF-8", "deeply nested"],
)
def test_a_body_that_is_no_json_object_is_refused(api, fire, body):
    message = "could not parse request body as JSON"
    assert_refused(fire(body=body), 400, "invalid_request_error", message)
    assert api.sessions == []


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        (None, 400),
        ("text/plain", 400),
        ("application/json", 200),
        ("Application/JSON; charset=utf-8", 200),
    ],
)
def test_a_body_is_application_json(fire, content_type, status):
    assert fire(body={"text": "x"}, content_type=content_type).status_code == status


# --- The headers ---


def test_the_api_version_is_required(api, fire):
    message = "anthropic-version: header is required"
    assert_refused(fire(anthropic_version=None), 400, "invalid_request_error", message)
    assert api.sessions == []


@pytest.mark.parametrize("version", ["", "2023-01-01", "2023-06-01, 2023-06-01"])
def test_another_api_version_is_refused(api, fire, version):
    assert_refused(
        fire(anthropic_version=version), 400, "invalid_request_error", "is not a version"
    )
    assert api.sessions == []


def test_a_request_without_a_beta_version_works(fire):
    assert fire(anthropic_beta=None).status_code == 200


def test_a_beta_version_that_nobody_knows_is_refused(api, fire):
    refused = fire(anthropic_beta="experimental-cc-routine-1999-01-01")
    assert_refused(refused, 400, "invalid_request_error", "for anthropic-beta")
    assert api.sessions == []


def test_older_documentation_the_beta_version_is_required(api, fire):
    api.require_beta = True
    assert_refused(fire(anthropic_beta=None), 400, "invalid_request_error", "anthropic-beta")
    assert fire().status_code == 200


def test_previous_beta_versions_keep_working(fire, api):
    newer = "experimental-cc-routine-2026-08-01"
    api.known_betas = {header_versions.BETA_VERSION, newer}
    assert [fire(anthropic_beta=beta).status_code for beta in sorted(api.known_betas)] == [200, 200]


# --- The token ---


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer sk-ant-oat01-somebody-elses",
        "{token}",
        "Basic {token}",
        "Bearer {token}x",
    ],
)
def test_only_the_routines_own_token_fires_it(api, place, fire, authorization):
    if authorization is not None:
        authorization = authorization.format(token=place.token_for(ROUTINE_ID))
    assert_refused(fire(authorization=authorization), 401, "authentication_error")
    assert api.sessions == []


def test_another_routines_token_does_not_fire_it(api, fire):
    other = api.token_for("trig_01Other")
    assert_refused(fire(authorization=f"Bearer {other}"), 401, "authentication_error")
    assert api.sessions == []


def test_a_regenerated_token_kills_the_old_one_at_once(api, fire):
    old = api.token_for(ROUTINE_ID)
    new = api.regenerate(ROUTINE_ID)
    assert_refused(fire(authorization=f"Bearer {old}"), 401, "authentication_error")
    assert fire(authorization=f"Bearer {new}").status_code == 200


def test_a_revoked_token_has_no_replacement_until_one_is_generated(api, fire):
    api.revoke(ROUTINE_ID)
    assert_refused(fire(), 401, "authentication_error")
    api.regenerate(ROUTINE_ID)
    assert fire().status_code == 200


def test_a_token_is_of_its_routine_alone_and_the_same_in_every_process(api):
    assert api.token_for("trig_a") == PracticeApi().token_for("trig_a")
    assert api.token_for("trig_a") != api.token_for("trig_b")
    api.regenerate("trig_a")
    assert api.token_for("trig_a") != PracticeApi().token_for("trig_a")
    assert api.token_for("trig_b") == PracticeApi().token_for("trig_b")


# --- The address ---


@pytest.mark.parametrize("routine_id", ["routine_01Plain", "trig_", "trig_a.b", "trig_a%0A", "x"])
def test_what_is_no_routine_id_is_no_routine(api, fire, routine_id):
    assert_refused(fire(routine_id), 404, "not_found_error")
    assert api.sessions == []


@pytest.mark.parametrize(
    "path",
    [
        "/v1/claude_code/routines/trig_a",
        "/v1/claude_code/routines/trig_a/fire/",
        "/v1/claude_code/routines//fire",
        "/v1/messages",
    ],
)
def test_another_path_is_not_found(place, client, path):
    headers = {"Authorization": f"Bearer {place.token_for('trig_a')}"}
    assert_refused(client.post(path, headers=headers), 404, "not_found_error")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_another_method_is_refused(api, fire, method):
    refused = fire(method=method)
    assert_refused(refused, 405, "invalid_request_error")
    assert refused.headers["allow"] == "POST"
    assert api.sessions == []


# --- The routines that answer otherwise ---

REFUSING = {
    "trig_practice_paused": (400, "invalid_request_error", "paused"),
    "trig_practice_401": (401, "authentication_error", ""),
    "trig_practice_403": (403, "permission_error", ""),
    "trig_practice_404": (404, "not_found_error", ""),
    "trig_practice_429": (429, "rate_limit_error", ""),
    "trig_practice_429_date": (429, "rate_limit_error", ""),
    "trig_practice_429_bare": (429, "rate_limit_error", ""),
    "trig_practice_500": (500, "api_error", ""),
    "trig_practice_503": (503, "overloaded_error", ""),
    "trig_practice_529": (529, "overloaded_error", ""),
}


@pytest.mark.parametrize(("routine_id", "refusal"), REFUSING.items(), ids=REFUSING)
def test_a_special_routine_gives_its_documented_error(api, place, fire, routine_id, refusal):
    status, error_type, message = refusal
    if place.is_door:
        status, error_type, _ = ANSWERED_OTHERWISE.get(routine_id, refusal)
    assert_refused(fire(routine_id), status, error_type, message)
    assert api.sessions == []


def test_a_special_routine_still_wants_a_good_request(fire):
    assert fire("trig_practice_503", authorization="Bearer x").status_code == 401
    assert fire("trig_practice_503", body=b"nonsense").status_code == 400


def test_a_special_routine_still_wants_its_versions(fire):
    assert fire("trig_practice_503", anthropic_version=None).status_code == 400


def test_a_limit_says_when_it_resets_in_seconds_as_a_date_or_not_at_all(fire):
    assert fire("trig_practice_429").headers["retry-after"] == "120"
    date = parsedate_to_datetime(fire("trig_practice_429_date").headers["retry-after"])
    assert timedelta(seconds=90) < date - datetime.now(UTC) <= timedelta(seconds=120)
    assert "retry-after" not in fire("trig_practice_429_bare").headers


def test_a_proxys_challenge_is_a_page_and_no_envelope(api, fire):
    page = fire("trig_practice_403_html")
    assert page.status_code == 403
    assert page.headers["content-type"].startswith("text/html")
    assert page.text.startswith("<!doctype html>")
    assert api.sessions == []


def test_a_hanging_routine_gives_no_answer_and_makes_no_session(api, client, fire):
    client.timeout = httpx.Timeout(0.2)
    with pytest.raises(httpx.ReadTimeout):
        fire("trig_practice_hang")
    assert (api.requests, api.sessions) == (1, [])


def test_a_slow_routine_makes_its_session_before_it_answers(api, client, fire):
    client.timeout = httpx.Timeout(0.2)
    with pytest.raises(httpx.ReadTimeout):
        fire("trig_practice_slow")
    assert [session.routine_id for session in api.sessions] == ["trig_practice_slow"]


def test_every_special_routine_is_tested_here():
    here = {*REFUSING, "trig_practice_403_html", "trig_practice_hang", "trig_practice_slow"}
    assert here == set(SPECIAL_ROUTINES)
