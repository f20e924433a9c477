"""Every page comes with the strict policy, and holds nothing that the policy would block."""

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from routines.history import pages
from routines.values.reasons import Reason
from tests.dashboard.browsing import HTMX, Page, fire_url, press
from tests.factories import PASSWORD, create_routine, create_run

POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "font-src 'self'",
    "manifest-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
}


def assert_clean(response):
    given = response.headers["Content-Security-Policy"].split(";")
    assert {directive.strip() for directive in given} == POLICY
    for element in Page(response).elements:
        assert element.tag != "style"
        assert element.tag != "script" or element.attributes.get("src", "").startswith("/static/")
        for name, value in element.attributes.items():
            assert name != "style"
            assert not name.startswith(("on", "hx-on", "hx-vals", "hx-vars"))
            assert not value.lower().startswith(("javascript:", "data:", "js:"))
            assert not (name == "hx-trigger" and "[" in value), "a filter does nothing: no eval"
            if name in ("src", "action", "hx-get", "hx-post"):
                assert value.startswith("/"), f"{name} leads elsewhere"


@pytest.fixture
def full(admin, routine):
    """One of everything that a page may show."""
    create_routine(name="Lacking", token=None)
    create_routine(name="One click")
    create_routine(name="Gone", archived_at=timezone.now())
    create_routine(name="Held", held_until=timezone.now() + timedelta(hours=1))
    for reason in Reason:
        create_run(routine=routine, person=admin, reason=reason, text="<script>x</script>")
    return routine


def test_the_pages_for_everybody(db):
    for url in ("/sign-in/", "/sign-up/", "/inactive/", "/nowhere/"):
        assert_clean(Client().get(url))


def test_the_pages_and_fragments_of_an_admin(admin_client, full):
    template = full.text_templates.get()
    urls = ["/", "/history/", "/routines/", "/routines/register/", "/password/", "/sign-out/"]
    urls += [
        reverse(name, args=[full.slug])
        for name in ("run", "card", "registry_routine", "edit", "token", "add_template")
    ]
    urls.append(reverse("edit_template", args=[full.slug, template.pk]))
    urls += ["/versions/", "/versions/add/", "/versions/move/"]
    urls.append(f"/versions/try/{full.slug}/?to=anthropic-beta:")
    urls += [f"/history/{run.pk}/" for run in full.runs.all()]
    for url in urls:
        for headers in ({}, HTMX):
            assert_clean(admin_client.get(url, headers=headers))


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
def test_what_comes_back_when_something_is_wrong(admin_client, client, full, headers):
    for response in (
        admin_client.get("/nowhere/", headers=headers),
        admin_client.post("/routines/register/", {"name": "x"}, headers=headers),
        admin_client.post(fire_url(full), {"text": "x" * 70_000}, headers=headers),
        client.get("/routines/", headers=headers),
        Client().post(fire_url(full), {"text": "x"}, headers=headers),
        Client(enforce_csrf_checks=True).post("/sign-in/", headers=headers),
        Client().post("/sign-in/", {"login": "x", "password": "y"}, headers=headers),
    ):
        assert response.status_code >= 400 or response.context["form"].errors
        assert_clean(response)


def test_an_answer_of_the_endpoint(client, routine, practice):
    assert_clean(press(client, routine, htmx=True))


def test_the_page_of_a_broken_view(client, monkeypatch):
    monkeypatch.setattr(pages, "page", None)
    client.raise_request_exception = False
    response = client.get("/history/")
    assert response.status_code == 500
    assert_clean(response)


def test_no_page_may_be_framed_or_sniffed(client):
    headers = client.get("/").headers
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_htmx_is_told_to_keep_to_the_policy(client):
    (config,) = Page(client.get("/")).find("meta", name="htmx-config")
    settings = json.loads(config.attributes["content"])
    assert settings["allowEval"] is False
    assert settings["allowScriptTags"] is False
    assert settings["selfRequestsOnly"] is True


def test_the_cookies_are_not_for_scripts(teammate):
    response = Client().post("/sign-in/", {"login": teammate.username, "password": PASSWORD})
    assert response.cookies["csrftoken"]["httponly"]
    assert response.cookies["sessionid"]["httponly"]
