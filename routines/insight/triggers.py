"""Triggers on the table of runs: whatever writes runs, their change is noted for the counts.

In the database and not in our code, so that no bulk_create, update() or future writer can forget
it. They are made after each `migrate` and not by a migration alone: on SQLite, Django changes a
table by making it anew, and the triggers of the old one are gone. Where they were missing, the
counts are compared with the runs (recounting.py), in the background.

All three are for the insight page: `added` and `changed` count what is pressed, settled and marked;
`removed` keeps in the counts what retention deletes.
"""

from typing import Any

from django.db import connection, transaction

from routines.insight import recounting
from routines.models import RecountDay, Run, RunChange, RunCount

_COPIED = (
    *("created_at", "routine_id", "account_id", "person_id", "api_key_id"),
    *("state", "reason", "outcome", "duration_ms"),
)
_RUNS = Run._meta.db_table
_CHANGES = RunChange._meta.db_table


def ensure(**_signal: Any) -> None:
    """Make the triggers where they are missing. After `migrate`, and after a flush in tests."""
    tables = {model._meta.db_table for model in (Run, RunChange, RunCount, RecountDay)}
    if not tables <= set(connection.introspection.table_names()):
        return  # an early state of the migrations
    if not _notes_all():
        return  # another one: on the way back, the version before makes triggers of its own
    statements = _STATEMENTS[connection.vendor]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LOOK[connection.vendor])
        found = {name for (name,) in cursor.fetchall()}
        if found >= statements.keys():
            return
        for statement in statements.values():
            cursor.execute(statement)
        recounting.begin()


def _notes_all() -> bool:
    """Whether the runs have all that the triggers note: else each write to them would fail."""
    with connection.cursor() as cursor:
        columns = connection.introspection.get_table_description(cursor, _RUNS)
    return set(_COPIED) <= {column.name for column in columns}


_LOOK = {
    "sqlite": f"SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = '{_RUNS}'",  # noqa: S608
    "postgresql": f"SELECT tgname FROM pg_trigger WHERE tgrelid = '{_RUNS}'::regclass",  # noqa: S608
}


def _note(row: str, by: int, *, deleted: bool = False) -> str:
    columns = ", ".join(name.replace("_id", "_pk") for name in (*_COPIED, "by", "deleted"))
    values = ", ".join(f"{row}.{name}" for name in _COPIED)
    written = f'INSERT INTO "{_CHANGES}" ({columns}) SELECT {values}, {by}, {str(deleted).upper()}'
    # A run counts once it is settled.
    return f"{written} WHERE {row}.state NOT IN ('accepted', 'sending');"


def _differ(way: str) -> str:
    return " OR ".join(f"OLD.{name} {way} NEW.{name}" for name in _COPIED)


_ADDED = _note("NEW", 1)
_CHANGED = _note("OLD", -1) + _note("NEW", 1)
_REMOVED = _note("OLD", -1) + _note("OLD", 1, deleted=True)

_SQLITE = {
    "run_added": f"""
        CREATE TRIGGER IF NOT EXISTS run_added AFTER INSERT ON "{_RUNS}"
        WHEN NEW.state NOT IN ('accepted', 'sending')
        BEGIN {_ADDED} END""",
    "run_changed": f"""
        CREATE TRIGGER IF NOT EXISTS run_changed AFTER UPDATE OF {", ".join(_COPIED)} ON "{_RUNS}"
        WHEN {_differ("IS NOT")}
        BEGIN {_CHANGED} END""",
    "run_removed": f"""
        CREATE TRIGGER IF NOT EXISTS run_removed AFTER DELETE ON "{_RUNS}"
        BEGIN {_REMOVED} END""",
}

# One trigger for all events. The conditions stand in its function: PostgreSQL lets no migration
# change the type of a column that a trigger itself names.
_POSTGRESQL = {
    "run_noted": f"""
        CREATE OR REPLACE FUNCTION note_run_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'INSERT' THEN {_ADDED}
            ELSIF TG_OP = 'DELETE' THEN {_REMOVED}
            ELSIF {_differ("IS DISTINCT FROM")} THEN {_CHANGED}
            END IF;
            RETURN NULL;
        END $$;
        CREATE OR REPLACE TRIGGER run_noted AFTER INSERT OR UPDATE OR DELETE ON "{_RUNS}"
        FOR EACH ROW EXECUTE FUNCTION note_run_change()""",
}

_STATEMENTS = {"sqlite": _SQLITE, "postgresql": _POSTGRESQL}
