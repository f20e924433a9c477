"""The history, each run's page, and settling what is unknown."""

import re
from datetime import UTC, datetime, timedelta
from itertools import chain
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from dashboard.templatetags import dashboard as tags
from routines.history import pages
from routines.models import AuditEvent, Routine, Run
from routines.values.reasons import MEANINGS, Reason, State
from tests.dashboard.browsing import HTMX, Page, fire_url, run_url, seen, signed_in
from tests.factories import create_person, create_run, create_teammate

GOOD_URL = "https://claude.ai/code/session_01FOUND"


def run_page(run: Run) -> str:
    return reverse("history_run", args=[run.pk])


@pytest.fixture
def manager_client(manager):
    return signed_in(manager)


@pytest.fixture
def unknown(routine, teammate) -> Run:
    return create_run(routine=routine, person=teammate, reason=Reason.NO_ANSWER)


# --- The list ---


def test_a_row_says_when_what_who_the_first_line_the_state_and_the_session(
    manager_client, routine, teammate
):
    run = create_run(routine=routine, person=teammate, text="{\n  First line.\nSecond line.")
    page = Page(manager_client.get("/history/"))
    assert page.link(run_page(run))
    for shown in ("Release notes", "the teammate", "First line.", "Session created"):
        assert page.says(shown)
    assert not page.says("Second line.")
    assert page.link(run.session_url).attributes["rel"] == "noopener noreferrer"


def test_a_teammate_sees_their_own_runs_alone(client, routine, teammate):
    mine = create_run(routine=routine, person=teammate)
    others = create_run(routine=routine, person=create_teammate())
    page = Page(client.get("/history/"))
    assert page.says("Your runs")
    assert page.link(run_page(mine))
    assert not page.find("a", href=run_page(others))


@pytest.mark.parametrize("who", ["manager", "admin"])
def test_managers_and_admins_see_everybodys_runs(request, routine, who):
    runs = [create_run(routine=routine) for _ in range(2)]
    page = Page(signed_in(request.getfixturevalue(who)).get("/history/"))
    assert page.says("Every run")
    assert all(page.link(run_page(run)) for run in runs)


def test_an_empty_history_points_at_the_board_only_for_those_who_have_one(client, manager_client):
    assert Page(client.get("/history/")).says("Open the board and press Run.")
    assert not Page(manager_client.get("/history/")).says("Open the board")


def test_the_runs_of_an_archived_routine_stay(client, routine, teammate):
    run = create_run(routine=routine, person=teammate)
    Routine.objects.update(archived_at=timezone.now())
    assert Page(client.get("/history/")).link(run_page(run))
    page = Page(client.get(run_page(run)))
    assert page.find("a", href=run.session_url)
    assert not page.find("a", href=f"{run_url(routine)}?again={run.pk}")


def _linked_runs(page: Page) -> list[str]:
    (body,) = page.find("tbody")
    hrefs = [link.attributes["href"] for link in page.find("a") if body in link.inside]
    return [href for href in hrefs if href.startswith("/history/")]


def test_the_pages_lead_through_all_runs_and_back(client, routine, teammate):
    first = create_run(routine=routine, person=teammate)
    values = {name: getattr(first, name) for name in ("created_at", "settled_at")}
    values |= {"state": first.state, "reason": first.reason, "api_version": first.api_version}
    # All of one moment: the primary key has to tell them apart.
    Run.objects.bulk_create(
        Run(key=uuid4(), routine=routine, person=teammate, session_id=f"session_{one}", **values)
        for one in range(2 * pages.PAGE_SIZE)
    )
    newest_first = [run_page(run) for run in Run.objects.order_by("-pk")]

    url, shown = "/history/", []
    while True:
        page = Page(client.get(url))
        shown.append(_linked_runs(page))
        older = page.find("a", rel="next")
        if not older:
            break
        url = "/history/" + older[0].attributes["href"]
    assert [len(runs) for runs in shown] == [pages.PAGE_SIZE, pages.PAGE_SIZE, 1]
    assert list(chain.from_iterable(shown)) == newest_first

    (newer,) = page.find("a", rel="prev")
    assert _linked_runs(Page(client.get("/history/" + newer.attributes["href"]))) == shown[1]


@pytest.mark.parametrize("cursor", ["x", "1", "1-", "-1", "1-x", "9" * 30 + "-1", "1-" + "9" * 30])
@pytest.mark.parametrize("name", ["before", "after"])
def test_a_broken_cursor_is_no_page(client, name, cursor):
    assert client.get("/history/", {name: cursor}).status_code == 404


def test_an_overdue_run_is_shown_as_unknown(client, routine, teammate):
    run = create_run(
        routine=routine, person=teammate, reason=Reason.SENDING, ago=timedelta(minutes=5)
    )
    for url in ("/history/", run_page(run)):
        assert Page(client.get(url)).says("Unknown")
    run.refresh_from_db()
    assert run.reason == Reason.INTERRUPTED


# --- A run's page ---


def test_the_page_of_a_run_has_everything_about_it(client, routine, teammate):
    text = "<b>Exact</b>\n\n  text & all "
    run = create_run(
        routine=routine,
        person=teammate,
        text=text,
        template_name="The template",
        beta_version="experimental-cc-routine-2026-04-01",
        request_id="req_123",
        http_status=200,
        duration_ms=1234,
    )
    page = Page(client.get(run_page(run)))
    facts = dict(
        zip(
            (element.text for element in page.find("dt")),
            (" ".join(element.text.split()) for element in page.find("dd")),
            strict=True,
        )
    )
    assert facts["Session"].startswith(run.session_url)
    assert facts["Session ID"] == run.session_id
    assert facts["HTTP status"] == "200"
    assert facts["Request ID"] == "req_123"
    assert facts["Time to answer"] == "1.2 s"
    assert facts["Beta version"] == "experimental-cc-routine-2026-04-01"
    assert facts["API version"] == "2023-06-01"
    assert facts["Text template"] == "The template"
    assert facts["Run again?"] == "Yes, it is a new run."
    assert page.find("pre")[0].text == text


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason != Reason.SENDING])
def test_the_page_of_a_run_says_what_happened_and_who_must_act(client, teammate, reason, routine):
    meaning = MEANINGS[reason]
    page = Page(client.get(run_page(create_run(routine=routine, person=teammate, reason=reason))))
    assert page.says(meaning.state.label)
    assert page.says(meaning.again.label)
    # What a run waits for, its page says more exactly: test_waiting.py.
    if reason != Reason.SESSION_CREATED and meaning.state != State.ACCEPTED:
        assert page.says(f"{meaning.cause} {meaning.remedy}")


def test_a_run_being_sent_asks_for_its_result_until_it_is_there(client, routine, teammate):
    run = create_run(routine=routine, person=teammate, reason=Reason.SENDING)
    url = reverse("history_result", args=[run.pk])
    (polling,) = Page(client.get(run_page(run))).find("div", id=f"result-{run.pk}")
    url_told = polling.attributes["hx-get"]
    assert url_told.startswith(f"{url}?told=")
    assert client.get(url_told, headers=HTMX).status_code == 204  # nothing new
    Run.objects.update(
        state=State.STARTED,
        reason=Reason.SESSION_CREATED,
        session_url=GOOD_URL,
        settled_at=timezone.now(),
    )
    fragment = Page(client.get(url, headers=HTMX))
    assert "hx-get" not in fragment.elements[0].attributes
    assert fragment.link(GOOD_URL)
    own_page = HTMX | {"HX-Current-URL": f"http://testserver{run_page(run)}"}
    assert client.get(url, headers=own_page).headers["HX-Refresh"] == "true"


def test_a_result_that_comes_by_itself_does_not_ask_for_the_focus(client, routine, teammate):
    run = create_run(routine=routine, person=teammate)
    url = reverse("history_result", args=[run.pk])
    assert "autofocus" not in Page(client.get(url, headers=HTMX)).elements[0].attributes


@pytest.mark.parametrize("name", ["history_run", "history_result"])
def test_somebody_elses_run_looks_like_none(client, routine, name):
    run = create_run(routine=routine)
    theirs = client.get(reverse(name, args=[run.pk]), headers=HTMX)
    none = client.get(reverse(name, args=[run.pk + 1]), headers=HTMX)
    assert theirs.status_code == none.status_code == 404
    # But for the reference, which each answer has of its own.
    reference = re.compile(rb"\b[0-9a-f]{12}\b")
    assert reference.sub(b"", theirs.content) == reference.sub(b"", none.content)


def test_who_has_lost_every_role_sees_no_run_not_even_their_own(routine):
    person = create_person()
    run = create_run(routine=routine, person=person)
    answer = signed_in(person).get(run_page(run))
    assert answer.status_code == 403
    assert run.session_url not in answer.content.decode()


@pytest.mark.parametrize("pk", ["0", "9" * 25])
def test_an_impossible_run_is_no_page(client, pk):
    assert client.get(f"/history/{pk}/").status_code == 404


# --- Settling unknown runs ---


def shown(run: Run) -> dict[str, str]:
    return seen("settling", Run.objects.get(pk=run.pk))


def test_an_unknown_run_asks_whether_it_started(client, unknown):
    page = Page(client.get(run_page(unknown)))
    assert page.says("Did it start?")
    assert page.fields(reverse("settle_as_started", args=[unknown.pk]))["session_url"] == ""
    assert page.fields(reverse("settle_as_not_started", args=[unknown.pk]))


def test_a_found_session_settles_the_run(client, unknown, teammate):
    typed = {"session_url": f" {GOOD_URL}?from=mail "}
    response = client.post(reverse("settle_as_started", args=[unknown.pk]), typed | shown(unknown))
    assert response.headers["Location"] == run_page(unknown)
    page = Page(client.get(run_page(unknown)))
    assert page.find("a", href=GOOD_URL)
    assert page.says("the teammate said so")
    unknown.refresh_from_db()
    assert (unknown.state, unknown.settled_by) == (State.STARTED, teammate)
    assert AuditEvent.objects.get(action="run_settled").person == teammate


def test_a_run_that_did_not_start_is_settled(client, unknown, teammate):
    client.post(reverse("settle_as_not_started", args=[unknown.pk]), shown(unknown))
    assert Page(client.get(run_page(unknown))).says("a person has looked: no session was started.")
    unknown.refresh_from_db()
    assert (unknown.state, unknown.settled_by) == (State.REFUSED, teammate)


def test_what_people_said_can_be_corrected(client, unknown):
    client.post(reverse("settle_as_not_started", args=[unknown.pk]), shown(unknown))
    typed = {"session_url": GOOD_URL} | shown(unknown)
    client.post(reverse("settle_as_started", args=[unknown.pk]), typed)
    unknown.refresh_from_db()
    assert unknown.session_url == GOOD_URL


@pytest.mark.parametrize(
    "url",
    [
        "",
        "session_01FOUND",
        "http://claude.ai/code/session_01FOUND",
        "https://claude.ai.example.com/code/session_01FOUND",
        "https://claude.ai@example.com/code/session_01FOUND",
        "https://claude.ai/code/",
        "https://claude.ai/code/routines",
        "javascript:alert(1)",
        "https://claude.ai/code/session_\x00",
        "https://claude.ai/code/session_" + "x" * 500,
    ],
)
def test_what_is_no_sessions_address_is_refused_and_kept_in_the_form(client, unknown, url):
    settle = reverse("settle_as_started", args=[unknown.pk])
    response = client.post(settle, {"session_url": url} | shown(unknown))
    page = Page(response)
    assert response.status_code == 422
    assert page.find("ul", id="id_session_url_error")
    assert page.fields(settle)["session_url"] == url
    unknown.refresh_from_db()
    assert unknown.is_unknown


def test_a_session_of_another_run_is_refused_by_naming_that_run(client, unknown, routine, teammate):
    other = create_run(routine=routine, person=teammate)
    typed = {"session_url": other.session_url} | shown(unknown)
    response = client.post(reverse("settle_as_started", args=[unknown.pk]), typed)
    assert Page(response).says(f"This session belongs to run {other.pk} already.")


@pytest.mark.parametrize("name", ["settle_as_started", "settle_as_not_started"])
def test_what_the_endpoint_said_cannot_be_overruled(client, routine, teammate, name):
    run = create_run(routine=routine, person=teammate)
    typed = {"session_url": GOOD_URL} | shown(run)
    response = client.post(reverse(name, args=[run.pk]), typed, follow=True)
    assert Page(response).says("The endpoint has answered in the meantime: see below.")
    stored = Run.objects.get(pk=run.pk)
    assert (stored.state, stored.session_url) == (State.STARTED, run.session_url)


@pytest.mark.parametrize("name", ["settle_as_started", "settle_as_not_started"])
def test_nobody_settles_a_run_they_may_not_see(client, routine, name):
    run = create_run(routine=routine, reason=Reason.NO_ANSWER)
    response = client.post(reverse(name, args=[run.pk]), {"session_url": GOOD_URL})
    assert response.status_code == 404
    run.refresh_from_db()
    assert run.is_unknown


def test_a_manager_may_settle_a_teammates_run(manager_client, manager, unknown):
    manager_client.post(reverse("settle_as_not_started", args=[unknown.pk]), shown(unknown))
    unknown.refresh_from_db()
    assert unknown.settled_by == manager


# --- How a text is shown in a list ---


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("One line.", "One line."),
        ("\n\n  Second.\nThird.", "Second."),
        ('{\n  "alert": "x"\n}', '"alert": "x"'),
        ("{}", "{}"),
        ("", ""),
        ("x" * 500, "x" * 200),
    ],
)
def test_the_first_line_that_says_something(text, shown):
    assert tags.first_line(text) == shown


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [(0, "0 ms"), (99, "99 ms"), (100, "0.1 s"), (1_234, "1.2 s"), (30_000, "30 s")],
)
def test_durations_are_short(milliseconds, shown):
    assert tags.seconds(milliseconds) == shown


@pytest.mark.parametrize(
    ("passed", "shown"),
    [
        (timedelta(0), "1 second"),
        (timedelta(seconds=40), "40 seconds"),
        (timedelta(seconds=119), "119 seconds"),
        (timedelta(minutes=3), "3 minutes"),
        (timedelta(seconds=-5), "1 second"),
    ],
)
def test_how_long_ago(passed, shown, monkeypatch):
    now = datetime(2026, 1, 1, tzinfo=UTC)
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)
    assert tags.ago(now - passed) == shown


# --- What retention did ---


def test_the_history_says_how_long_runs_are_kept(client, settings):
    assert not Page(client.get("/history/")).says("are deleted after")
    settings.KEEP_RUNS_DAYS = 400
    assert Page(client.get("/history/")).says("Runs are deleted after 400 days.")


def test_a_shortened_text_says_so_and_is_not_run_again(client, routine, teammate):
    run = create_run(routine=routine, person=teammate, text="First line.", text_was=4312)
    page = Page(client.get(run_page(run)))
    assert page.says("4,312 characters then")
    assert page.says("The text has been shortened since")
    assert not page.says("Run again with this text")
    form = Page(client.get(run_url(routine), {"again": run.pk}))
    assert form.says(f"The text of run {run.pk} has been shortened since")
    assert form.fields(fire_url(routine))["text"] == "Notes for version 1."
