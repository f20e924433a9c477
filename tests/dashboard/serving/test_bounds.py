"""What comes in is bounded before it is looked at, and odd bytes are a refusal, never a failure."""

from collections.abc import Callable
from io import BytesIO
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.sessions.models import Session
from django.core.handlers.wsgi import WSGIRequest
from django.test import Client
from django.urls import reverse

from dashboard.serving import bounds
from routines.models import Person, Routine, Run
from routines.practice_api import PracticeApi
from tests.dashboard.browsing import HTMX, Page, fire_url, post_run, run_form, run_url, signed_in

TOKEN = "sk-ant-oat01-" + "Q7hVw2tR9kLmZ4xPbN0s" * 3
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def nobody(db: None) -> Client:
    return Client(enforce_csrf_checks=True, raise_request_exception=False)


class Unread(BytesIO):
    """A body that must not be read."""

    def read(self, *_: Any) -> bytes:
        raise AssertionError("It was read.")

    readline = readlines = read  # type: ignore[assignment]


# --- Bodies ---


@pytest.mark.parametrize("url", ["/sign-in/", "/", "/nowhere/"])
@pytest.mark.parametrize("size", [bounds.LARGEST_OF_NOBODY + 1, 11_000_000])
def test_a_large_body_of_nobody_is_not_even_read(nobody: Client, url: str, size: int):
    sent = {"wsgi.input": Unread(), "CONTENT_LENGTH": str(size), "CONTENT_TYPE": FORM}
    response = nobody.post(url, **sent)  # type: ignore[arg-type]
    assert response.status_code == 413
    assert Page(response).says("You are not signed in")


def test_nothing_that_nobody_sent_is_looked_through_or_given_back(nobody: Client, routine: Routine):
    for url in (fire_url(routine), "/sign-in/", "/nowhere/"):
        response = nobody.post(url, {"text": "Typed by nobody. " * 3_000})
        assert response.status_code in (401, 403, 404)
        assert b"Typed by nobody" not in response.content


def test_what_was_typed_is_cut_before_it_is_given_back(client: Client, routine: Routine):
    fields = run_form(client, routine)
    Session.objects.all().delete()
    response = post_run(client, routine, fields, text="x" * (bounds.LONGEST_FIELD - 1))
    assert response.status_code == 401
    assert len(Page(response).find("pre")[0].text) == bounds.LONGEST_FIELD - 1
    response = post_run(client, routine, fields, text="x" * bounds.LARGEST_OF_SIGNED_OUT)
    assert response.status_code == 413
    assert b"xxxxxxxx" not in response.content


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
def test_a_field_beyond_all_measure_is_refused_with_a_sentence(
    client: Client, routine: Routine, practice: PracticeApi, headers: dict[str, str]
):
    fields = run_form(client, routine) | {"text": "y" * (bounds.LONGEST_FIELD + 1)}
    response = client.post(fire_url(routine), fields, headers=headers)
    assert response.status_code == 422
    assert Page(response).says("This is far too long (")
    assert Page(response).says("A field may have 393,216 characters")
    assert practice.requests == Run.objects.count() == 0
    if not headers:  # with htmx the form stays as it is
        assert Page(response).find("pre")[0].text == "y" * bounds.LONGEST_FIELD


def test_a_text_that_is_only_too_long_comes_back_as_typed(client: Client, routine: Routine):
    text = "\U0001f600" * 65_537
    response = post_run(client, routine, run_form(client, routine), text=text)
    assert response.status_code == 422
    assert Page(response).find("textarea")[0].text.strip() == text


def test_an_address_beyond_all_measure_is_refused_with_a_sentence(client: Client):
    response = client.get("/", {"q": "x" * bounds.LONGEST_ADDRESS})
    assert response.status_code == 414
    assert Page(response).says("This address is too long")


# --- A token in an address ---

WRITTEN = {
    "plain": TOKEN,
    "percent-encoded": "".join(f"%{byte:02x}" for byte in TOKEN.encode()),
    "percent-encoded twice": "".join(f"%25{byte:02X}" for byte in TOKEN.encode()),
    "broken over lines": f"{TOKEN[:20]}%0A{TOKEN[20:]}",
    "spaced": f"{TOKEN[:20]}+{TOKEN[20:]}",
    "in another address": quote(f"/x/?text={quote(TOKEN)}"),
}


@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)
@pytest.mark.parametrize("who", ["nobody", "client"])
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
def test_a_token_in_an_address_is_repeated_nowhere(
    request: pytest.FixtureRequest,
    routine: Routine,
    caplog: pytest.LogCaptureFixture,
    who: str,
    headers: dict[str, str],
    written: str,
):
    visitor: Client = request.getfixturevalue(who)
    for url in (
        f"{run_url(routine)}?text=",
        "/?q=",
        "/history/?q=",
        "/sign-in/?next=/",
        "/nowhere/",
    ):
        for ask in (visitor.get, visitor.post):
            response = ask(url + written, headers=headers)
            assert response.status_code == 400, url
            assert Page(response).says("A token stands in this address")
            assert response.headers["Referrer-Policy"] == "no-referrer"
            assert "Location" not in response.headers
            for said in (response.content.decode(), str(response.headers), caplog.text):
                assert TOKEN[20:40] not in said


@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)
def test_nobody_is_led_back_to_an_address_with_a_token(
    nobody: Client, routine: Routine, written: str
):
    shown = f"http://testserver{run_url(routine)}?text={written}"
    response = nobody.get("/history/", headers=HTMX | {"HX-Current-URL": shown})
    assert response.headers["HX-Redirect"] == "/sign-in/?next=%2F"
    response = nobody.post("/sign-in/", {"next": f"/?text={written}"})
    assert TOKEN[20:40] not in str(response.headers)


def test_a_header_of_an_answer_never_holds_a_token():
    answer = bounds_of_answers({"Location": f"/x/?a={TOKEN}", "HX-Push-Url": f"/?q={TOKEN}"})
    assert answer == {"Location": "/"}


def bounds_of_answers(headers: dict[str, str]) -> dict[str, str]:
    from django.http import HttpRequest, HttpResponse

    from dashboard.serving.middleware import NoTokenShownMiddleware

    answer = HttpResponse(headers={"Content-Type": "text/plain"} | headers)
    kept = NoTokenShownMiddleware(lambda _: answer)(HttpRequest()).headers
    return {name: value for name, value in kept.items() if name != "Content-Type"}


# --- Odd headers ---

CHARSETS = [
    "utf-7",
    "utf-16",
    "latin-1",
    "rot13",
    "hex",
    "idna",
    "undefined",
    "no-such",
    "",
]


@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.parametrize("kind", [FORM, "multipart/form-data; boundary=x", "text/plain"])
@pytest.mark.parametrize("who", ["nobody", "client"])
def test_another_encoding_than_utf_8_is_refused(
    request: pytest.FixtureRequest, routine: Routine, kind: str, charset: str, who: str
):
    visitor: Client = request.getfixturevalue(who)
    visitor.raise_request_exception = False
    for url in (fire_url(routine), "/sign-in/", "/nowhere/"):
        response = visitor.generic("POST", url, b"text=x", f"{kind}; charset={charset}")
        assert 400 <= response.status_code < 500, url


def test_utf_8_may_be_said(client: Client, routine: Routine, practice: PracticeApi):
    body = "&".join(f"{k}={quote(v)}" for k, v in run_form(client, routine).items())
    for charset in ("utf-8", "UTF-8", '"utf8"'):
        response = client.generic("POST", fire_url(routine), body, f"{FORM}; charset={charset}")
        assert response.status_code == 302


@pytest.mark.parametrize(
    "said", ["charset*=no-such''x", "charset*0*=''", "a*=x''%", "x*1=;;=;", "charset=x\x00"]
)
def test_a_content_type_that_django_cannot_read_is_no_failure(said: str):
    read: list[WSGIRequest] = []
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/sign-in/",
        "CONTENT_TYPE": f"{FORM}; {said}",
        "wsgi.input": BytesIO(),
    }
    guarded = bounds.readable_content_type(lambda environ, _: read.append(WSGIRequest(environ)))
    guarded(environ, print)
    assert read[0].content_type in (FORM, "application/octet-stream")


SHOWN = ["http://[", "http://testserver]/", "//[::1", "http://x:y/", "\x00", "%5B", "x" * 9_000]


@pytest.mark.parametrize("shown", SHOWN)
@pytest.mark.parametrize("autoencoded", [{}, {"HX-Current-URL-URI-AutoEncoded": "true"}])
def test_a_current_url_of_nonsense_is_no_failure(
    nobody: Client,
    teammate: Person,
    practice: PracticeApi,
    routine: Routine,
    shown: str,
    autoencoded,
):
    headers = HTMX | {"HX-Current-URL": shown} | autoencoded
    assert nobody.get("/", headers=headers).headers["HX-Redirect"].startswith("/sign-in/")
    client = signed_in(teammate)
    post_run(client, routine, run_form(client, routine))
    run = Run.objects.get()
    assert client.get(reverse("history_result", args=[run.pk]), headers=headers).status_code == 200


@pytest.mark.parametrize(
    "cookie",
    [
        'sessionid="aaaaaaaa\\000b"',
        "sessionid=" + "x" * 5_000,
        "sessionid=\u00e9\u00e9\u00e9\u00e9",
        "time_zone=../../x",
    ],
    ids=["NUL", "long", "not ASCII", "time zone"],
)
def test_a_cookie_of_nonsense_is_no_failure(nobody: Client, cookie: str):
    assert nobody.get("/sign-in/", headers={"Cookie": cookie}).status_code == 200


@pytest.mark.parametrize("length", ["x", "-1", "9" * 5_000, "1e3", "\u0661"])
def test_a_content_length_of_nonsense_is_no_failure(client: Client, routine: Routine, length: str):
    response = client.post(fire_url(routine), {"text": "x"}, CONTENT_LENGTH=length)
    assert response.status_code == 400


@pytest.mark.parametrize(
    "ask",
    [
        lambda get, post, run: get(f"{run}?again={'9' * 5_000}"),
        lambda get, post, run: get(f"{run}?again={'٩' * 5}"),
        lambda get, post, run: get("/versions/move/", {"tried": "9" * 5_000}),
        lambda get, post, run: post("/versions/move/", {"tried": "9" * 5_000, "to": "beta:"}),
        lambda get, post, run: get(f"/history/{'9' * 5_000}/"),
        lambda get, post, run: get("/routines/release-notes/token/test/", {"run": "9" * 5_000}),
        lambda get, post, run: get(
            "/routines/release-notes/card/", {"run": "9" * 5_000}, headers=HTMX
        ),
        lambda get, post, run: post(run.replace("/run/", "/fire/"), {"aware_of": "9" * 5_000}),
        lambda get, post, run: get("/history/", {"before": f"1-{'9' * 5_000}"}),
    ],
)
def test_thousands_of_digits_are_no_failure(
    admin_client: Client, routine: Routine, practice: PracticeApi, ask: Callable[..., Any]
):
    admin_client.raise_request_exception = False
    response = ask(admin_client.get, admin_client.post, run_url(routine))
    assert response.status_code < 500
    assert practice.requests == 0
