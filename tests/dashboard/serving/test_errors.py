"""What people see when a request cannot be served."""

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from routines.history import pages
from routines.models import Person
from tests.dashboard.browsing import HTMX, Page, signed_in
from tests.factories import PASSWORD, create_person

NOT_FOUND = "There is nothing at this address"
FORBIDDEN = "Your role does not allow this"


@pytest.mark.parametrize("url", ["/nowhere/", "/history/999/", "/routines/none/run/"])
def test_a_missing_page_is_said_plainly(client, url):
    response = client.get(url)
    assert response.status_code == 404
    assert Page(response).find("h1")[0].text == NOT_FOUND
    assert Page(response).find("nav")


def test_an_unknown_address_tells_nobody_more_than_that(db):
    response = Client().get("/nowhere/")
    assert response.status_code == 404
    assert Page(response).says(NOT_FOUND)


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_page_of_another_role_is_said_plainly(client, method):
    response = getattr(client, method)("/routines/register/")
    assert response.status_code == 403
    assert Page(response).find("h1")[0].text == FORBIDDEN


def test_a_person_without_a_role_cannot_fire(routine, practice):
    response = signed_in(create_person()).post(reverse("fire", args=[routine.slug]), {"text": "x"})
    assert response.status_code == 403
    assert Page(response).says("Nothing was changed or sent.")
    assert practice.requests == 0


@pytest.mark.parametrize(
    ("url", "status", "title"),
    [("/routines/none/run/", 404, NOT_FOUND), ("/routines/register/", 403, FORBIDDEN)],
)
def test_for_htmx_the_sentence_goes_to_the_notice_and_the_page_stays(client, url, status, title):
    response = client.get(url, headers=HTMX)
    assert response.status_code == status
    assert response.headers["HX-Retarget"] == "#notice"
    assert response.headers["HX-Reswap"] == "innerHTML"
    assert Page(response).elements[0].tag == "p"
    assert Page(response).says(f"{title}.")


def test_a_request_that_is_too_large_is_said_to_be(client, routine, settings, practice):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000
    response = client.post(reverse("fire", args=[routine.slug]), {"text": "x" * 2_000})
    assert response.status_code == 400
    assert Page(response).says("It may be too large or cut short. Nothing was sent.")
    assert practice.requests == 0


def test_what_was_done_before_a_web_session_ended_may_have_been_done(client, monkeypatch):
    def meanwhile(person: Person, password: str) -> bool:
        Session.objects.all().delete()
        return True

    monkeypatch.setattr(Person, "check_password", meanwhile)
    response = client.post("/confirm/", {"password": PASSWORD})
    assert response.status_code == 400
    assert Page(response).find("h1")[0].text == "Your sign-in has ended meanwhile"
    assert not Page(response).says("Nothing was sent")


def test_a_broken_view_answers_with_advice_and_no_detail(client, monkeypatch):
    def fail(*arguments, **more):
        raise RuntimeError("sk-ant-oat01-in-an-exception")

    monkeypatch.setattr(pages, "page", fail)
    client.raise_request_exception = False
    response = client.get("/history/")
    assert response.status_code == 500
    assert Page(response).says("look at the history before you press it again")
    assert b"sk-ant" not in response.content
    assert b"RuntimeError" not in response.content


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_other_methods_are_refused(client, method):
    assert getattr(client, method)("/").status_code == 405


def test_a_strange_host_is_refused(client):
    assert client.get("/", headers={"Host": "evil.example.com"}).status_code == 400


def test_too_many_tries_are_said_to_be(client):
    for _ in range(12):
        response = client.post("/confirm/", {"password": "a guess"})
    assert response.status_code == 429
    assert Page(response).says("Too many tries")
    assert response.headers["Content-Security-Policy"]


def test_a_failure_of_the_templates_themselves_still_gets_a_page(client, settings):
    backend = {"BACKEND": "django.template.backends.django.DjangoTemplates"}
    settings.TEMPLATES = [backend]  # which finds none
    client.raise_request_exception = False
    response = client.get("/history/")
    assert response.status_code == 500
    assert Page(response).says("look at the history before you press it again")
    assert Page(response).says(response.headers["X-Request-ID"])
    assert b"TemplateDoesNotExist" not in response.content
