"""The headers of every answer: pages, fragments, error pages, static files and early refusals."""

import re

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import reverse

from dashboard.serving.headers import HEADERS, MARK
from dashboard.serving.middleware import NoTokenShownMiddleware
from routines.history import pages
from tests.dashboard.browsing import HTMX, Page, fire_url, press, run_url, signed_in
from tests.factories import create_run


def break_history(monkeypatch):
    monkeypatch.setattr(pages, "page", None)


def assert_guarded(response):
    headers = response.headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    for name, value in HEADERS.items():
        if name != "Cache-Control":
            assert headers[name] == value, name
    assert re.fullmatch("[0-9a-f]{12}", headers["X-Request-ID"])


@pytest.mark.parametrize(
    ("status", "ask"),
    [
        (200, lambda client: client.get("/")),
        (200, lambda client: client.get("/", headers=HTMX)),
        (302, lambda client: Client().get("/")),
        (401, lambda client: Client().post("/routines/x/fire/")),
        (403, lambda client: client.get("/routines/register/")),
        (403, lambda client: Client(enforce_csrf_checks=True).post("/sign-in/")),
        (404, lambda client: client.get("/nowhere/")),
        (405, lambda client: client.put("/")),
        (500, lambda client: client.get("/history/")),
        (400, lambda client: client.get("/", headers={"Host": "evil.example.com"})),
    ],
)
def test_every_answer_is_guarded(client, monkeypatch, status, ask):
    break_history(monkeypatch)
    client.raise_request_exception = False
    response = ask(client)
    assert response.status_code == status
    assert_guarded(response)
    assert "no-store" in response.headers["Cache-Control"] or response.status_code == 200


def test_every_answer_says_that_it_is_the_dashboards_own(client, monkeypatch):
    """Without the mark no page draws it: static/answers.js."""
    script = (settings.BASE_DIR / "static" / "answers.js").read_text()
    assert f'"{MARK}"' in script
    break_history(monkeypatch)
    client.raise_request_exception = False
    for url in ("/", "/nowhere/", "/history/", "/board/changes/?look=x"):
        assert client.get(url).headers[MARK] == "1", url


@override_settings(SECURE_SSL_REDIRECT=True)
def test_the_earliest_answers_are_guarded_too(db):
    for headers in ({}, {"Host": "evil.example.com"}):
        response = Client().get("/", headers=headers)
        assert response.status_code == 400
        assert_guarded(response)


@override_settings(SECURE_HSTS_SECONDS=31_536_000, SECURE_HSTS_INCLUDE_SUBDOMAINS=True)
def test_browsers_are_told_to_keep_to_https_on_error_pages_too(client, monkeypatch):
    break_history(monkeypatch)
    client.raise_request_exception = False
    for url in ("/", "/nowhere/", "/history/"):
        told = client.get(url, secure=True).headers["Strict-Transport-Security"]
        assert told.startswith("max-age=31536000; includeSubDomains")


def test_pages_with_data_are_not_kept_by_the_browser(client, admin_client, routine, teammate):
    run = create_run(routine=routine, person=teammate)
    for url in ("/history/", f"/history/{run.pk}/", f"/history/{run.pk}/result/"):
        assert client.get(url).headers["Cache-Control"] == "no-store", url
    for url in ("/routines/", "/versions/", reverse("registry_routine", args=[routine.slug])):
        assert admin_client.get(url).headers["Cache-Control"] == "no-store", url


def test_back_finds_the_form_with_its_used_key(client, routine):
    for url in ("/", run_url(routine)):
        assert client.get(url).headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("secure", [False, True])
def test_the_cookies_stay_with_this_site_and_away_from_scripts(teammate, settings, secure):
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = secure
    client = Client()
    client.get("/sign-in/")
    response = client.post(
        "/sign-in/", {"login": teammate.username, "password": "correct horse battery staple"}
    )
    for name in ("sessionid", "csrftoken"):
        cookie = response.cookies[name]
        assert cookie["httponly"]
        assert cookie["samesite"] in ("Lax", "Strict")
        assert cookie["domain"] == ""
        assert bool(cookie["secure"]) is secure


# --- Where a link leads, the other side learns nothing ---


def test_every_link_that_leads_away_has_no_referrer_and_no_opener(admin, admin_client, routine):
    run = create_run(routine=routine, person=admin)
    away = set()
    for url in ("/", "/history/", f"/history/{run.pk}/", "/routines/", "/routines/register/"):
        away |= links_that_lead_away(admin_client.get(url))
    for name in ("run", "registry_routine", "registered", "token", "token_compromised"):
        away |= links_that_lead_away(admin_client.get(reverse(name, args=[routine.slug])))
    assert run.session_url in {href for href, _ in away}
    assert {href for href, rel in away if set(rel.split()) < {"noopener", "noreferrer"}} == set()


def test_the_link_in_the_answer_to_a_press_leads_away_silently(client, routine, practice):
    [(href, rel)] = links_that_lead_away(press(client, routine, htmx=True))
    assert href == practice.sessions[0].session_url
    assert {"noopener", "noreferrer"} <= set(rel.split())


def links_that_lead_away(response):
    links = [one for one in Page(response).elements if one.tag == "a" and "href" in one.attributes]
    return {
        (link.attributes["href"], link.attributes.get("rel", ""))
        for link in links
        if not link.attributes["href"].startswith(("/", "#", "?"))
    }


# --- What comes in is bounded ---


def test_a_file_ends_the_request_before_it_is_read(client, routine):
    with open(__file__, "rb") as file:
        response = client.post(fire_url(routine), {"text": "x", "file": file})
    assert response.status_code == 400
    assert Page(response).says("This request could not be read")


def test_the_error_page_gives_the_reference_that_the_answer_and_the_log_have(client):
    for headers in ({}, HTMX):
        response = client.get("/nowhere/", headers=headers)
        assert Page(response).says(f"Reference: {response.headers['X-Request-ID']}")


def test_a_token_is_in_no_address(admin, routine):
    """Forms that take a token or a password are sent, never looked up: the address is no place."""
    client = signed_in(admin)
    secret = {"token", "pasted", "password", "oldpassword", "password1", "password2"}
    for url in (
        "/routines/register/",
        "/password/",
        "/sign-in/",
        reverse("token", args=[routine.slug]),
    ):
        page = Page((Client() if url == "/sign-in/" else client).get(url, follow=True))
        forms = {
            form.attributes.get("method", "get")
            for field in page.elements
            if field.attributes.get("name") in secret
            for form in field.inside
            if form.tag == "form"
        }
        assert forms == {"post"}, url


def test_a_page_from_which_a_token_was_taken_says_how_long_it_is():
    page = HttpResponse("sk-ant-oat01-" + "x" * 40)
    response = NoTokenShownMiddleware(lambda _: page)(HttpRequest())
    assert "[token removed]" in response.content.decode()
    assert response["Content-Length"] == str(len(response.content))
