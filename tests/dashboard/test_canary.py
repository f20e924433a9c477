"""One recognisable token goes wherever a token can go; then every byte is searched for it.

Only its ciphertext may exist: no page, error page, export, command, log line, audit event or
stored row holds it, in any of the encodings that the scrubber knows.
"""

import logging
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from dashboard.urls import urlpatterns
from routines import rotation, tokens
from routines.models import Person, Routine
from routines.redaction import Scrubber
from tests.dashboard.browsing import fire_url, press, run_form, signed_in
from tests.dashboard.registry.registering import command
from tests.factories import create_admin, create_routine, create_run
from tests.hostile import HostileServer, answer, envelope, says

SECRET = "canary-Qz7-recognisable-4Kx9w"
CANARY = tokens.PREFIX + SECRET
ROUTINE_ID = "trig_canary"


class Searched:
    """Everything that was shown, said or stored."""

    def __init__(self) -> None:
        self._forms = Scrubber(tokens.parse(CANARY))._forms
        self.pieces = 0

    def look(self, content: bytes | str, where: str) -> None:
        text = content.decode("utf-8", "replace") if isinstance(content, bytes) else content
        self.pieces += 1
        assert SECRET not in text, where
        assert not self._forms.search(text), where


@pytest.fixture
def admin(transactional_db: None) -> Person:
    return create_admin(username="the admin")


@pytest.fixture
def routine(admin: Person) -> Routine:
    return create_routine(name="Canary", routine_id=ROUTINE_ID, token=CANARY, template="x")


def arguments(pattern: Any, routine: Routine, run_pk: int) -> dict[str, Any]:
    values: dict[str, Any] = {"slug": routine.slug, "pk": run_pk}
    return {name: values.get(name, run_pk) for name in pattern.pattern.converters}


def addresses(routine: Routine, run_pk: int) -> list[str]:
    return [
        reverse(pattern.name, kwargs=arguments(pattern, routine, run_pk))
        for pattern in urlpatterns
        if getattr(pattern, "name", None)
    ]


def tables() -> list[str]:
    return [
        repr(list(model._base_manager.values()))
        for model in apps.get_models()
        if model._meta.label_lower != "sessions.session"
    ]


def test_a_token_is_nowhere_but_in_its_ciphertext(
    admin: Person, routine: Routine, settings: Any, caplog: pytest.LogCaptureFixture, capfd: Any
):
    searched = Searched()
    caplog.set_level(logging.DEBUG)
    client, nobody = signed_in(admin, raise_request_exception=False), Client()

    # It comes back from the endpoint in every way, in refusals and in sessions.
    echo = f"Invalid token {CANARY} / {CANARY[::-1]} / {CANARY.encode().hex()}"
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
    run = create_run(routine=routine, person=admin)
    for url in addresses(routine, run.pk):
        if url == reverse("account_logout"):
            continue
        for visitor in (client, nobody):
            searched.look(visitor.get(url).getvalue(), f"GET {url}")
            for typed in (pastes, {"token": f"{CANARY} {CANARY}", "pasted": f"{CANARY}é"}):
                response = visitor.post(url, typed)
                searched.look(response.getvalue(), f"POST {url}")
                searched.look(str(response.headers), f"POST {url}")

    # The commands speak.
    said = StringIO()
    for name in ("check", "rotate_token_keys", "export_routines"):
        call_command(name, stdout=said, stderr=said)
    settings.TOKEN_ENCRYPTION_KEYS = ["b3RoZXIta2V5LW90aGVyLWtleS1vdGhlci1rZXktMDE="]
    call_command("check", stdout=said, stderr=said)
    searched.look(said.getvalue(), "the commands")
    press(client, Routine.objects.get(routine_id=ROUTINE_ID))
    searched.look(client.get("/routines/").content, "the registry without its key")

    for table in tables():
        searched.look(table, "the database")
    if connection.vendor == "sqlite":
        name = str(connection.settings_dict["NAME"])
        for path in Path(name).parent.glob(Path(name).name + "*"):
            searched.look(path.read_bytes(), path.name)
    searched.look(caplog.text, "the log")
    searched.look("".join(capfd.readouterr()), "standard output and error")
    assert searched.pieces > 200


def test_the_search_would_find_it(admin: Person, routine: Routine):
    for shown in (CANARY, CANARY.encode().hex(), CANARY[::-1], SECRET):
        with pytest.raises(AssertionError):
            Searched().look(f"before {shown} after", "here")
    assert routine.reveal_token().reveal() == CANARY
    rotation.replace_token(routine, tokens.parse(CANARY), by=admin)
