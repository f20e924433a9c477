"""The log: one line for each request and each fire, with facts; no secret and no forged line."""

import io
import json
import logging
import re

import httpx
import pytest
from django.test import Client
from django.urls import reverse

from dashboard.serving.logs import LogFormatter
from routines.history import pages
from routines.models import Routine
from routines.values import tokens
from tests.dashboard.browsing import press, run_form, run_url, signed_in
from tests.factories import create_routine, create_teammate
from tests.hostile import HostileServer, answer, envelope, says

SECRET = "Qz7recognisable4Kx9w"
TOKEN = tokens.PREFIX + SECRET
FORGED = "jo\n2026-01-01T00:00:00.000+00:00 CRITICAL forged status=200"


class Log:
    """What a handler with the product's formatter has written."""

    def __init__(self) -> None:
        self._text, self._json = io.StringIO(), io.StringIO()
        self.handlers = []
        for stream, json_lines in ((self._text, False), (self._json, True)):
            handler = logging.StreamHandler(stream)
            handler.setFormatter(LogFormatter(json_lines=json_lines))
            self.handlers.append(handler)

    @property
    def text(self) -> str:
        return self._text.getvalue()

    @property
    def json(self) -> str:
        return self._json.getvalue()

    def lines(self, message: str) -> list[dict[str, object]]:
        lines = [json.loads(line) for line in self.json.splitlines()]
        return [line for line in lines if line["message"] == message]


@pytest.fixture
def log():
    log = Log()
    for handler in log.handlers:
        logging.getLogger().addHandler(handler)
    yield log
    for handler in log.handlers:
        logging.getLogger().removeHandler(handler)


def test_each_request_is_one_line_with_who_what_and_how_it_went(client, routine, log):
    response = client.get(f"{run_url(routine)}?again=x&q=secret-search")
    [line] = log.lines("request")
    assert line["ms"] >= 0
    assert line | {"at": "", "ms": 0} == {
        "at": "",
        "ms": 0,
        "level": "INFO",
        "logger": "dashboard.serving.request_log",
        "message": "request",
        "method": "GET",
        "path": run_url(routine),
        "status": 200,
        "person": "the teammate",
        "request": response.headers["X-Request-ID"],
    }
    assert "secret-search" not in log.text + log.json


@pytest.mark.parametrize("url", ["/nowhere/", "/history/", "/static/css/base.css"])
def test_who_is_unknown_costs_no_query_and_leaves_a_line_all_the_same(db, log, url):
    Client().get(url).close()
    [line] = log.lines("request")
    assert (line["path"], line["person"]) == (url, "-")


def test_each_fire_is_one_line_that_shares_the_requests_id(client, routine, practice, log):
    fields = run_form(client, routine)
    response = client.post(reverse("fire", args=[routine.slug]), fields)
    run = routine.runs.get()
    [line] = log.lines("fire")
    assert line["ms"] == run.duration_ms
    assert {name: line[name] for name in ("run", "routine", "person", "state", "reason")} == {
        "run": run.pk,
        "routine": routine.slug,
        "person": "the teammate",
        "state": "started",
        "reason": "session_created",
    }
    assert line["status"] == 200
    assert line["endpoint_request"] == run.request_id
    assert line["request"] == response.headers["X-Request-ID"]
    assert "repeated" not in line
    client.post(reverse("fire", args=[routine.slug]), fields)
    assert log.lines("fire")[1] | line == line | {"repeated": True, "request": line["request"]}
    assert run.text not in log.text + log.json


def test_a_fire_that_was_stopped_has_its_line_too(client, log):
    press(client, create_routine(token=None, enabled=False))
    press(client, create_routine(token=None))
    assert [line["state"] for line in log.lines("fire")] == ["not_sent"] * 2


def test_an_id_of_somebody_elses_choosing_is_not_taken_over(client, log):
    response = client.get("/", headers={"X-Request-ID": "chosen"})
    assert re.fullmatch("[0-9a-f]{12}", response.headers["X-Request-ID"])
    assert "chosen" not in log.text


def test_a_download_has_its_line_when_it_is_through(client, log):
    response = client.get(reverse("export_csv"))
    assert log.lines("request") == []
    response.getvalue()
    [line] = log.lines("request")
    assert line["request"] == response.headers["X-Request-ID"]
    logging.getLogger("routines").info("outside of a request")
    assert "request" not in log.lines("outside of a request")[0]


# --- No forged line ---


def test_a_name_or_an_address_writes_no_line_of_its_own(log, db):
    client = signed_in(create_teammate(username=FORGED))
    client.get("/a%0Ab%1b[31m%E2%80%AEc/")
    client.get("/history/?before=x%0Ay")
    logging.getLogger("routines").warning("by %s, \x1b[2J\x85\u2028 too", FORGED)
    assert len(log.text.splitlines()) == len(log.json.splitlines()) == 3
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e]", log.text)
    assert not re.search("(?m)^2026-01-01", log.text)
    assert 'person="jo\\n2026-01-01' in log.text


def test_a_traceback_is_indented_so_that_none_of_its_lines_is_a_records(log):
    try:
        raise RuntimeError(FORGED)
    except RuntimeError:
        logging.getLogger("routines").exception("It failed.")
    first, *rest = log.text.splitlines()
    assert first.endswith("ERROR routines It failed.")
    assert len(rest) > 3
    assert all(line.startswith("    | ") for line in rest)
    [line] = log.lines("It failed.")
    assert str(line["traceback"]).endswith(FORGED)


def test_arguments_that_do_not_fit_do_not_cost_the_line(log):
    record = logging.LogRecord("x", logging.INFO, "", 0, "%d of %s", ("one",), None)
    assert "%d of %s" in LogFormatter(json_lines=False).format(record)


# --- No secret ---


def test_an_exception_whose_text_and_locals_hold_a_token_is_logged_without(
    client, monkeypatch, log
):
    def fail(*arguments, **named):
        token = TOKEN
        headers = {"Authorization": f"Bearer {token}"}
        try:
            raise ValueError(headers)
        except ValueError as error:
            raise RuntimeError(f"while sending {token!r}") from error

    monkeypatch.setattr(pages, "page", fail)
    client.raise_request_exception = False
    response = client.get("/history/")
    reference = response.headers["X-Request-ID"]
    assert response.status_code == 500
    assert reference in response.content.decode()
    assert SECRET not in log.text + log.json + response.content.decode()
    [failure] = [json.loads(line) for line in log.json.splitlines() if '"ERROR"' in line]
    assert failure["request"] == reference
    assert "RuntimeError: while sending" in failure["traceback"]


def test_what_httpx_says_of_a_malformed_header_is_logged_without_the_token(log):
    with HostileServer(says(answer(200, {}))) as server, httpx.Client() as client:
        for value in (f"Bearer {TOKEN}\n", f"Bearer {TOKEN}é"):
            with pytest.raises((httpx.LocalProtocolError, UnicodeEncodeError)) as raised:
                client.post(server.url, headers={"Authorization": value})
            assert SECRET in repr(raised.value), "the trap that this is about"
            error = raised.value
            logging.getLogger("routines").error("failed: %r %s", error, error, exc_info=error)
    assert log.text.count("ERROR routines failed") == 2
    assert SECRET not in log.text + log.json


def test_an_endpoint_that_answers_with_the_token_writes_it_nowhere(
    client, settings, monkeypatch, log
):
    routine = create_routine(token=TOKEN)
    replies = [
        answer(401, envelope("authentication_error", f"bad {TOKEN} {TOKEN[::-1]}")),
        answer(500, {"x": TOKEN}, {"request-id": TOKEN}),
        answer(200, {"claude_code_session_id": TOKEN, "claude_code_session_url": f"x/{TOKEN}"}),
    ]
    with HostileServer(*(says(reply) for reply in replies)) as server:
        settings.CLAUDE_API_BASE_URL = server.url
        for _ in replies:
            page = press(client, routine, htmx=True).content.decode()
            assert SECRET not in page
    assert len(log.lines("fire")) == len(replies)
    assert SECRET not in log.text + log.json
    assert SECRET[::-1] not in log.text + log.json
    stored = list(Routine.objects.get(pk=routine.pk).runs.values())
    assert SECRET not in str(stored)


def test_facts_and_arguments_are_redacted_like_the_message(log):
    logging.getLogger("routines").warning(
        "%s and %s", {"password": SECRET}, f"Cookie: a={SECRET}", extra={"facts": {"by": TOKEN}}
    )
    logging.getLogger("routines").warning("stack", stack_info=True)
    assert SECRET not in log.text + log.json
    assert "test_facts_and_arguments" in log.text


def test_a_token_typed_as_an_address_or_a_name_is_not_in_the_log(client, log):
    client.get(f"/{TOKEN}/")
    client.post("/sign-in/", {"login": TOKEN, "password": SECRET})
    assert len(log.lines("request")) == 2
    assert SECRET not in log.text + log.json


def test_at_the_debug_level_there_is_no_more_secret_in_it(client, routine, practice, log):
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.DEBUG)
    try:
        press(client, routine)
    finally:
        root.setLevel(level)
    plain = routine.reveal_token().reveal()
    assert plain not in log.text + log.json
    assert client.cookies["sessionid"].value not in log.text + log.json
