"""The index of words on SQLite: an FTS5 table that keeps no text, only where each word is.

A row's number holds the second of its run before the run's own number, so that the newest are
found first and a span of time is a range of rows, however frequent a word is.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from django.db import connection
from django.db.models.expressions import RawSQL

from routines.keyset import Position
from routines.models.run_queryset import WORDS_OF
from routines.values.periods import Span

TABLE = "routines_run_search"
_BITS = 30  # for the run's number: a billion runs, and seconds until the year 2106
_MASK = (1 << _BITS) - 1
_LAST_SECOND = (1 << 32) - 1

# The tokenizer that only knows ASCII leaves everything else alone, and our words have no capitals.
# detail=none: whole words, no phrases, at a third of the size.
_CREATE = f"""
    CREATE VIRTUAL TABLE {TABLE} USING fts5(
        words, content='', columnsize=0, detail='none', tokenize='ascii'
    )
"""


def _row(run: str) -> str:
    return (
        f"(CAST(strftime('%s', substr({run}.created_at, 1, 19)) AS INTEGER) << {_BITS}) + {run}.id"
    )


def _words(run: str) -> str:
    return " || ".join(f"coalesce({run}.{column}, '')" for column in WORDS_OF.values())


# What was put in must be named word for word to take it out. A run without words is not in.
_TAKE_OUT = (
    f"INSERT INTO {TABLE} ({TABLE}, rowid, words) "
    f"SELECT 'delete', {_row('old')}, {_words('old')} WHERE old.text_words IS NOT NULL;"
)
_PUT_IN = (
    f"INSERT INTO {TABLE} (rowid, words) "
    f"SELECT {_row('new')}, {_words('new')} WHERE new.text_words IS NOT NULL;"
)
_INDEXED = ("created_at", *WORDS_OF.values())
_CHANGED = " OR ".join(f"old.{column} IS NOT new.{column}" for column in _INDEXED)
_TRIGGERS = {
    f"{TABLE}_insert": f"AFTER INSERT ON routines_run BEGIN {_PUT_IN} END",
    f"{TABLE}_delete": f"AFTER DELETE ON routines_run BEGIN {_TAKE_OUT} END",
    f"{TABLE}_update": (
        f"AFTER UPDATE OF {', '.join(_INDEXED)} ON routines_run WHEN {_CHANGED} "
        f"BEGIN {_TAKE_OUT} {_PUT_IN} END"
    ),
}


def install() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT name, sql FROM sqlite_master WHERE name LIKE '{TABLE}%'")  # noqa: S608
        known = dict(cursor.fetchall())
        for name, body in _TRIGGERS.items():
            statement = f"CREATE TRIGGER {name} {body}"
            if TABLE not in known or known.get(name) != statement:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
        if TABLE not in known:
            cursor.execute("UPDATE routines_run SET text_words = NULL")
            cursor.execute(_CREATE)
        for name, body in _TRIGGERS.items():
            statement = f"CREATE TRIGGER {name} {body}"
            if TABLE not in known or known.get(name) != statement:
                cursor.execute(statement)


def matching(words: Sequence[str]) -> RawSQL:
    """The primary keys of all runs that have the words."""
    sql = f"SELECT rowid & {_MASK} FROM {TABLE} WHERE {TABLE} MATCH %s"  # noqa: S608
    return RawSQL(sql, [_match(words)])  # noqa: S611


def next_runs(
    words: Sequence[str], span: Span, position: Position | None, *, older: bool, limit: int
) -> tuple[list[Position], Position | None]:
    """See Words.next. Whole seconds: within one, rows stand in the order of their numbers."""
    first = _first_of(span.start) if span.start else 0
    last = _last_of(span.end) if span.end else (1 << 62) - 1
    if position and older:
        last = min(last, _last_of(position.at))
    elif position:
        first = max(first, _first_of(position.at))
    with connection.cursor() as cursor:

        def rows(first: int, last: int, limit: int) -> list[int]:
            cursor.execute(
                f"SELECT rowid FROM {TABLE} WHERE {TABLE} MATCH %s AND rowid BETWEEN %s AND %s "  # noqa: S608
                f"ORDER BY rowid {'DESC' if older else 'ASC'} LIMIT %s",
                [_match(words), first, last, limit],
            )
            return [row for (row,) in cursor.fetchall()]

        found = rows(first, last, limit)
        if len(found) < limit:
            return _positions(found), None
        second = datetime.fromtimestamp(found[-1] >> _BITS, UTC)
        edge = (_first_of(second), found[-1] - 1) if older else (found[-1] + 1, _last_of(second))
        found += rows(*edge, -1)  # the rest of the last second
    reached = Position(second, 0) if older else Position(second.replace(microsecond=999_999), _MASK)
    return _positions(found), reached


def _positions(rows: list[int]) -> list[Position]:
    return [Position(datetime.fromtimestamp(row >> _BITS, UTC), row & _MASK) for row in rows]


def _first_of(moment: datetime) -> int:
    """The first row number of that second; an address may name one that no run can be of."""
    return min(max(int(moment.timestamp()), 0), _LAST_SECOND) << _BITS


def _last_of(moment: datetime) -> int:
    return _first_of(moment) | _MASK


def _match(words: Sequence[str]) -> str:
    # Words are letters, digits and marks, so quotes need no care.
    return " AND ".join(f'"{word}"' for word in words)
