"""The board asks for news: one light query when there is none, else the last runs' lines."""

from datetime import timedelta
from itertools import count
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from routines.models import Routine, Run
from tests.dashboard.browsing import Page, signed_in
from tests.factories import create_manager, create_routine, create_run, create_teammate


def asks_at(response) -> str:
    """Where the page, or the answer to its last look, asks for news."""
    (element,) = [one for one in Page(response).elements if "data-live" in one.attributes]
    return element.attributes["data-live"]


def test_a_look_that_finds_nothing_is_one_query_and_no_session(
    client, routine, django_assert_num_queries
):
    create_run(routine=routine, ago=timedelta(minutes=1))
    address = asks_at(client.get("/"))
    with django_assert_num_queries(1):
        response = client.get(address)
    assert (response.status_code, response.content) == (204, b"")


def test_a_colleagues_run_is_told_once_as_the_line_of_its_routine(client, routine):
    address = asks_at(client.get("/"))
    create_run(routine=routine, person=create_teammate(username="a colleague"))
    news = client.get(address)
    page = Page(news)
    (line,) = page.find("span", id=f"last-{routine.slug}")
    assert "by a colleague Session created" in " ".join(line.text.split())
    assert not page.find("section")
    assert client.get(asks_at(news)).status_code == 204


def test_the_line_is_of_the_newest_run_whichever_has_changed(client, routine):
    older = create_run(routine=routine, person=create_teammate(username="the older"))
    create_run(routine=routine, person=create_teammate(username="the newer"))
    address = asks_at(client.get("/"))
    Run.objects.filter(pk=older.pk).update(settled_at=timezone.now())
    assert Page(client.get(address)).says("by the newer")


def test_news_of_what_is_not_on_the_board_is_not_told(client, routine):
    address = asks_at(client.get("/"))
    create_run(routine=routine)
    Routine.objects.update(archived_at=timezone.now())
    page = Page(client.get(address))
    assert [element.attributes["id"] for element in page.elements] == ["live"]


def test_news_is_for_those_who_are_signed_in(client, routine):
    address = asks_at(client.get("/"))
    create_run(routine=routine)
    assert Client().get(address).status_code == 302


def test_who_may_run_nothing_is_told_nothing(client, routine):
    address = asks_at(client.get("/"))
    create_run(routine=routine)
    assert not Page(signed_in(create_manager()).get(address)).find("span")


@pytest.mark.parametrize("look", ["", "1-0", "x", "\x00"])
def test_a_cursor_that_is_not_ours_gets_a_new_one_and_all_last_runs(client, routine, look):
    create_run(routine=routine, ago=timedelta(minutes=1))
    response = client.get(reverse("board_changes"), {"look": look})
    assert Page(response).find("span", id=f"last-{routine.slug}")
    assert client.get(asks_at(response)).status_code == 204
    assert Client().get(reverse("board_changes"), {"look": look}).status_code == 302


def test_a_page_that_slept_over_the_weekend_shows_what_ran_meanwhile(client, routine):
    """Its cursor is too old to say what it has seen, so every line comes anew."""
    other = create_routine(name="Never run")
    address = asks_at(client.get("/"))
    create_run(routine=routine, person=create_teammate(username="a colleague"))
    with time_machine.travel(timezone.now() + timedelta(days=3)):
        page = Page(client.get(address))
    (line,) = page.find("span", id=f"last-{routine.slug}")
    assert "by a colleague" in line.text
    assert not page.find("span", id=f"last-{other.slug}")


def test_a_page_that_missed_more_than_a_hundred_runs_shows_the_last_run_of_every_routine(
    client, routine
):
    """None hides behind the others: which routines ran is not asked any more, all come anew."""
    other = create_routine(name="Ran first")
    address = asks_at(client.get("/"))
    colleague = create_teammate(username="a colleague")
    with time_machine.travel(timezone.now() + timedelta(hours=3)):
        create_run(routine=other, person=colleague)
        for _ in range(101):
            create_run(routine=routine, person=colleague)
        news = client.get(address)
        page = Page(news)
        for slug in (other.slug, routine.slug):
            (line,) = page.find("span", id=f"last-{slug}")
            assert "by a colleague" in line.text
        assert client.get(asks_at(news)).status_code == 204


def test_an_old_cursor_takes_a_signed_in_person_to_renew_it(client, routine):
    address = asks_at(client.get("/"))
    with time_machine.travel(timezone.now() + timedelta(days=1, minutes=1)):
        assert Client().get(address).status_code == 302


def test_a_page_that_asks_by_itself_keeps_no_sign_in_alive(client, routine, settings):
    address = asks_at(client.get("/"))
    with time_machine.travel(timezone.now() + timedelta(minutes=settings.SESSION_IDLE_MINUTES / 2)):
        create_run(routine=routine)
        assert client.get(address).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(minutes=settings.SESSION_IDLE_MINUTES + 1)):
        assert client.get(address).status_code == 302


@pytest.mark.parametrize("query", range(16))
def test_a_run_that_comes_while_the_board_is_drawn_is_on_it_or_is_news(client, routine, query):
    colleague = create_teammate(username="a colleague")
    asked = count()

    def run_meanwhile(execute: Any, *arguments: Any) -> Any:
        result = execute(*arguments)
        if next(asked) == query:
            create_run(routine=routine, person=colleague)
        return result

    with connection.execute_wrapper(run_meanwhile):
        board = client.get("/")
    if not Page(board).says("by a colleague"):
        news = Page(client.get(asks_at(board)))
        assert news.says("by a colleague") or not Run.objects.exists()
