"""Where the door answers otherwise than the endpoint: what it answers then.

The rest is the conformance suite's: tests/routines/practice_api/test_rules.py, whose table of
differences (places.py) names the tests here.
"""

import ast
from pathlib import Path
from typing import Any

import pytest

from routines.models import Run
from routines.practice_api import SPECIAL_ROUTINES
from routines.values.reasons import Reason
from tests.dashboard.fire_door.calling import SENT, fire, message
from tests.factories import create_key_and_secret, create_routine
from tests.routines.practice_api.places import ANSWERED_OTHERWISE, DIFFERS

pytestmark = pytest.mark.django_db

# The test here for each one that holds for the practice API alone.
TESTED_HERE = {
    "test_a_session_knows_the_request_id_of_its_answer": "test_the_request_id_is_the_doors_own",
    "test_the_api_version_is_required": "test_versions_are_the_routines_own",
    "test_another_api_version_is_refused": "test_versions_are_the_routines_own",
    "test_a_beta_version_that_nobody_knows_is_refused": "test_versions_are_the_routines_own",
    "test_older_documentation_the_beta_version_is_required": "test_versions_are_the_routines_own",
    "test_a_special_routine_still_wants_its_versions": "test_versions_are_the_routines_own",
    "test_another_routines_token_does_not_fire_it": (
        "test_a_routine_that_the_key_was_not_given_is_no_routine"
    ),
    "test_a_regenerated_token_kills_the_old_one_at_once": (
        "test_a_rejected_stored_token_is_not_the_callers_401"
    ),
    "test_a_revoked_token_has_no_replacement_until_one_is_generated": (
        "test_a_rejected_stored_token_is_not_the_callers_401"
    ),
    "test_a_limit_says_when_it_resets_in_seconds_as_a_date_or_not_at_all": (
        "test_a_limit_always_says_in_seconds_when_it_resets"
    ),
    "test_a_proxys_challenge_is_a_page_and_no_envelope": "test_a_proxys_page_is_an_envelope",
    "test_a_hanging_routine_gives_no_answer_and_makes_no_session": (
        "test_what_does_not_answer_in_time_is_unknown"
    ),
    "test_a_slow_routine_makes_its_session_before_it_answers": (
        "test_what_does_not_answer_in_time_is_unknown"
    ),
}


def key_for(routine_id: str, **values: Any) -> tuple[str, str]:
    routine = create_routine(routine_id=routine_id, **values)
    return create_key_and_secret(routine)[1], routine_id


def test_each_difference_is_tested_here_and_is_one_of_the_suite():
    source = Path("tests/routines/practice_api/test_rules.py").read_text()
    there = {node.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)}
    assert DIFFERS.keys() <= there
    assert TESTED_HERE.keys() == DIFFERS.keys()
    assert all(name in globals() for name in TESTED_HERE.values())
    assert ANSWERED_OTHERWISE.keys() <= SPECIAL_ROUTINES.keys()


def test_the_request_id_is_the_doors_own(practice):
    answer = fire(*key_for("trig_01Plain"))
    run = Run.objects.get()
    assert run.request_id == practice.sessions[0].request_id
    assert answer.headers["request-id"] == f"req_{answer.headers['X-Request-ID']}"


@pytest.mark.parametrize("sent", ["", "2020-01-01", "nonsense"])
def test_versions_are_the_routines_own(practice, sent):
    key, routine_id = key_for("trig_01Plain")
    for headers in ({}, {"anthropic_version": sent, "anthropic_beta": sent}):
        assert fire(key, routine_id, **headers).status_code == 200
    assert len(practice.sessions) == 2


def test_a_routine_that_the_key_was_not_given_is_no_routine(practice):
    other, _ = key_for("trig_01Other")
    create_routine(routine_id="trig_01Plain")
    assert fire(other, "trig_01Plain").status_code == 404
    assert practice.requests == 0


def test_a_rejected_stored_token_is_not_the_callers_401(practice):
    key, routine_id = key_for("trig_01Plain")
    practice.regenerate(routine_id)
    answer = fire(key, routine_id, {"text": SENT})
    assert answer.status_code == 403
    assert "WWW-Authenticate" not in answer.headers
    assert "admin to regenerate the token" in message(answer)
    assert answer.json()["run"]["reason"] == Reason.TOKEN_REJECTED


@pytest.mark.parametrize(
    ("routine_id", "longest"),
    [("trig_practice_429", 120), ("trig_practice_429_date", 120), ("trig_practice_429_bare", 60)],
)
def test_a_limit_always_says_in_seconds_when_it_resets(practice, routine_id, longest):
    key, _ = key_for(routine_id)
    for _ in range(2):  # the endpoint's, and then our own hold
        answer = fire(key, routine_id)
        assert answer.status_code == 429
        assert longest - 20 < int(answer.headers["Retry-After"]) <= longest
    assert practice.requests == 1


def test_a_proxys_page_is_an_envelope(practice):
    answer = fire(*key_for("trig_practice_403_html"))
    assert answer.status_code == 403
    assert answer.json()["error"]["type"] == "permission_error"
    assert "<" not in message(answer)


@pytest.mark.parametrize("routine_id", ["trig_practice_hang", "trig_practice_slow"])
def test_what_does_not_answer_in_time_is_unknown(practice, settings, routine_id):
    settings.FIRE_TIMEOUT = 1
    answer = fire(*key_for(routine_id))
    run = Run.objects.get()
    assert answer.status_code == 504
    assert "a session may exist" in message(answer)
    assert "Retry-After" not in answer.headers
    assert answer.json()["run"]["page"].endswith(f"/history/{run.pk}/")
