"""One recognisable token goes wherever a token can go; then every byte is searched for it.

Only its ciphertext may exist: no page, error page, export, command, log line, audit event or
stored row holds 12 characters of it in a row, in plain, base64 or hexadecimal.
"""

import base64
import logging
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from routines.callers import keys
from routines.models import Person, Routine
from routines.people import groups
from routines.practice_api import PracticeServer
from routines.tokens import rotation
from routines.values import tokens
from routines.values.reasons import Reason
from tests.dashboard.browsing import Element, Page, fire_url, press, run_form, signed_in
from tests.dashboard.registry.registering import command
from tests.dashboard.walking import TYPED, addresses, kind
from tests.factories import (
    create_admin,
    create_key_and_secret,
    create_routine,
    create_run,
    create_teammate,
)
from tests.hostile import HostileServer, answer, envelope, says

SECRET = "canary-Qz7-recognisable-4Kx9w"
CANARY = tokens.PREFIX + SECRET
ROUTINE_ID = "trig_canary"
PIECES = [SECRET[start : start + 12] for start in range(len(SECRET) - 11)]
# Each piece in plain, in hex, and in base64 wherever in a longer text it begins: there, but for
# what its neighbours decide. In lower case, as what is searched.
FORMS = {
    form.lower()
    for piece in PIECES
    for form in (
        piece,
        piece.encode().hex(),
        base64.b64encode(piece.encode()).decode(),
        base64.b64encode(b"x" + piece.encode()).decode()[4:-4],
        base64.b64encode(b"xx" + piece.encode()).decode()[4:-4],
    )
}
_NO_INK = re.compile("[\\s\u200b-\u200d\u2060\ufeff]+")


class Searched:
    """Everything that was shown, said or stored."""

    def __init__(self) -> None:
        self.pieces = 0

    def look(self, content: bytes | str, where: str) -> None:
        text = content.decode("utf-8", "replace") if isinstance(content, bytes) else content
        self.pieces += 1
        assert SECRET not in text, where
        packed = _NO_INK.sub("", text).lower()
        assert not [form for form in FORMS if form in packed], where


@pytest.fixture
def admin(transactional_db: None) -> Person:
    return create_admin(username="the admin")


@pytest.fixture
def routine(admin: Person) -> Routine:
    return create_routine(name="Canary", routine_id=ROUTINE_ID, token=CANARY, template="x")


def filled_in(page: Page, secret: str = CANARY) -> Iterator[tuple[Element, dict[str, str]]]:
    """Every form of the page, with the token in each of its fields in turn, and in all at once."""
    for form in page.find("form"):
        fields, typed_into = {}, []
        for element in page.elements:
            if form not in element.inside or "name" not in element.attributes:
                continue
            name = element.attributes["name"]
            fields[name] = page.value(element)
            if kind(element) in TYPED:
                typed_into.append(name)
        for name in typed_into:
            yield form, fields | {name: f"Use {secret}" if name in ("text", "body") else secret}
        yield form, fields | dict.fromkeys(typed_into, f"https://claude.ai/code/{secret}")


def usable_again(routine: Routine, admin: Person) -> None:
    """Some of the buttons that were pressed have archived the routine or forgotten its token."""
    routine.refresh_from_db()
    routine.archived_at, routine.enabled = None, True
    routine.confirmation, routine.asks_why = Routine.Confirmation.OFF, False
    routine.set_token(tokens.parse(CANARY), by=admin)
    routine.save()


def tables() -> Iterator[tuple[str, str]]:
    """Every column of every table, also those without a model."""
    with connection.cursor() as cursor:
        names = connection.introspection.table_names(cursor)
        if connection.vendor == "sqlite":  # a virtual table has nothing but what its shadows have
            cursor.execute("SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL%'")
            names = sorted(set(names) - {name for (name,) in cursor.fetchall()})
        for name in names:
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(name)}")  # noqa: S608
            yield name, repr(cursor.fetchall())


def test_a_token_is_nowhere_but_in_its_ciphertext(
    admin: Person, routine: Routine, settings: Any, caplog: pytest.LogCaptureFixture, capfd: Any
):
    searched = Searched()
    caplog.set_level(logging.DEBUG)
    client, nobody = signed_in(admin, raise_request_exception=False), Client()

    # It comes back from the endpoint in every way, in refusals and in sessions.
    echo = f"Invalid token {CANARY} / {SECRET[:12]} / {CANARY.encode().hex()}"
    session = {"claude_code_session_id": CANARY, "claude_code_session_url": f"https://x/{CANARY}"}
    replies = [
        answer(401, envelope("authentication_error", echo)),
        answer(200, session),
        answer(500, {"error": {"type": CANARY, "message": echo}}, {"request-id": CANARY}),
        answer(400, envelope("invalid_request_error", echo)),
    ]
    with HostileServer(*(says(reply) for reply in replies)) as server:
        settings.CLAUDE_API_BASE_URL = server.url
        for _ in replies:
            fields = run_form(client, routine)
            for htmx in ({}, {"HX-Request": "true"}):
                response = client.post(fire_url(routine), fields, headers=htmx)
                searched.look(response.content, "the answer to a press")
        assert server.requests == len(replies)

    # It is pasted, whole and broken, where tokens are pasted and where none belongs.
    pastes = {
        "pasted": command(routine_id="trig_other", token=CANARY),
        "token": CANARY,
        "name": CANARY,
        "purpose": CANARY,
        "account": CANARY,
        "value": CANARY,
        "routine_id": CANARY,
        "session_url": f"https://claude.ai/code/{CANARY}",
        "username": CANARY,
        "login": CANARY,
        "body": f"Use {CANARY}",
    }
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
    for url in addresses(routine, known):
        for visitor in (client, nobody):
            response = visitor.get(url)
            searched.look(response.getvalue(), f"GET {url}")
            for typed in (pastes, {"token": f"{CANARY} {CANARY}", "pasted": f"{CANARY}é"}):
                response = visitor.post(url, typed)
                searched.look(response.getvalue(), f"POST {url}")
                searched.look(str(response.headers), f"POST {url}")

    # It is typed into every field of every form that an admin meets.
    with PracticeServer() as server:
        settings.CLAUDE_API_BASE_URL = server.url
        client = signed_in(admin, raise_request_exception=False)
        for url in addresses(routine, known):
            usable_again(routine, admin)
            response = client.get(url)
            if not response.headers.get("Content-Type", "").startswith("text/html"):
                continue
            for form, fields in filled_in(Page(response.getvalue().decode())):
                to = form.attributes.get("action") or url
                if to == reverse("account_logout"):
                    continue
                send = client.post if form.attributes.get("method") == "post" else client.get
                response = send(to.partition("?")[0], fields)
                where = f"{fields} sent to {to} from {url}"
                searched.look(response.getvalue(), where)
                searched.look(str(response.headers), where)
        for text in server.api.sessions:
            searched.look(text.text, "a session")
    assert client.get(reverse("audit")).status_code == 200, "signed in until the end"

    # The commands speak.
    usable_again(routine, admin)
    said = StringIO()
    for name in ("check", "rotate_token_keys", "export_routines"):
        call_command(name, stdout=said, stderr=said)
    settings.TOKEN_ENCRYPTION_KEYS = ["b3RoZXIta2V5LW90aGVyLWtleS1vdGhlci1rZXktMDE="]
    call_command("check", stdout=said, stderr=said)
    searched.look(said.getvalue(), "the commands")
    press(client, Routine.objects.get(routine_id=ROUTINE_ID))
    searched.look(client.get("/routines/").content, "the registry without its key")

    for name, rows in tables():
        searched.look(rows, name)
    if connection.vendor == "sqlite":
        name = str(connection.settings_dict["NAME"])
        for path in Path(name).parent.glob(Path(name).name + "*"):
            searched.look(path.read_bytes(), path.name)
    searched.look(caplog.text, "the log")
    searched.look("".join(capfd.readouterr()), "standard output and error")
    assert searched.pieces > 200


def test_the_search_would_find_it(admin: Person, routine: Routine):
    spaced, coded = " ".join(SECRET), base64.b64encode(f"a token: {CANARY}".encode()).decode()
    for shown in (CANARY, CANARY.encode().hex(), SECRET[5:17], SECRET, spaced, coded):
        with pytest.raises(AssertionError):
            Searched().look(f"before {shown} after", "here")
    assert routine.reveal_token().reveal() == CANARY
    rotation.replace_token(routine, tokens.parse(CANARY), by=admin)
