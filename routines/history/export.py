"""Runs to take away, as CSV and as JSON Lines. docs/export.md tells people what each column holds.

What is exported is decided at once, as the list of the runs' primary keys (8 bytes a run), and
then read in small batches. So the number is known before the first line leaves, runs that arrive
meanwhile move nothing, and however slow the reader is, no transaction and no cursor stays open
for them: nothing holds up those who write runs, or SQLite's checkpoints.
"""

import csv
import io
import json
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.db.models import QuerySet
from django.db.models.expressions import Combinable
from django.utils import timezone

from routines import keyset
from routines.audit import trace
from routines.history.run_filter import RunFilter
from routines.models import Account, ApiKey, AuditEvent, Person, Routine, Run
from routines.runs import overdue
from routines.values.spreadsheet import BYTE_ORDER_MARK, escape_formula

# A batch of the longest texts is some 15 MB, one of usual ones 0.1 MB.
BATCH = 200


class Format(models.TextChoices):
    CSV = "csv", "CSV"
    JSON_LINES = "jsonl", "JSON Lines"


@dataclass(frozen=True)
class Export:
    """What one person takes away: iterate over `lines()` once."""

    file_format: Format
    pks: "array[int]" = field(repr=False)

    @property
    def count(self) -> int:
        return len(self.pks)

    def lines(self, *, separator: str = ",") -> Iterator[str]:
        """Several lines at a time. `separator`: between the cells of a CSV."""
        if self.file_format == Format.CSV:
            yield from _csv(_rows(self.pks), separator)
        else:
            yield from _json_lines(_rows(self.pks))


def take(person: Person, run_filter: RunFilter, file_format: Format) -> Export:
    """The runs that the filter asks for, of those that `person` may see, newest first.

    It stands in the audit trail before anything is handed out: who, which filter, how many runs.
    """
    overdue.settle()
    runs = run_filter.apply(Run.objects.visible_to(person))
    export = Export(file_format, keyset.keys(runs, at="created_at"))
    trace(
        AuditEvent.Action.EXPORTED,
        by=person,
        subject=f"{export.count} run{'' if export.count == 1 else 's'} as {file_format.label}",
        changes={"filter": [None, run_filter.query_string()], "runs": [None, export.count]},
    )
    return export


# --- Reading ---


class _Moment(models.Func):
    """In UTC, to the millisecond, or nothing: written by the database, in a third of the time."""

    output_field = models.CharField()

    def as_sqlite(self, compiler: Any, connection: Any, **_context: Any) -> Any:
        column, params = compiler.compile(self.source_expressions[0])
        return f"strftime(%s, {column})", ("%Y-%m-%dT%H:%M:%fZ", *params)

    def as_postgresql(self, compiler: Any, connection: Any, **_context: Any) -> Any:
        column, params = compiler.compile(self.source_expressions[0])
        shape = 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'
        return f"to_char({column} AT TIME ZONE 'UTC', %s)", (*params, shape)


# Each with what it is read from.
_COLUMNS: dict[str, str | Combinable] = {
    "run": "pk",
    "pressed_at": _Moment("created_at"),
    "routine": "routine_id",
    "routine_id": "routine_id",
    "tags": "routine_id",
    "account": "account_id",
    "person": "person_id",
    "api_key": "api_key_id",
    "idempotency_key": "idempotency_key",
    "state": "state",
    "reason": "reason",
    "session_id": "session_id",
    "session_url": "session_url",
    "text": "text",
    "text_was": "text_was",
    "text_template": "template_name",
    "why": "why",
    "trial": "is_trial",
    "beta_version": "beta_version",
    "api_version": "api_version",
    "attempts": "attempt",
    "claimed_at": _Moment("claimed_at"),
    "sent_at": _Moment("sent_at"),
    "settled_at": _Moment("settled_at"),
    "settled_by": "settled_by_id",
    "duration_ms": "duration_ms",
    "http_status": "http_status",
    "error_type": "error_type",
    "error_message": "error_message",
    "request_id": "request_id",
    "retry_after": _Moment("retry_after"),
    "outcome": "outcome",
    "outcome_note": "outcome_note",
    "outcome_link": "outcome_link",
    "outcome_at": _Moment("outcome_at"),
    "outcome_by": "outcome_by_id",
}
COLUMNS = tuple(_COLUMNS)
_FIELDS = tuple(_COLUMNS.values())


def _rows(pks: "array[int]") -> Iterator[list[list[Any]]]:
    """Batches of values in the order of COLUMNS; runs that were deleted meanwhile are left out."""
    readers = _readers()
    for start in range(0, len(pks), BATCH):
        wanted = pks[start : start + BATCH]
        found = {row[0]: row for row in Run.objects.filter(pk__in=wanted).values_list(*_FIELDS)}
        rows = [list(found[pk]) for pk in wanted if pk in found]
        for row in rows:
            for column, read in readers:
                row[column] = read(row[column])
        yield rows


class _Names(dict[Any, Any]):
    """Of each key its name. One that was added meanwhile is asked for when it is met."""

    def __init__(self, named: "QuerySet[Any, tuple[Any, Any]]") -> None:
        super().__init__(named)
        self[None] = None
        self._named = named

    def __missing__(self, key: Any) -> Any:
        self[key] = dict(self._named.filter(pk=key)).get(key)
        return self[key]


def _readers() -> list[tuple[int, Callable[[Any], Any]]]:
    """How to make names of keys: there are few, so they are looked up once for all runs."""
    tags: dict[int, list[str]] = {}
    tagged = Routine.tags.through.objects.order_by("tag__name")
    for pk, tag in tagged.values_list("routine_id", "tag__name"):
        tags.setdefault(pk, []).append(tag)
    people = _Names(Person.objects.values_list("pk", "username"))
    readers: dict[str, Callable[[Any], Any]] = {
        "routine": _Names(Routine.objects.values_list("pk", "name")).__getitem__,
        "routine_id": _Names(Routine.objects.values_list("pk", "routine_id")).__getitem__,
        "tags": lambda pk: tags.get(pk, []),
        "account": _Names(Account.objects.values_list("pk", "label")).__getitem__,
        "person": people.__getitem__,
        "api_key": _Names(ApiKey.objects.values_list("pk", "name")).__getitem__,
        "settled_by": people.__getitem__,
        "outcome_by": people.__getitem__,
    }
    return [(COLUMNS.index(name), read) for name, read in readers.items()]


# --- Writing ---

_TAGS = COLUMNS.index("tags")

# What people, or the endpoint, typed. Everything else has a shape of its own.
_FREE = [
    COLUMNS.index(name)
    for name in (
        *("routine", "tags", "account", "person", "api_key", "idempotency_key", "text"),
        *("text_template", "why", "beta_version"),
        *("api_version", "session_id", "session_url", "settled_by", "error_type", "error_message"),
        *("request_id", "outcome_note", "outcome_link", "outcome_by"),
    )
]


def _csv(batches: Iterator[list[list[Any]]], separator: str) -> Iterator[str]:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator)
    out.write(BYTE_ORDER_MARK)
    writer.writerow(COLUMNS)
    for batch in batches:
        for row in batch:
            row[_TAGS] = ", ".join(row[_TAGS])
            for column in _FREE:
                cell = row[column]
                if cell and not cell[0].isalnum():  # most cells, and nothing to escape
                    row[column] = escape_formula(cell)
            writer.writerow(row)
        yield _emptied(out)
    yield _emptied(out)


def _emptied(out: io.StringIO) -> str:
    written = out.getvalue()
    out.seek(0)
    out.truncate()
    return written


def _json_lines(batches: Iterator[list[list[Any]]]) -> Iterator[str]:
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    for batch in batches:
        yield "".join(f"{encode(dict(zip(COLUMNS, row, strict=True)))}\n" for row in batch)


def file_name(file_format: Format) -> str:
    return f"runs-{timezone.localdate().isoformat()}.{file_format.value}"
