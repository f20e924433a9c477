"""The headers of a call: whose it is, which intent it is of, how long it waits."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from dashboard.connect import snippets
from dashboard.doors import preferences
from routines.callers import idempotency
from routines.models import ApiKey, Run
from routines.values.reasons import State
from tests.dashboard.fire_door.calling import SENT, fire, message
from tests.factories import create_key_and_secret, create_routine

pytestmark = pytest.mark.django_db


@pytest.fixture
def routine():
    return create_routine()


@pytest.fixture
def key(routine):
    return create_key_and_secret(routine)[1]


# --- Authorization ---


@pytest.mark.parametrize("spelled", ["Bearer {}", "bearer {}", "BEARER  {} ", "Bearer   {}"])
def test_the_key_is_found_however_the_header_is_spelled(practice, routine, key, spelled):
    assert fire(key, routine, Authorization=spelled.format(key)).status_code == 200


@pytest.mark.parametrize(
    "spelled", ["{}", "Basic {}", "Bearer{}", "Bearer {},Bearer {}", "Bearer {}.", "Bearer x{}", ""]
)
def test_anything_else_is_no_key(practice, routine, key, spelled):
    answer = fire(key, routine, Authorization=spelled.format(key, key))
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert key not in message(answer)
    assert practice.requests == 0


REFUSALS = {
    "revoked": ({"revoked_at": timezone.now()}, 401, "was revoked"),
    "expired": ({"expires_at": timezone.now()}, 401, "has expired"),
    "another network": ({"networks": ["192.0.2.0/24"]}, 403, "network address"),
}


@pytest.mark.parametrize(("values", "status", "said"), REFUSALS.values(), ids=REFUSALS)
def test_a_key_that_may_not_be_used_is_told_why(practice, routine, key, values, status, said):
    ApiKey.objects.update(**values)
    answer = fire(key, routine, {"text": SENT})
    assert answer.status_code == status
    assert said in message(answer)
    assert practice.requests == 0


def test_a_key_works_until_the_moment_it_expires(practice, routine):
    ends = timezone.now().replace(microsecond=0)
    _, key = create_key_and_secret(routine, expires_at=ends)
    with time_machine.travel(ends - timedelta(seconds=1), tick=False):
        assert fire(key, routine).status_code == 200
    with time_machine.travel(ends, tick=False):
        assert fire(key, routine).status_code == 401


# --- What there is to learn ---


def test_without_a_key_nobody_learns_anything(practice, routine, client):
    """Neither methods nor addresses nor what is wrong with a body."""
    for method in ("GET", "HEAD", "OPTIONS", "POST", "PUT"):
        for reference in (routine.routine_id, "trig_none", "none/x", "%00"):
            answer = fire("rdk_wrong", reference, b"nonsense", method=method, client=client)
            assert answer.status_code == 401, (method, reference)
    assert practice.requests == 0


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE"])
def test_only_post_fires(practice, routine, key, method):
    answer = fire(key, routine, {"text": SENT}, method=method)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert (practice.requests, Run.objects.count()) == (0, 0)


def test_an_unknown_routine_and_a_forbidden_one_are_the_same(practice, key):
    forbidden = create_routine()
    fire(key, "trig_warm_up")  # the use of the key is noted
    with CaptureQueriesContext(connection) as first:
        unknown = fire(key, "trig_none").json()
    with CaptureQueriesContext(connection) as second:
        closed = fire(key, forbidden).json()
    for answer in (unknown, closed):
        del answer["request_id"]
    assert unknown == closed
    assert [_shape(one["sql"]) for one in first] == [_shape(one["sql"]) for one in second]


def _shape(sql: str) -> str:
    return re.sub(r"\bs\d+_x\d+|'[^']*'", "", sql.partition(" WHERE ")[0])


@pytest.mark.parametrize("reference", ["%00", "trig_%00", "a%0Ab", "%FF", "x" * 3_000, "%E2%80%AE"])
def test_an_odd_reference_is_no_routine(practice, key, reference):
    assert fire(key, reference).status_code == 404


def test_a_name_cannot_pass_itself_off_as_another_routines_id(practice):
    mine, other = create_routine(name="trig_other"), create_routine(routine_id="trig_other")
    _, key = create_key_and_secret(mine)
    assert mine.slug == other.routine_id
    assert fire(key, "trig_other").status_code == 404
    assert fire(key, snippets.address_of(mine).split("/")[-2]).status_code == 200
    assert Run.objects.get().routine == mine


def test_other_addresses_below_v1_are_not_found(key, client):
    headers = {"Authorization": f"Bearer {key}"}
    for path in ("/v1", "/v1/", "/v1/messages", "/v1/claude_code/routines/x/fire/"):
        for method in ("GET", "POST", "DELETE"):
            answer = client.generic(method, path, headers=headers)
            assert (answer.status_code, answer.json()["error"]["type"]) == (404, "not_found_error")
            assert client.generic(method, path).status_code == 401


# --- Idempotency-Key ---


@pytest.mark.parametrize(
    ("header", "read"),
    [
        ("a", "a"),
        (" a ", "a"),
        ('"a"', "a"),
        ('"a, b"', "a, b"),
        ('"a\\"\\\\b"', 'a"\\b'),
        ("'a'", "'a'"),
        ("x" * 255, "x" * 255),
        ('"' + "x" * 255 + '"', "x" * 255),
    ],
)
def test_an_idempotency_key_is_bare_or_quoted(header, read):
    assert idempotency.read(header) == read


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("", "is empty"),
        ("  ", "is empty"),
        ('""', "is empty"),
        ('" "', "is empty"),
        ("x" * 256, "256 characters long"),
        ("é", "ASCII"),
        ("a\tb", "ASCII"),  # and not the key "a?b"
        ("a\xa0", "ASCII"),
        ("a, b", "send the header once"),  # as two headers arrive
        ('"a", "b"', "send the header once"),
        ('"a', "send the header once"),
        ('a"b', "send the header once"),
        (r'"a\b"', "send the header once"),
    ],
)
def test_an_odd_idempotency_key_is_refused(practice, routine, key, header, said):
    answer = fire(key, routine, Idempotency_Key=header)
    assert answer.status_code == 400
    assert said in message(answer)
    assert practice.requests == 0


def test_a_repeated_call_says_so(practice, routine, key):
    first, second = (fire(key, routine, Idempotency_Key="one") for _ in range(2))
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert first.headers["Location"] == second.headers["Location"]
    other = fire(key, routine, {"text": "another"}, Idempotency_Key="one")
    assert other.status_code == 422
    assert other.json()["run"]["id"] == Run.objects.get().pk
    assert "Idempotent-Replayed" not in other.headers


# --- Prefer ---


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("", None),
        ("respond-async", 0),
        ("Respond-Async ; x=1", 0),
        ("wait=0", 0),
        ("wait=3", 3),
        ('wait="3"', 3),
        ("respond-async, wait=3", 3),
        ("wait = 3, wait=9", 3),
        ("foo, respond-async", 0),
        ("wait=999999", 999_999),
        ("wait=99999999999999999999", None),
        ("wait=-1", None),
        ("wait=1.5", None),
        ("wait=٣", None),
        ("wait", None),
        ('foo="a, respond-async, b"', None),
        ("respond-asynchronously", None),
        (';,,="', None),
    ],
)
def test_how_long_a_caller_wants_to_wait(rf, header, wait):
    assert preferences.wait_of(rf.post("/", headers={"Prefer": header})) == wait


def test_the_answer_says_which_preference_was_followed(practice, routine, key, settings):
    said = {
        prefer: fire(key, routine, Prefer=prefer).headers.get("Preference-Applied")
        for prefer in ("respond-async", "wait=999999", "nonsense")
    }
    longest = f"wait={settings.FIRE_TIMEOUT}"
    assert said == {"respond-async": "respond-async", "wait=999999": longest, "nonsense": None}


def test_who_waits_for_less_than_a_fire_may_take_leaves_it_to_a_worker(practice, routine, key):
    answer = fire(key, routine, Prefer="wait=0, respond-async")
    run = Run.objects.get()
    assert (answer.status_code, run.state, practice.requests) == (202, State.ACCEPTED, 0)
    content = answer.json()
    assert content["type"] == "routine_fire_accepted"
    assert content["run"]["url"] == answer.headers["Location"]


def test_a_repeated_call_hears_of_its_run_though_the_routine_was_taken_from_its_key(
    practice, routine
):
    """What got lost on the way may have been a session: 404 would say that there is none."""
    api_key, key = create_key_and_secret(routine)
    first = fire(key, routine, {"text": SENT}, Idempotency_Key="one")
    api_key.routines.clear()
    again = fire(key, routine, {"text": SENT}, Idempotency_Key="one")
    assert (again.status_code, again.content) == (200, first.content)
    assert fire(key, routine, {"text": "another"}, Idempotency_Key="one").status_code == 422
    assert fire(key, routine, {"text": SENT}, Idempotency_Key="two").status_code == 404
    assert fire(key, "elsewhere", {"text": SENT}, Idempotency_Key="one").status_code == 404
    _, others = create_key_and_secret(create_routine())
    assert fire(others, routine, {"text": SENT}, Idempotency_Key="one").status_code == 404
    assert practice.requests == 1
