"""Pages by key: newest first, without counting or skipping rows, stable while new rows arrive."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, NamedTuple, TypeVar

from django.db.models import Model, Q, QuerySet

Row = TypeVar("Row")
Stored = TypeVar("Stored", bound=Model)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class BadCursor(ValueError):
    """The cursor was not made by this module."""


class Position(NamedTuple):
    """Where a row stands: its moment, and its primary key to decide ties."""

    at: datetime
    pk: int

    def cursor(self) -> str:
        return f"{microseconds(self.at)}-{self.pk}"


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Rows, newest first, with the cursors of the neighbouring pages (None: there is none)."""

    rows: list[Row]
    newer: str | None
    older: str | None
    # Set if looking further back was left to the next page: the rows may then be few.
    looked_back_to: datetime | None = None


@dataclass(frozen=True)
class Batch(Generic[Row]):
    """The next rows from a position on, and where looking stopped if that was before the end."""

    rows: list[Row]
    stopped_at: Position | None = None


# Given a position (None: the edge), whether to go to older rows, and how many are wanted at most.
Fetch = Callable[[Position | None, bool, int], Batch[Row]]


def paginate(
    fetch: Fetch[Row],
    position_of: Callable[[Row], Position],
    *,
    size: int,
    before: str = "",
    after: str = "",
) -> Page[Row]:
    """The newest `size` rows, or those before or after a cursor. Raise BadCursor."""
    if after:
        rows = fetch(read_cursor(after), False, size + 1).rows
        if len(rows) <= size:
            return paginate(fetch, position_of, size=size)  # the whole first page, not a stub of it
        rows = rows[:size][::-1]
        newest, oldest = position_of(rows[0]), position_of(rows[-1])
        return Page(rows, newer=newest.cursor(), older=oldest.cursor())
    batch = fetch(read_cursor(before) if before else None, True, size + 1)
    rows = batch.rows[:size]
    newer = position_of(rows[0]).cursor() if rows and before else None
    if len(batch.rows) > size:
        return Page(rows, newer, older=position_of(rows[-1]).cursor())
    if batch.stopped_at:
        return Page(rows, newer, batch.stopped_at.cursor(), looked_back_to=batch.stopped_at.at)
    return Page(rows, newer, older=None)


def page(
    rows: QuerySet[Stored], *, at: str, size: int, before: str = "", after: str = ""
) -> Page[Stored]:
    """A page of a query.

    `at` is the field that rows are ordered by, newest first, the primary key deciding ties: an
    index on (-at, -id) makes any page cheap. Raise BadCursor.
    """

    def fetch(position: Position | None, older: bool, limit: int) -> Batch[Stored]:
        return Batch(list(in_order(rows, position, at=at, older=older)[:limit]))

    def position_of(row: Stored) -> Position:
        return Position(getattr(row, at), row.pk)

    return paginate(fetch, position_of, size=size, before=before, after=after)


KEYS_AT_ONCE = 20_000


def keys(rows: QuerySet[Stored], *, at: str) -> array[int]:
    """The primary keys of all rows, newest first, 8 bytes for each of them.

    In batches, each a query of its own. A cursor of the database would do it in one, and would be
    lost behind a pooler that gives each transaction another connection (docs/postgresql.md).
    """
    found = array("q")
    position: Position | None = None
    while True:
        ordered = in_order(rows, position, at=at, older=True)
        batch = list(ordered.values_list(at, "pk")[:KEYS_AT_ONCE])
        found.extend(pk for _, pk in batch)
        if len(batch) < KEYS_AT_ONCE:
            return found
        position = Position(*batch[-1])


def in_order(
    rows: QuerySet[Stored], position: Position | None, *, at: str, older: bool
) -> QuerySet[Stored]:
    """Those before a position, newest first; or, if not `older`, those after it, oldest first."""
    rows = rows.order_by(f"-{at}", "-pk") if older else rows.order_by(at, "pk")
    if position is None:
        return rows
    sign = "lt" if older else "gt"
    # The second condition is implied by the first; databases need it to use the index.
    return rows.filter(
        Q(**{f"{at}__{sign}": position.at}) | Q(**{at: position.at, f"pk__{sign}": position.pk}),
        **{f"{at}__{sign}e": position.at},
    )


def read_cursor(cursor: str) -> Position:
    """Raise BadCursor."""
    number, _, pk = cursor.partition("-")
    if not (number.isascii() and number.isdigit() and pk.isascii() and pk.isdigit()):
        raise BadCursor(cursor)
    if len(number) > 17 or len(pk) > 18:  # beyond the year 5000, beyond a bigint
        raise BadCursor(cursor)
    return Position(from_microseconds(int(number)), int(pk))


# Moments as whole microseconds: exact in every database, and short in an address.


def microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def from_microseconds(number: int) -> datetime:
    return _EPOCH + number * _MICROSECOND
