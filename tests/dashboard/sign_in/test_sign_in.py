"""Signing in and out, passwords, and what becomes of a page whose sign-in has ended."""

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from routines.models import Person, Run
from tests.dashboard.browsing import HTMX, Page, fire_url, post_run, run_form, run_url
from tests.factories import PASSWORD

SIGN_IN = "/sign-in/"
NEW_PASSWORD = "a staple for another horse"


@pytest.fixture
def nobody() -> Client:
    return Client()


def sign_in(client: Client, username: str, password: str = PASSWORD, **more: str):
    return client.post(SIGN_IN, {"login": username, "password": password, **more})


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


# --- Signing in and out ---


def test_a_private_page_leads_to_the_sign_in_and_back(nobody, teammate):
    response = nobody.get("/history/?before=1-1")
    assert response.headers["Location"] == "/sign-in/?next=/history/%3Fbefore%3D1-1"
    fields = Page(nobody.get(response.headers["Location"])).fields(SIGN_IN)
    assert fields["next"] == "/history/?before=1-1"
    answer = sign_in(nobody, teammate.username, next=fields["next"])
    assert answer.headers["Location"] == "/history/?before=1-1"


def test_signing_in_leads_to_the_board_without_a_message(nobody, teammate):
    response = nobody.post(SIGN_IN, {"login": teammate.username, "password": PASSWORD}, follow=True)
    page = Page(response)
    assert response.redirect_chain == [("/", 302)]
    assert page.find("summary")[0].text == "the teammate"
    assert not page.find("p", **{"class": "note success"})


@pytest.mark.parametrize("elsewhere", ["https://example.com/", "//example.com/", "javascript:x"])
def test_signing_in_leads_nowhere_else(nobody, teammate, elsewhere):
    assert sign_in(nobody, teammate.username, next=elsewhere).headers["Location"] == "/"


@pytest.mark.parametrize("username", ["the teammate", "not a person"])
def test_a_wrong_password_and_an_unknown_name_are_told_in_the_same_words(
    nobody, teammate, username
):
    response = sign_in(nobody, username, "not the password")
    assert not is_signed_in(nobody)
    assert Page(response).says("The username and/or password you specified are not correct.")
    assert b"not the password" not in response.content


def test_a_name_that_no_database_could_hold_is_refused(nobody, db):
    assert Page(sign_in(nobody, "x\x00")).find("ul", id="id_login_error")


def test_a_person_who_was_switched_off_is_told_so(nobody, teammate):
    Person.objects.update(is_active=False)
    response = nobody.post(SIGN_IN, {"login": teammate.username, "password": PASSWORD}, follow=True)
    assert not is_signed_in(nobody)
    assert Page(response).says("This account is switched off")


def test_switching_a_person_off_ends_their_sign_in_at_once(client):
    Person.objects.update(is_active=False)
    assert client.get("/").status_code == 302


@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_signs_up(nobody, method, db):
    typed = {"username": "intruder", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    response = getattr(nobody, method)("/sign-up/", typed)
    assert Page(response).says("Nobody signs up here")
    assert not Person.objects.exists()


def test_signing_out_takes_a_press_of_a_button(client):
    assert Page(client.get("/sign-out/")).says("Sign out?")
    assert is_signed_in(client)
    response = client.post("/sign-out/")
    assert response.headers["Location"] == SIGN_IN
    assert not is_signed_in(client)


def test_the_pages_before_signing_in_show_no_navigation(nobody, db):
    page = Page(nobody.get(SIGN_IN))
    assert not page.find("nav")
    assert not page.find("summary")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("who", "labels"),
    [
        ("teammate", ["Board", "History"]),
        ("manager", ["History", "Insight"]),
        ("admin", ["Board", "History", "Insight", "Registry", "Callers", "People", "Audit"]),
    ],
)
def test_the_navigation_shows_what_the_role_may_open(request, db, nobody, who, labels):
    nobody.force_login(request.getfixturevalue(who))
    page = Page(nobody.get("/history/"))
    (nav,) = page.find("nav", **{"aria-label": "Pages"})
    links = [link for link in page.find("a") if nav in link.inside]
    assert [link.text for link in links] == labels
    assert [link.text for link in links if "aria-current" in link.attributes] == ["History"]


# --- Passwords ---


def test_a_person_changes_their_own_password(client, nobody, teammate):
    typed = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    response = client.post("/password/", typed, follow=True)
    assert Page(response).find("p", **{"class": "note success"})
    assert is_signed_in(client)
    sign_in(nobody, teammate.username, NEW_PASSWORD)
    assert is_signed_in(nobody)


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"oldpassword": "wrong"}, "id_oldpassword_error"),
        ({"password1": "short", "password2": "short"}, "id_password1_error"),
        ({"password1": "12345678901", "password2": "12345678901"}, "id_password1_error"),
        ({"password2": "another one entirely"}, "id_password2_error"),
    ],
    ids=["wrong old one", "too short", "only digits", "two different ones"],
)
def test_a_password_that_cannot_be_changed_is_said_at_its_field(client, teammate, typed, field):
    good = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    page = Page(client.post("/password/", good | typed))
    assert page.find("ul", id=field)
    teammate.refresh_from_db()
    assert teammate.check_password(PASSWORD)


# --- A sign-in that ended meanwhile ---


@pytest.fixture
def open_form(client, routine) -> dict[str, str]:
    """A run form whose person is signed out by the time they press Run now."""
    fields = run_form(client, routine)
    Session.objects.all().delete()
    return fields


def test_a_fragment_for_nobody_sends_the_whole_page_to_the_sign_in(nobody, routine):
    headers = HTMX | {"HX-Current-URL": "http://testserver/history/?before=1-1"}
    response = nobody.get(run_url(routine), headers=headers)
    assert response.headers["HX-Redirect"] == "/sign-in/?next=%2Fhistory%2F%3Fbefore%3D1-1"
    assert response.content == b""


@pytest.mark.parametrize("shown", ["", "http://testserver//example.com/x"])
def test_it_never_leads_elsewhere(nobody, routine, shown):
    response = nobody.get(run_url(routine), headers=HTMX | {"HX-Current-URL": shown})
    assert response.headers["HX-Redirect"] == "/sign-in/?next=%2F"


def test_a_press_of_nobody_through_htmx_leaves_the_form_and_says_so(
    client, routine, open_form, practice
):
    response = post_run(client, routine, open_form, htmx=True, text="Typed for long.")
    page = Page(response)
    assert response.status_code == 401
    assert response.headers["HX-Retarget"] == "#notice"
    assert response.headers["HX-Reswap"] == "innerHTML"
    assert page.says("You are signed out. Nothing was sent, and what you typed is still here.")
    (link,) = page.find("a")
    assert link.attributes["href"].startswith(SIGN_IN)
    assert link.attributes["target"] == "_blank"
    assert practice.requests == Run.objects.count() == 0


def test_a_press_of_nobody_shows_the_typed_text(client, routine, open_form, practice):
    typed = "<b>Typed</b>\r\nfor long. {{ x }}"
    response = post_run(client, routine, open_form, text=typed)
    page = Page(response)
    assert response.status_code == 401
    assert page.find("pre")[0].text == typed
    assert page.find("a", href=f"{SIGN_IN}?next=%2Froutines%2F{routine.slug}%2Ffire%2F")
    assert practice.requests == Run.objects.count() == 0


def test_a_pasted_token_of_nobody_does_not_come_back(nobody, routine):
    token = "sk-ant-oat01-pasted-by-somebody"
    response = nobody.post(reverse("token", args=[routine.slug]), {"token": token})
    assert response.status_code == 401
    assert token.encode() not in response.content


def test_after_signing_in_again_the_same_form_fires_once(
    client, routine, teammate, open_form, practice
):
    post_run(client, routine, open_form, htmx=True)
    client.force_login(teammate)
    for _ in range(2):
        post_run(client, routine, open_form, htmx=True)
    assert practice.requests == 1


# --- A form older than the sign-in: its CSRF token is no longer good ---


@pytest.fixture
def strict(teammate) -> Client:
    client = Client(enforce_csrf_checks=True)
    client.force_login(teammate)
    return client


@pytest.mark.parametrize("htmx", [False, True], ids=["page", "htmx"])
def test_a_run_form_older_than_the_sign_in_comes_back_as_typed(strict, routine, practice, htmx):
    fields = run_form(strict, routine)
    strict.cookies["csrftoken"] = "x" * 32
    response = post_run(strict, routine, fields, htmx=htmx, text="Typed for long.")
    page = Page(response)
    again = page.fields(fire_url(routine))
    assert response.status_code == 422
    assert page.says("This form was older than your sign-in. Nothing was sent.")
    assert again["text"] == "Typed for long."
    assert practice.requests == Run.objects.count() == 0
    post_run(strict, routine, again, htmx=htmx)
    assert [session.text for session in practice.sessions] == ["Typed for long."]


def test_a_form_that_has_fired_still_finds_its_run_after_that(strict, routine, practice):
    fields = run_form(strict, routine)
    post_run(strict, routine, fields)
    refused = post_run(strict, routine, fields | {"csrfmiddlewaretoken": "x" * 32})
    post_run(strict, routine, Page(refused).fields(fire_url(routine)))
    assert practice.requests == 1


def test_a_forged_post_of_another_form_changes_nothing(strict, teammate):
    response = strict.post("/password/", {"oldpassword": PASSWORD, "password1": NEW_PASSWORD})
    assert response.status_code == 403
    assert Page(response).says("This page was older than your sign-in")


def test_nothing_is_given_back_to_who_has_no_web_session(routine, practice):
    nobody = Client(enforce_csrf_checks=True)
    response = nobody.post(fire_url(routine), {"text": "Typed for long."})
    assert response.status_code == 401
    assert not Page(response).says("Typed for long.")


@pytest.mark.parametrize("cookie", ["", "x" * 32])
def test_a_sign_in_page_that_grew_old_asks_to_be_reloaded(teammate, cookie):
    nobody = Client(enforce_csrf_checks=True)
    nobody.cookies["csrftoken"] = cookie
    response = sign_in(nobody, teammate.username)
    assert response.status_code == 403
    assert Page(response).says("reload the page and try once more")
