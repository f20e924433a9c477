"""Triggers on the table of runs: whatever writes runs, their change is noted for the summaries.

In the database and not in our code, so that no bulk_create, update() or future writer can forget
it. They are made after each `migrate` and not by a migration alone: on SQLite, Django changes a
table by making it anew, and the triggers of the old one are gone. Where they were missing the
summaries are rebuilt.
"""

from typing import Any

from django.db import connection, transaction

from routines.insight import summaries
from routines.models import Run, RunChange

_NAMES = ("run_added", "run_changed", "run_removed")
_COPIED = (
    *("created_at", "routine_id", "account_id", "person_id"),
    *("state", "reason", "outcome", "duration_ms"),
)
_RUNS = Run._meta.db_table
_CHANGES = RunChange._meta.db_table


def ensure(**_signal: Any) -> None:
    """Make the triggers where they are missing. After `migrate`, and after a flush in tests."""
    tables = connection.introspection.table_names()
    if not {_RUNS, _CHANGES} <= set(tables) or _are_made():
        return  # an early state of the migrations, or nothing to do
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in _STATEMENTS[connection.vendor]:
            cursor.execute(statement)
    for _ in summaries.rebuild():
        pass


def _are_made() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_LOOK[connection.vendor])
        return {name for (name,) in cursor.fetchall()} >= set(_NAMES)


_LOOK = {
    "sqlite": f"SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = '{_RUNS}'",  # noqa: S608
    "postgresql": f"SELECT tgname FROM pg_trigger WHERE tgrelid = '{_RUNS}'::regclass",  # noqa: S608
}


def _note(row: str, by: int, *, gone: bool = False) -> str:
    columns = ", ".join(name.replace("_id", "_pk") for name in (*_COPIED, "by", "gone"))
    values = ", ".join(f"{row}.{name}" for name in _COPIED)
    written = f'INSERT INTO "{_CHANGES}" ({columns}) SELECT {values}, {by}, {str(gone).upper()}'
    return f"{written} WHERE {row}.state <> 'sending';"  # a run counts once it is settled


def _differ(way: str) -> str:
    return " OR ".join(f"OLD.{name} {way} NEW.{name}" for name in _COPIED)


_ADDED = _note("NEW", 1)
_CHANGED = _note("OLD", -1) + _note("NEW", 1)
_REMOVED = _note("OLD", -1) + _note("OLD", 1, gone=True)

_SQLITE = [
    f"""CREATE TRIGGER IF NOT EXISTS run_added AFTER INSERT ON "{_RUNS}"
        WHEN NEW.state <> 'sending'
        BEGIN {_ADDED} END""",
    f"""CREATE TRIGGER IF NOT EXISTS run_changed AFTER UPDATE OF {", ".join(_COPIED)} ON "{_RUNS}"
        WHEN {_differ("IS NOT")}
        BEGIN {_CHANGED} END""",
    f"""CREATE TRIGGER IF NOT EXISTS run_removed AFTER DELETE ON "{_RUNS}"
        BEGIN {_REMOVED} END""",
]

# The conditions stand in the function: PostgreSQL lets no migration change the type of a column
# that a trigger itself names.
_POSTGRESQL = [
    f"""CREATE OR REPLACE FUNCTION note_run_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'INSERT' THEN {_ADDED}
            ELSIF TG_OP = 'DELETE' THEN {_REMOVED}
            ELSIF {_differ("IS DISTINCT FROM")} THEN {_CHANGED}
            END IF;
            RETURN NULL;
        END $$""",
    *(
        f"""CREATE OR REPLACE TRIGGER {name} AFTER {event} ON "{_RUNS}"
            FOR EACH ROW EXECUTE FUNCTION note_run_change()"""
        for name, event in zip(_NAMES, ("INSERT", "UPDATE", "DELETE"), strict=True)
    ),
]

_STATEMENTS = {"sqlite": _SQLITE, "postgresql": _POSTGRESQL}
