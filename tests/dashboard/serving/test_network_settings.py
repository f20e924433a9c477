"""How the server reaches the internet: settings that are checked, warned of, and never shown."""

import logging
from pathlib import Path

import pytest
from django.core import checks

from dashboard.serving import checks as our_checks
from routines import fire_api
from routines.models import Run
from routines.values.reasons import Reason
from routines.values.redaction import own_secrets, redact
from tests import certificates
from tests.dashboard.browsing import Page, signed_in
from tests.dashboard.serving.test_environment import own_environment, problems, read
from tests.factories import create_routine, create_teammate
from tests.hostile import HostileServer, answer, says_and_closes

__all__ = ["own_environment"]  # a fixture, for every test here

HIDDEN = "hidden-word"
PROXY = f"http://somebody:{HIDDEN}%2F1@proxy.example.com:3128"


def test_a_proxy_is_taken_apart_so_that_its_password_stands_alone():
    settings = read(FIRE_PROXY_URL=f"{PROXY}/")
    assert settings["FIRE_PROXY_URL"] == "http://proxy.example.com:3128"
    assert settings["FIRE_PROXY_USER"] == "somebody"
    assert settings["FIRE_PROXY_PASSWORD"] == f"{HIDDEN}/1"


def test_a_proxy_may_come_from_a_file(tmp_path: Path):
    (tmp_path / "proxy").write_text(f"{PROXY}\n")
    settings = read(FIRE_PROXY_URL_FILE=str(tmp_path / "proxy"))
    assert settings["FIRE_PROXY_PASSWORD"] == f"{HIDDEN}/1"


BAD_PROXIES = [
    "proxy.example.com:3128",
    "socks5://proxy.example.com:1080",
    "http://proxy.example.com",  # which port? Programs differ
    "http://proxy.example.com:99999",
    "http://:3128",
    "http://proxy example:3128",
    "http://proxy.example.com:3128/path",
    f"http://somebody:{HIDDEN}/1@proxy.example.com:3128",
    f"http://somebody:{HIDDEN}#1@proxy.example.com:3128",
    f"http://somebody:{HIDDEN}%@proxy.example.com:3128",
    f"http://somebody:{HIDDEN}%0A@proxy.example.com:3128",
    f"http://somebody:{HIDDEN}%FF@proxy.example.com:3128",
    f"http://:{HIDDEN}@proxy.example.com:3128",
    "http://[::1",
]


@pytest.mark.parametrize("value", BAD_PROXIES)
def test_a_proxy_that_cannot_be_one_stops_the_start_and_is_not_repeated(capsys, value):
    [sentence] = problems(capsys, FIRE_PROXY_URL=value)
    assert sentence.startswith("Settings: FIRE_PROXY_URL must be a proxy like http://proxy.example")
    assert HIDDEN not in sentence


def test_a_bundle_of_authorities_is_read_at_the_start(tmp_path: Path, capsys):
    good = certificates.make(tmp_path)
    assert read(CA_BUNDLE=good.certificate)["CA_BUNDLE"] == good.certificate
    empty, nonsense = tmp_path / "empty.pem", tmp_path / "nonsense.pem"
    empty.write_text("")
    nonsense.write_text("-----BEGIN CERTIFICATE-----\nxyz\n-----END CERTIFICATE-----\n")
    for path in (tmp_path / "missing.pem", tmp_path, empty, nonsense, Path(good.key)):
        [sentence] = problems(capsys, CA_BUNDLE=str(path))
        assert sentence.startswith(f"Settings: CA_BUNDLE: the file {path} ")


PROVIDER = {
    "OIDC_ISSUER": "https://login.example.com",
    "OIDC_CLIENT_ID": "x",
    "OIDC_CLIENT_SECRET": "y",
}


def test_the_sign_in_takes_the_usual_variables_and_fires_do_not(tmp_path: Path, capsys):
    bundle = certificates.make(tmp_path).certificate
    usual = {"HTTPS_PROXY": "somebody:else@proxy.example.com", "REQUESTS_CA_BUNDLE": bundle}
    settings = read(**PROVIDER, **usual)
    assert settings["OIDC_PROXY_URL"] == "http://proxy.example.com:80"
    assert settings["OIDC_PROXY_PASSWORD"] == "else"
    assert (settings["FIRE_PROXY_URL"], settings["CA_BUNDLE"]) == ("", "")
    assert settings["OIDC_CA_BUNDLE"] == bundle
    [sentence] = problems(capsys, **PROVIDER, HTTPS_PROXY="socks5://x:hidden-word@y:1")
    assert sentence.startswith("Settings: HTTPS_PROXY must be a proxy like")
    assert HIDDEN not in sentence


@pytest.mark.parametrize(
    ("variables", "unused"),
    [
        ({}, ""),
        ({"HTTPS_PROXY": "http://x:1"}, "HTTPS_PROXY"),
        ({"https_proxy": "http://x:1"}, "https_proxy"),
        ({"HTTPS_PROXY": "http://x:1", "FIRE_PROXY_URL": "http://x:1"}, ""),
        ({"HTTPS_PROXY": "http://x:1", "FIRE_PROXY_URL": "direct"}, ""),
    ],
)
def test_a_proxy_variable_that_fires_do_not_use_is_known(variables, unused):
    settings = read(**variables)
    assert settings["UNUSED_PROXY_VARIABLE"] == unused
    assert bool(settings["FIRE_PROXY_URL"]) == (variables.get("FIRE_PROXY_URL") == "http://x:1")


def test_a_proxy_variable_that_fires_do_not_use_is_warned_of(settings, caplog):
    settings.UNUSED_PROXY_VARIABLE = "HTTPS_PROXY"
    with caplog.at_level(logging.WARNING):
        our_checks.log_warnings()
    assert "HTTPS_PROXY is set, and fires do not use it. Set FIRE_PROXY_URL" in caplog.text
    [warning] = checks.run_checks(tags=[our_checks.TAG])
    assert warning.id == "dashboard.W001"


@pytest.fixture
def refusing_proxy(settings):
    with HostileServer(says_and_closes(answer(403))) as proxy:
        settings.CLAUDE_API_BASE_URL = "https://endpoint.test"
        settings.FIRE_PROXY_URL = proxy.url
        settings.FIRE_PROXY_USER, settings.FIRE_PROXY_PASSWORD = "somebody", HIDDEN
        own_secrets.cache_clear()
        yield proxy
        own_secrets.cache_clear()


@pytest.mark.django_db
def test_a_press_whose_fire_a_proxy_refuses_says_so_and_shows_no_password(refusing_proxy, caplog):
    person, routine = create_teammate(), create_routine()
    client = signed_in(person)
    url = f"/routines/{routine.slug}/"
    fields = Page(client.get(f"{url}run/")).fields(f"{url}fire/")
    with caplog.at_level(logging.DEBUG):
        page = Page(client.post(f"{url}fire/", fields, headers={"HX-Request": "true"}))
    run = Run.objects.get()
    assert (run.state, run.reason) == ("not_sent", Reason.PROXY_REFUSED)
    assert page.says("does not let it reach the endpoint. Nothing was sent.")
    assert page.says("The proxy answered 403 to CONNECT.")
    assert not page.says("The endpoint said")
    assert refusing_proxy.requests == 1
    assert HIDDEN not in page.elements[0].text + caplog.text
    assert HIDDEN not in repr(fire_api.configured_route())
    assert HIDDEN not in redact(f"OSError: tunnel as somebody {HIDDEN} failed")


@pytest.mark.parametrize(
    ("asked_for", "subdomains", "preload"),
    [
        ({}, False, False),
        ({"HSTS_SUBDOMAINS": "on"}, True, False),
        ({"HSTS_SUBDOMAINS": "on", "HSTS_PRELOAD": "on"}, True, True),
    ],
)
def test_hosts_below_and_browsers_lists_are_bound_only_if_asked_for(asked_for, subdomains, preload):
    settings = read(**asked_for)
    assert settings["SECURE_HSTS_SECONDS"] == 31_536_000
    assert settings["SECURE_HSTS_INCLUDE_SUBDOMAINS"] == subdomains
    assert settings["SECURE_HSTS_PRELOAD"] == preload
    plain = read(**asked_for, DASHBOARD_URL="http://localhost:8000")
    assert plain["SECURE_HSTS_SECONDS"] == 0
    assert not plain["SECURE_HSTS_PRELOAD"]
