"""An empty database with today's tables, made once for all tests that need one of their own.

Each process that runs tests uses a copy, too: tests/conftest.py. It is named by what made it, the
migrations and Django, and made under a lock: several processes run tests. Making one takes as long
as forty tests.
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import django
import psycopg
from psycopg import sql

_VAR = Path("var")
_NAME = "routines_migrated_"
_KEPT = 4  # on a server: the newest ones that other states of the code have made


def sqlite_file(target: Path, migrate: Callable[[str], None]) -> None:
    """Make `target`; `migrate` is called with a URL, if there is none to copy."""
    with _lock():
        made = _VAR / f"{_NAME}{_version()}.sqlite3"
        if not made.exists():
            for old in _VAR.glob(f"{_NAME}*"):
                old.unlink()
            half_made = made.with_suffix(".half")
            migrate(f"sqlite:///{half_made.resolve()}")
            half_made.rename(made)
        shutil.copy(made, target)


def postgresql_database(server: str, name: str, migrate: Callable[[str], None]) -> None:
    """Make the database `name` on `server`, a URL that ends with the name of a database."""
    made = f"{_NAME}{_version()}"
    with psycopg.connect(_of(server, "postgres"), autocommit=True) as connection:

        def execute(statement: str, *names: str) -> None:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

        # Until the connection ends. Others may test on this server, in folders of their own.
        connection.execute("SELECT pg_advisory_lock(hashtext(%s))", [_NAME])
        found = connection.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE %s ORDER BY oid", [f"{_NAME}%"]
        )
        existing = [row[0] for row in found]
        if made not in existing:
            for old in existing[:-_KEPT]:
                execute("DROP DATABASE {} WITH (FORCE)", old)
            half_made = f"half_{made}"
            execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", half_made)
            execute("CREATE DATABASE {}", half_made)
            migrate(_of(server, half_made))
            execute("ALTER DATABASE {} RENAME TO {}", half_made, made)
        execute("CREATE DATABASE {} TEMPLATE {}", name, made)


def migrate_in_a_process(environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)


def _of(server: str, name: str) -> str:
    return f"{server.rpartition('/')[0]}/{name}"


def _version() -> str:
    made_by = hashlib.sha256(f"{django.__version__} {sys.version}".encode())
    for folder in ("routines", "dashboard"):
        for path in sorted(Path(folder).rglob("*.py")):
            if "migrations" in path.parts or "triggers" in path.name or "guards" in path.name:
                made_by.update(path.read_bytes())
    made_by.update(Path("requirements.lock").read_bytes())
    return made_by.hexdigest()[:16]


@contextmanager
def _lock() -> Iterator[None]:
    _VAR.mkdir(exist_ok=True)
    with (_VAR / "migrated.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
