"""The index of words on SQLite: an FTS5 table that keeps no text, only where each word is.

A row's number holds the second of its run before the run's own number, so that the newest are
found first and a span of time is a range of rows, however frequent a word is.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from django.db import connection
from django.db.models.expressions import RawSQL

from routines.history.search.expression import Expression
from routines.history.search.words import facet
from routines.values.periods import Span

TABLE = "routines_run_words"
_BITS = 30  # for the run's number: a billion runs, and seconds until the year 2106
_MASK = (1 << _BITS) - 1

# detail=none: whole words, no phrases, at a third of the size.
_CREATE = f"""
    CREATE VIRTUAL TABLE {TABLE} USING fts5(
        words, content='', columnsize=0, detail='none',
        tokenize="unicode61 remove_diacritics 0"
    )
"""


def _row(run: str) -> str:
    return (
        f"(CAST(strftime('%s', substr({run}.created_at, 1, 19)) AS INTEGER) << {_BITS}) + {run}.id"
    )


def _words(run: str) -> str:
    kept = ("text", "why", "outcome_note", "error_message")
    parts = [f"{run}.{column}" for column in kept]
    parts += [
        f"'{facet(kind, 0)[:-1]}' || {run}.{column}"
        for kind, column in (("r", "routine_id"), ("p", "person_id"), ("a", "account_id"))
    ]
    return " || ' ' || ".join(parts)


_INDEXED = (
    *("text", "why", "outcome_note", "error_message"),
    *("created_at", "routine_id", "person_id", "account_id"),
)
_FILL = f"INSERT INTO {TABLE} (rowid, words) SELECT {_row('run')}, {_words('run')}"
_FORGET = (
    f"INSERT INTO {TABLE} ({TABLE}, rowid, words) "  # noqa: S608
    f"VALUES ('delete', {_row('old')}, {_words('old')})"
)
_NOTE = f"INSERT INTO {TABLE} (rowid, words) VALUES ({_row('new')}, {_words('new')})"  # noqa: S608
_CHANGED = " OR ".join(f"old.{column} IS NOT new.{column}" for column in _INDEXED)
_TRIGGERS = {
    "routines_run_words_insert": f"AFTER INSERT ON routines_run BEGIN {_NOTE}; END",
    "routines_run_words_delete": f"AFTER DELETE ON routines_run BEGIN {_FORGET}; END",
    "routines_run_words_update": (
        f"AFTER UPDATE OF {', '.join(_INDEXED)} ON routines_run WHEN {_CHANGED} "
        f"BEGIN {_FORGET}; {_NOTE}; END"
    ),
}


def install() -> None:
    """What is missing. Migrations that make a table anew drop its triggers, so: after each."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, sql FROM sqlite_master WHERE name LIKE 'routines_run_words%%'", []
        )
        known = dict(cursor.fetchall())
        for name, body in _TRIGGERS.items():
            statement = f"CREATE TRIGGER {name} {body}"
            if known.get(name) != statement:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
                cursor.execute(statement)
    if TABLE not in known:
        rebuild()


def rebuild() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {TABLE}")
        cursor.execute(_CREATE)
        cursor.execute(f"{_FILL} FROM routines_run run ORDER BY created_at, id")


def matching(expression: Expression) -> RawSQL:
    """The primary keys of all runs that match."""
    sql = f"SELECT rowid & {_MASK} FROM {TABLE} WHERE {TABLE} MATCH %s"  # noqa: S608
    return RawSQL(sql, [_match(expression)])  # noqa: S611


def candidates(
    expression: Expression, span: Span, *, newest_first: bool, limit: int
) -> list[tuple[int, datetime]]:
    """So many matching runs of the span, in the order of time to the second."""
    first = _first_row(span.start) if span.start else 0
    last = _first_row(span.end) | _MASK if span.end else (1 << 62) - 1
    order = "DESC" if newest_first else "ASC"
    sql = (
        f"SELECT rowid FROM {TABLE} WHERE {TABLE} MATCH %s AND rowid BETWEEN %s AND %s "  # noqa: S608
        f"ORDER BY rowid {order} LIMIT %s"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [_match(expression), first, last, limit])
        rows = [row for (row,) in cursor.fetchall()]
    return [(row & _MASK, datetime.fromtimestamp(row >> _BITS, UTC)) for row in rows]


def among(expression: Expression, runs: Sequence[tuple[int, datetime]]) -> set[int]:
    """Which of these runs match."""
    if not runs:
        return set()
    marks = ", ".join(["%s"] * len(runs))
    sql = f"SELECT rowid FROM {TABLE} WHERE {TABLE} MATCH %s AND rowid IN ({marks})"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, [_match(expression), *(_first_row(at) + pk for pk, at in runs)])
        return {row & _MASK for (row,) in cursor.fetchall()}


def _first_row(at: datetime) -> int:
    return max(int(at.timestamp()), 0) << _BITS


def _match(expression: Expression) -> str:
    # Words are letters and digits, so quotes need no care.
    parts = [f'"{word}"' for word in expression.words]
    parts += [
        "({})".format(" OR ".join(f'"{one}"' for one in group)) for group in expression.facets
    ]
    return " AND ".join(parts)
