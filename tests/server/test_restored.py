"""Real backups, brought back as people do it: what was sent since is never sent again by itself."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection

from routines.models import Person, Routine, Run
from routines.practice_api import PracticeApi
from routines.runs import accepting, queue, restored, sending
from routines.values.reasons import Reason, State
from tests.bench.million import connected
from tests.daemons import program
from tests.server.product import Database, maintenance
from tests.server.seed import SLUG, USERNAME

Restore = Callable[[], Database]
on_sqlite = pytest.mark.skipif(bool(os.environ.get("TEST_DATABASE_URL")), reason="SQLite's files")
on_postgresql = pytest.mark.skipif(
    not os.environ.get("TEST_DATABASE_URL"), reason="PostgreSQL's tools"
)


@pytest.fixture
def used(database: Database, django_db_setup: None, django_db_blocker: Any) -> Iterator[Database]:
    """In use by this process, for a while already."""
    with django_db_blocker.unblock(), connected(database.url):
        restored.check()
        yield database


def accept() -> Run:
    return accepting.accept(
        key=uuid4(),
        routine=Routine.objects.get(slug=SLUG),
        person=Person.objects.get(username=USERNAME),
        text="Once.",
        aware_of=None,
    ).run


def send_what_waits() -> None:
    while claimed := queue.claim(Routine.objects.get(slug=SLUG).pk):
        assert sending.send(claimed.run, claimed.token, claimed=claimed.at)


def assert_it_is_sent_once(practice: PracticeApi, restore: Restore) -> None:
    """The run that waited when the backup was made, and that is sent before it is brought back."""
    [waiting] = Run.objects.filter(state=State.ACCEPTED)
    send_what_waits()
    assert practice.requests == 1
    connection.close()  # the service is stopped
    with connected(restore().url):
        send_what_waits()
        [run] = Run.objects.all()
        assert (run.key, run.state, run.reason) == (waiting.key, State.UNKNOWN, Reason.RESTORED)
        assert practice.requests == 1
        accept()  # and it goes on
        send_what_waits()
        assert practice.requests == 2


# --- SQLite ---


def path_of(database: Database) -> Path:
    return Path(database.url.removeprefix("sqlite:///"))


@on_sqlite
def test_a_backup_in_the_place_of_the_database(
    used: Database, practice: PracticeApi, tmp_path: Path
):
    accept()
    backup = tmp_path / "backup.sqlite3"
    call_command("backup", str(backup), verbosity=0)

    def restore() -> Database:
        for ending in ("", "-wal", "-shm"):
            path = Path(f"{path_of(used)}{ending}")
            if path.exists():
                path.rename(tmp_path / f"old{ending}")
        shutil.copy(backup, path_of(used))
        return used

    assert_it_is_sent_once(practice, restore)


@on_sqlite
def test_a_backup_written_over_the_database_s_own_file(
    used: Database, practice: PracticeApi, tmp_path: Path
):
    """The file is the same one then; that it holds a backup is in the backup."""
    accept()
    backup = tmp_path / "backup.sqlite3"
    call_command("backup", str(backup), verbosity=0)

    def restore() -> Database:
        path_of(used).write_bytes(backup.read_bytes())
        return used

    assert_it_is_sent_once(practice, restore)


@on_sqlite
def test_a_file_that_was_copied_by_hand(used: Database, practice: PracticeApi, tmp_path: Path):
    accept()
    copy = tmp_path / "by-hand.sqlite3"
    connection.close()  # nobody has it open, so all is in one file
    shutil.copy(path_of(used), copy)
    assert_it_is_sent_once(practice, lambda: Database(f"sqlite:///{copy}"))


# --- PostgreSQL ---


@contextmanager
def dropped_at_the_end(server: Database) -> Iterator[Database]:
    """A new, empty database beside `server`'s."""
    name = f"restored_{uuid4().hex[:12]}"
    with psycopg.connect(maintenance(server.url), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        try:
            yield Database(f"{server.url.rpartition('/')[0]}/{name}")
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def dump(database: Database, path: Path) -> None:
    subprocess.run(
        [program("pg_dump"), "--format=custom", f"--file={path}", database.url], check=True
    )


def bring_back(path: Path, database: Database) -> None:
    """As docs/backup.md says it."""
    whole = ["--clean", "--if-exists", "--no-owner", "--single-transaction"]
    subprocess.run(
        [program("pg_restore"), *whole, f"--dbname={database.url}", str(path)], check=True
    )


@on_postgresql
@pytest.mark.parametrize("is_new", [False, True], ids=["into the same", "into a new one"])
def test_a_dump_that_is_brought_back(
    used: Database, practice: PracticeApi, tmp_path: Path, is_new: bool
):
    accept()
    dump(used, tmp_path / "dump")

    def restore(into: Database) -> Database:
        bring_back(tmp_path / "dump", into)
        return into

    with dropped_at_the_end(used) as new:
        assert_it_is_sent_once(practice, lambda: restore(new if is_new else used))


@on_postgresql
def test_a_dump_brought_back_under_a_worker_that_nobody_stopped(
    used: Database, practice: PracticeApi, tmp_path: Path
):
    """Its connection stays open all the while: what it claims next it compares first."""
    accept()
    dump(used, tmp_path / "dump")
    send_what_waits()
    assert queue.lines() == []
    bring_back(tmp_path / "dump", used)
    [line] = queue.lines()
    assert queue.claim(line.routine) is None
    assert Run.objects.get().reason == Reason.RESTORED
    assert practice.requests == 1
