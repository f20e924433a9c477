"""Whatever the endpoint answers is shown as a sentence, and as nothing but text."""

import json

import pytest

from routines.models import Run
from routines.practice_api import rules
from tests.dashboard.browsing import Page, fire_url, page_and_fragment, press, run_url, shown_after
from tests.factories import create_routine


@pytest.mark.parametrize(
    ("routine_id", "state", "sentence"),
    [
        ("trig_practice_paused", "Refused", "The routine is paused at claude.ai."),
        ("trig_practice_401", "Refused", "The endpoint rejected the stored token."),
        ("trig_practice_403", "Refused", "The account may not use routines at the moment."),
        ("trig_practice_403_html", "Refused", "A proxy in front of the endpoint turned"),
        ("trig_practice_404", "Refused", "The endpoint knows no such routine."),
        ("trig_practice_503", "Refused", "The endpoint is overloaded."),
        ("trig_practice_500", "Unknown", "Look at claude.ai/code whether a session exists"),
    ],
)
@page_and_fragment
def test_a_bad_answer_is_a_sentence_and_a_way_back_to_the_text(
    client, practice, routine_id, state, sentence, htmx
):
    routine = create_routine(routine_id=routine_id, template="x")
    page = shown_after(client, press(client, routine, htmx=htmx, text="Typed for long."))
    assert page.says(state)
    assert page.says(sentence)
    (back,) = page.find("a", href=f"{run_url(routine)}?again={Run.objects.get().pk}")
    form = Page(client.get(back.attributes["href"])).fields(fire_url(routine))
    assert form["text"] == "Typed for long."


def test_an_unreachable_endpoint_is_said(client, routine, settings):
    settings.CLAUDE_API_BASE_URL = "http://127.0.0.1:9"
    assert Page(press(client, routine, htmx=True)).says("The endpoint could not be reached.")


def _answering(practice, monkeypatch, status, **content):
    answer = rules.Answer(
        status, json.dumps(content).encode(), {"Content-Type": "application/json"}
    )
    monkeypatch.setattr(practice, "answer", lambda request: answer)


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "http://claude.ai/code/session_1",
        "https://claude.ai.example.com/code/session_1",
        "https://claude.ai@example.com/code/session_1",
        'https://claude.ai/"onmouseover="x',
    ],
)
def test_an_unsafe_session_url_is_text_and_no_link(client, routine, practice, monkeypatch, url):
    _answering(
        practice,
        monkeypatch,
        200,
        type="routine_fire",
        claude_code_session_id="session_1",
        claude_code_session_url=url,
    )
    fragment = press(client, routine, htmx=True)
    run = Run.objects.get()
    pages = [fragment, client.get("/history/"), client.get(f"/history/{run.pk}/")]
    for page in map(Page, pages):
        assert page.says("session_1")
        assert all(
            link.attributes["href"].startswith("/") or link.text == "claude.ai/code"
            for link in page.find("a")
            if link.attributes["href"] != "#main"
        )
    assert Page(fragment).says(url)
    assert Page(fragment).says("Do not open the address below unchecked.")


def test_markup_in_a_message_of_the_endpoint_stays_text(client, routine, practice, monkeypatch):
    message = "<img src=x onerror=alert(1)> {{ settings.SECRET_KEY }} {% debug %}"
    error = {"type": "invalid_request_error", "message": message}
    _answering(practice, monkeypatch, 400, type="error", error=error)
    fragment = press(client, routine, htmx=True)
    for page in (Page(fragment), Page(client.get(f"/history/{Run.objects.get().pk}/"))):
        assert page.says(message)
        assert not page.find("img")
