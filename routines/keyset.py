"""Pages by key: newest first, without counting or skipping rows, stable while new rows arrive."""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from django.db.models import Model, Q, QuerySet

from routines.moments import from_microseconds, microseconds

Row = TypeVar("Row", bound=Model)


class BadCursor(ValueError):
    """The cursor was not made by this module."""


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Rows, newest first, with the cursors of the neighbouring pages (None: there is none)."""

    rows: list[Row]
    newer: str | None
    older: str | None


def page(
    rows: QuerySet[Row], *, at: str, size: int, before: str = "", after: str = ""
) -> Page[Row]:
    """The newest `size` rows, or those before or after a cursor.

    `at` is the field that they are ordered by, newest first, the primary key deciding ties: an
    index on (-at, -id) makes any page cheap. Raise BadCursor.
    """
    newest_first = rows.order_by(f"-{at}", "-pk")
    if after:
        moment, pk = _read_cursor(after)
        newer_rows = rows.filter(
            Q(**{f"{at}__gt": moment}) | Q(**{at: moment, "pk__gt": pk}), **{f"{at}__gte": moment}
        ).order_by(at, "pk")
        found = list(newer_rows[: size + 1])
        if len(found) <= size:
            return page(rows, at=at, size=size)  # the first page, whole, not a stub of it
        found, more_newer, more_older = found[:size][::-1], True, True
    elif before:
        moment, pk = _read_cursor(before)
        # The second condition is implied by the first; databases need it to use the index.
        older_rows = newest_first.filter(
            Q(**{f"{at}__lt": moment}) | Q(**{at: moment, "pk__lt": pk}), **{f"{at}__lte": moment}
        )
        found = list(older_rows[: size + 1])
        more_newer, more_older = True, len(found) > size
    else:
        found = list(newest_first[: size + 1])
        more_newer, more_older = False, len(found) > size
    found = found[:size]
    return Page(
        rows=found,
        newer=_cursor(found[0], at) if found and more_newer else None,
        older=_cursor(found[-1], at) if found and more_older else None,
    )


def _cursor(row: Model, at: str) -> str:
    return f"{microseconds(getattr(row, at))}-{row.pk}"


def _read_cursor(cursor: str) -> tuple[datetime, int]:
    at, _, pk = cursor.partition("-")
    if not (at.isascii() and at.isdigit() and pk.isascii() and pk.isdigit()):
        raise BadCursor(cursor)
    if len(at) > 17 or len(pk) > 18:  # beyond the year 5000, beyond a bigint
        raise BadCursor(cursor)
    return from_microseconds(int(at)), int(pk)
