"""What breaks behind the door, before, during and after a fire: said in the envelope, honestly."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from routines.callers import asking
from routines.models import Run
from routines.runs import awaiting
from routines.values.reasons import State
from tests.dashboard.fire_door.calling import SENT, fire, message
from tests.factories import create_key_and_secret, create_routine
from tests.routines.runs.firing.pressing import assert_all_slots_are_free, failing_writes

pytestmark = pytest.mark.django_db


@pytest.fixture
def routine():
    return create_routine()


@pytest.fixture
def key(routine):
    return create_key_and_secret(routine)[1]


def away(*_: Any, **__: Any) -> Any:
    raise OperationalError("connection to 10.1.2.3 refused\nIs the server running?")


def test_before_it_nothing_was_started_and_the_call_may_be_repeated(practice, routine, key):
    with connection.execute_wrapper(away):
        answer = fire(key, routine, {"text": SENT})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "started nothing" in message(answer)
    assert "10.1.2.3" not in answer.content.decode()
    assert practice.requests == 0


def test_a_run_that_is_not_taken_is_not_sent(practice, routine, key):
    with failing_writes("INSERT"):
        answer = fire(key, routine, {"text": SENT}, Idempotency_Key="one")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "Nothing was sent" in message(answer)
    assert practice.requests == 0
    assert fire(key, routine, {"text": SENT}, Idempotency_Key="one").status_code == 200
    assert_all_slots_are_free()


@pytest.mark.usefixtures("transactional_db")
def test_a_run_that_may_have_been_taken_is_unknown_and_a_repeated_call_finds_it(
    practice, routine, key
):
    gone = False

    def go_away() -> None:
        nonlocal gone
        gone = True
        raise OperationalError("server closed the connection unexpectedly")

    def watch(execute: Callable[..., Any], sql: str, *more: Any) -> Any:
        if gone:
            raise OperationalError("connection refused")
        if sql.startswith('INSERT INTO "routines_run"'):
            transaction.on_commit(go_away)
        return execute(sql, *more)

    with connection.execute_wrapper(watch):
        answer = fire(key, routine, Idempotency_Key="one", Prefer="respond-async")
    assert answer.status_code == 504
    assert "with the same Idempotency-Key" in message(answer)
    assert "Retry-After" not in answer.headers
    again = fire(key, routine, Idempotency_Key="one", Prefer="respond-async")
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (202, "true")
    assert Run.objects.count() == 1


@pytest.mark.usefixtures("transactional_db")
def test_an_answer_that_cannot_be_recorded_is_given_to_the_caller(practice, routine, key, caplog):
    with caplog.at_level(logging.CRITICAL), failing_writes("UPDATE"):
        answer = fire(key, routine, {"text": SENT})
    [session] = practice.sessions
    assert answer.status_code == 200
    assert answer.json()["claude_code_session_url"] == session.session_url
    assert Run.objects.get().state == State.SENDING
    assert session.session_url in caplog.text


def test_an_outcome_that_cannot_be_read_is_told_later(practice, routine, key, monkeypatch):
    fire(key, routine, {"text": SENT}, Idempotency_Key="one", Prefer="respond-async")
    monkeypatch.setattr(awaiting, "outcome", away)
    answer = fire(key, routine, {"text": SENT}, Idempotency_Key="one")
    assert answer.status_code == 202
    assert answer.headers["Location"].endswith(f"/api/runs/{Run.objects.get().pk}")


def test_what_nobody_thought_of_says_nothing_of_itself(practice, routine, key, monkeypatch):
    def break_down(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("the secret of 10.1.2.3")

    monkeypatch.setattr(asking, "ask", break_down)
    answer = fire(key, routine, {"text": SENT})
    assert answer.status_code == 500
    assert "secret" not in answer.content.decode()
    assert "is not known" in message(answer)


# --- Answers that are given in front of the door ---


def test_another_host_is_refused_in_the_envelope(key, client):
    answer = client.post("/v1/x", headers={"Authorization": f"Bearer {key}", "Host": "evil.test"})
    assert answer.status_code == 400
    assert "not the address of the dashboard" in message(answer)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_plain_http_is_refused_and_never_led_on(settings, routine, key, method):
    settings.SECURE_SSL_REDIRECT = True
    answer = fire(key, routine, method=method, X_Forwarded_Proto="http")
    assert answer.status_code == 400
    assert "did not come over https" in message(answer)


def test_a_token_in_the_address_is_refused_in_the_envelope(routine, key, client):
    token = routine.reveal_token().reveal()
    answer = client.post(f"/v1/x?t={token}", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 400
    assert "A token stands in this address" in message(answer)
    assert token not in answer.content.decode()


def test_so_is_a_key_in_it(key, client):
    answer = client.post(f"/v1/x?key={key}")
    assert answer.status_code == 400
    assert "An API key stands in this address" in message(answer)
    assert key not in answer.content.decode()


def test_a_length_of_letters_is_refused_in_the_envelope(client):
    answer = client.generic("POST", "/v1/x", CONTENT_LENGTH="many")
    assert answer.status_code == 400
    assert "how long it is" in message(answer)


def test_a_web_session_opens_nothing(admin_client, routine, practice):
    assert fire("", routine, client=admin_client).status_code == 401
    assert practice.requests == 0


# --- The log ---


def test_the_log_names_the_call_and_the_key_and_not_its_secret(practice, routine, caplog):
    api_key, key = create_key_and_secret(routine, name="Alerts of Grafana")
    with caplog.at_level(logging.INFO):
        answer = fire(key, routine, {"text": SENT}, Idempotency_Key="one")
    facts = {one.getMessage(): one.facts for one in caplog.records if hasattr(one, "facts")}
    assert facts["request"]["request_id"] == answer.headers["request-id"]
    assert facts["request"]["person"] == "API key Alerts of Grafana"
    assert facts["fire"]["api_key"] == api_key.name
    assert key not in str(facts)
    assert SENT not in str(facts)


def test_the_log_names_a_key_that_is_refused_as_well(routine, caplog):
    _, key = create_key_and_secret(routine, name="Old alerts", networks=["192.0.2.0/24"])
    with caplog.at_level(logging.INFO):
        assert fire(key, routine).status_code == 403
    [line] = [one.facts for one in caplog.records if one.getMessage() == "request"]
    assert line["person"] == "API key Old alerts"


def test_an_unknown_run_stays_504_for_its_idempotency_key(practice):
    routine = create_routine(routine_id="trig_practice_500")
    _, key = create_key_and_secret(routine)
    first = fire(key, routine, Idempotency_Key="one")
    with time_machine.travel(timezone.now() + timedelta(days=30)):
        again = fire(key, routine, Idempotency_Key="one")
    assert (first.status_code, again.status_code) == (504, 504)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert practice.requests == 1
