import shlex
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from psycopg.conninfo import make_conninfo

from routines.upkeep import backup

# Asked for, or read from ~/.pgpass; Django's own; and the patience of pages: a backup has more.
_LEFT_OUT = {"password", "sslpassword", "client_encoding"} | {
    *("tcp_user_timeout", "connect_timeout", "keepalives_idle", "keepalives_interval")
}


class Command(BaseCommand):
    help = (
        "Copy the SQLite database to PATH, consistent although it is in use, and check the copy. "
        "For PostgreSQL it says which commands do that: docs/backup.md."
    )
    requires_system_checks = []  # a backup is wanted most where something is wrong

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, help="a file that does not exist yet")

    def handle(self, *, path: Path, **options: Any) -> None:
        if connection.vendor != "sqlite":
            raise CommandError(_for_postgresql(path))
        source = Path(str(connection.settings_dict["NAME"]))
        try:
            runs = backup.copy_sqlite(source, path.absolute())
        except backup.BackupFailed as failed:
            raise CommandError(str(failed)) from None
        many = "" if runs == 1 else "s"
        self.stdout.write(f"{path}: {runs:,} run{many}, {path.stat().st_size:,} bytes, checked.")


def _for_postgresql(path: Path) -> str:
    """With what is set, but for the password: pg_dump asks for it, or reads ~/.pgpass."""
    parameters = connection.get_connection_params()
    names = {"host": "--host", "port": "--port", "user": "--username", "dbname": "--dbname"}
    others = {
        name: value
        for name, value in parameters.items()
        if isinstance(value, str) and name not in {*names, *_LEFT_OUT}
    }
    if others:  # as sslmode: without them the copy might travel in clear
        dbname = {"dbname": parameters["dbname"]} if parameters.get("dbname") else {}
        parameters["dbname"] = make_conninfo("", **dbname, **others)
    where = [f"{names[key]}={parameters[key]}" for key in names if parameters.get(key)]
    dump = shlex.join(["pg_dump", "--format=custom", f"--file={path}", *where])
    whole = ["--clean", "--if-exists", "--no-owner", "--single-transaction"]
    restore = shlex.join(["pg_restore", *whole, *where, str(path)])
    return (
        "PostgreSQL has its own tools, and nothing was written. A backup, while the service runs:\n"
        f"  umask 077 && {dump}\n"
        f"Bringing it back, with the web server and every worker stopped:\n  {restore}"
    )
