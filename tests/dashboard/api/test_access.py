"""Who gets in, and what nobody gets out: keys alone, and no secret in any answer."""

from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routines.models import Run, TextTemplate
from routines.registry import tags
from tests.dashboard.api.programs import Program
from tests.dashboard.browsing import signed_in
from tests.dashboard.mcp.agent import Agent
from tests.effort import examples
from tests.factories import create_admin, create_key_and_secret, create_routine, create_run

ADDRESSES = [
    "/api",
    "/api/routines",
    "/api/routines/triage",
    "/api/routines/triage/runs",
    "/api/runs",
    "/api/runs/1",
    "/api/runs/1/cancel",
]


@pytest.mark.django_db
@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer rdk_x", "Basic eDp5", "Bearer é"])
def test_without_a_key_nothing_opens(routine, address, header):
    headers = {} if header is None else {"Authorization": header}
    for method in ("GET", "POST", "PUT", "OPTIONS"):
        answer = Client().generic(method, address, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.django_db
@pytest.mark.parametrize("address", ADDRESSES)
def test_a_web_session_opens_nothing_even_with_its_csrf_token(routine, address):
    client = signed_in(create_admin(), enforce_csrf_checks=True)
    client.get("/")
    token = client.cookies["csrftoken"].value
    answer = client.post(address, {}, headers={"X-CSRFToken": token})
    assert (answer.status_code, client.get(address).status_code) == (401, 401)
    assert Run.objects.count() == 0


@pytest.mark.django_db
def test_a_key_opens_no_page(program):
    assert program.client.get("/history/", headers=program.headers).status_code == 302


@pytest.mark.django_db
def test_who_has_no_role_any_more_sees_no_runs_with_their_key_either(routine, teammate):
    """As the history is closed to them."""
    api_key, secret = create_key_and_secret(person=teammate)
    run = create_run(routine=routine, person=teammate, api_key=api_key)
    program = Program(secret)
    assert program.get(f"/api/runs/{run.pk}").status_code == 200
    teammate.groups.clear()
    assert program.get("/api/runs").json()["items"] == []
    assert program.get(f"/api/runs/{run.pk}").status_code == 404
    assert program.post(f"/api/runs/{run.pk}/cancel").status_code == 404
    agent = Agent(secret)
    assert agent.call("list_runs") == {"runs": []}
    assert "no such run" in agent.refused("get_run", run_id=run.pk)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/api/", "/api/nothing", "/api/runs/", "/api/runs/x", "/api/routines/a/b"]
)
def test_elsewhere_below_the_api_there_is_nothing(program, path):
    for method in ("GET", "POST"):
        answer = program.client.generic(method, path, headers=program.headers)
        assert answer.status_code in (401, 404)
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["detail"].endswith(".")


@pytest.mark.django_db
def test_no_answer_holds_a_secret(program, routine, practice):
    practice_token = practice.token_for(routine.routine_id)
    own = program.headers["Authorization"].removeprefix("Bearer ")
    TextTemplate.objects.create(routine=routine, name="T", body="{{ a }}")
    answers = [
        program.run(routine.slug, {"text": f"my token is {practice_token}"}),
        program.run(routine.slug, {"text": f"my key is {own}"}),
        program.run(routine.slug, {"template": "T", "values": {"a": practice_token}}),
        program.run(routine.slug, {"template": practice_token}),
        program.run(routine.slug, {practice_token: "x"}),
        program.run(routine.slug, {"text": "x"}, **{"Idempotency-Key": "k"}),
        program.get("/api/runs", {"routine": "x"}),
        *(program.get(address) for address in ("/api", "/api/routines", "/api/runs")),
    ]
    assert [answer.status_code for answer in answers[:5]] == [422] * 5
    for answer in answers:
        for secret in (practice_token, own, routine.token_encrypted):
            assert secret not in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/routines", "/api/routines/triage", "/api/runs"])
def test_more_rows_make_no_more_queries(program, routine, path):
    api_key = program.api_key()

    def add(number: int) -> None:
        for _ in range(number):
            other = create_routine(template="{{ a }}", cool_down=60)
            tags.write_tags(other, [f"tag {other.pk}"])
            api_key.routines.add(other)
            run = create_run(routine=other, api_key=api_key)
            run.attempts.create(number=1, ended_at=run.created_at, reason=run.reason)
            TextTemplate.objects.create(routine=routine, name=f"T {other.pk}", body="{{ b }}")

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert program.get(path).status_code == 200
        return len(captured)

    add(2)
    queries()
    few = queries()
    add(8)
    assert queries() == few
    assert few <= 9


# Whatever is sent, it is refused in the API's words, and nothing breaks.
_odd = settings(max_examples=examples(60), suppress_health_check=list(HealthCheck))


@pytest.fixture
def careless(routine) -> Program:
    return Program(create_key_and_secret(routine)[1], raise_request_exception=False)


@pytest.mark.django_db
@_odd
@given(st.binary(max_size=60) | st.from_regex(rb'\{"[a-z]{4,8}": ?[\[\]{}"0-9a-z,:]*\}'))
def test_no_body_breaks_it(careless, body):
    answer = careless.client.generic(
        "POST",
        "/api/routines/triage/runs",
        body,
        content_type="application/json",
        headers=careless.headers | {"Prefer": "respond-async"},
    )
    assert answer.status_code in (202, 400, 422), answer.content


@pytest.mark.django_db
@_odd
@given(st.text(max_size=30), st.sampled_from(["size", "cursor", "state", "routine", "x"]))
def test_no_parameter_breaks_it(careless, value, name):
    for path in ("/api/runs", "/api/routines"):
        answer = careless.client.get(path, {name: value}, headers=careless.headers)
        assert answer.status_code in (200, 422), answer.content


@pytest.mark.django_db
@_odd
@given(st.text(min_size=1, max_size=30))
def test_no_address_breaks_it(careless, part):
    for path in ("/api/routines/{}", "/api/runs/{}", "/api/{}"):
        address = path.format(quote(part, safe=""))
        answer = careless.client.get(address, headers=careless.headers)
        assert answer.status_code in (200, 400, 404), answer.content
        if answer.status_code != 200:
            assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.django_db
def test_calls_that_become_no_run_are_counted_once_with_their_key(program, routine):
    program.run("elsewhere", {"text": "x"})
    program.run(routine.slug, {"test": "x"})
    program.run(routine.slug, b"{")
    program.get("/api/runs", {"size": 0})  # asks for no run
    counted = {one.why: one.calls for one in program.api_key().turned_away.all()}
    assert counted == {"not_open": 1, "bad_request": 2}
