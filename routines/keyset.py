"""Pages by key: newest first, without counting or skipping rows, stable while new rows arrive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar

from django.db.models import Model, Q, QuerySet

from routines.moments import from_microseconds, microseconds

Row = TypeVar("Row")
Stored = TypeVar("Stored", bound=Model)


class BadCursor(ValueError):
    """The cursor was not made by this module."""


class Place(NamedTuple):
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
class Found(Generic[Row]):
    """The next rows beyond a place, and where looking stopped if that was before the end."""

    rows: list[Row]
    stopped_at: Place | None = None


# Given a place (None: the edge), whether to go to older rows, and how many are wanted at most.
Find = Callable[[Place | None, bool, int], Found[Row]]


def turn(
    find: Find[Row], place_of: Callable[[Row], Place], *, size: int, before: str, after: str
) -> Page[Row]:
    """The newest `size` rows, or those before or after a cursor. Raise BadCursor."""
    if after:
        rows = find(read_cursor(after), False, size + 1).rows
        if len(rows) <= size:
            return turn(find, place_of, size=size, before="", after="")  # whole, not a stub of it
        rows = rows[:size][::-1]
        return Page(rows, newer=place_of(rows[0]).cursor(), older=place_of(rows[-1]).cursor())
    found = find(read_cursor(before) if before else None, True, size + 1)
    rows = found.rows[:size]
    newer = place_of(rows[0]).cursor() if rows and before else None
    if len(found.rows) > size:
        return Page(rows, newer, older=place_of(rows[-1]).cursor())
    if found.stopped_at:
        return Page(rows, newer, found.stopped_at.cursor(), looked_back_to=found.stopped_at.at)
    return Page(rows, newer, older=None)


def page(
    rows: QuerySet[Stored], *, at: str, size: int, before: str = "", after: str = ""
) -> Page[Stored]:
    """A page of a query.

    `at` is the field that rows are ordered by, newest first, the primary key deciding ties: an
    index on (-at, -id) makes any page cheap. Raise BadCursor.
    """

    def find(place: Place | None, older: bool, limit: int) -> Found[Stored]:
        ordered = rows.order_by(f"-{at}", "-pk") if older else rows.order_by(at, "pk")
        return Found(list(beyond(ordered, place, at=at, older=older)[:limit]))

    def place_of(row: Stored) -> Place:
        return Place(getattr(row, at), row.pk)

    return turn(find, place_of, size=size, before=before, after=after)


def beyond(
    rows: QuerySet[Stored], place: Place | None, *, at: str, older: bool
) -> QuerySet[Stored]:
    if place is None:
        return rows
    sign = "lt" if older else "gt"
    # The second condition is implied by the first; databases need it to use the index.
    return rows.filter(
        Q(**{f"{at}__{sign}": place.at}) | Q(**{at: place.at, f"pk__{sign}": place.pk}),
        **{f"{at}__{sign}e": place.at},
    )


def read_cursor(cursor: str) -> Place:
    number, _, pk = cursor.partition("-")
    if not (number.isascii() and number.isdigit() and pk.isascii() and pk.isdigit()):
        raise BadCursor(cursor)
    if len(number) > 17 or len(pk) > 18:  # beyond the year 5000, beyond a bigint
        raise BadCursor(cursor)
    return Place(from_microseconds(int(number)), int(pk))
