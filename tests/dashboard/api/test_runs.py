"""Runs through the API: made once, seen by their key alone, cancelled while they wait."""

import json
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from routines.models import Person, Run
from routines.values.reasons import Reason, State
from tests.dashboard.api.programs import Program, header
from tests.factories import (
    create_key_and_secret,
    create_person,
    create_routine,
    create_run,
    create_teammate,
)

pytestmark = pytest.mark.django_db


def of(program: Program, **values):
    """A run of this program's key."""
    return create_run(api_key=program.api_key(), **values)


def pointers(answer) -> dict[str, str]:
    return {one["pointer"]: one["detail"] for one in answer.json()["errors"]}


# --- Making one ---


def test_a_text_becomes_a_session(program, routine, practice):
    answer = program.run(routine.slug, {"text": "An alert."})
    assert answer.status_code == 201
    [session] = practice.sessions
    assert session.text == "An alert."
    run = answer.json()
    assert run["session"] == {"id": session.session_id, "url": session.session_url}
    assert (run["state"], run["is_over"], run["cancel_url"]) == ("started", True, None)
    assert [attempt["http_status"] for attempt in run["attempts"]] == [200]
    assert answer.headers["Location"] == run["url"]
    assert program.get(run["url"].removeprefix("http://localhost:8000")).json() == run


def test_a_routine_is_found_by_its_id_too(program, routine, practice):
    assert program.run(routine.routine_id, {"text": ""}).status_code == 201


def test_the_same_idempotency_key_is_the_same_run(program, routine, practice):
    key = header("Idempotency-Key", "one")
    first, second = (program.run(routine.slug, {"text": "x"}, **key) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert first.json()["idempotency_key"] == "one"
    other = program.run(routine.slug, {"text": "y"}, **key)
    assert other.status_code == 422
    assert other.json()["run"]["id"] == first.json()["id"]
    assert len(practice.sessions) == 1


def test_a_key_that_promises_one_is_held_to_it(routine, practice):
    _, secret = create_key_and_secret(routine, sends_idempotency_key=True)
    answer = Program(secret).run(routine.slug, {"text": "x"})
    assert answer.status_code == 400
    assert "Idempotency-Key" in answer.json()["detail"]
    assert practice.requests == 0


@pytest.mark.parametrize("key", ["", '""', "x" * 256, "ä"])
def test_an_idempotency_key_of_no_use_is_refused(program, routine, practice, key):
    answer = program.run(routine.slug, {"text": "x"}, **header("Idempotency-Key", key))
    assert answer.status_code == 400
    assert practice.requests == 0


def test_who_does_not_wait_looks_again(program, routine, practice):
    answer = program.run(routine.slug, {"text": "x"}, Prefer="respond-async")
    assert answer.status_code == 202
    run = answer.json()
    assert (run["state"], run["is_over"], practice.sessions) == ("accepted", False, [])
    assert run["cancel_url"].endswith(f"/api/runs/{run['id']}/cancel")
    assert answer.headers["Location"] == run["url"]
    again = program.get(f"/api/runs/{run['id']}")
    assert int(again.headers["Retry-After"]) >= 1


@pytest.mark.parametrize(
    ("routine_id", "status", "state"),
    [
        ("trig_practice_paused", 424, "refused"),
        ("trig_practice_429", 424, "refused"),
        ("trig_practice_500", 504, "unknown"),
    ],
)
def test_what_started_nothing_is_never_taken_for_a_session(practice, routine_id, status, state):
    routine = create_routine(routine_id=routine_id)
    _, secret = create_key_and_secret(routine)
    answer = Program(secret).run(routine.slug, {"text": "x"})
    assert answer.status_code == status
    problem = answer.json()
    assert (problem["run"]["state"], problem["run"]["session"]) == (state, None)
    assert problem["run"]["sentence"] in problem["detail"]
    assert answer.headers["Location"] == problem["run"]["url"]


def test_a_cap_a_hold_and_a_closed_routine_make_no_run(routine, practice):
    _, secret = create_key_and_secret(routine, hourly_cap=1)
    capped = Program(secret)
    assert capped.run(routine.slug, {"text": "x"}).status_code == 201
    answer = capped.run(routine.slug, {"text": "y"})
    assert (answer.status_code, "Retry-After" in answer.headers) == (429, True)
    _, secret = create_key_and_secret(routine)
    routine.held_until = timezone.now() + timedelta(minutes=5)
    routine.save()
    answer = Program(secret).run(routine.slug, {"text": "x"})
    assert (answer.status_code, int(answer.headers["Retry-After"]) > 200) == (429, True)
    routine.held_until, routine.enabled = None, False
    routine.save()
    assert Program(secret).run(routine.slug, {"text": "x"}).status_code == 403
    assert Run.objects.count() == 1


# --- What is wrong in a body ---


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, {"#/text"}),
        ({"text": "x", "template": "y"}, {"#/text"}),
        ({"text": "x", "values": {}}, {"#/values"}),
        ({"text": 5}, {"#/text"}),
        ({"text": None}, {"#/text"}),
        ({"text": "x" * 65_537}, {"#/text"}),
        ({"text": "x\0"}, {"#/text"}),
        ({"text": "x", "why": ["y"]}, {"#/why"}),
        ({"text": "x", "why": "y" * 301}, {"#/why"}),
        ({"text": "x", "prompt": "", "a/b": 1}, {"#/prompt", "#/a~1b"}),
        ({"template": "nothing"}, {"#/template"}),
        ({"template": "a\0b"}, {"#/template"}),
        ({"template": "t", "values": {"a": 1, "b": None, "c": "x"}}, {"#/values/a", "#/values/b"}),
        ({"template": "t", "values": []}, {"#/values"}),
        ([], {"#"}),
        ("text", {"#"}),
        (None, {"#"}),
    ],
)
def test_what_is_wrong_in_a_body_is_named(program, routine, practice, body, wrong):
    answer = program.run(routine.slug, json.dumps(body).encode())
    assert answer.status_code == 422
    assert pointers(answer).keys() == wrong
    assert all(sentence.endswith(".") for sentence in pointers(answer).values())
    assert (practice.requests, Run.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "application/json", 400),
        (b'{"text": "x"', "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b'{"text": "\\ud800"}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"text": NaN}', "application/json", 400),
        (b'{"text": 1e999}', "application/json", 422),
        (b'{"text": ' + b"9" * 5_000 + b"}", "application/json", 422),
        (b'{"text": "x", "text": "y"}', "application/json", 422),
        (b'{"text": "x"}', "text/plain", 415),
        (b"text=x", "application/x-www-form-urlencoded", 415),
        (b"x" * 1_048_577, "application/json", 413),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(program, routine, practice, body, kind, status):
    answer = program.run(routine.slug, body, **header("Content-Type", kind))
    assert answer.status_code == status
    assert (practice.requests, Run.objects.count()) == (0, 0)


# --- Looking ---


def test_a_key_sees_the_runs_that_it_has_asked_for_and_no_others(program, routine):
    mine = of(program, routine=routine)
    person = create_teammate()
    _, secret = create_key_and_secret(name="A", person=person)
    personal = Program(secret)
    theirs = of(personal, routine=routine, person=person)
    others = [
        create_run(routine=routine, person=person),
        of(Program(create_key_and_secret(name="B", person=person)[1]), person=person),
        of(Program(create_key_and_secret(routine)[1]), routine=routine),
    ]
    for who, seen in ((program, mine), (personal, theirs)):
        assert [run["id"] for run in who.get("/api/runs").json()["items"]] == [seen.pk]
        for run in {mine, theirs, *others} - {seen}:
            for answer in (
                who.get(f"/api/runs/{run.pk}"),
                who.post(f"/api/runs/{run.pk}/cancel"),
            ):
                assert answer.status_code == 404
    assert program.get(f"/api/runs/{10**30}").status_code == 404


def test_pages_hold_still_while_runs_come(program, routine):
    old = [of(program, routine=routine, ago=timedelta(minutes=n)) for n in range(7)]
    seen, path = [], "/api/runs?size=3"
    while path:
        page = program.get(path).json()
        seen += [run["id"] for run in page["items"]]
        of(program, routine=routine)
        path = (page["next"] or "").removeprefix("http://localhost:8000")
    assert seen == [run.pk for run in old]


def test_runs_are_filtered_by_state_routine_and_idempotency_key(program, routine):
    other = create_routine()
    unknown = of(program, routine=routine, reason=Reason.NO_ANSWER)
    named = of(program, routine=other, idempotency_key="one")

    def found(**query):
        return [run["id"] for run in program.get("/api/runs", query).json()["items"]]

    assert found(state="unknown") == [unknown.pk]
    assert found(routine=routine.slug) == found(routine=routine.routine_id) == [unknown.pk]
    assert found(idempotency_key="one") == found(state="started") == [named.pk]
    assert found(routine="nothing") == found(state="refused") == []
    for number in range(3):
        of(program, routine=other, ago=timedelta(hours=number + 1))
    page = program.get("/api/runs", {"state": "started", "size": 2}).json()
    rest = program.get(page["next"].removeprefix("http://localhost:8000")).json()
    assert (len(page["items"]), len(rest["items"]), rest["next"]) == (2, 2, None)


@pytest.mark.parametrize(
    "query",
    [
        {"size": 0},
        {"size": 101},
        {"size": "many"},
        {"size": "9" * 400},
        {"state": "gone"},
        {"cursor": "x"},
        {"cursor": "9" * 40},
        {"cursor": "1-" + "9" * 18},
        {"page": 2},
        {"routine": "a\0b"},
        {"size": ["1", "2"]},
        {"idempotency_key": "x" * 256},
        {"a\0b": "x"},
    ],
)
def test_a_parameter_of_no_use_is_named(program, query):
    answer = program.get("/api/runs", query)
    if query == {"cursor": "1-" + "9" * 18}:
        assert answer.status_code == 200  # a place before everything
        return
    assert answer.status_code == 422
    assert [one["parameter"] for one in answer.json()["errors"]] == [*query]


def test_a_run_that_has_not_changed_is_not_sent_again(program, routine):
    run = of(program, routine=routine)
    first = program.get(f"/api/runs/{run.pk}")
    tag = header("If-None-Match", first.headers["ETag"])
    again = program.client.get(f"/api/runs/{run.pk}", headers=program.headers | tag)
    assert (again.status_code, again.content) == (304, b"")
    Run.objects.filter(pk=run.pk).update(why="because")
    assert program.get(f"/api/runs/{run.pk}", **tag).status_code == 200


def test_what_nobody_works_on_any_more_is_unknown(program, routine):
    run = of(program, routine=routine, reason=Reason.SENDING, ago=timedelta(hours=1))
    assert program.get(f"/api/runs/{run.pk}").json()["state"] == "unknown"


# --- Cancelling ---


def test_what_waits_can_be_cancelled(program, routine, practice):
    run = of(program, routine=routine, person=None, reason=Reason.ACCEPTED)
    for _ in range(2):
        answer = program.post(f"/api/runs/{run.pk}/cancel")
        assert (answer.status_code, answer.json()["reason"]) == (200, "cancelled")
    run.refresh_from_db()
    assert (run.state, run.settled_by) == (State.NOT_SENT, None)


def test_a_personal_key_cancels_as_its_person(routine):
    person: Person = create_teammate()
    _, secret = create_key_and_secret(person=person)
    program = Program(secret)
    run = of(program, routine=routine, person=person, reason=Reason.ACCEPTED)
    assert program.post(f"/api/runs/{run.pk}/cancel", {}).status_code == 200
    run.refresh_from_db()
    assert run.settled_by == person


def test_what_has_left_cannot_be_cancelled(program, routine):
    run = of(program, routine=routine)
    answer = program.post(f"/api/runs/{run.pk}/cancel")
    assert answer.status_code == 409
    assert answer.json()["run"]["state"] == "started"
    assert program.post(f"/api/runs/{run.pk}/cancel", {"force": True}).status_code == 422


# --- Whose key ---


def test_a_revoked_key_and_one_whose_person_has_left_open_nothing(routine, practice):
    person = create_teammate()
    api_key, secret = create_key_and_secret(person=person)
    program = Program(secret)
    assert program.run(routine.slug, {"text": "x"}).status_code == 201
    Person.objects.filter(pk=person.pk).update(is_active=False)
    for answer in (program.get("/api/runs"), program.run(routine.slug, {"text": "x"})):
        assert answer.status_code == 401
    Person.objects.filter(pk=person.pk).update(is_active=True)
    api_key.revoked_at = timezone.now()
    api_key.save()
    assert program.get("/api").status_code == 401
    assert create_person()
    assert practice.requests == 1


def test_a_session_is_told_though_the_database_went_away_meanwhile(program, routine, practice):
    """Else the answer would be that the call had started nothing, and may be repeated."""

    def without_attempts(execute, sql, *arguments):
        if sql.startswith("SELECT") and '"routines_attempt"' in sql:
            raise OperationalError("gone")
        return execute(sql, *arguments)

    with connection.execute_wrapper(without_attempts):
        answer = program.run(routine.slug, {"text": "x"})
    assert (answer.status_code, answer.json()["attempts"]) == (201, [])
    assert practice.requests == 1
