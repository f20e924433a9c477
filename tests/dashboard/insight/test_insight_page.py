"""The insight page: every number leads to the runs that it counts."""

from copy import copy
from datetime import timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from routines.history.run_filter import RunFilter
from routines.insight import changes
from routines.models import Outcome, RecountDay, Run, RunChange
from routines.values.reasons import Reason
from tests.dashboard.browsing import Element, Page, signed_in
from tests.factories import create_routine, create_run, create_teammate


@pytest.fixture
def client(manager):
    return signed_in(manager)


@pytest.fixture
def runs(db) -> None:
    """Of all states, several routines, people and days; names that need care in an address."""
    notes = create_routine(name="Notes & <more>", account="R&D + Ops")
    triage = create_routine(name="Triage", account="Platform")
    person = create_teammate(username="a+b@example.com")
    reasons = [Reason.PAUSED, Reason.NO_ANSWER, Reason.WAITED_TOO_LONG, Reason.SESSION_CREATED]
    for number, reason in enumerate(reasons * 4):
        create_run(
            routine=notes if number % 3 else triage,
            person=person,
            reason=reason,
            duration_ms=400 + 100 * number,
            ago=timedelta(hours=31 * number),
            outcome=Outcome.USEFUL if number % 8 == 3 else "",
        )
    create_run(routine=triage, reason=Reason.TOKEN_REJECTED)
    create_run(routine=triage, outcome=Outcome.FAILED, ago=timedelta(days=200))


def number_of_runs(link: Element) -> int:
    path, query = urlsplit(link.attributes["href"])[2:4]
    assert path == "/history/"
    return RunFilter.from_query(query).apply(Run.objects.all()).count()


@pytest.mark.parametrize("days", ["7", "30", "365", "all"])
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata"])
def test_every_number_that_is_a_link_leads_to_so_many_runs(client, runs, days, zone):
    client.cookies["time_zone"] = zone
    page = Page(client.get(f"/insight/?days={days}"))
    links = [
        link
        for link in page.find("a")
        if link.attributes["href"].startswith("/history/?") and link.text.isdecimal()
    ]
    assert len(links) > 15
    with timezone.override(ZoneInfo(zone)):
        for link in links:
            assert int(link.text) == number_of_runs(link), link.attributes["href"]


def test_every_bar_is_a_link_that_says_what_it_counts(client, runs):
    page = Page(client.get("/insight/?days=30"))
    kinds = ("started", "refused", "unknown", "not_sent", "useful", "nothing")
    bars = [
        box.inside[-1]
        for box in page.find("rect")
        if box.attributes.get("class") in kinds and box.inside[-1].tag != "svg"
    ]
    without_link = [title(page, bar) for bar in bars if bar.tag != "a"]
    assert all(said.endswith("sessions") for said in without_link)  # the history knows no durations
    links = [bar for bar in bars if bar.tag == "a"]
    assert len(links) > 30
    for link in links:
        said = title(page, link).rpartition(": ")[2].split()[0]
        assert int(said) == number_of_runs(link)


def title(page: Page, bar: Element) -> str:
    [title] = [one for one in page.find("title") if one.inside and one.inside[-1] is bar]
    return title.text


def test_the_picture_is_kept_from_screen_readers_and_the_keyboard_which_have_the_table(
    client, runs
):
    page = Page(client.get("/insight/"))
    charts = [svg for svg in page.find("svg") if "chart" in svg.attributes.get("class", "")]
    assert charts
    for svg in charts:
        assert svg.attributes["aria-hidden"] == "true"
        within = [link for link in page.find("a") if svg in link.inside]
        assert all(link.attributes["tabindex"] == "-1" for link in within)
    in_pictures = {
        link.attributes["href"]
        for link in page.find("a")
        if any(svg in link.inside for svg in charts)
    }
    in_tables = {
        link.attributes["href"]
        for link in page.find("a")
        if not any(svg in link.inside for svg in charts)
    }
    in_history_then = {url for url in in_pictures if "state=" not in url or "outcome=" in url}
    in_history_then |= {url for url in in_pictures if "account=" in url or "person=" in url}
    assert in_pictures - in_tables <= in_history_then
    assert any("state=refused" in url for url in in_tables)


def test_names_are_escaped(client, runs):
    response = client.get("/insight/?days=30")
    assert b"<more>" not in response.content
    assert Page(response).says("Notes & <more>")


def test_no_style_and_no_colour_in_the_markup(client, runs):
    content = client.get("/insight/?days=30").content.decode()
    for forbidden in (" style=", ' fill="', ' stroke="', "<script>", "#a8221a"):
        assert forbidden not in content


def test_a_teammate_is_told_no_and_has_no_link_to_it(teammate):
    client = signed_in(teammate)
    assert client.get("/insight/").status_code == 403
    assert not Page(client.get("/history/")).find("a", href="/insight/")


def test_without_a_run_there_is_a_sentence(client):
    page = Page(client.get("/insight/?days=30"))
    assert page.says("No run in these days.")
    assert not [svg for svg in page.find("svg") if "chart" in svg.attributes.get("class", "")]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("days=31", "There is no such range."),
        ("days=%00", "There is no such range."),
        ("from=2026-02-30", "There is no such day."),
        ("from=yesterday&to=2026-11-01", "There is no such day."),
        ("from=2026-05-02&to=2026-05-01", "Swap them."),
        ("from=9999-12-29", "not come yet"),
        ("from=9999-12-31", "There is no such day."),
        ("to=0001-01-01", "There is no such day."),
        ("from=0001-01-01&to=9999-12-31", "There is no such day."),
        (f"from={'9' * 5000}", "There is no such day."),
    ],
)
def test_impossible_days_get_a_sentence_and_stay_typed(client, runs, query, sentence):
    response = client.get(f"/insight/?{query}")
    assert response.status_code == 422
    page = Page(response)
    assert page.says(sentence)
    assert not page.find("rect")
    if query == "from=yesterday&to=2026-11-01":
        [box] = page.find("input", name="to")
        assert box.attributes["value"] == "2026-11-01"


def test_one_day_alone_is_cut_into_hours(client, runs):
    day = Run.objects.newest_first()[0].created_at.date()
    page = Page(client.get(f"/insight/?from={day}&to={day}"))
    assert page.says("Runs per hour")
    for link in page.find("a"):
        if "T" in link.attributes["href"] and link.text.isdecimal():
            assert int(link.text) == number_of_runs(link)


def test_deleted_runs_are_told(client, runs):
    Run.objects.filter(reason=Reason.TOKEN_REJECTED).delete()
    assert Page(client.get("/insight/?days=7")).says("1 of these runs has been deleted since")


# --- While the numbers are behind ---


@pytest.fixture
def many_changes(runs) -> None:
    """As after an import: more than a look counts."""
    change = RunChange.objects.latest("pk")
    change.pk = None
    RunChange.objects.bulk_create([copy(change) for _ in range(changes.STEP * 2)])


def test_a_page_that_is_behind_says_until_when_its_numbers_go_and_how_much_is_left(
    client, many_changes
):
    waiting = RunChange.objects.count()
    page = Page(client.get("/insight/?days=30"))
    assert page.says("Counted up to")
    assert page.says("so these numbers are incomplete")
    assert RunChange.objects.count() == waiting - changes.STEP  # it waited for no more
    assert page.says(f"About {waiting - changes.STEP:,} later changes of runs")
    [left] = [one for one in page.find("span") if "hx-get" in one.attributes]
    assert left.attributes["hx-get"] == "/insight/progress/?look="


def test_a_page_that_is_behind_looks_by_itself_and_is_drawn_anew_when_all_is_counted(
    client, many_changes
):
    url = "/insight/progress/?look="
    answer = client.get(url)
    while "HX-Refresh" not in answer.headers:
        assert Page(answer).says("still to be counted")
        answer = client.get(url)
    assert not RunChange.objects.exists()
    page = Page(client.get("/insight/?days=30"))
    assert not page.says("incomplete")
    assert not [one for one in page.find("span") if "hx-get" in one.attributes]


def test_days_that_are_still_to_be_compared_are_said(client, runs):
    RecountDay.objects.bulk_create(RecountDay(slot=48 * day) for day in range(500))
    assert Page(client.get("/insight/")).says("500 days are still to be compared with their runs")
    assert Page(client.get("/insight/progress/?look=")).says("days are still to be compared")
    assert 0 < RecountDay.objects.count() < 500  # in a moment, some of them


def test_only_admins_are_sent_to_the_registry_to_mend_a_token(client, admin_client, runs):
    routine = create_routine(name="Without a token", token=None)
    page, for_admins = Page(client.get("/insight/")), Page(admin_client.get("/insight/"))
    assert page.says("No token is stored")
    assert not page.find("a", href=f"/routines/{routine.slug}/")
    assert for_admins.link(f"/routines/{routine.slug}/").text == routine.name
