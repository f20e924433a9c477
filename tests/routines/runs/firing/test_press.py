"""One press, one run, at most one request: against the practice API and hostile servers."""

import json

import pytest

from routines import registry
from routines.models import Account, Person, Run
from routines.practice_api import PracticeApi, PracticeServer
from routines.runs import accepting, rules
from routines.tokens import rotation
from routines.values import texts, tokens
from routines.values.reasons import Reason, State
from tests.factories import (
    create_admin,
    create_manager,
    create_person,
    create_routine,
    create_teammate,
)
from tests.hostile import (
    HostileServer,
    answer,
    envelope,
    refused_port,
    says,
)
from tests.routines.runs.firing.pressing import (
    SENT,
    assert_all_slots_are_free,
    press,
    while_moving,
)

pytestmark = pytest.mark.django_db


def test_a_press_starts_a_session_and_keeps_its_url(practice: PracticeApi):
    routine, person = create_routine(), create_teammate()
    run = press(routine, person, template_name="Alert").run
    [session] = practice.sessions
    assert (session.routine_id, session.text) == (routine.routine_id, SENT)
    run.refresh_from_db()
    assert (run.state, run.reason) == (State.STARTED, Reason.SESSION_CREATED)
    assert (run.session_id, run.session_url) == (session.session_id, session.session_url)
    assert (run.request_id, run.http_status) == (session.request_id, 200)
    assert (run.routine, run.person, run.template_name) == (routine, person, "Alert")
    assert run.duration_ms is not None
    assert run.settled_at is not None
    assert_all_slots_are_free()


def test_a_run_keeps_the_header_versions_that_were_sent(settings):
    routine = create_routine(beta_version="", api_version="2099-01-01")
    with HostileServer() as server:
        settings.CLAUDE_API_BASE_URL = server.url
        run = press(routine, create_teammate()).run
    registry.edit(
        routine,
        name=routine.name,
        purpose="",
        account="Another",
        beta_version="later",
        api_version="later",
        cool_down=0,
        hourly_limit=None,
        by=create_admin(),
    )
    run.refresh_from_db()
    assert (run.beta_version, run.api_version) == ("", "2099-01-01")
    assert server.received[0].header("anthropic-beta") is None
    assert server.received[0].header("anthropic-version") == "2099-01-01"


PRACTICE = {
    "trig_practice_paused": (State.REFUSED, Reason.PAUSED),
    "trig_practice_401": (State.REFUSED, Reason.TOKEN_REJECTED),
    "trig_practice_403": (State.REFUSED, Reason.NO_ACCESS),
    "trig_practice_403_html": (State.REFUSED, Reason.BLOCKED),
    "trig_practice_404": (State.REFUSED, Reason.NO_SUCH_ROUTINE),
    "trig_practice_429": (State.REFUSED, Reason.LIMIT_REACHED),
    "trig_practice_429_date": (State.REFUSED, Reason.LIMIT_REACHED),
    "trig_practice_429_bare": (State.REFUSED, Reason.LIMIT_REACHED),
    "trig_practice_500": (State.UNKNOWN, Reason.SERVER_ERROR),
    "trig_practice_503": (State.REFUSED, Reason.OVERLOADED),
    "trig_practice_529": (State.REFUSED, Reason.OVERLOADED),
}


@pytest.mark.parametrize(
    ("routine_id", "state", "reason"),
    [(routine_id, *outcome) for routine_id, outcome in PRACTICE.items()],
    ids=PRACTICE,
)
def test_each_error_of_the_endpoint_has_its_state(
    practice: PracticeApi, routine_id: str, state: State, reason: Reason
):
    run = press(create_routine(routine_id=routine_id), create_teammate()).run
    run.refresh_from_db()
    assert (run.state, run.reason) == (state, reason)
    assert run.error_message
    assert (practice.requests, practice.sessions) == (1, [])


def test_a_hanging_endpoint_makes_an_unknown_run(practice: PracticeApi, settings):
    settings.FIRE_TIMEOUT = 0.3
    run = press(create_routine(routine_id="trig_practice_hang"), create_teammate()).run
    run.refresh_from_db()
    assert (run.state, run.reason) == (State.UNKNOWN, Reason.NO_ANSWER)


def test_a_slow_endpoint_that_is_given_up_on_may_have_made_a_session(
    practice: PracticeApi, settings
):
    settings.FIRE_TIMEOUT = 0.3
    run = press(create_routine(routine_id="trig_practice_slow"), create_teammate()).run
    assert (run.state, len(practice.sessions)) == (State.UNKNOWN, 1)


def test_an_endpoint_that_is_away_gets_nothing(settings):
    settings.CLAUDE_API_BASE_URL = f"http://127.0.0.1:{refused_port()}"
    run = press(create_routine(), create_teammate()).run
    run.refresh_from_db()
    assert (run.state, run.reason) == (State.NOT_SENT, Reason.NO_CONNECTION)


def test_a_regenerated_token_is_refused_until_the_new_one_is_pasted(practice: PracticeApi):
    routine, person = create_routine(), create_admin()
    new = practice.regenerate(routine.routine_id)
    assert press(routine, person).run.reason == Reason.TOKEN_REJECTED
    rotation.replace_token(routine, tokens.parse(new), by=person)
    assert press(routine, person).run.reason == Reason.SESSION_CREATED


def test_the_token_that_the_endpoint_repeats_is_nowhere_in_the_run(settings):
    routine = create_routine()
    plain = routine.reveal_token().reveal()
    echo = answer(401, envelope("authentication_error", f"Bad header: Bearer {plain}"))
    with HostileServer(says(echo)) as server:
        settings.CLAUDE_API_BASE_URL = server.url
        press(routine, create_teammate())
    assert plain not in str(list(Run.objects.values()))


# --- The text ---


def test_line_breaks_of_browsers_are_normalised_before_they_are_kept_and_sent(
    practice: PracticeApi,
):
    run = press(create_routine(), create_teammate(), text="one\r\ntwo\rthree\n").run
    run.refresh_from_db()
    assert run.text == practice.sessions[0].text == "one\ntwo\nthree\n"


def test_a_trial_is_labelled_and_sends_the_versions_it_tries(practice: PracticeApi):
    routine, person = create_routine(), create_teammate()
    run = press(routine, person, trial=accepting.Trial(beta_version="")).run
    run.refresh_from_db()
    assert (run.is_trial, run.beta_version, run.api_version) == (True, "", routine.api_version)
    assert run.reason == Reason.SESSION_CREATED
    assert not press(routine, person).run.is_trial


def test_a_text_of_the_greatest_length_is_sent(practice: PracticeApi):
    longest = "🚀\r\n" * (texts.MAX_CHARACTERS // 2)
    assert press(create_routine(), create_teammate(), text=longest).run.state == State.STARTED
    assert len(practice.sessions[0].text) == texts.MAX_CHARACTERS


@pytest.mark.parametrize("text", ["x" * 65_537, "NUL \x00", "half \ud800"])
def test_a_text_that_cannot_be_sent_leaves_no_run(practice: PracticeApi, text: str):
    routine, person = create_routine(), create_teammate()
    with pytest.raises(texts.TextRefused):
        press(routine, person, text=text)
    assert (practice.requests, Run.objects.count()) == (0, 0)


def test_an_empty_text_is_sent_as_no_text(practice: PracticeApi):
    assert press(create_routine(), create_teammate(), text="").run.state == State.STARTED
    assert practice.sessions[0].text == ""


# --- Who ---


@pytest.mark.parametrize("create", [create_manager, create_person], ids=["manager", "nobody"])
def test_a_person_without_the_permission_fires_nothing(practice: PracticeApi, create):
    routine, person = create_routine(), create()
    with pytest.raises(rules.NotAllowed):
        press(routine, person)
    assert (practice.requests, Run.objects.count()) == (0, 0)


def test_a_person_who_left_fires_nothing(practice: PracticeApi):
    routine, person = create_routine(), create_teammate()
    Person.objects.filter(pk=person.pk).update(is_active=False)
    with pytest.raises(rules.NotAllowed):
        press(routine, Person.objects.get(pk=person.pk))
    assert practice.requests == 0


# --- Practice API over TLS and JSON as text, end to end ---


def test_json_is_dumped_to_a_string_and_arrives_as_it_was_typed(practice: PracticeApi):
    alert = json.dumps({"alert": "SEN-4521", "text": "not the field"})
    press(create_routine(), create_teammate(), text=alert)
    assert practice.sessions[0].text == alert


def test_an_endpoint_that_moved_is_found_at_the_next_press(settings):
    routine, person = create_routine(), create_teammate()
    for _ in range(2):
        with PracticeServer() as server:
            settings.CLAUDE_API_BASE_URL = server.url
            assert press(routine, person).run.state == State.STARTED


@pytest.mark.usefixtures("transactional_db")
def test_a_routine_that_is_just_moved_to_another_account_runs_on_that(practice: PracticeApi):
    routine, person = create_routine(), create_teammate()
    account = Account.objects.create(label="Other")
    run = while_moving(routine, account, lambda: press(routine, person)).run
    assert (run.state, run.account, practice.requests) == (State.STARTED, account, 1)
