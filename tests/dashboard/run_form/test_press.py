"""Pressing Run now: what is sent, once for each form, and what is shown then."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from routines import fire_api
from routines.models import Run
from routines.values import texts
from routines.values.reasons import State
from tests.dashboard.browsing import (
    Page,
    fire_url,
    page_and_fragment,
    post_run,
    press,
    run_form,
    run_url,
    shown_after,
)
from tests.factories import create_routine

# --- Pressing ---


def test_pressing_fires_the_edited_text_and_shows_the_runs_page(
    client, routine, teammate, practice
):
    response = press(client, routine, text="Notes for version 2.")
    run = Run.objects.get()
    assert response.status_code == 302
    assert response.headers["Location"] == reverse("history_run", args=[run.pk])
    assert [session.text for session in practice.sessions] == ["Notes for version 2."]
    assert (run.person, run.text, run.template_name) == (
        teammate,
        "Notes for version 2.",
        "The template",
    )


@page_and_fragment
def test_the_answer_to_the_click_holds_the_session_link(client, routine, practice, htmx):
    page = shown_after(client, press(client, routine, htmx=htmx))
    links = page.find("a", href=practice.sessions[0].session_url)
    assert links
    for link in links:
        assert link.attributes["target"] == "_blank"
        assert "noopener" in link.attributes["rel"].split()


def test_the_fragment_is_a_card_that_offers_to_run_again(client, routine, practice):
    page = Page(press(client, routine, htmx=True))
    assert page.elements[0].attributes["id"] == f"routine-{routine.slug}"
    assert page.says("Session created")
    assert page.link(f"{run_url(routine)}?again={Run.objects.get().pk}").text == "Run again"


@page_and_fragment
def test_a_routine_without_a_template_fires_an_empty_text_in_one_click(client, practice, htmx):
    routine = create_routine()
    fields = Page(client.get("/")).fields(fire_url(routine))
    response = post_run(client, routine, fields, htmx=htmx)
    assert response.status_code == (200 if htmx else 302)
    assert [session.text for session in practice.sessions] == [""]


def test_a_pressed_card_without_a_template_has_a_fresh_key(client, practice):
    routine = create_routine()
    fields = Page(client.get("/")).fields(fire_url(routine))
    again = Page(post_run(client, routine, fields, htmx=True)).fields(fire_url(routine))
    post_run(client, routine, again, htmx=True)
    assert len(practice.sessions) == 2


@pytest.mark.parametrize(
    "typed", ["one\r\ntwo\r\n", "one\ntwo\n", "one\rtwo\r"], ids=["CRLF", "LF", "CR"]
)
def test_line_breaks_are_sent_as_lf(client, routine, practice, typed):
    press(client, routine, text=typed)
    assert practice.sessions[0].text == Run.objects.get().text == "one\ntwo\n"


def test_spaces_and_odd_characters_are_sent_as_typed(client, routine, practice):
    text = '  {"a": "<b>&amp;{{ x }}"} \u2028 \U0001f680 '
    press(client, routine, text=text)
    assert practice.sessions[0].text == text


# --- One form, one run ---


@page_and_fragment
def test_two_presses_of_one_form_are_one_run(client, routine, practice, htmx):
    fields = run_form(client, routine)
    first = post_run(client, routine, fields, htmx=htmx)
    second = post_run(client, routine, fields, htmx=htmx)
    run = Run.objects.get()
    assert practice.requests == 1
    assert first.status_code == second.status_code
    if htmx:
        assert all(Page(shown).link(run.session_url) for shown in (first, second))
    else:
        assert first.headers["Location"] == second.headers["Location"]


@page_and_fragment
def test_a_press_replayed_days_later_shows_the_same_run(client, routine, practice, htmx):
    fields = run_form(client, routine)
    post_run(client, routine, fields)
    run = Run.objects.get()
    with time_machine.travel(timezone.now() + timedelta(days=3)):
        page = shown_after(client, post_run(client, routine, fields, htmx=htmx))
    assert page.find("a", href=run.session_url)
    assert practice.requests == 1


def test_the_changed_text_can_then_be_sent_as_a_new_run(client, routine, practice):
    fields = run_form(client, routine)
    post_run(client, routine, fields)
    refused = Page(post_run(client, routine, fields, text="Changed."))
    post_run(client, routine, refused.fields(fire_url(routine)))
    assert [session.text for session in practice.sessions] == ["Notes for version 1.", "Changed."]


# --- Texts that cannot be sent ---


@page_and_fragment
@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("x" * (texts.MAX_CHARACTERS + 1), "The text is 1 character too long"),
        ("x" * (texts.MAX_CHARACTERS + 1_000), "The text is 1,000 characters too long"),
        ("x\x00y", "Null characters are not allowed."),
    ],
    ids=["one over", "thousand over", "NUL"],
)
def test_a_text_that_cannot_be_sent_comes_back_with_a_sentence(
    client, routine, practice, htmx, typed, sentence
):
    response = press(client, routine, htmx=htmx, text=typed)
    page = Page(response)
    assert response.status_code == 422
    assert page.says(sentence)
    assert page.fields(fire_url(routine))["text"] == typed
    assert practice.requests == 0
    assert not Run.objects.exists()


def test_the_shortened_text_goes_out_once(client, routine, practice):
    fields = run_form(client, routine)
    refused = Page(post_run(client, routine, fields, text="x" * 70_000)).fields(fire_url(routine))
    post_run(client, routine, refused, text="Shorter.")
    post_run(client, routine, refused, text="Shorter.")
    assert [session.text for session in practice.sessions] == ["Shorter."]


def test_line_breaks_count_as_one_character_each(client, routine, practice):
    press(client, routine, text="\r\n" * texts.MAX_CHARACTERS)
    assert practice.sessions[0].text == "\n" * texts.MAX_CHARACTERS


def test_a_refused_form_keeps_its_key(client, routine, practice):
    """The answer to the first press was lost on its way: the second must still find its run."""
    fields = run_form(client, routine)
    post_run(client, routine, fields)
    refused = Page(post_run(client, routine, fields, text="x" * 70_000))
    post_run(client, routine, refused.fields(fire_url(routine)), text=fields["text"])
    assert practice.requests == 1


# --- When the web session or the database goes while the endpoint answers ---


@pytest.fixture
def meanwhile(client, monkeypatch) -> Callable[[Callable[[], object]], None]:
    """Do something while the next request is at the endpoint, long after the form was opened."""

    def arrange(act: Callable[[], object]) -> None:
        fire = fire_api.fire

        def fire_and_act(**arguments: Any) -> fire_api.Answer:
            answer = fire(**arguments)
            act()
            return answer

        monkeypatch.setattr(fire_api, "fire", fire_and_act)
        session = client.session
        session["seen_at"] -= 3600
        session.save()

    return arrange


@page_and_fragment
def test_a_web_session_that_ends_meanwhile_keeps_nobody_from_the_answer(
    client, routine, practice, meanwhile, htmx
):
    fields = run_form(client, routine)
    meanwhile(lambda: Session.objects.all().delete())
    response = post_run(client, routine, fields, htmx=htmx)
    run = Run.objects.get()
    assert (practice.requests, run.state) == (1, State.STARTED)
    if htmx:
        assert Page(response).link(run.session_url)
    else:
        assert response.headers["Location"] == reverse("history_run", args=[run.pk])


def test_a_web_session_that_ends_just_before_sends_nothing(client, routine, practice, meanwhile):
    def end_when_read(execute: Callable[..., Any], sql: str, *more: Any) -> Any:
        result = execute(sql, *more)
        if sql.startswith('SELECT "django_session"'):
            Session.objects.all().delete()
        return result

    fields = run_form(client, routine)
    meanwhile(lambda: None)
    with connection.execute_wrapper(end_when_read):
        response = post_run(client, routine, fields, text="Typed for long.")
    assert (response.status_code, practice.requests) == (401, 0)
    assert Page(response).find("pre")[0].text == "Typed for long."
