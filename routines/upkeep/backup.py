"""A consistent copy of an SQLite database while it is in use (docs/backup.md)."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from uuid import uuid4


class BackupFailed(Exception):
    """`str()` says why, and that nothing was left behind."""


def copy_sqlite(source: Path, target: Path) -> int:
    """Copy, look at the copy, and only then give it its name. The number of runs in it.

    All pages in one step, of one moment: writers go on meanwhile, in the write-ahead log.
    Raise BackupFailed.
    """
    if target.exists():
        raise BackupFailed(f"{target} exists already: nothing is overwritten.")
    half_made = target.with_name(f".{target.name}.{uuid4().hex[:8]}")
    try:
        # It holds texts and encrypted tokens: of the owner alone, from its first byte.
        os.close(os.open(half_made, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with closing(_read_only(source)) as original, closing(sqlite3.connect(half_made)) as copy:
            original.backup(copy)
            _mark(copy)
            # One file: the log that goes with a running database has no place beside a copy.
            copy.execute("PRAGMA journal_mode = DELETE")
            runs = _look_at(copy)
        _write_out(half_made)
        os.link(half_made, target)  # unlike a renaming, it overwrites nothing
        _write_out(target.parent)
    except FileExistsError:
        raise BackupFailed(f"{target} exists already: nothing is overwritten.") from None
    except (sqlite3.Error, OSError) as error:
        raise BackupFailed(f"{error}. There is no backup at {target}.") from error
    finally:
        half_made.unlink(missing_ok=True)
    return runs


def _read_only(path: Path) -> sqlite3.Connection:
    # A database that is not there is an error, and no new, empty one.
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=20)


def _mark(copy: sqlite3.Connection) -> None:
    """No database's own yet: who starts on it settles what is open first (runs/restored.py)."""
    table = "SELECT name FROM sqlite_master WHERE name = 'routines_databaseidentity'"
    if not copy.execute(table).fetchall():
        return  # made by an older version, in which nothing waits
    with copy:
        copy.execute(
            "INSERT INTO routines_databaseidentity (id, name) VALUES (1, 'a backup')"
            " ON CONFLICT (id) DO UPDATE SET name = 'a backup'"
        )


def _look_at(copy: sqlite3.Connection) -> int:
    [(said,), *_] = copy.execute("PRAGMA integrity_check").fetchall()
    if said != "ok":
        raise BackupFailed(
            f"The copy is damaged ({said}), so the database itself may be: look at it before you "
            "delete an older backup. No backup was made."
        )
    dangling = copy.execute("PRAGMA foreign_key_check").fetchall()
    if dangling:
        raise BackupFailed(
            f"In the copy {len(dangling)} rows name others that are not there. No backup was made."
        )
    [(runs,)] = copy.execute("SELECT count(*) FROM routines_run").fetchall()
    return int(runs)


def _write_out(path: Path) -> None:
    """To the disk, beyond the system's memory."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
