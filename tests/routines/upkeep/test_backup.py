"""A copy of the database while it is in use, and that what was copied can be used again."""

import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from io import StringIO
from pathlib import Path
from threading import Event, Semaphore, Thread

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from routines.history.search import Words
from routines.models import Routine, Run
from tests.bench.million import connected
from tests.factories import create_routine, create_run, create_teammate
from tests.server.product import migrated_file

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def made_once(tmp_path_factory, django_db_setup, django_db_blocker) -> Path:
    path: Path = tmp_path_factory.mktemp("backup") / "source.sqlite3"
    with django_db_blocker.unblock(), connected(migrated_file(path).url):
        create_run(text="About marmalade.")
    return path


@pytest.fixture
def source(made_once, tmp_path) -> Iterator[Path]:
    """An SQLite database of its own, in use by this process, whatever the other tests run on."""
    path = Path(shutil.copy(made_once, tmp_path))
    with connected(f"sqlite:///{path}"):
        yield path


def backup(target: Path) -> str:
    out = StringIO()
    call_command("backup", str(target), stdout=out)
    return out.getvalue()


def test_a_copy_is_whole_and_serves_as_the_database(source, tmp_path):
    plain = Routine.objects.get().reveal_token().reveal()
    copy = tmp_path / "copy.sqlite3"
    assert "1 run," in backup(copy)
    Run.objects.all().delete()
    with connected(f"sqlite:///{copy}"):
        call_command("migrate", check_unapplied=True, verbosity=0)
        assert [run.text for run in Run.objects.filter(Words.read("marmalade").by_index())]
        assert Routine.objects.get().reveal_token().reveal() == plain
        create_run(routine=Routine.objects.get())  # and goes on


def test_a_copy_is_one_file_of_its_owner_alone(source, tmp_path):
    copy = tmp_path / "copy.sqlite3"
    backup(copy)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert list(tmp_path.glob("*copy*")) == [copy]


def test_runs_are_written_while_it_copies(source, tmp_path):
    routine, person = create_routine(), create_teammate()
    wrote, stop = Semaphore(0), Event()
    written = []

    def write() -> None:
        while not stop.is_set():
            written.append(create_run(routine=routine, person=person).pk)
            wrote.release()
        connection.close()

    writer = Thread(target=write)
    writer.start()
    copies = [tmp_path / f"copy-{number}.sqlite3" for number in range(3)]
    try:
        for copy in copies:
            assert wrote.acquire(timeout=30)
            backup(copy)
    finally:
        stop.set()
        writer.join()
    counts = [_runs(copy) for copy in copies]
    assert counts == sorted(counts)
    assert counts[0] >= 2
    assert counts[-1] <= Run.objects.count() == len(written) + 1


def _runs(path: Path) -> int:
    with closing(sqlite3.connect(path)) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        [(runs,)] = copy.execute("SELECT count(*) FROM routines_run").fetchall()
    return int(runs)


def test_nothing_is_overwritten(source, tmp_path):
    copy = tmp_path / "copy.sqlite3"
    copy.write_text("mine")
    with pytest.raises(CommandError, match="exists already"):
        backup(copy)
    assert copy.read_text() == "mine"


def test_a_folder_that_is_not_there_is_told(source, tmp_path):
    with pytest.raises(CommandError, match="There is no backup at"):
        backup(tmp_path / "nowhere" / "copy.sqlite3")


def test_a_damaged_database_makes_no_backup(source, tmp_path):
    connection.close()
    pages = bytearray(source.read_bytes())
    middle = len(pages) // 2 // 4096 * 4096
    pages[middle : middle + 40_960] = b"\xff" * 40_960
    source.write_bytes(pages)
    with pytest.raises(CommandError):
        backup(tmp_path / "copy.sqlite3")
    assert not list(tmp_path.glob("*copy*"))


def test_a_row_that_names_a_missing_one_makes_no_backup(source, tmp_path):
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA foreign_keys = OFF")
        cursor.execute("DELETE FROM routines_account")
    with pytest.raises(CommandError, match="name others that are not there"):
        backup(tmp_path / "copy.sqlite3")
    assert not list(tmp_path.glob("*copy*"))


def test_for_postgresql_it_says_the_commands_and_no_password(tmp_path):
    copy = tmp_path / "it's.dump"
    with (
        connected("postgresql://dashboard:pass-word@db.example.com:5433/routines"),
        pytest.raises(CommandError) as told,
    ):
        backup(copy)
    where = "--host=db.example.com --port=5433 --username=dashboard --dbname=routines"
    assert f"pg_dump --format=custom '--file={tmp_path}/it'" in str(told.value)
    assert str(told.value).count(where) == 2
    assert "pass-word" not in str(told.value)
    assert not copy.exists()
