"""A key is made and used in every way; then every byte is searched for it.

But for the one answer that shows it, no page, answer, export, log line, audit event or stored row
holds twelve characters of its secret in a row.
"""

import json
import logging
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from routines.models import ApiKey, Person, Routine, Run
from tests.dashboard.browsing import Page, press_button, save, signed_in
from tests.dashboard.test_canary import filled_in, tables
from tests.dashboard.walking import addresses
from tests.factories import create_admin, create_routine, create_teammate

_NO_INK = re.compile("[\\s\u200b-\u200d\u2060\ufeff]+")


class Searched:
    """Everything that was shown, said or stored."""

    def __init__(self, *secrets: str) -> None:
        bodies = [secret.removeprefix("rdk_") for secret in secrets]
        self._pieces = [body[at : at + 12] for body in bodies for at in range(len(body) - 11)]

    def look(self, content: bytes | str, where: str) -> None:
        text = content.decode("utf-8", "replace") if isinstance(content, bytes) else content
        packed = _NO_INK.sub("", text)
        assert not [piece for piece in self._pieces if piece in packed], where


@pytest.fixture
def admin(transactional_db: None) -> Person:
    return create_admin(username="the admin")


@pytest.fixture
def routine(admin: Person) -> Routine:
    return create_routine(name="Canary", template="x")


def shown(response: Any) -> str:
    (code,) = Page(response).find("code", id="secret")
    return code.text


def test_a_secret_is_nowhere_but_in_the_answer_that_shows_it(
    admin: Person, routine: Routine, practice: Any, caplog: pytest.LogCaptureFixture, capfd: Any
):
    caplog.set_level(logging.DEBUG)
    client = signed_in(admin, raise_request_exception=False)
    made = save(client, "/callers/add/", name="Canary", routines=[routine.pk])
    first, api_key = shown(made), ApiKey.objects.get()
    page = reverse("api_key", args=[api_key.pk])
    second = shown(press_button(client, page, reverse("add_secret", args=[api_key.pk])))
    searched = Searched(first, second)

    # A program uses them, rightly and in every wrong way.
    program = Client(raise_request_exception=False)
    door = reverse("fire_door", args=[routine.slug])
    for number, secret in enumerate((first, second)):
        bearer = {"Authorization": f"Bearer {secret}"}
        for to, headers, body in (
            (door, bearer | {"Idempotency-Key": f"call-{number}"}, {"text": "x"}),
            (door, bearer | {"Idempotency-Key": secret}, {"text": "x"}),
            (door, bearer | {"Idempotency-Key": "text"}, {"text": f"Use {secret}"}),
            (door, bearer, {"text": "x", secret: secret}),
            (door, {"Authorization": secret}, {"text": "x"}),
            (door, {"Authorization": f"Basic {secret}"}, {"text": "x"}),
            (door, {"X-Api-Key": secret, "User-Agent": secret}, {"text": "x"}),
            (f"{door}?key={secret}", bearer, {"text": "x"}),
            (reverse("fire_door", args=[secret]), bearer, {"text": "x"}),
        ):
            answer = program.post(to, json.dumps(body), "application/json", headers=headers)
            searched.look(answer.getvalue(), f"{answer.status_code} of {to} with {body}")
            searched.look(str(answer.headers), f"headers of {to}")
    assert Run.objects.filter(api_key=api_key).exists()

    # It is typed into every field of every form.
    known = {
        "pk": Run.objects.earliest("pk").pk,
        "person": create_teammate(username="somebody").pk,
        "group": 0,
        "account": routine.account_id,
        "api_key": api_key.pk,
        "secret": api_key.secrets.earliest("pk").pk,
    }
    forms = 0
    for url in addresses(routine, known):
        response = client.get(url)
        searched.look(response.getvalue(), f"GET {url}")
        if not response.headers.get("Content-Type", "").startswith("text/html"):
            continue
        for form, fields in filled_in(Page(response.getvalue().decode()), first):
            to = form.attributes.get("action") or url
            if to == reverse("account_logout"):
                continue
            forms += 1
            send = client.post if form.attributes.get("method") == "post" else client.get
            response = send(to.partition("?")[0], fields)
            searched.look(response.getvalue(), f"{fields} sent to {to} from {url}")
            searched.look(str(response.headers), f"{fields} sent to {to} from {url}")
    assert forms > 50
    assert client.get(reverse("audit")).status_code == 200, "signed in until the end"

    for name, rows in tables():
        searched.look(rows, name)
    searched.look(caplog.text, "the log")
    searched.look("".join(capfd.readouterr()), "standard output and error")
    for session in practice.sessions:
        searched.look(session.text, "a session")


def test_the_search_would_find_it():
    secret = "rdk_" + "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJ"
    for text in (secret, secret[10:30], " ".join(secret)):
        with pytest.raises(AssertionError):
            Searched(secret).look(f"before {text} after", "here")
