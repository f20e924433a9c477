"""The product as it runs on a server: gunicorn's processes, a database of its own, real sockets."""

import fcntl
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
from django.urls import reverse
from psycopg import sql

from dashboard.serving.commands import GUNICORN
from tests.dashboard.browsing import Page
from tests.factories import PASSWORD
from tests.server import migrated
from tests.server.seed import USERNAME

START_SECONDS = 90
_ASKED_ABOUT = re.compile(r'name="aware_of"\s+value="([0-9 ]+)"')
_RESULT = re.compile(r'id="result-(\d+)"')


class Database:
    """One database that the product and a test both use, each over connections of its own."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")

    def connect(self) -> Any:
        if self.is_sqlite:
            return sqlite3.connect(self.url.removeprefix("sqlite:///"), timeout=20)
        return psycopg.connect(self.url)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with closing(self.connect()) as connection:
            return list(connection.execute(query).fetchall())

    def write(self, statement: str) -> None:
        with closing(self.connect()) as connection:
            connection.execute(statement)
            connection.commit()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else writes a run meanwhile."""
        with closing(self.connect()) as connection:
            if self.is_sqlite:
                connection.execute("BEGIN IMMEDIATE")
            else:
                connection.execute("LOCK TABLE routines_run IN EXCLUSIVE MODE")
            yield
            connection.rollback()

    def wait_for_a_write(self) -> None:
        """Until somebody's write waits for `locked`, on PostgreSQL: SQLite does not tell."""
        waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
        wait_until(lambda: self.rows(f"{waiting} AND wait_event_type = 'Lock'"))

    def age_all_runs(self) -> None:
        """As if ten minutes had passed since each run was accepted and claimed."""
        # On SQLite in the form in which Django stores it, so that it compares as it should.
        moved = "{0} = {0} - interval '10 minutes'"
        if self.is_sqlite:
            moved = "{0} = strftime('%Y-%m-%d %H:%M:%f', {0}, '-10 minutes')"
        columns = ", ".join(moved.format(name) for name in ("created_at", "claimed_at"))
        self.write(f"UPDATE routines_run SET {columns}")  # noqa: S608

    def states(self) -> list[tuple[str, str]]:
        return self.rows("SELECT state, reason FROM routines_run ORDER BY id")


@contextmanager
def new_database(
    folder: Path, seed: Callable[[Database], None] | None = None
) -> Iterator[Database]:
    """A seeded database of the kind that the suite runs on, dropped at the end."""
    seed = seed or _seed
    server = os.environ.get("TEST_DATABASE_URL")
    if not server:
        database = migrated_file(folder / "product.sqlite3")
        seed(database)
        yield database
        return
    with migrated_on(server, f"product_{uuid4().hex[:12]}") as database:
        seed(database)
        yield database


@contextmanager
def migrated_on(server: str, name: str) -> Iterator[Database]:
    """A new PostgreSQL database with today's tables, and nothing in them."""
    _drop(server, name)
    migrated.postgresql_database(server, name, _migrate)
    try:
        yield Database(f"{server.rpartition('/')[0]}/{name}")
    finally:
        _drop(server, name)


def _drop(server: str, name: str) -> None:
    # Connected only now: a test may have restarted the server meanwhile.
    with psycopg.connect(maintenance(server), autocommit=True) as connection:
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        connection.execute(drop.format(sql.Identifier(name)))


def maintenance(url: str) -> str:
    return f"{url.rpartition('/')[0]}/postgres"


def migrated_file(path: Path) -> Database:
    """A new SQLite database with today's tables, and nothing in them."""
    migrated.sqlite_file(path, _migrate)
    return Database(f"sqlite:///{path}")


def _migrate(url: str) -> None:
    migrated.migrate_in_a_process(environment(Database(url), "http://127.0.0.1:9", port=8000))


def _seed(database: Database) -> None:
    settings = environment(database, "http://127.0.0.1:9", port=8000)
    _run([sys.executable, "-m", "tests.server.seed"], settings)


def manage(database: Database, endpoint: str, *arguments: str) -> None:
    _run([sys.executable, "manage.py", *arguments], environment(database, endpoint, port=8000))


def copied(database: Database, folder: Path) -> Database:
    """The same content in a file of its own (SQLite)."""
    path = folder / "copy.sqlite3"
    shutil.copy(database.url.removeprefix("sqlite:///"), path)
    return Database(f"sqlite:///{path}")


def _run(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)


def environment(database: Database, endpoint: str, *, port: int, **more: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return (
        kept
        | {
            "ENV_FILE": "",
            "DASHBOARD_URL": f"http://127.0.0.1:{port}",
            "SECRET_KEY": "only-for-tests-" + "0123456789abcdef" * 4,
            "TOKEN_ENCRYPTION_KEYS": "dGVzdC1rZXktb25lLXRlc3Qta2V5LW9uZS10ZXN0LTE=",
            "CLAUDE_API_BASE_URL": endpoint,
            "DATABASE_URL": database.url,
            "HOST": "127.0.0.1",
            "PORT": str(port),
        }
        | more
    )


class Product:
    """gunicorn with its workers."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.process, self.url, self.log = process, f"http://127.0.0.1:{port}", log
        self._visitors: list[Visitor] = []

    def visitor(self) -> "Visitor":
        """A teammate who has just signed in."""
        self._visitors.append(Visitor(self.url))
        return self._visitors[-1]

    def close_visitors(self) -> None:
        for visitor in self._visitors:
            visitor.client.close()

    def workers(self) -> list[int]:
        listing = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in listing.split()]

    def kill_workers(self) -> None:
        for pid in self.workers():
            os.kill(pid, signal.SIGKILL)

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """Ask it to; return when it has heard."""
        self.process.send_signal(signal.SIGTERM)
        wait_until(lambda: "Handling signal: term" in self.log.read_text())


@contextmanager
def serving(
    database: Database,
    endpoint: str,
    folder: Path,
    *,
    config: str = "dashboard.serving.gunicorn_conf",
    **settings: str,
) -> Iterator[Product]:
    """The product at a free port; `settings` are environment variables."""
    port = free_port()
    log = folder / f"gunicorn-{port}.log"
    collect_static_files(database)
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [*GUNICORN[:-1], f"python:{config}"],
            env=environment(database, endpoint, port=port, **settings),
            stderr=stderr,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
    product = Product(process, port, log)
    try:
        wait_until(lambda: answers(product), START_SECONDS)
        yield product
    finally:
        product.close_visitors()
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def collect_static_files(database: Database) -> None:
    """Collected unless they are already, by one process at a time."""
    collected = Path("var/static/staticfiles.json")
    Path("var").mkdir(exist_ok=True)
    with open("var/static.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        changed = max(path.stat().st_mtime for path in Path("static").rglob("*"))
        if not collected.exists() or collected.stat().st_mtime < changed:
            settings = environment(database, "http://127.0.0.1:9", port=8000)
            _run([sys.executable, "manage.py", "collectstatic", "--no-input"], settings)


def answers(product: Product) -> bool:
    try:
        return httpx.get(f"{product.url}/sign-in/").status_code < 500
    except httpx.TransportError:
        if product.process.poll() is not None:
            raise RuntimeError(product.log.read_text()) from None
        return False


def wait_until(condition: Any, seconds: float = 60) -> None:
    """Look until it is so; fail when it does not become so."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(condition)
        time.sleep(0.01)


class Visitor:
    """A teammate with a browser: signs in through the form, opens run forms, presses Run now."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.client = httpx.Client(base_url=url, timeout=60)
        self.client.get("/sign-in/")
        response = self.post("/sign-in/", {"login": USERNAME, "password": PASSWORD})
        assert response.status_code == 302, response.text

    def post(self, path: str, fields: dict[str, str], **headers: str) -> httpx.Response:
        token = self.client.cookies["csrftoken"]
        fields = {"csrfmiddlewaretoken": token} | fields
        return self.client.post(path, data=fields, headers={"Referer": self._url} | headers)

    def form(self, slug: str, client: httpx.Client | None = None) -> dict[str, str]:
        """The fields of a freshly opened run form, with its one-time key."""
        page = Page((client or self.client).get(self._url + reverse("run", args=[slug])))
        return page.fields(reverse("fire", args=[slug]))

    def press(
        self, slug: str, fields: dict[str, str], client: httpx.Client | None = None, **typed: str
    ) -> httpx.Response:
        """Without a `client`, on a connection of its own, as another tab would have.

        Asked about the runs of others, or of one's own that are under way, it goes on all the same.
        """
        sent = fields | typed
        with nullcontext(client) if client else self.another_tab() as tab:
            while True:
                answer = tab.post(
                    self._url + reverse("fire", args=[slug]),
                    data=sent,
                    headers={"HX-Request": "true", "Referer": self._url},
                )
                asked = _ASKED_ABOUT.search(answer.text) if answer.status_code == 422 else None
                known = set(sent.get("aware_of", "").split())
                if asked is None or set(asked.group(1).split()) <= known:
                    return answer
                sent |= {"aware_of": " ".join(known | set(asked.group(1).split()))}

    def another_tab(self) -> httpx.Client:
        return httpx.Client(cookies=self.client.cookies, timeout=60)


def runs_in(response: httpx.Response) -> set[int]:
    """The runs that an answer to a press shows."""
    return {int(pk) for pk in _RESULT.findall(response.text)}
