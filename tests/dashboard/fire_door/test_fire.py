"""The fire-compatible door, as Django's test client sees it."""

import pytest

from routines.models import Run
from routines.values.reasons import State
from tests.factories import create_key_and_secret, create_routine

pytestmark = pytest.mark.django_db


def fire(client, reference, key, body=None, **headers):
    headers = {"Authorization": f"Bearer {key}"} | headers
    return client.post(
        f"/v1/claude_code/routines/{reference}/fire",
        data=body,
        content_type="application/json",
        headers=headers,
    )


def test_a_session_comes_back_as_the_endpoint_would_say_it(client, practice):
    routine = create_routine()
    _, key = create_key_and_secret(routine)
    for reference in (routine.routine_id, routine.slug):
        answer = fire(client, reference, key, {"text": "An alert."})
        assert answer.status_code == 200
        session = practice.sessions[-1]
        assert answer.json() == {
            "type": "routine_fire",
            "claude_code_session_id": session.session_id,
            "claude_code_session_url": session.session_url,
        }
        assert answer.headers["request-id"].startswith("req_")
    assert [run.state for run in Run.objects.all()] == [State.STARTED, State.STARTED]


def test_the_same_idempotency_key_gives_the_same_session(client, practice):
    routine = create_routine()
    _, key = create_key_and_secret(routine, sends_idempotency_key=True)
    missing = fire(client, routine.slug, key)
    assert (missing.status_code, practice.sessions) == (400, [])
    assert "Idempotency-Key" in missing.json()["error"]["message"]
    first, second = (
        fire(client, routine.slug, key, {"text": "x"}, **{"Idempotency-Key": '"one"'})
        for _ in range(2)
    )
    assert first.json() == second.json()
    assert len(practice.sessions) == 1


def test_who_does_not_wait_is_told_where_the_run_stands(client, practice):
    routine = create_routine()
    _, key = create_key_and_secret(routine)
    answer = fire(client, routine.slug, key, Prefer="respond-async")
    assert answer.status_code == 202
    run = Run.objects.get()
    assert answer.headers["Location"].endswith(f"/api/runs/{run.pk}")
    assert (run.state, practice.sessions) == (State.ACCEPTED, [])
    there = client.get(answer.headers["Location"], headers={"Authorization": f"Bearer {key}"})
    assert there.json()["state"] == "accepted"


@pytest.mark.parametrize("key", ["", "rdk_", "sk-ant-oat01-x"])
def test_a_wrong_key_opens_nothing(client, practice, key):
    routine = create_routine()
    answer = fire(client, routine.slug, key)
    assert answer.status_code == 401
    assert answer.json()["error"]["type"] == "authentication_error"
    assert practice.requests == 0
