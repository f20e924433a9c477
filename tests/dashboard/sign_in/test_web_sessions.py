"""Cookies, how long a sign-in lasts, and the page with one's own."""

from datetime import timedelta
from importlib import import_module

import pytest
import time_machine
from django.conf import settings as django_settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from dashboard.sign_in.web_sessions import browser_name
from routines.models import Person
from routines.people import roles
from tests.dashboard.browsing import Page, signed_in
from tests.factories import PASSWORD, create_teammate

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1"


def sign_in(person: Person, *, browser: str = FIREFOX, at: str = "198.51.100.7") -> Client:
    client = Client(headers={"User-Agent": browser, "X-Forwarded-For": at})
    client.post("/sign-in/", {"login": person.username, "password": PASSWORD})
    assert is_signed_in(client)
    return client


def is_signed_in(client: Client) -> bool:
    """As the server sees it: the cookie may live on."""
    return client.get("/history/").status_code == 200


# --- The cookie ---


def test_signing_in_makes_a_new_key(teammate):
    """A key that somebody has planted in the browser is worth nothing."""
    client = Client()
    client.get("/sign-in/")
    session = import_module(django_settings.SESSION_ENGINE).SessionStore()
    session["planted"] = True
    session.save()
    client.cookies["sessionid"] = session.session_key
    client.post("/sign-in/", {"login": teammate.username, "password": PASSWORD})
    assert is_signed_in(client)
    assert client.cookies["sessionid"].value != session.session_key
    assert not Session.objects.filter(session_key=session.session_key).exists()


def test_the_cookies_stay_with_this_site(teammate, settings):
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    client = Client()
    client.get("/sign-in/", secure=True)
    response = client.post(
        "/sign-in/", {"login": teammate.username, "password": PASSWORD}, secure=True
    )
    for name in ("sessionid", "csrftoken", "known_browser"):
        cookie = response.cookies[name]
        assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax"), name
        assert cookie["secure"], name


def test_signing_out_ends_it_on_the_server_too(teammate):
    client = sign_in(teammate)
    stolen = Client()
    stolen.cookies["sessionid"] = client.cookies["sessionid"].value
    assert is_signed_in(stolen)
    client.post("/sign-out/")
    assert not is_signed_in(stolen)


# --- How long ---


def test_it_ends_when_nothing_was_done_for_long(teammate, settings):
    settings.SESSION_IDLE_MINUTES = 30
    with time_machine.travel(timezone.now(), tick=False) as clock:
        client = signed_in(teammate)
        for _ in range(3):
            clock.shift(timedelta(minutes=29))
            assert is_signed_in(client)
        clock.shift(timedelta(minutes=30, seconds=1))
        assert not is_signed_in(client)


def test_it_ends_at_last_however_busy_one_is(teammate, settings):
    settings.SESSION_IDLE_MINUTES, settings.SESSION_MAX_HOURS = 60, 2
    with time_machine.travel(timezone.now().replace(microsecond=0), tick=False) as clock:
        client = signed_in(teammate)
        for _ in range(4):
            clock.shift(timedelta(minutes=30))
            assert is_signed_in(client)
        clock.shift(timedelta(seconds=1))
        assert not is_signed_in(client)


def test_a_page_that_asks_for_news_by_itself_keeps_nobody_signed_in(teammate, settings):
    settings.SESSION_IDLE_MINUTES = 30
    with time_machine.travel(timezone.now(), tick=False) as clock:
        client = signed_in(teammate)
        for _ in range(3):
            clock.shift(timedelta(minutes=11))
            client.get("/?look=x")
        assert not is_signed_in(client)


def test_what_was_typed_when_it_ended_comes_back(teammate, settings, routine):
    settings.SESSION_IDLE_MINUTES = 30
    with time_machine.travel(timezone.now(), tick=False) as clock:
        client = signed_in(teammate)
        clock.shift(timedelta(minutes=31))
        response = client.post(reverse("fire", args=[routine.slug]), {"text": "Typed for long."})
    assert response.status_code == 401
    assert Page(response).find("pre")[0].text == "Typed for long."


def test_looking_at_pages_writes_once_a_minute_at_the_most(teammate):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        client = signed_in(teammate)
        clock.shift(timedelta(seconds=30))
        assert writes_of(client) == []
        clock.shift(timedelta(seconds=31))
        assert len(writes_of(client)) == 2
        assert writes_of(client) == []


def writes_of(client: Client) -> list[str]:
    with CaptureQueriesContext(connection) as asked:
        client.get("/history/")
    return [query["sql"] for query in asked if query["sql"].startswith(("UPDATE", "INSERT"))]


# --- Deactivating, roles, passwords ---


def test_a_role_taken_away_counts_at_the_next_request(admin):
    client = signed_in(admin)
    assert client.get("/routines/").status_code == 200
    admin.groups.clear()
    assert client.get("/routines/").status_code == 403


def test_a_role_given_counts_at_the_next_request(teammate):
    client = signed_in(teammate)
    assert client.get("/routines/").status_code == 403
    roles.give(teammate, roles.Role.ADMIN)
    assert client.get("/routines/").status_code == 200


def test_a_deactivated_person_is_out_at_the_next_request(teammate):
    client = signed_in(teammate)
    assert is_signed_in(client)
    Person.objects.filter(pk=teammate.pk).update(is_active=False)
    assert not is_signed_in(client)


def test_a_new_password_ends_all_other_web_sessions(teammate):
    here, elsewhere = sign_in(teammate), sign_in(teammate, browser=SAFARI)
    new = "a staple for another horse"
    here.post("/password/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert is_signed_in(here)
    assert not is_signed_in(elsewhere)
    page = Page(here.get("/web-sessions/"))
    assert page.says("Firefox on Linux (here)")
    assert not page.says("Safari on iPhone")


# --- One's own ---


def test_the_page_says_where_one_is_signed_in(teammate):
    here = sign_in(teammate)
    sign_in(teammate, browser=SAFARI, at="203.0.113.9")
    sign_in(create_teammate(username="colleague"), browser="Edg", at="192.0.2.1")
    page = Page(here.get("/web-sessions/"))
    rows = [" ".join(row.text.split()) for row in page.find("tr")[1:]]
    assert len(rows) == 2
    assert rows[0].startswith("Safari on iPhone 203.0.113.9 Signed in")
    assert rows[1].startswith("Firefox on Linux (here) 198.51.100.7 Signed in")


def test_one_of_them_is_ended(teammate):
    here, elsewhere = sign_in(teammate), sign_in(teammate, browser=SAFARI)
    (form,) = [
        f
        for f in Page(here.get("/web-sessions/")).find("form")
        if "/end/" in f.attributes["action"]
    ]
    here.post(form.attributes["action"])
    assert is_signed_in(here)
    assert not is_signed_in(elsewhere)


def test_all_others_are_ended(teammate):
    here, there, yonder = sign_in(teammate), sign_in(teammate), sign_in(teammate, browser=SAFARI)
    colleague = sign_in(create_teammate(username="colleague"))
    here.post("/web-sessions/end-others/")
    assert [is_signed_in(one) for one in (here, there, yonder)] == [True, False, False]
    assert is_signed_in(colleague)


def test_nobody_ends_a_colleagues(teammate):
    here, colleague = sign_in(teammate), sign_in(create_teammate(username="colleague"))
    for pk in range(1, 10):
        here.post(f"/web-sessions/{pk}/end/")
    assert is_signed_in(colleague)


def test_the_page_takes_as_many_queries_for_many_as_for_one(
    teammate, django_assert_max_num_queries
):
    here = sign_in(teammate)
    for _ in range(5):
        sign_in(teammate)
    with django_assert_max_num_queries(6):
        here.get("/web-sessions/")


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (FIREFOX, "Firefox on Linux"),
        (SAFARI, "Safari on iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/150.0 Safari/537.36 Edg/150.0", "Edge on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14) Chrome/150 Safari/537", "Chrome on macOS"),
        ("<script>", "Some browser"),
        ("", "Some browser"),
    ],
)
def test_a_browser_is_named_in_words(user_agent, name):
    assert browser_name(user_agent) == name
