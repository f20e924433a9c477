"""Where filled databases are kept: files of a folder, or databases of a server."""

import os
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import psycopg
from django.conf import settings
from psycopg import sql


class Sqlite:
    def __init__(self) -> None:
        self.folder = Path(os.environ.get("BENCH_FOLDER") or settings.BASE_DIR / "var" / "bench")
        self.folder.mkdir(parents=True, exist_ok=True)

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.sqlite3"

    def url(self, name: str) -> str:
        return f"sqlite:///{self._path(name)}"

    def exists(self, name: str) -> bool:
        return self._path(name).exists()

    def create(self, name: str) -> None:
        """The first connection makes the file. What an earlier day or schema left goes away."""
        kept = "_".join(name.split("_")[:4])
        for old in self.folder.glob(f"{'_'.join(name.split('_')[:3])}_*.sqlite3"):
            if kept not in old.name:
                self.drop(old.stem)

    def rename(self, name: str, to: str) -> None:
        # Its last connection took the -wal and -shm beside it along.
        self._path(name).replace(self._path(to))

    def copy(self, name: str, to: str) -> None:
        with (
            closing(sqlite3.connect(self._path(name))) as source,
            closing(sqlite3.connect(self._path(to))) as target,
        ):
            source.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            target.execute("PRAGMA journal_mode = OFF")
            source.backup(target)

    def drop(self, name: str) -> None:
        for ending in ("", "-wal", "-shm"):
            Path(f"{self._path(name)}{ending}").unlink(missing_ok=True)

    def clear(self) -> None:
        shutil.rmtree(self.folder)


class Postgresql:
    def __init__(self) -> None:
        server = os.environ.get("TEST_DATABASE_URL")
        if not server:
            raise SystemExit("Set TEST_DATABASE_URL: on which server shall the database be?")
        self._server = server.rpartition("/")[0]

    def url(self, name: str) -> str:
        return f"{self._server}/{name}"

    def _execute(self, statement: str, *names: str) -> None:
        identifiers = map(sql.Identifier, names)
        with psycopg.connect(self.url("postgres"), autocommit=True) as server:
            server.execute(sql.SQL(statement).format(*identifiers))

    def _names(self) -> list[str]:
        with psycopg.connect(self.url("postgres")) as server:
            found = server.execute(
                r"SELECT datname FROM pg_database WHERE datname LIKE 'bench\_%'"
            ).fetchall()
        return [name for (name,) in found]

    def exists(self, name: str) -> bool:
        return name in self._names()

    def create(self, name: str) -> None:
        self._execute("CREATE DATABASE {}", name)

    def rename(self, name: str, to: str) -> None:
        self._execute("ALTER DATABASE {} RENAME TO {}", name, to)

    def copy(self, name: str, to: str) -> None:
        """Waits a little for nobody to be connected to the original, as the server demands."""
        deadline = time.monotonic() + 60
        while True:
            try:
                return self._execute("CREATE DATABASE {} TEMPLATE {}", to, name)
            except psycopg.errors.ObjectInUse:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)

    def drop(self, name: str) -> None:
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def clear(self) -> None:
        for name in self._names():
            self.drop(name)
