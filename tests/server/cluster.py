"""A PostgreSQL of a test's own, which it may restart and break."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.daemons import free_port


class Cluster:
    def __init__(self, folder: Path, port: int) -> None:
        self._folder, self._port = folder, port
        self.url = self.url_at("127.0.0.1")

    def url_at(self, address: str, name: str = "postgres") -> str:
        return f"postgresql://test@{address}:{self._port}/{name}"

    def start(self) -> None:
        options = f"-p {self._port} -k {self._folder} -c listen_addresses='*'"
        # What was committed outlives its processes all the same: this machine stays up.
        options += " -c fsync=off -c max_connections=200"
        self._control("start", "--options", options)

    def restart(self, mode: str) -> None:
        """`fast`: connections are cut. `immediate`: as in a power cut, its log is replayed."""
        self._control("restart", "--mode", mode)

    def stop(self) -> None:
        self._control("stop", "--mode", "immediate")

    def _control(self, *arguments: str) -> None:
        data = str(self._folder / "data")
        log = str(self._folder / "log")  # else the server would keep our own output open
        options = ("--wait", "--silent", "--pgdata", data, "--log", log)
        as_postgres(_program("pg_ctl"), *options, *arguments)


@contextmanager
def own_cluster() -> Iterator[Cluster]:
    initdb = _program("initdb")
    folder = Path(as_postgres("mktemp", "--directory").strip())
    cluster = Cluster(folder, free_port())
    try:
        as_postgres(
            *(initdb, "--no-sync", "--username=test", "--auth=trust", "--encoding=UTF8"),
            *("--locale=C.UTF-8", f"--pgdata={folder / 'data'}"),
        )
        as_postgres("sh", "-c", f"echo 'host all all samenet trust' >>{folder}/data/pg_hba.conf")
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop()
    finally:
        shutil.rmtree(folder)


def as_postgres(*command: str) -> str:
    """PostgreSQL starts for nobody who is root: then it is Debian's own user for it."""
    postgres = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
    done = subprocess.run(
        command,
        cwd="/",
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        user=postgres.pw_uid if postgres else None,
        group=postgres.pw_gid if postgres else None,
    )
    return done.stdout


def _program(name: str) -> str:
    *_, newest = ["", *sorted(map(str, Path("/usr/lib/postgresql").glob(f"*/bin/{name}")))]
    if newest:
        return newest
    if os.environ.get("REQUIRE_POSTGRESQL") == "1":
        pytest.fail("initdb is missing: apt install postgresql")
    pytest.skip("initdb is missing: apt install postgresql")
