"""What a start says, and what it refuses to start on."""

import os
import re
import stat
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dashboard import __version__
from dashboard.serving import start
from dashboard.settings import BASE_DIR

GOOD = {
    "DASHBOARD_URL": "https://routines.example.com",
    "SECRET_KEY": "only-for-tests-" + "0123456789abcdef" * 4,
    "TOKEN_ENCRYPTION_KEYS": "dGVzdC1rZXktb25lLXRlc3Qta2V5LW9uZS10ZXN0LTE=",
}


def settings_with(database: dict[str, Any], files: Sequence[Path] = ()) -> SimpleNamespace:
    return SimpleNamespace(
        DATABASES={"default": database},
        DASHBOARD_URL="https://routines.example.com:8443",
        CLAUDE_API_BASE_URL="https://api.anthropic.com",
        SECRET_FILES=files,
    )


def started(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("named", ["no-such.env", "tests", "/dev/null/x"])
def test_a_settings_file_that_is_named_and_cannot_be_read_stops_the_start(
    tmp_path: Path, named: str
):
    database = tmp_path / "fresh.sqlite3"
    for command in (["-m", "dashboard.serving.serve"], ["manage.py", "migrate"]):
        done = started(*command, ENV_FILE=named, DATABASE_URL=f"sqlite:///{database}", **GOOD)
        assert done.returncode == 2
        assert re.fullmatch(r"Settings: ENV_FILE: \S+ cannot be read \(.*\)[^\n]*\.\n", done.stderr)
    assert not database.exists()


def test_a_bad_line_of_the_settings_file_stops_the_start_and_is_not_printed(tmp_path: Path):
    path = tmp_path / "settings"
    path.write_text(f"DASHBOARD_URL=https://x.example.com\nSECRET_KEY {GOOD['SECRET_KEY']}\n")
    done = started("manage.py", "check", ENV_FILE=str(path))
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"Settings: ENV_FILE: {path} has no NAME=value in line 2.")
    assert GOOD["SECRET_KEY"] not in done.stderr


def test_the_log_says_at_a_start_what_runs_on_which_database(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    database = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "routines",
        "HOST": "db.example.com",
        "PORT": "5433",
        "USER": "somebody",
        "PASSWORD": "hidden-word",
        "OPTIONS": {"sslmode": "require"},
    }
    monkeypatch.setattr(start, "settings", settings_with(database))
    caplog.set_level("INFO")
    start.log()
    [record] = caplog.records
    assert record.facts == {  # type: ignore[attr-defined]
        "version": __version__,
        "database": "postgresql routines at db.example.com, port 5433, sslmode require",
        "address": "https://routines.example.com:8443",
        "endpoint": "api.anthropic.com",
    }


def test_the_version_is_the_newest_heading_of_the_changelog():
    newest = re.findall(r"^## \[?([^\]\s]+)", (BASE_DIR / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert __version__ == newest[0] or (newest[0] == "Unreleased" and ".dev" in __version__)


def test_a_file_of_secrets_that_others_may_read_is_warned_of(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    private, group, everybody = (tmp_path / name for name in ("a", "b", "database.sqlite3"))
    for path, mode in ((private, 0o600), (group, 0o640), (everybody, 0o644)):
        path.touch()
        path.chmod(mode)
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(everybody)}
    files = [private, group, tmp_path / "gone"]
    monkeypatch.setattr(start, "settings", settings_with(database, files))
    start.log()
    warned = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert [message.partition(" ")[0] for message in warned] == [str(group), str(everybody)]
    assert warned[0].endswith(f"chmod 600 {group}")


def test_a_database_that_a_command_makes_is_its_owners_alone(tmp_path: Path):
    database = tmp_path / "var" / "new.sqlite3"
    environment = GOOD | {"ENV_FILE": "", "DATABASE_URL": f"sqlite:///{database}"}
    command = "import os; os.umask(0o022); import manage, sys; sys.argv = %r; manage.main()"
    done = started("-c", command % ["manage.py", "showmigrations"], **environment)
    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE(database.stat().st_mode) == 0o600
    assert stat.S_IMODE(database.parent.stat().st_mode) == 0o700


def test_what_the_service_writes_is_its_users_alone():
    environment = GOOD | {"ENV_FILE": "", "DATABASE_URL": "sqlite:///var/none.sqlite3"}
    command = "import os; os.umask(0o022); from dashboard.serving import gunicorn_conf; "
    done = started("-c", command + "print(oct(os.umask(0)))", **environment)
    assert done.stdout.split()[-1] == "0o77", done.stderr


def test_make_secrets_writes_a_file_for_its_owner_alone(tmp_path: Path):
    path = tmp_path / ".env"
    before = os.umask(0o022)
    try:
        for _ in range(2):
            done = subprocess.run(
                ["make", "--silent", "env", f"ENV={path}"],
                cwd=BASE_DIR,
                capture_output=True,
                text=True,
                check=False,
            )
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    names = [line.partition("=")[0] for line in path.read_text().splitlines()]
    assert names == ["SECRET_KEY", "TOKEN_ENCRYPTION_KEYS"]
    assert done.returncode != 0, "what is there is not written over"
    assert "exists already" in done.stderr
