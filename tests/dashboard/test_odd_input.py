"""No address breaks over a value that one database takes and the other refuses.

PostgreSQL stores no NUL and no number beyond its type's; SQLite takes the first, and neither may
see the second. Whatever a page does with them, it is no failure of ours.
"""

from urllib.parse import parse_qsl, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from routines.callers import keys
from routines.models import Person, Routine
from routines.people import groups
from routines.values.reasons import Reason
from tests.dashboard.browsing import Page, signed_in
from tests.dashboard.walking import addresses
from tests.factories import create_key_and_secret, create_run, create_teammate

NUL, TOO_LARGE = "a\0b", "9" * 40


@pytest.fixture
def urls(admin: Person, routine: Routine) -> list[str]:
    other = create_teammate(username="somebody")
    api_key, _ = create_key_and_secret(routine, name="Pipeline")
    keys.replace_secret(api_key, by=admin)
    known = {
        "pk": create_run(routine=routine, person=admin, reason=Reason.NO_ANSWER).pk,
        "person": other.pk,
        "group": groups.add("Crew", members=[other], by=admin).pk,
        "account": routine.account_id,
        "api_key": api_key.pk,
        "secret": api_key.secrets.earliest("pk").pk,
    }
    return addresses(routine, known)


@pytest.fixture
def client(admin: Person) -> Client:
    return signed_in(admin, raise_request_exception=False)


def page(client: Client, url: str) -> Page | None:
    response = client.get(url)
    if response.headers.get("Content-Type", "").startswith("text/html"):
        return Page(response.getvalue().decode())
    return None


def parameters(shown: Page) -> set[str]:
    """The names that the page's links and forms put into an address."""
    names = {
        name
        for element in shown.elements
        for attribute in ("href", "hx-get", "data-live")
        for name, _ in parse_qsl(urlsplit(element.attributes.get(attribute, "")).query)
    }
    return names | {
        element.attributes["name"]
        for element in shown.elements
        for form in element.inside
        if form.tag == "form" and "name" in element.attributes
        if form.attributes.get("method", "get") == "get"
    }


def test_no_address_breaks_over_what_is_asked(client: Client, urls: list[str]):
    names = {"q", "before", "after"}.union(
        *(parameters(shown) for url in urls if (shown := page(client, url)))
    )
    assert len(names) > 15
    for url in urls:
        for odd in (NUL, TOO_LARGE):
            response = client.get(url, dict.fromkeys(names, odd))
            assert response.status_code < 500, (url, odd)


def test_no_form_breaks_over_what_is_typed(client: Client, urls: list[str]):
    sent: set[tuple[str, ...]] = set()  # a form is on several pages
    for url in urls:
        shown = page(client, url)
        if shown is None:
            continue
        for form in shown.find("form", method="post"):
            to = form.attributes.get("action") or url
            fields = {
                element.attributes["name"]: shown.value(element)
                for element in shown.elements
                if form in element.inside and "name" in element.attributes
            }
            if to == reverse("account_logout") or (to, *fields) in sent:
                continue
            for name in fields:
                for odd in (NUL, TOO_LARGE):
                    response = client.post(to, fields | {name: odd})
                    assert response.status_code < 500, (url, to, name, odd)
            sent.add((to, *fields))
    assert len(sent) > 20
