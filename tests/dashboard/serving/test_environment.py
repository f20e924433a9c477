"""settings.py is run anew for each case, in an environment of the case's own."""

import os
import runpy
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import pytest
from django.test import RequestFactory, override_settings

from dashboard.run_form import one_time_key

BASE_DIR = Path(__file__).resolve().parents[3]
KEY = "dGVzdC1rZXktb25lLXRlc3Qta2V5LW9uZS10ZXN0LTE="
OTHER_KEY = "dGVzdC1rZXktdHdvLXRlc3Qta2V5LXR3by10ZXN0LTI="
GOOD = {
    "ENV_FILE": "",
    "DASHBOARD_URL": "https://routines.example.com",
    "SECRET_KEY": "only-for-tests-" + "0123456789abcdef" * 4,
    "TOKEN_ENCRYPTION_KEYS": KEY,
}


@pytest.fixture(autouse=True)
def own_environment() -> Iterator[None]:
    with mock.patch.dict(os.environ, clear=True):
        yield


def read(**changes: str | None) -> dict[str, Any]:
    """What settings.py makes of the good environment with these changes; None leaves one out."""
    os.environ.update({k: v for k, v in (GOOD | changes).items() if v is not None})
    return runpy.run_path(str(BASE_DIR / "dashboard" / "settings.py"))


def problems(capsys: pytest.CaptureFixture[str], **changes: str | None) -> list[str]:
    with pytest.raises(SystemExit) as stop:
        read(**changes)
    assert stop.value.code == 2
    return capsys.readouterr().err.splitlines()


def test_good_settings_pass():
    settings = read()
    assert settings["TOKEN_ENCRYPTION_KEYS"] == [KEY]
    assert settings["CLAUDE_API_BASE_URL"] == "https://api.anthropic.com"
    assert settings["ALLOWED_HOSTS"] == ["routines.example.com"]
    assert settings["DATABASES"]["default"]["ENGINE"] == "django.db.backends.sqlite3"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DASHBOARD_URL", None),
        ("DASHBOARD_URL", "   "),
        ("DASHBOARD_URL", "routines.example.com"),
        ("DASHBOARD_URL", "ftp://routines.example.com"),
        ("DASHBOARD_URL", "http://routines.example.com"),
        ("DASHBOARD_URL", "https://routines.example.com/app"),
        ("DASHBOARD_URL", "https://user:password@routines.example.com"),
        ("DASHBOARD_URL", "https://routines.example.com:99999"),
        ("DASHBOARD_URL", "https://[::1"),
        ("DASHBOARD_URL", "https://[::x]"),
        ("DASHBOARD_URL", "https://2001:db8::10"),
        ("DASHBOARD_URL", "https://bü cher.example"),
        ("DASHBOARD_URL", "https://routines example.com"),
        ("DASHBOARD_URL", "https://*"),  # Django would take it for every host
        ("DASHBOARD_URL", "https://.example.com"),  # and this for all of a domain
        ("DASHBOARD_URL", "https://routines.example.com\\x"),
        ("DASHBOARD_URL", "https://routines.example.com."),
        ("DASHBOARD_URL", "https://routines.example.com:0"),
        ("DASHBOARD_URL", "https://[fe80::1%25eth0]"),
        ("SESSION_IDLE_MINUTES", "4"),
        ("SESSION_MAX_HOURS", "for ever"),
        ("PASSWORD_SIGN_IN", "maybe"),
        ("PASSWORD_SIGN_IN", "off"),
        ("REQUIRE_SECOND_FACTOR", "on"),
        ("SIGN_IN_HEADER", "X-Forwarded-User"),
        ("SIGN_IN_GROUPS_HEADER", "X-Forwarded-Groups"),
        ("TRUSTED_PROXY_ADDRESSES", "*"),
        ("OIDC_ISSUER", "login.example.com"),
        ("OIDC_ISSUER", "http://login.example.com"),
        ("OIDC_ISSUER", "https://user:password@login.example.com"),
        ("OIDC_ISSUER", "https://login.example.com?x=1"),
        ("OIDC_ISSUER", "https://login.example.com; script-src *"),
        ("OIDC_ISSUER", "https://login.example.com"),
        ("OIDC_SCOPES", "profile"),
        ("OIDC_SIGN_IN_ORIGINS", "https://login.example.com/path"),
        ("OIDC_SIGN_IN_ORIGINS", "https://login.example.com?x=1"),
        ("OIDC_SIGN_IN_ORIGINS", "https://user:password@login.example.com"),
        ("OIDC_SIGN_IN_ORIGINS", "https://login.example.com; script-src *"),
        ("OIDC_SIGN_IN_ORIGINS", "https://[::1"),
        ("OIDC_SIGN_IN_ORIGINS", "http://localhost:8000"),
        ("HSTS_PRELOAD", "on"),
        ("SECRET_KEY", None),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "a" * 80),
        ("TOKEN_ENCRYPTION_KEYS", None),
        ("TOKEN_ENCRYPTION_KEYS", "not a key"),
        ("TOKEN_ENCRYPTION_KEYS", f"{KEY},{KEY[:-3]}"),
        ("CLAUDE_API_BASE_URL", "http://api.anthropic.com"),
        ("CLAUDE_API_BASE_URL", "http://10.0.0.5:8100"),
        ("CLAUDE_API_BASE_URL", "http://localhost.example.com"),
        ("CLAUDE_API_BASE_URL", "https://api.anthropic.com/v1"),
        ("CLAUDE_API_BASE_URL", "https://api.anthropic.com?beta=1"),
        ("FIRE_TIMEOUT", "0"),
        ("FIRE_TIMEOUT", "301"),
        ("FIRE_TIMEOUT", "1.5"),
        ("FIRE_TIMEOUT", "half a minute"),
        ("WEB_THREADS", "1"),
        ("WEB_THREADS", "9" * 5_000),
        ("WEB_WORKERS", "-2"),
        ("FIRES_IN_FLIGHT", "0"),
        ("FIRES_IN_FLIGHT", "257"),
        ("KEEP_TEXTS_DAYS", "6"),
        ("KEEP_RUNS_DAYS", "1"),
        ("KEEP_RUNS_DAYS", "for ever"),
        ("KEEP_RUNS_DAYS", "9" * 5_000),
        ("DATABASE_URL", "mysql://user:password@db.example.com/dashboard"),
        ("DATABASE_URL", "dashboard.sqlite3"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "postgresql://user:password@db.example.com:port/dashboard"),
    ],
)
def test_a_bad_setting_stops_the_start_with_one_sentence_that_names_it(
    capsys: pytest.CaptureFixture[str], name: str, value: str | None
):
    [sentence] = problems(capsys, **{name: value})
    assert sentence.startswith(f"Settings: {name}")
    assert sentence.endswith((".", "example.com", "anthropic.com"))


@pytest.mark.parametrize("value", ["not a key", f"{KEY},{KEY[:-3]}"])
def test_no_sentence_repeats_a_key(capsys: pytest.CaptureFixture[str], value: str):
    [sentence] = problems(capsys, TOKEN_ENCRYPTION_KEYS=value)
    assert value.rpartition(",")[2] not in sentence


def test_a_database_password_is_not_repeated(capsys: pytest.CaptureFixture[str]):
    url = "postgresql://user:hidden-word@db.example.com:port/dashboard"
    [sentence] = problems(capsys, DATABASE_URL=url)
    assert "hidden-word" not in sentence


def test_all_problems_are_told_at_once(capsys: pytest.CaptureFixture[str]):
    sentences = problems(capsys, SECRET_KEY=None, TOKEN_ENCRYPTION_KEYS="", FIRE_TIMEOUT="soon")
    named = [sentence.split()[1].rstrip(":") for sentence in sentences]
    assert named == ["SECRET_KEY", "TOKEN_ENCRYPTION_KEYS", "FIRE_TIMEOUT"]


@pytest.mark.parametrize(
    "url",
    ["http://localhost:8100", "http://127.0.0.1:8100", "http://127.3.2.1", "http://[::1]:8100"],
)
def test_plain_http_is_for_loopback(url: str):
    assert read(CLAUDE_API_BASE_URL=url)["CLAUDE_API_BASE_URL"] == url


def test_a_slash_at_the_end_is_no_path():
    settings = read(DASHBOARD_URL="https://routines.example.com:8443/")
    assert settings["DASHBOARD_URL"] == "https://routines.example.com:8443"


def test_https_makes_cookies_secure_and_http_does_not():
    assert read()["SESSION_COOKIE_SECURE"] is True
    assert read(DASHBOARD_URL="http://localhost:8000")["SESSION_COOKIE_SECURE"] is False


def test_a_provider_is_set_up_by_three_variables():
    settings = read(
        OIDC_ISSUER="https://login.example.com/realms/x",
        OIDC_CLIENT_ID="x",
        OIDC_CLIENT_SECRET="y",
        OIDC_SIGN_IN_ORIGINS="https://a.example.com, https://b.example.com/",
        OIDC_ADMINS="boss, chief",
        PASSWORD_SIGN_IN="off",
    )
    assert settings["OIDC_ADMINS"] == ["boss", "chief"]
    assert not settings["PASSWORD_SIGN_IN"]
    assert settings["CONTENT_SECURITY_POLICY"]["DIRECTIVES"]["form-action"] == [
        "'self'",
        "https://login.example.com",
        "https://a.example.com",
        "https://b.example.com",
    ]


def test_several_keys_newest_first():
    settings = read(TOKEN_ENCRYPTION_KEYS=f" {OTHER_KEY} , {KEY} ,")
    assert settings["TOKEN_ENCRYPTION_KEYS"] == [OTHER_KEY, KEY]


def test_sqlite_has_on_its_disk_what_is_committed(tmp_path: Path):
    path = tmp_path / "dashboard.sqlite3"
    database = read(DATABASE_URL=f"sqlite:///{path}")["DATABASES"]["default"]
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(database["OPTIONS"]["init_command"])
        [[journal]] = connection.execute("PRAGMA journal_mode")
        [[synchronous]] = connection.execute("PRAGMA synchronous")
    full = 2
    assert (journal, synchronous) == ("wal", full)


def test_postgresql_gets_a_pool_and_no_persistent_connections():
    url = "postgresql://user:password@db.example.com:5432/dashboard"
    database = read(DATABASE_URL=url, WEB_THREADS="20")["DATABASES"]["default"]
    assert database["ENGINE"] == "django.db.backends.postgresql"
    assert (database["CONN_MAX_AGE"], database["CONN_HEALTH_CHECKS"]) == (0, True)
    assert database["OPTIONS"]["pool"]["max_size"] == 20
    few = read(DATABASE_URL=url, WEB_THREADS="2")["DATABASES"]["default"]
    assert few["OPTIONS"]["pool"]["max_size"] == 12  # a worker needs some, too


def test_a_postgresql_that_vanished_from_the_network_is_given_up_on():
    """By itself, the operating system sends the same again for a quarter of an hour."""
    url = "postgresql://user:password@db.example.com:5432/dashboard"
    options = read(DATABASE_URL=url)["DATABASES"]["default"]["OPTIONS"]
    assert (options["tcp_user_timeout"], options["connect_timeout"]) == ("2000", "5")
    # Also by who waits for an answer, and by itself would for two hours.
    assert (options["keepalives_idle"], options["keepalives_interval"]) == ("20", "5")
    own = read(DATABASE_URL=f"{url}?tcp_user_timeout=9000&keepalives_idle=60")
    assert own["DATABASES"]["default"]["OPTIONS"]["tcp_user_timeout"] == "9000"
    assert own["DATABASES"]["default"]["OPTIONS"]["keepalives_idle"] == "60"


def test_secrets_may_come_from_files(tmp_path: Path):
    (tmp_path / "key").write_text(f"{GOOD['SECRET_KEY']}\n")
    (tmp_path / "tokens").write_text(f"{OTHER_KEY},{KEY}\n")
    settings = read(
        SECRET_KEY=None,
        SECRET_KEY_FILE=str(tmp_path / "key"),
        TOKEN_ENCRYPTION_KEYS=None,
        TOKEN_ENCRYPTION_KEYS_FILE=str(tmp_path / "tokens"),
    )
    assert settings["SECRET_KEY"] == GOOD["SECRET_KEY"]
    assert settings["TOKEN_ENCRYPTION_KEYS"] == [OTHER_KEY, KEY]


def test_a_file_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    missing = str(tmp_path / "nothing")
    sentences = problems(capsys, SECRET_KEY=None, SECRET_KEY_FILE=missing)
    assert sentences[0].startswith("Settings: SECRET_KEY_FILE ")


def test_the_env_file_fills_what_the_environment_leaves_unset(tmp_path: Path):
    env_file = tmp_path / ".env"
    env_file.write_text(
        f"# as `make secrets` prints them\nSECRET_KEY={GOOD['SECRET_KEY']}\n"
        f"TOKEN_ENCRYPTION_KEYS={OTHER_KEY}\nFIRE_TIMEOUT=17\nWEB_WORKERS=3\n"
    )
    settings = read(
        ENV_FILE=str(env_file), SECRET_KEY=None, TOKEN_ENCRYPTION_KEYS=None, WEB_WORKERS="5"
    )
    assert settings["SECRET_KEY"] == GOOD["SECRET_KEY"]
    assert settings["TOKEN_ENCRYPTION_KEYS"] == [OTHER_KEY]
    assert (settings["FIRE_TIMEOUT"], settings["WEB_WORKERS"]) == (17, 5)


@pytest.mark.parametrize("command", [["-m", "dashboard.serving.serve"], ["manage.py", "check"]])
def test_a_start_without_settings_prints_sentences_and_no_traceback(command: list[str]):
    done = subprocess.run(
        [sys.executable, *command],
        cwd=BASE_DIR,
        env={"ENV_FILE": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert [line.split()[1] for line in lines] == [
        "DASHBOARD_URL",
        "SECRET_KEY",
        "TOKEN_ENCRYPTION_KEYS",
    ]
    assert done.stdout == ""


def test_a_port_that_is_no_number_is_told_like_a_setting():
    done = subprocess.run(
        [sys.executable, "-m", "dashboard.serving.serve"],
        cwd=BASE_DIR,
        env=GOOD | {"PORT": "http"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == "Settings: PORT must be a whole number from 1 to 65535.\n"


def test_everything_is_kept_for_ever_unless_settings_say_otherwise(
    capsys: pytest.CaptureFixture[str],
):
    assert (read()["KEEP_TEXTS_DAYS"], read()["KEEP_RUNS_DAYS"]) == (0, 0)
    read(KEEP_TEXTS_DAYS="90", KEEP_RUNS_DAYS="91")
    [sentence] = problems(capsys, KEEP_TEXTS_DAYS="90", KEEP_RUNS_DAYS="90")
    assert "KEEP_TEXTS_DAYS must be less than KEEP_RUNS_DAYS" in sentence


def test_a_run_is_kept_until_its_one_time_key_is_long_of_no_use():
    assert timedelta(days=read(KEEP_RUNS_DAYS="7")["KEEP_RUNS_DAYS"]) > 3 * one_time_key.LIFETIME


def test_an_sqlite_that_is_too_old_stops_the_start(capsys, monkeypatch):
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    monkeypatch.setattr(sqlite3, "sqlite_version", "3.34.1")
    [sentence] = problems(capsys, DATABASE_URL="sqlite:///var/test-old.sqlite3")
    assert "is 3.34.1; 3.35 or newer is needed" in sentence
    read(DATABASE_URL="postgresql://user@127.0.0.1/name")  # which needs none


@pytest.mark.parametrize("arguments", [["practice_api", "--help"], ["help", "practice_api"]])
def test_help_needs_no_settings(arguments, tmp_path):
    """Nor is it stopped by bad ones in a file."""
    done = subprocess.run(
        [sys.executable, str(BASE_DIR / "manage.py"), *arguments],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "Play the fire endpoint on loopback" in done.stdout


@pytest.mark.parametrize(
    ("url", "written", "host"),
    [
        ("https://[2001:db8::10]:8443", "https://[2001:db8::10]:8443", "[2001:db8::10]"),
        ("https://[2001:DB8:0:0::10]/", "https://[2001:db8::10]", "[2001:db8::10]"),
        (
            "https://bücher.example:8443",
            "https://xn--bcher-kva.example:8443",
            "xn--bcher-kva.example",
        ),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("https://例え.テスト", "https://xn--r8jz45g.xn--zckzah", "xn--r8jz45g.xn--zckzah"),
        (
            "https://Routines.Example.com:443",
            "https://routines.example.com",
            "routines.example.com",
        ),
    ],
)
def test_an_address_is_known_as_browsers_write_it(url: str, written: str, host: str):
    settings = read(DASHBOARD_URL=url)
    assert settings["DASHBOARD_URL"] == written
    assert settings["CSRF_TRUSTED_ORIGINS"] == [written]
    assert settings["ALLOWED_HOSTS"] == [host]
    with override_settings(ALLOWED_HOSTS=settings["ALLOWED_HOSTS"]):
        request = RequestFactory().get("/", headers={"Host": urlsplit(written).netloc})
        assert request.get_host() == urlsplit(written).netloc
