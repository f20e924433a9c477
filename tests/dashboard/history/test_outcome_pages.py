"""Saying what came of a run: on its page, on the result card, in the history's rows."""

import pytest
from django.urls import reverse

from routines.models import Run
from routines.practice_api import PracticeApi
from routines.values.reasons import Reason
from tests.dashboard.browsing import HTMX, Page, press, seen, signed_in
from tests.factories import create_run, create_teammate

PULL_REQUEST = "https://github.com/example/app/pull/7"


@pytest.fixture
def run(routine, teammate) -> Run:
    return create_run(routine=routine, person=teammate)


def shown(run: Run) -> dict[str, str]:
    return seen("outcome", Run.objects.get(pk=run.pk))


def mark(client, run: Run, outcome: str = "useful", **options):
    typed = {"outcome": outcome} | shown(run)
    return client.post(reverse("mark_outcome", args=[run.pk]), typed, **options)


def note(client, run: Run, **typed: str):
    return client.post(reverse("note_outcome", args=[run.pk]), typed | shown(run), headers=HTMX)


def test_one_click_marks_a_run_on_its_page(client, run):
    page = Page(client.get(reverse("history_run", args=[run.pk])))
    assert [button.text for button in page.find("button", name="outcome")] == [
        *("Useful", "Not useful", "Failed")
    ]
    page = Page(mark(client, run, "not_useful", follow=True))
    (pressed,) = [one for one in page.elements if one.attributes.get("aria-pressed") == "true"]
    assert pressed.text == "Not useful"
    assert page.says("Marked by the teammate")


def test_the_answer_to_a_press_asks_what_came_of_it(client, routine, practice: PracticeApi):
    page = Page(press(client, routine, htmx=True))
    run = Run.objects.get()
    assert page.find("form", action=reverse("mark_outcome", args=[run.pk]))
    assert page.find("button", **{"data-copy": run.session_url})


def test_with_htmx_the_buttons_alone_are_drawn_anew_and_it_is_announced(client, run):
    response = mark(client, run, headers=HTMX)
    assert Page(response).elements[0].attributes["id"] == f"outcome-{run.pk}"
    assert "Marked useful." in response.headers["HX-Trigger-After-Settle"]


def test_a_note_and_a_link_are_shown_and_can_be_taken_back(client, run):
    mark(client, run)
    page = Page(note(client, run, note="Merged <soon>.", link=PULL_REQUEST))
    assert page.says("Merged <soon>.")
    assert page.link(PULL_REQUEST).attributes["rel"] == "noopener noreferrer nofollow"
    client.post(reverse("take_back_outcome", args=[run.pk]), shown(run))
    page = Page(client.get(reverse("history_run", args=[run.pk])))
    assert not page.says("Merged")
    assert not page.says("Marked by")


@pytest.mark.parametrize("link", ["http://example.com/", "javascript:alert(1)", "#7"])
def test_a_refused_link_says_what_to_paste_and_keeps_what_was_typed(client, run, link):
    mark(client, run)
    response = note(client, run, note="Kept.", link=link)
    assert response.status_code == 422
    page = Page(response)
    assert page.says("beginning with https://")
    assert page.find("input", name="link")[0].attributes["value"] == link
    assert page.find("input", name="note")[0].attributes["value"] == "Kept."
    assert Run.objects.get().outcome_note == ""


def test_without_htmx_a_refusal_is_a_page_of_its_own(client, run):
    mark(client, run)
    response = client.post(reverse("note_outcome", args=[run.pk]), {"link": "#7"} | shown(run))
    assert response.status_code == 422
    assert Page(response).find("html")
    assert Page(response).says("beginning with https://")


def test_a_token_in_a_note_is_refused_and_not_shown_again(client, run):
    mark(client, run)
    token = "sk-ant-oat01-" + "x" * 80
    response = note(client, run, note=f"It said {token}")
    assert response.status_code == 422
    assert token not in response.content.decode()
    assert Run.objects.get().outcome_note == ""


@pytest.mark.parametrize("outcome", ["", "great", "USEFUL", "\x00"])
def test_there_are_three_outcomes(client, run, outcome):
    response = mark(client, run, outcome)
    assert response.status_code == 422
    assert Page(response).says("Choose useful, not useful or failed.")


def test_a_note_before_any_outcome_is_asked_for_one(client, run):
    response = note(client, run, note="x")
    assert response.status_code == 422
    assert Page(response).says("Say first whether it was useful.")


def test_nothing_is_asked_of_a_run_that_started_nothing(client, routine, teammate):
    run = create_run(routine=routine, person=teammate, reason=Reason.PAUSED)
    page = Page(client.get(reverse("history_run", args=[run.pk])))
    assert not page.find("button", name="outcome")
    assert mark(client, run).status_code == 404


def test_somebody_elses_run_cannot_be_marked(client, routine):
    run = create_run(routine=routine)
    assert mark(client, run).status_code == 404
    assert Run.objects.get().outcome == ""


def test_a_manager_may_mark_anybodys_run(manager, run):
    assert mark(signed_in(manager), run).status_code == 302
    assert Run.objects.get().outcome_by == manager


def test_the_history_and_the_board_show_the_outcome(client, run, routine):
    mark(client, run, "failed")
    assert Page(client.get(reverse("history"))).find("span", **{"class": "state outcome failed"})
    assert Page(signed_in(create_teammate()).get("/")).says("Session created Failed")
