"""The board's ways to a routine: groups, pins, words, the rest of the cards, the reminder."""

from datetime import timedelta

import pytest
from django.urls import reverse

from dashboard.views import board
from routines.models import Pin, Run
from routines.registry import tags
from tests.dashboard.browsing import HTMX, Page, run_url, signed_in
from tests.factories import create_routine, create_run, create_teammate


@pytest.fixture
def two_first(monkeypatch):
    monkeypatch.setattr(board, "FIRST", 2)


def names(page: Page) -> list[str]:
    return [h2.text for h2 in page.find("h2") if "data-find" in h2.attributes]


def test_groups_stand_under_their_tag(client, routine):
    tags.write_tags(routine, ["release"])
    create_routine(name="Untagged")
    page = Page(client.get("/"))
    headings = [h2.text for h2 in page.find("h2", **{"class": "group-name"})]
    assert headings == ["Pinned", "Release", "Other routines"]
    assert "hidden" in page.find("section", id="group-pinned")[0].attributes
    assert page.find("span", **{"class": "tag"})[0].text == "release"


def test_a_pinned_routine_comes_first_without_scripts(client, routine):
    create_routine(name="Another")
    page = Page(client.post(reverse("pin", args=[routine.slug]), follow=True))
    assert names(page) == ["Release notes", "Another"]
    (button,) = page.find("button", id=f"pin-{routine.slug}")
    assert button.attributes["formaction"] == reverse("unpin", args=[routine.slug])
    client.post(reverse("unpin", args=[routine.slug]))
    assert not Pin.objects.exists()


def test_a_pin_with_htmx_draws_the_button_anew_and_is_announced(client, routine):
    response = client.post(reverse("pin", args=[routine.slug]), headers=HTMX)
    assert [element.tag for element in Page(response).elements] == ["button", "span"]
    assert "Release notes is pinned." in response.headers["HX-Trigger-After-Settle"]
    assert Pin.objects.get().routine == routine


def test_words_in_the_address_find_without_scripts(client, routine):
    create_routine(name="Another")
    assert names(Page(client.get("/", {"q": "release NOTES"}))) == ["Release notes"]
    page = Page(client.get("/", {"q": "nothing like it"}))
    assert names(page) == []
    (said,) = page.find("p", id="none-found")
    assert "hidden" not in said.attributes


def test_words_in_the_address_show_one_flat_list_with_the_best_hit_first(client, routine):
    tagged = create_routine(name="Deploy verification")
    tags.write_tags(tagged, ["release"])
    page = Page(client.get("/", {"q": "rel"}))
    assert names(page) == ["Release notes", "Deploy verification"]
    (found,) = page.find("div", id="grid-found")
    headings = [h2 for h2 in page.find("h2") if "data-find" in h2.attributes]
    assert all(found in h2.inside for h2 in headings)
    places = [one.attributes["data-place"] for one in page.find("template")]
    assert places == ["routine-deploy-verification", "routine-release-notes"]


@pytest.mark.parametrize("q", ["\x00", "<b>", "%", "x" * 5000, "\udcff", "' OR 1=1"])
def test_odd_words_find_nothing_or_all(client, routine, q):
    response = client.get("/", {"q": q.encode("utf-8", "surrogateescape")})
    assert response.status_code == 200
    assert "<b>" not in response.content.decode()


def test_what_the_page_does_not_come_with_follows_at_once_and_only_once(client, routine, two_first):
    for name in ("A", "B", "C"):
        create_routine(name=name)
    tagged = create_routine(name="Z")
    tags.write_tags(tagged, ["last"])
    page = Page(client.get("/"))
    assert names(page) == ["Z", "A"]
    (rest,) = page.find("div", id="rest")
    follows = client.get(rest.attributes["hx-get"], headers=HTMX)
    assert names(Page(follows)) == ["B", "C", "Release notes"]
    assert Page(follows).find("div", **{"hx-swap-oob": "beforeend:#grid-other"})
    assert page.find("div", id="grid-other")
    assert not Page(follows).find("section", **{"class": "group"})
    assert names(Page(client.get("/?all"))) == ["Z", "A", "B", "C", "Release notes"]
    assert not Page(client.get("/?all")).find("div", id="rest")


def test_after_a_search_the_rest_is_all_the_others(client, routine, two_first):
    for name in ("A", "B"):
        create_routine(name=name)
    page = Page(client.get("/", {"q": "release notes"}))
    assert names(page) == ["Release notes"]
    (rest,) = page.find("div", id="rest")
    assert names(Page(client.get(rest.attributes["hx-get"], headers=HTMX))) == ["A", "B"]


def test_recently_used_leads_to_the_form(client, routine, teammate):
    create_run(routine=routine, person=teammate)
    (nav,) = Page(client.get("/")).find("nav", **{"aria-label": "Recently used"})
    links = Page(client.get("/")).find("a", href=run_url(routine))
    assert "Release notes" in nav.text
    assert len(links) == 2


def test_the_reminder_asks_for_ones_own_runs_and_stops_when_they_are_marked(
    client, routine, teammate
):
    run = create_run(routine=routine, person=teammate, ago=timedelta(hours=1))
    page = Page(client.get("/"))
    assert page.says("How did your last runs go?")
    action = reverse("mark_outcome", args=[run.pk])
    assert page.find("form", action=action)
    client.post(action, page.fields(action) | {"outcome": "useful"})
    assert not Page(client.get("/")).says("How did your last runs go?")
    assert not Page(signed_in(create_teammate()).get("/")).says("How did your last")
    assert Run.objects.get().outcome == "useful"
