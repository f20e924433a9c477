"""The one-time key of a run form: whose it is, how long it lasts, and what a bad one costs."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from dashboard.run_form import one_time_key
from routines.models import Run
from routines.runs import restored
from tests.dashboard.browsing import Page, fire_url, post_run, run_form, signed_in
from tests.factories import create_routine, create_teammate


def test_a_key_is_read_back_for_its_person_and_routine(routine, teammate):
    signed = one_time_key.issue(teammate, routine)
    key = one_time_key.read(signed, person=teammate, routine=routine)
    assert key.value.hex == signed.split(":")[0]
    assert not key.is_expired


def test_every_key_is_another(routine, teammate):
    assert len({one_time_key.issue(teammate, routine) for _ in range(10)}) == 10


def test_somebody_elses_key_is_refused(routine, teammate):
    signed = one_time_key.issue(create_teammate(), routine)
    with pytest.raises(one_time_key.BadKey):
        one_time_key.read(signed, person=teammate, routine=routine)


def test_the_key_of_another_routine_is_refused(routine, teammate):
    signed = one_time_key.issue(teammate, create_routine())
    with pytest.raises(one_time_key.BadKey):
        one_time_key.read(signed, person=teammate, routine=routine)


@pytest.mark.parametrize("later", [timedelta(hours=23), timedelta(hours=25)])
def test_a_key_expires_after_a_day(routine, teammate, later):
    signed = one_time_key.issue(teammate, routine)
    with time_machine.travel(timezone.now() + later):
        key = one_time_key.read(signed, person=teammate, routine=routine)
    assert key.is_expired is (later > timedelta(days=1))


def test_a_form_that_was_open_for_too_long_keeps_the_text_and_gets_a_fresh_key(
    client, routine, practice
):
    fields = run_form(client, routine)
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        response = post_run(client, routine, fields, text="Typed for long.")
        page = Page(response)
        again = page.fields(fire_url(routine))
        assert response.status_code == 422
        assert page.says("This form was open for more than a day. Nothing was sent.")
        assert again["text"] == "Typed for long."
        assert practice.requests == 0
        post_run(client, routine, again)
    assert [session.text for session in practice.sessions] == ["Typed for long."]


def test_a_form_from_before_a_restore_fires_only_once_it_was_looked_at(client, routine, practice):
    """It may have been sent after the backup was made; nothing here knows of it any more."""
    fields = run_form(client, routine)
    with time_machine.travel(timezone.now() + timedelta(minutes=5)):
        restored.declare()
    with time_machine.travel(timezone.now() + timedelta(minutes=10)):
        response = post_run(client, routine, fields, text="Typed before.")
        page = Page(response)
        assert response.status_code == 422
        assert page.says("look at claude.ai/code whether a session exists")
        assert practice.requests == 0
        again = page.fields(fire_url(routine))
        post_run(client, routine, again)
    assert [session.text for session in practice.sessions] == ["Typed before."]


def test_a_form_from_before_a_restore_whose_run_is_known_shows_it(client, routine, practice):
    fields = run_form(client, routine)
    post_run(client, routine, fields)
    with time_machine.travel(timezone.now() + timedelta(minutes=5)):
        restored.declare()
        assert post_run(client, routine, fields).status_code == 302
    assert practice.requests == 1


FORGED = {
    "empty": "",
    "unsigned": "7f2c5d1e4a5b4c3d8e9f001122334455",
    "wrong signature": "7f2c5d1e4a5b4c3d8e9f001122334455:1abcde:AAAAAAAAAAAAAAAAAAAAAA",
    "NUL": "\x00",
    "gigantic": "A" * 100_000,
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_a_forged_key_sends_nothing_and_keeps_the_text(client, routine, practice, forged):
    response = post_run(client, routine, {"key": forged, "text": "Typed for long."})
    again = Page(response).fields(fire_url(routine))
    assert response.status_code == 422
    assert Page(response).find("p", role="alert")
    assert again["text"] == "Typed for long."
    assert practice.requests == 0
    post_run(client, routine, again)
    assert practice.requests == 1


def test_a_colleagues_form_makes_no_run_of_mine_and_shows_me_none(client, routine, practice):
    colleague = signed_in(create_teammate())
    fields = run_form(colleague, routine)
    post_run(colleague, routine, fields)
    response = post_run(client, routine, fields)
    assert response.status_code == 422
    assert not Page(response).find("a", href=practice.sessions[0].session_url)
    assert Run.objects.count() == practice.requests == 1


@pytest.mark.parametrize("aware_of", ["x", "-1", "\x00", "9" * 5_000, "²"])
def test_an_odd_list_of_known_runs_is_ignored(client, routine, practice, aware_of):
    fields = run_form(client, routine) | {"aware_of": aware_of}
    assert post_run(client, routine, fields).status_code in (302, 422)
