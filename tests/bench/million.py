"""A database with a million realistic runs, which benchmarks measure the pages against.

    from tests.bench import million

    with million.database("sqlite", runs=1_000_000) as db:
        client = db.client(db.manager)      # a django.test.Client, signed in
        client.get("/history/")             # this process uses that database now

`kind` is "sqlite", or "postgresql" (then TEST_DATABASE_URL says on which server). Within the
`with`, Django's default connection of this process leads there, with the product's own connection
settings, in threads too; `db.url` is for other processes (DATABASE_URL). Afterwards all is as it
was before. `routines=200` makes another one with so many routines.

Filling takes minutes, so what was filled is kept, under a name with a hash of the migrations and
of this content: SQLite in var/bench (BENCH_FOLDER names another folder), PostgreSQL as a database
bench_... of its own. It is filled anew when one of these changes, and each day, so that "the last
seven days" hold runs. So leave it as it was, or say `scratch=True`: that gives a copy, which is
dropped at the end.

The runs come through INSERT (SQLite) or COPY (PostgreSQL) into the real table, so triggers see
them, as they see those of the product. Words to search for are in content.py: RARE_WORD,
COMMON_WORD, ABSENT_WORD.

    python -m tests.bench.million sqlite 1000000     # fills it
    python -m tests.bench.million --clear            # removes all that was kept
"""

import argparse
import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from django.test import Client
from django.utils import timezone
from psycopg import sql

from tests.bench.stores import Postgresql, Sqlite

if TYPE_CHECKING:
    from routines.models import Person, Routine

Kind = Literal["sqlite", "postgresql"]

_BATCH = 10_000


@dataclass(frozen=True)
class Million:
    """A filled database, and who is in it."""

    kind: Kind
    url: str
    runs: int
    end: datetime  # when the newest run was pressed, as good as now
    teammate: "Person"  # the busiest one
    manager: "Person"
    admin: "Person"
    often_refused: "Routine"

    def client(self, person: "Person") -> Client:
        Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)  # or whitenoise warns
        client = Client(SERVER_NAME="localhost")
        client.force_login(person)
        return client


@contextmanager
def database(
    kind: Kind, *, runs: int = 1_000_000, routines: int = 60, scratch: bool = False
) -> Iterator[Million]:
    """With this process's default connection leading to it."""
    store, name = _store(kind), _name(runs, routines)
    if not store.exists(name):
        # In a process of its own: in one that has filled a million runs, pages take twice as long.
        arguments = [kind, str(runs), "--routines", str(routines)]
        subprocess.run([sys.executable, "-m", "tests.bench.million", *arguments], check=True)
    used = f"{name}_{uuid4().hex[:8]}" if scratch else name
    if scratch:
        store.copy(name, used)
    try:
        with connected(store.url(used)):
            yield _look(kind, store.url(used), runs)
    finally:
        if scratch:
            store.drop(used)


def make(kind: Kind, *, runs: int, routines: int) -> None:
    """Fill one that is to be kept."""
    store, name = _store(kind), _name(runs, routines)
    half_made = f"{name}_{uuid4().hex[:8]}"
    store.create(half_made)
    try:
        with connected(store.url(half_made)):
            _fill(runs, routines)
    except BaseException:
        store.drop(half_made)
        raise
    store.rename(half_made, name)


def drop(kind: Kind, *, runs: int, routines: int) -> None:
    """What was kept of this one."""
    _store(kind).drop(_name(runs, routines))


def _store(kind: Kind) -> Sqlite | Postgresql:
    return Sqlite() if kind == "sqlite" else Postgresql()


def _name(runs: int, routines: int) -> str:
    return f"bench_{runs}_{routines}_{_fingerprint()}"


def _fingerprint() -> str:
    """Of all that decides what is filled: the schema, the content, the day."""
    here = Path(__file__)
    migrations = Path(settings.BASE_DIR, "routines", "migrations").glob("*.py")
    digest = hashlib.sha256(timezone.now().date().isoformat().encode())
    for path in [*sorted(migrations), here, here.with_name("content.py")]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:10]


@contextmanager
def connected(url: str) -> Iterator[None]:
    """Django's default connection leads to `url` meanwhile, set up as the product's own."""
    from dashboard.environment import Environment

    before = connections.settings["default"]
    # The variable is unset, so this reads the default: the one place that knows how to connect.
    made = Environment(settings.BASE_DIR).database("BENCH_DATABASE_URL", url, threads=8)
    _point_at(connections.configure_settings({"default": made})["default"])
    try:
        yield
    finally:
        _point_at(before)


def _point_at(database: dict[str, Any]) -> None:
    connection.close()
    if hasattr(connection, "close_pool"):
        connection.close_pool()
    connections.settings["default"] = database
    # The next use in this thread, and in any new one, makes a connection from these settings.
    del connections["default"]


def _look(kind: Kind, url: str, runs: int) -> Million:
    from routines.models import Person, Routine, Run
    from tests.bench import content

    newest = Run.objects.newest_first()[0]
    if Run.objects.count() != runs:
        raise RuntimeError(f"{url} has other runs than were filled in: `--clear` and try again.")
    refused = Routine.objects.order_by("pk")[: content.OFTEN_REFUSED + 1]
    return Million(
        kind=kind,
        url=url,
        runs=runs,
        end=newest.created_at,
        teammate=Person.objects.get(username="person-001"),
        manager=Person.objects.get(username="manager"),
        admin=Person.objects.get(username="admin"),
        often_refused=list(refused)[-1],
    )


# --- Filling ---


def _fill(runs: int, routines: int) -> None:
    from routines.insight import changes
    from routines.models import Routine
    from tests.bench import content

    began = time.monotonic()
    print(f"Filling {connection.vendor} with {runs:,} runs ...", flush=True)
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            # Nobody misses a half-filled file.
            cursor.execute("PRAGMA synchronous = OFF")
            cursor.execute("PRAGMA cache_size = -400000")
    call_command("migrate", verbosity=0)
    end = timezone.now().replace(second=0, microsecond=0)
    cast = _make_cast(routines, end)
    rows = content.rows(cast, runs=runs, end=end)
    while batch := list(islice(rows, _BATCH)):
        _insert(content.COLUMNS, batch)
    while changes.apply():
        pass  # as the insight page's readers would have by now
    newest = end - timedelta(minutes=5)
    Routine.objects.update(token_accepted_at=newest)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("ANALYZE")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            cursor.execute("VACUUM ANALYZE")  # as autovacuum would have by now
    print(f"... took {time.monotonic() - began:.0f} s", flush=True)


def _make_cast(routines: int, end: datetime) -> Any:
    """Accounts, routines with tags and tokens, people in roles; no invented names."""
    from django.contrib.auth.hashers import PBKDF2PasswordHasher
    from django.contrib.auth.models import Group

    from routines import registry
    from routines.models import ApiKey, HeaderVersion, Person, Routine
    from routines.people.roles import Role
    from routines.practice_api import PracticeApi
    from routines.registry import header_versions, tags
    from routines.values import tokens
    from tests.bench import content
    from tests.factories import PASSWORD

    password = PBKDF2PasswordHasher().encode(PASSWORD, "bench", iterations=1)
    usernames = [f"person-{number:03}" for number in range(1, content.PEOPLE - 1)]
    usernames += ["manager", "admin"]
    people = Person.objects.bulk_create(
        Person(username=name, password=password, date_joined=end - timedelta(days=content.DAYS))
        for name in usernames
    )
    api_keys = ApiKey.objects.bulk_create(
        ApiKey(name=f"key-{number:02}", person=None if number % 3 else people[number])
        for number in range(1, content.API_KEYS + 1)
    )
    groups = {role: Group.objects.get(name=role) for role in Role}
    groups[Role.TEAMMATE].user_set.set(people[:-2])
    groups[Role.MANAGER].user_set.set([*people[150:160], people[-2]])
    groups[Role.ADMIN].user_set.set([*people[160:164], people[-1]])
    for value in content.BETA_VERSIONS:
        HeaderVersion.objects.get_or_create(
            header="anthropic-beta", value=value, defaults={"dated": value[-10:]}
        )
    words = content.TAGS
    made = []
    for number in range(routines):
        routine_id = f"trig_bench_{number}"
        routine = registry.register(
            name=content.routine_name(number),
            purpose="Looks into what the text says, and opens a draft pull request.",
            routine_id=routine_id,
            account=f"Account {number % content.ACCOUNTS + 1}",
            beta_version=header_versions.BETA_VERSION,
            api_version=header_versions.API_VERSION,
            token=tokens.parse(PracticeApi().token_for(routine_id)),
            by=people[-1],
        )
        registry.add_template(routine, name="From an alert", body="INC-…: ", by=people[-1])
        tags.write_tags(routine, {words[number % len(words)], words[number * 5 % len(words)]})
        made.append(routine)
    Routine.objects.update(created_at=end - timedelta(days=content.DAYS))
    return content.Cast(
        routines=[one.pk for one in made],
        accounts={one.pk: one.account_id for one in made},
        people=[one.pk for one in people],
        api_keys=[(one.pk, one.person_id) for one in api_keys],
    )


def _insert(columns: tuple[str, ...], batch: list[tuple[Any, ...]]) -> None:
    """Each batch in a transaction of its own, as fast as triggers and indexes allow."""
    from routines.models import Run

    # Columns that this content knows nothing of get their field's default, or the database's.
    others = [
        field
        for field in Run._meta.concrete_fields
        if field.column not in columns
        and not (field.primary_key or field.generated or field.has_db_default())
    ]
    rest = tuple(field.get_db_prep_save(field.get_default(), connection) for field in others)
    names = (*columns, *(str(field.column) for field in others))
    connection.ensure_connection()
    if connection.vendor == "sqlite":
        marks = ", ".join("?" * len(names))
        statement = f"INSERT INTO routines_run ({', '.join(names)}) VALUES ({marks})"  # noqa: S608
        raw = connection.connection
        raw.execute("BEGIN IMMEDIATE")
        raw.executemany(statement, (_for_sqlite(row) + rest for row in batch))
        raw.execute("COMMIT")
        return
    copy = sql.SQL("COPY routines_run ({}) FROM STDIN").format(
        sql.SQL(", ").join(map(sql.Identifier, names))
    )
    with connection.cursor() as cursor, cursor.cursor.copy(copy) as into:
        for row in batch:
            into.write_row(row + rest)


def _for_sqlite(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """In the form in which Django stores it."""
    return (
        row[0].hex,
        *(
            str(value.replace(tzinfo=None)) if isinstance(value, datetime) else value
            for value in row[1:]
        ),
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.million")
    parser.add_argument("kind", nargs="?", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("runs", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--routines", type=int, default=60)
    parser.add_argument("--clear", action="store_true", help="remove all that was kept")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    if options.clear:
        Sqlite().clear()
        if os.environ.get("TEST_DATABASE_URL"):
            Postgresql().clear()
        return
    make(options.kind, runs=options.runs, routines=options.routines)


if __name__ == "__main__":
    main()
