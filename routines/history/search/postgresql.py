"""The index of words on PostgreSQL: a table beside the runs, with a GIN index of whole words.

A table of its own, because an update of a run writes all its index entries anew, and most updates
change no word. GIN knows no order, so each run's words hold the day it is of, and spans that
grow: newest first is then one small span after the other, and stops when enough are found.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from django.db import connection
from django.db.models.expressions import RawSQL

from routines.history.search.expression import Expression
from routines.history.search.words import LONGEST_WORD, facet
from routines.values.periods import Span

TABLE = "routines_run_words"
_DAYS = {"d": 1, "w": 8, "m": 32}  # facets of time: each span fits into the next
_DAY = timedelta(days=1)

_CREATE = f"""
    CREATE TABLE {TABLE} (
        run_id bigint PRIMARY KEY,
        created_at timestamp with time zone NOT NULL,
        words tsvector NOT NULL
    );
    CREATE INDEX {TABLE}_gin ON {TABLE} USING gin (words) WITH (gin_pending_list_limit = 256)
"""

_FACETS = {"r": "run.routine_id", "p": "run.person_id", "a": "run.account_id"} | {
    kind: f"floor(extract(epoch FROM run.created_at) / {86_400 * days})"
    for kind, days in _DAYS.items()
}
_OF_RUN = ", ".join(f"'{facet(kind, 0)[:-1]}' || {value}" for kind, value in _FACETS.items())

# No parser of PostgreSQL's: it would take addresses and numbers apart in ways of its own.
_FUNCTIONS = f"""
    CREATE OR REPLACE FUNCTION routines_words_of(run routines_run) RETURNS tsvector
    LANGUAGE sql STABLE AS $$
        SELECT array_to_tsvector(array_agg(DISTINCT word)) FROM (
            SELECT left(typed, {LONGEST_WORD}) AS word
            FROM regexp_split_to_table(
                lower(concat_ws(' ', run.text, run.why, run.outcome_note, run.error_message)),
                '[^[:alnum:]]+'
            ) AS typed
            WHERE typed <> ''
            UNION ALL
            SELECT unnest(ARRAY[{_OF_RUN}])
        ) AS all_words
    $$;
    CREATE OR REPLACE FUNCTION routines_note_words() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'TRUNCATE' THEN
            TRUNCATE {TABLE};
        ELSIF TG_OP = 'DELETE' THEN
            DELETE FROM {TABLE} WHERE run_id = old.id;
        ELSE
            INSERT INTO {TABLE} VALUES (new.id, new.created_at, routines_words_of(new))
            ON CONFLICT (run_id)
            DO UPDATE SET created_at = excluded.created_at, words = excluded.words;
        END IF;
        RETURN NULL;
    END $$
"""  # noqa: S608
_INDEXED = (
    *("text", "why", "outcome_note", "error_message"),
    *("created_at", "routine_id", "person_id", "account_id"),
)
_CHANGED = " OR ".join(f"old.{column} IS DISTINCT FROM new.{column}" for column in _INDEXED)
_TRIGGERS = {
    "routines_run_words_insert": "AFTER INSERT ON routines_run FOR EACH ROW",
    "routines_run_words_delete": "AFTER DELETE ON routines_run FOR EACH ROW",
    "routines_run_words_truncate": "AFTER TRUNCATE ON routines_run FOR EACH STATEMENT",
    "routines_run_words_update": (
        f"AFTER UPDATE OF {', '.join(_INDEXED)} ON routines_run FOR EACH ROW WHEN ({_CHANGED})"
    ),
}


def install() -> None:
    """What is missing, after each migration."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT to_regclass('{TABLE}')")
        [known] = cursor.fetchone()
        if known is None:
            cursor.execute(_CREATE)
        cursor.execute(_FUNCTIONS)
        for name, moment in _TRIGGERS.items():
            cursor.execute(
                f"CREATE OR REPLACE TRIGGER {name} {moment} EXECUTE FUNCTION routines_note_words()"
            )
    if known is None:
        rebuild()


def rebuild() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {TABLE}")
        cursor.execute(
            f"INSERT INTO {TABLE} SELECT id, created_at, routines_words_of(run) "  # noqa: S608
            "FROM routines_run AS run"
        )


def matching(expression: Expression) -> RawSQL:
    """The primary keys of all runs that match."""
    sql = f"SELECT run_id FROM {TABLE} WHERE words @@ %s::tsquery"  # noqa: S608
    return RawSQL(sql, [_query(expression)])  # noqa: S611


def candidates(
    expression: Expression, span: Span, *, newest_first: bool, limit: int
) -> list[tuple[int, datetime]]:
    """So many matching runs of the span, in the order of time."""
    order = "DESC" if newest_first else "ASC"
    sql = f"""
        SELECT found.run_id, found.created_at
        FROM unnest(%s::text[]) AS days
        CROSS JOIN LATERAL (
            SELECT run_id, created_at FROM {TABLE}
            WHERE words @@ (%s::tsquery && days::tsquery) AND created_at >= %s AND created_at <= %s
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
        oldest, newest = cursor.fetchone()
        if oldest is None:
            return []
        start, end = max(span.start or oldest, oldest), min(span.end or newest, newest)
        spans = [
            f"'{facet(kind, number)}'"
            for kind, number in _spans(start, end, newest_first=newest_first)
        ]
        cursor.execute(sql, [spans, _query(expression), start, end, limit, limit])
        return [(pk, at) for pk, at in cursor.fetchall()]


def among(expression: Expression, runs: Sequence[tuple[int, datetime]]) -> set[int]:
    """Which of these runs match."""
    sql = f"SELECT run_id FROM {TABLE} WHERE run_id = ANY(%s) AND words @@ %s::tsquery"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, [[pk for pk, _ in runs], _query(expression)])
        return {pk for (pk,) in cursor.fetchall()}


def _spans(start: datetime, end: datetime, *, newest_first: bool) -> Iterator[tuple[str, int]]:
    """Spans of days that cover it all, none longer than what lies before it: small ones first."""
    first, last = int(start.timestamp()) // 86_400, int(end.timestamp()) // 86_400
    covered = 0
    while first <= last:
        at = last if newest_first else first
        edge = at + 1 if newest_first else at
        kind = max(
            (kind for kind, days in _DAYS.items() if edge % days == 0 and days <= max(covered, 1)),
            key=_DAYS.__getitem__,
        )
        days = _DAYS[kind]
        yield kind, at // days
        covered += days
        if newest_first:
            last -= days
        else:
            first += days


def _query(expression: Expression) -> str:
    # Words are letters and digits, so quotes need no care.
    parts = [f"'{word}'" for word in expression.words]
    parts += ["({})".format(" | ".join(f"'{one}'" for one in group)) for group in expression.facets]
    return " & ".join(parts)
