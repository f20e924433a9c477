"""The history's filter: in the address, as chips, as saved views; and what names a run."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from routines import registry
from routines.history import saved_views
from routines.history.run_filter import RunFilter
from routines.models import AuditEvent, Run, SavedView
from routines.values.reasons import Reason
from tests.dashboard.browsing import HTMX, Page, press_button, save, signed_in
from tests.factories import create_routine, create_run, create_teammate

RESULTS = HTMX | {"HX-Target": "results"}


@pytest.fixture
def manager_client(manager):
    return signed_in(manager)


def run_page(run: Run) -> str:
    return reverse("history_run", args=[run.pk])


def shown(page: Page) -> set[str]:
    bodies = page.find("tbody")
    links = [link.attributes["href"] for link in page.find("a") if set(bodies) & set(link.inside)]
    return {href for href in links if href.startswith("/history/")}


@pytest.fixture
def refused(routine, teammate) -> Run:
    create_run(routine=routine, person=teammate)
    create_run(reason=Reason.PAUSED, person=teammate)
    return create_run(routine=routine, person=teammate, reason=Reason.PAUSED, text="Deploy it")


def test_filters_combine_in_the_address(manager_client, routine, refused):
    url = f"/history/?routine={routine.slug}&state=refused&period=today&q=deploy"
    page = Page(manager_client.get(url))
    assert shown(page) == {run_page(refused)}
    # The form shows what holds, so that it can be changed.
    (chosen,) = [one for one in page.find("option") if one.attributes["value"] == routine.slug]
    assert "selected" in chosen.attributes
    assert page.chosen("state") == ["refused"]


def test_what_htmx_gets_is_the_results_with_a_clean_address(manager_client, routine, refused):
    url = f"/history/?q=&period=&routine={routine.slug}&state=refused&tag="
    response = manager_client.get(url, headers=RESULTS)
    page = Page(response)
    assert shown(page) == {run_page(refused)}
    assert not page.find("html")
    assert response.headers["HX-Push-Url"] == f"/history/?routine={routine.slug}&state=refused"


def test_each_part_of_the_filter_is_a_chip_that_takes_it_away(manager_client, routine, refused):
    url = f"/history/?routine={routine.slug}&state=refused&state=unknown&from=2020-01-31"
    page = Page(manager_client.get(url))
    hrefs = [link.attributes["href"] for link in page.find("a", **{"class": "chip"})]
    rest = "from=2020-01-31&routine=release-notes"
    assert hrefs == [
        "/history/?routine=release-notes&state=refused&state=unknown",
        "/history/?from=2020-01-31&state=refused&state=unknown",
        f"/history/?{rest}&state=unknown",
        f"/history/?{rest}&state=refused",
    ]
    for said in ("Routine: Release notes", "First day: 31 Jan 2020", "State: Refused"):
        assert page.says(said)


def test_the_pages_keep_the_filter(manager_client, routine, teammate):
    for _ in range(60):
        create_run(routine=routine, person=teammate, reason=Reason.PAUSED)
    page = Page(manager_client.get("/history/?state=refused"))
    (older,) = page.find("a", rel="next")
    assert older.attributes["href"].startswith("?state=refused&before=")
    page = Page(manager_client.get("/history/" + older.attributes["href"]))
    assert len(shown(page)) == 10
    assert page.find("a", rel="prev")[0].attributes["href"].startswith("?state=refused&after=")


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("from=2026-02-30", "There is no such day."),
        ("from=2026-03-02&to=2026-03-01", "The last day lies before the first."),
        ("state=succeeded", "This state is not known here."),
        ("q=***", "There is no word in this to search for."),
        ("q=" + "x" * 5_000, "shorten it to 500 characters"),
        ("q=" + "+".join(map(str, range(13))), "at most 12 words"),
    ],
)
@pytest.mark.parametrize("headers", [{}, RESULTS], ids=["page", "htmx"])
def test_a_filter_that_cannot_be_is_answered_with_a_sentence(
    manager_client, refused, query, sentence, headers
):
    response = manager_client.get(f"/history/?{query}", headers=headers)
    assert response.status_code == 422
    assert Page(response).says(sentence)
    assert not Page(response).find("tbody")


@pytest.mark.parametrize("name", ["routine", "person", "account", "tag"])
def test_a_name_that_nobody_knows_finds_nothing_and_says_why(manager_client, refused, name):
    page = Page(manager_client.get(f"/history/?{name}=no-such"))
    assert page.says("No run matches.")
    assert page.says("“no-such” is not known here.")


@pytest.mark.parametrize(
    "typed", ["'\"; --", "a\x00b", "%", "\\", "NOT", "{{ x }}", "日本", "\ud7ff"]
)
def test_wild_searches_are_pages(manager_client, refused, typed):
    assert manager_client.get("/history/", {"q": typed}).status_code in (200, 422)


# --- One run by its name ---


def test_what_names_a_run_leads_to_it(manager_client, client, refused):
    run = create_run(request_id="req_42")
    for typed in (
        run.session_id,
        f" {run.session_url}?x ",
        "req_42",
        f"#{run.pk}",
        f"run {run.pk}",
    ):
        response = manager_client.get("/history/", {"q": typed})
        assert (response.status_code, response.headers["Location"]) == (302, run_page(run))
        response = manager_client.get("/history/", {"q": typed}, headers=RESULTS)
        assert response.headers["HX-Redirect"] == run_page(run)
        hidden = client.get("/history/", {"q": typed})  # somebody else's
        assert hidden.status_code == 200
        assert Page(hidden).says("No run matches.")


def test_a_number_is_a_word_and_may_be_a_run(manager_client, refused):
    run = create_run(text=f"See {refused.pk}")
    page = Page(manager_client.get(f"/history/?q={refused.pk}"))
    assert shown(page) == {run_page(run)}
    assert page.link(f"/history/?q=%23{refused.pk}")


# --- Whose runs ---


def test_a_group_sees_the_runs_of_a_routine_that_shows_them(client, teammate, routine):
    group = Group.objects.create(name="Release people")
    routine.open_to.add(group)
    run = create_run(routine=routine, person=create_teammate())
    assert shown(Page(client.get("/history/"))) == set()
    routine.runs_seen_by_group = True
    routine.save()
    assert client.get(run_page(run)).status_code == 404
    teammate.groups.add(group)
    page = Page(signed_in(teammate).get("/history/"))
    assert shown(page) == {run_page(run)}
    assert page.find("select", name="person")
    assert signed_in(teammate).get(run_page(run)).status_code == 200


def test_an_admin_opens_the_runs_of_a_routine_with_its_rules(admin_client, routine, client):
    run = create_run(routine=routine, person=create_teammate())
    url = reverse("rules", args=[routine.slug])
    assert save(admin_client, url, runs_seen_by_group="on").status_code == 302
    assert client.get(run_page(run)).status_code == 200
    event = AuditEvent.objects.latest("pk")
    assert event.changes == {"runs_seen_by_group": [False, True]}
    registry.set_rules(routine, open_to_everybody=True, confirmation="off", asks_why=False, by=None)
    assert client.get(run_page(run)).status_code == 200  # who does not speak of it, leaves it


def test_who_sees_their_own_runs_alone_is_not_offered_other_people(client, refused):
    create_teammate(username="a-colleague")
    page = Page(client.get("/history/"))
    assert not page.find("select", name="person")
    assert not page.says("a-colleague")


# --- What is new ---


def live_url(page: Page) -> str:
    (live,) = page.find("div", id="live")
    return live.attributes["data-live"]


def test_new_runs_are_told_and_loaded_only_when_asked_for(manager_client, refused):
    url = live_url(Page(manager_client.get("/history/?state=refused")))
    create_run()
    assert manager_client.get(url).status_code == 204
    for _ in range(2):
        create_run(reason=Reason.PAUSED)
    news = Page(manager_client.get(url))
    assert news.says("Show 2 new runs")
    assert news.link("/history/?state=refused")
    assert manager_client.get(live_url(news)).status_code == 204  # told once


def test_older_pages_ask_for_no_news(manager_client, routine, teammate):
    for number in range(60):
        create_run(routine=routine, person=teammate, ago=timedelta(seconds=number))
    page = Page(manager_client.get("/history/"))
    (older,) = page.find("a", rel="next")
    older_page = Page(manager_client.get("/history/" + older.attributes["href"]))
    assert not older_page.find("div", id="live")


# --- Saved views ---


def test_a_filter_is_saved_used_replaced_and_deleted(manager_client, manager, refused):
    fields = Page(manager_client.get("/history/?state=refused")).fields("/history/views/save/")
    response = manager_client.post("/history/views/save/", fields | {"name": "Refusals"})
    assert response.headers["Location"] == "/history/?state=refused"
    assert Page(manager_client.get("/history/")).link("/history/?state=refused").text == "Refusals"
    again = {"name": "Refusals", "query": "state=unknown"}
    told = manager_client.post("/history/views/save/", fields | again)
    assert Page(told).says("Refusals: it was none, and is now state=refused")
    manager_client.post("/history/views/save/", Page(told).fields("/history/views/save/"))
    view = SavedView.objects.get()
    assert (view.person, view.query) == (manager, "state=unknown")
    delete = f"/history/views/{view.pk}/delete/"
    press_button(manager_client, "/history/", delete)
    assert not SavedView.objects.exists()


def test_a_view_without_a_name_or_with_a_broken_filter_is_not_saved(manager_client):
    for fields in ({"name": "", "query": ""}, {"name": "x", "query": "state=succeeded"}):
        response = manager_client.post("/history/views/save/", fields)
        assert response.status_code == 422
    assert not SavedView.objects.exists()


def test_there_is_an_end_to_saved_views(manager_client, manager):
    for number in range(saved_views.MOST):
        saved_views.save(manager, name=str(number), run_filter=RunFilter())
    saved_views.save(manager, name="0", run_filter=RunFilter(q="again"))
    fields = Page(manager_client.get("/history/?state=refused")).fields("/history/views/save/")
    response = manager_client.post("/history/views/save/", fields | {"name": "One more"})
    assert Page(response).says("Delete one first.")


def test_every_built_in_view_is_a_page(client, teammate, refused):
    for view in saved_views.built_in(teammate):
        response = client.get(f"/history/?{view.query}")
        assert response.status_code == 200, view.name


def test_more_choices_and_views_make_no_more_queries(manager_client, manager, refused):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            manager_client.get("/history/?state=refused&q=deploy&period=today")
        return len(captured)

    few = queries()
    for number in range(5):
        create_run(routine=create_routine(account=f"Account {number}"), reason=Reason.PAUSED)
        saved_views.save(manager, name=str(number), run_filter=RunFilter())
    assert queries() == few


def test_a_number_that_is_no_runs_is_offered_as_a_word(manager_client):
    run = create_run(text="See GitHub issue #45218 about checkout")
    page = Page(manager_client.get("/history/", {"q": "#45218"}))
    assert shown(page) == set()
    (offered,) = [a for a in page.find("a") if a.attributes["href"] == "/history/?q=45218"]
    assert shown(Page(manager_client.get(offered.attributes["href"]))) == {run_page(run)}


def test_what_waits_is_a_state_of_its_own(manager_client, routine, teammate):
    create_run(routine=routine, person=teammate)
    waits = create_run(routine=routine, person=teammate, reason=Reason.ACCEPTED)
    page = Page(manager_client.get("/history/?state=accepted"))
    assert shown(page) == {run_page(waits)}
    [_, row] = page.find("tr")
    assert "Waiting waiting for its turn" in row.text
    narrower = Page(manager_client.get("/history/?state=accepted&reason=cooling"))
    assert shown(narrower) == set()
