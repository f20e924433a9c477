"""The index of words on PostgreSQL: a table beside the runs, with a GIN index of whole words.

A table of its own, because an update of a run writes all its index entries anew, and most updates
change no word. Lexemes are compared byte by byte, in whatever locale; no parser and no dictionary
of PostgreSQL's has a part in it.

GIN knows no order, so each run's words hold the day it is of, and spans that grow: newest first
is then one small span after the other, and stops when enough are found.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db import connection
from django.db.models.expressions import RawSQL

from routines.keyset import Position
from routines.models.run_queryset import WORDS_OF
from routines.values.periods import Span

TABLE = "routines_run_search"
_DAYS = {"d": 1, "w": 8, "m": 32}  # spans of time: each fits into the next

_CREATE = f"""
    CREATE TABLE {TABLE} (
        run_id bigint PRIMARY KEY,
        created_at timestamp with time zone NOT NULL,
        words tsvector NOT NULL
    );
    CREATE INDEX {TABLE}_gin ON {TABLE} USING gin (words) WITH (gin_pending_list_limit = 256)
"""

# The mark is of no word, so nobody can type one of these.
_SPANS_OF_RUN = ", ".join(
    f"'~{kind}' || floor(extract(epoch FROM new.created_at) / {86_400 * days})"
    for kind, days in _DAYS.items()
)
_WORDS = " || ".join(f"coalesce(new.{column}, '')" for column in WORDS_OF.values())
_FUNCTION = f"""
    CREATE OR REPLACE FUNCTION routines_index_run() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'TRUNCATE' THEN
            TRUNCATE {TABLE};
        ELSIF TG_OP = 'DELETE' THEN
            DELETE FROM {TABLE} WHERE run_id = old.id;
        ELSIF new.text_words IS NULL THEN
            DELETE FROM {TABLE} WHERE run_id = new.id;
        ELSE
            INSERT INTO {TABLE} VALUES (
                new.id,
                new.created_at,
                array_to_tsvector(array_remove(
                    string_to_array({_WORDS}, ' ') || ARRAY[{_SPANS_OF_RUN}], ''
                ))
            )
            ON CONFLICT (run_id)
            DO UPDATE SET created_at = excluded.created_at, words = excluded.words;
        END IF;
        RETURN NULL;
    END $$
"""  # noqa: S608
_INDEXED = ("created_at", *WORDS_OF.values())
_CHANGED = " OR ".join(f"old.{column} IS DISTINCT FROM new.{column}" for column in _INDEXED)
_TRIGGERS = {
    f"{TABLE}_insert": "AFTER INSERT ON routines_run FOR EACH ROW",
    f"{TABLE}_delete": "AFTER DELETE ON routines_run FOR EACH ROW",
    f"{TABLE}_truncate": "AFTER TRUNCATE ON routines_run FOR EACH STATEMENT",
    f"{TABLE}_update": (
        f"AFTER UPDATE OF {', '.join(_INDEXED)} ON routines_run FOR EACH ROW WHEN ({_CHANGED})"
    ),
}


def install() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT to_regclass('{TABLE}')")
        [known] = cursor.fetchone()
        if known is None:
            cursor.execute("UPDATE routines_run SET text_words = NULL WHERE text_words IS NOT NULL")
            cursor.execute(_CREATE)
        cursor.execute(_FUNCTION)
        for name, moment in _TRIGGERS.items():
            cursor.execute(
                f"CREATE OR REPLACE TRIGGER {name} {moment} EXECUTE FUNCTION routines_index_run()"
            )


def matching(words: Sequence[str]) -> RawSQL:
    """The primary keys of all runs that have the words."""
    sql = f"SELECT run_id FROM {TABLE} WHERE words @@ %s::tsquery"  # noqa: S608
    return RawSQL(sql, [_query(words)])  # noqa: S611


def next_runs(
    words: Sequence[str], span: Span, position: Position | None, *, older: bool, limit: int
) -> tuple[list[Position], Position | None]:
    """See Words.next."""
    order, sign = ("DESC", "<") if older else ("ASC", ">")
    beyond = f"AND (created_at, run_id) {sign} (%s, %s)" if position else ""
    sql = f"""
        SELECT found.created_at, found.run_id
        FROM unnest(%s::text[]) AS days
        CROSS JOIN LATERAL (
            SELECT run_id, created_at FROM {TABLE}
            WHERE words @@ (%s::tsquery && days::tsquery)
            AND created_at BETWEEN %s AND %s {beyond}
            ORDER BY created_at {order}, run_id {order} LIMIT %s
        ) AS found
        LIMIT %s
    """  # noqa: S608
    with connection.cursor() as cursor:
        # The edges, from the runs' own index.
        cursor.execute(
            "SELECT (SELECT min(created_at) FROM routines_run),"
            " (SELECT max(created_at) FROM routines_run)"
        )
        oldest, latest = cursor.fetchone()
        if oldest is None:
            return [], None
        start, end = max(span.start or oldest, oldest), min(span.end or latest, latest)
        if position and older:
            end = min(end, position.at)
        elif position:
            start = max(start, position.at)
        days = [f"'~{kind}{number}'" for kind, number in _spans(start, end, older=older)]
        where = [start, end, *(position or ())]
        cursor.execute(sql, [days, _query(words), *where, limit, limit])
        found = [Position(at, pk) for at, pk in cursor.fetchall()]
    return found, found[-1] if len(found) == limit else None


def _spans(start: datetime, end: datetime, *, older: bool) -> Iterator[tuple[str, int]]:
    """Spans of days that cover it all, none longer than what lies before it: small ones first."""
    first, last = int(start.timestamp()) // 86_400, int(end.timestamp()) // 86_400
    covered = 0
    while first <= last:
        at = last if older else first
        edge = at + 1 if older else at
        kind = max(
            (kind for kind, days in _DAYS.items() if edge % days == 0 and days <= max(covered, 1)),
            key=_DAYS.__getitem__,
        )
        days = _DAYS[kind]
        yield kind, at // days
        covered += days
        if older:
            last -= days
        else:
            first += days


def _query(words: Sequence[str]) -> str:
    # Words are letters, digits and marks, so quotes need no care.
    return " & ".join(f"'{word}'" for word in words)
