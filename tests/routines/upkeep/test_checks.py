"""`manage.py check` and the start of the server say which tokens no key at hand opens."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.checks import registry as known_checks
from django.core.checks import run_checks
from django.db import OperationalError, ProgrammingError, connection

from dashboard.serving import serve
from routines.models import Routine
from routines.tokens import health
from routines.upkeep import checks
from tests.factories import create_routine
from tests.server.product import migrated_file

BASE_DIR = Path(__file__).resolve().parents[3]


def found() -> list[tuple[str | None, str]]:
    return [(message.id, message.msg) for message in run_checks(tags=["tokens"])]


@pytest.mark.django_db
def test_tokens_that_open_are_no_matter():
    create_routine()
    create_routine(token=None)
    assert found() == []


@pytest.mark.django_db
def test_each_token_that_no_key_opens_is_named_without_any_part_of_it(settings):
    routine = create_routine(name="The lost one")
    settings.TOKEN_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    [(identifier, sentence)] = found()
    assert identifier == "routines.W001"
    assert "The lost one" in sentence
    assert routine.routine_id in sentence
    for secret in (
        routine.token_last_four,
        routine.token_encrypted,
        *settings.TOKEN_ENCRYPTION_KEYS,
    ):
        assert secret not in str(run_checks(tags=["tokens"]))


def test_a_plain_check_looks_at_the_tokens_without_being_asked_to():
    assert checks.check_stored_tokens in known_checks.registry.get_checks()


@pytest.mark.django_db
def test_a_database_that_does_not_answer_breaks_no_check(monkeypatch: pytest.MonkeyPatch):
    def away() -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(connection, "ensure_connection", away)
    assert found() == [
        ("routines.I001", "The stored tokens were not looked at: the database does not answer.")
    ]


@pytest.mark.django_db
def test_a_database_without_tables_breaks_no_check(monkeypatch: pytest.MonkeyPatch):
    def no_tables() -> list[Routine]:
        raise ProgrammingError("relation does not exist")

    monkeypatch.setattr(health, "unreadable", no_tables)
    assert found() == []


def manage(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=BASE_DIR,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "dashboard.settings"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_check_makes_no_database(tmp_path: Path):
    path = tmp_path / "new.sqlite3"
    done = manage("check", DATABASE_URL=f"sqlite:///{path}")
    assert (done.returncode, done.stderr) == (0, "")
    assert not path.exists()


def test_a_check_says_it_all_in_a_process_of_its_own(tmp_path: Path):
    database = {"DATABASE_URL": migrated_file(tmp_path / "new.sqlite3").url}
    register = "from tests.factories import create_routine; create_routine(name='The lost one')"
    assert manage("shell", "-c", register, **database).returncode == 0
    assert manage("check", **database).stderr == ""
    database["TOKEN_ENCRYPTION_KEYS"] = Fernet.generate_key().decode()
    assert "“The lost one”" in manage("check", **database).stderr
    refused = manage("rotate_token_keys", **database)
    assert refused.returncode == 1
    assert "1 that no key at hand opens" in refused.stdout


@pytest.mark.django_db
def test_the_start_of_the_server_names_the_routines(settings: Any, capsys):
    create_routine(name="Fine")
    serve.name_unreadable_tokens()
    assert capsys.readouterr().out == ""
    lost = create_routine(name="The lost one")
    settings.TOKEN_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    Routine.objects.filter(name="Fine").update(
        token_encrypted="", token_last_four="", token_set_at=None
    )
    serve.name_unreadable_tokens()
    said = capsys.readouterr().out
    assert f"The lost one ({lost.routine_id})" in said
    assert "Fine" not in said
    assert lost.token_last_four not in said
