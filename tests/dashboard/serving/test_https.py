"""A proxy that forgets something gets a sentence, on the page and in the log, and no loop."""

import pytest
from django.test import Client

from dashboard.serving import https
from routines.models import Routine, Run
from routines.values.reasons import Reason
from tests.dashboard.browsing import HTMX, Page, fire_url, run_url
from tests.factories import create_routine, create_run

ELSEWHERE = "10.0.0.7"


@pytest.fixture(autouse=True)
def over_https(settings):
    settings.DASHBOARD_URL = "https://routines.example.com:8443"
    settings.SECURE_SSL_REDIRECT = True
    settings.ALLOWED_HOSTS = ["routines.example.com"]
    https.warned.clear()


def ask(client: Client, url: str = "/sign-in/", *, at: str = "127.0.0.1", **headers: str):
    return client.get(url, headers={"Host": "routines.example.com"} | headers, REMOTE_ADDR=at)


@pytest.mark.parametrize(
    ("at", "headers", "missing"),
    [
        ("127.0.0.1", {}, "came without X-Forwarded-Proto"),
        (ELSEWHERE, {}, "came without X-Forwarded-Proto"),
        (ELSEWHERE, {"X-Forwarded-Proto": "https"}, f"sent by {ELSEWHERE}, which is not in"),
        ("127.0.0.1", {"X-Forwarded-Proto": "https, http"}, "https as its whole value"),
        ("", {}, "from a Unix socket"),
    ],
)
def test_what_the_proxy_leaves_out_is_said_and_leads_nowhere(db, caplog, at, headers, missing):
    for _ in range(3):
        response = ask(Client(), at=at, **headers)
        assert response.status_code == 400
        assert Page(response).says("This did not come over https")
        assert Page(response).says(missing)
        assert Page(response).says("https://routines.example.com:8443")
    [warning] = [one.getMessage() for one in caplog.records if one.name == https.__name__]
    assert missing in warning
    assert "X-Forwarded-Proto" in warning
    assert "FORWARDED_ALLOW_IPS" in warning


def test_who_comes_by_http_is_led_to_https_and_only_once(db):
    client = Client()
    first = ask(client, "/history/?q=x", **{"X-Forwarded-Proto": "http"})
    assert first.status_code == 302
    assert first.headers["Location"] == "https://routines.example.com:8443/history/?q=x"
    again = ask(client, "/history/?q=x", **{"X-Forwarded-Proto": "http"})
    assert again.status_code == 400
    assert Page(again).says("says X-Forwarded-Proto: http")


def test_a_press_over_http_is_not_led_on(client, routine: Routine):
    response = client.post(fire_url(routine), {"text": "x"}, headers={"X-Forwarded-Proto": "http"})
    assert response.status_code == 400
    assert not Run.objects.exists()


def test_the_page_that_says_so_has_its_style(db):
    assert ask(Client(), "/static/css/base.css").status_code != 301


def test_another_host_is_told_the_right_address(db, caplog):
    for host in ("127.0.0.1:8000", "evil.example.com", "a b", "[::1"):
        response = Client().get("/", headers={"Host": host}, secure=True)
        assert response.status_code == 400
        said = response.content.decode()
        assert "Open https://routines.example.com:8443" in said
        assert "must pass the header Host on" in said
        assert "too large" not in said
    [warning] = [one.getMessage() for one in caplog.records if one.name == https.__name__]
    assert "DASHBOARD_URL" in warning


def test_a_link_has_the_port_that_the_proxy_left_out(client):
    routine = create_routine(name="Port case", template="Deploy {{ branch }}.")
    page = client.get(
        run_url(routine), secure=True, headers={"Host": "routines.example.com"}
    ).content.decode()
    assert f"https://routines.example.com:8443{run_url(routine)}?template=" in page
    assert "https://routines.example.com/" not in page


def test_a_page_behind_such_a_proxy_is_known_as_its_own(client, routine, teammate):
    run = create_run(routine=routine, person=teammate, reason=Reason.SESSION_CREATED)
    shown = f"https://routines.example.com:8443/history/{run.pk}/"
    headers = HTMX | {"Host": "routines.example.com", "HX-Current-URL": shown}
    response = client.get(f"/history/{run.pk}/result/", secure=True, headers=headers)
    assert response.headers["HX-Refresh"] == "true"
