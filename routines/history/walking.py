"""Finding the newest runs that several conditions hold for, at a bounded cost.

No index serves every pair of filters, and a database that looks for one by itself may read the
whole table. So a walk goes along one index, that of the condition that fewest runs hold for, in
the order of time; checks the others on the way; and stops after so many runs, to be gone on with
by the next request. The choice comes of a look at each index: how many (up to a limit), and from
when to when.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.sql.datastructures import BaseTable

from routines.keyset import Found, Place, beyond
from routines.models import Run
from routines.values.periods import Span

# A condition that so few runs hold for is walked to its end.
FEW = 2_000
# Runs that one walk passes at the most: by what the index says of them, or each read as a whole.
MOST_BY_INDEX, MOST_READ = 20_000, 2_500
MOST_BRANCHES = 60


@dataclass(frozen=True)
class Axis:
    """One condition: the union of branches, each of which one index has in the order of time.

    `columns`: what it looks at. `covers`: which columns its index holds (models/run.py), so that
    conditions on these are checked without reading the run. `has_index`: False if no index could
    lead a walk.
    """

    branches: tuple[Q, ...]
    columns: frozenset[str]
    covers: frozenset[str] = frozenset()
    has_index: bool = True

    @property
    def condition(self) -> Q:
        return reduce(or_, self.branches) if self.branches else Q(pk__in=[])

    @property
    def can_lead(self) -> bool:
        return self.has_index and 0 < len(self.branches) <= MOST_BRANCHES


FACTS = frozenset({"routine_id", "person_id", "state", "reason", "outcome"})
EVERYTHING = Axis((Q(),), columns=frozenset(), covers=FACTS)


@dataclass(frozen=True)
class _Look:
    axis: Axis
    count: int  # up to FEW + 1
    reach: timedelta  # from the first to the last one counted
    newest: datetime | None
    oldest: datetime | None


def walk(
    axes: Sequence[Axis],
    span: Span,
    *,
    place: Place | None = None,
    older: bool = True,
    limit: int,
) -> Found[Place]:
    """The first `limit` runs that all of `axes` hold for, of the span, beyond a place."""
    if any(not axis.branches for axis in axes):
        return Found([])
    rows = beyond(within(Run.objects.all(), span), place, at="created_at", older=older)
    leading = [axis for axis in axes if axis.can_lead]
    if len(axes) == 0:
        return _along(EVERYTHING, [], rows, older=older, limit=limit)
    if len(axes) == 1 and leading:
        return _along(leading[0], [], rows, older=older, limit=limit)
    looks = _look([*leading, EVERYTHING], rows, older=older)
    if any(look.count == 0 for look in looks):
        return Found([])
    leader, ends = _choose(looks, axes)
    # Beyond these no run can hold all conditions, however far the leader itself goes.
    newest = min(look.newest for look in looks if look.newest)
    oldest = max(look.oldest for look in looks if look.oldest)
    rows = rows.filter(created_at__lte=newest, created_at__gte=oldest)
    rest = [axis for axis in axes if axis is not leader]
    return _along(leader, rest, rows, older=older, limit=limit, ends=ends)


def _choose(looks: Sequence[_Look], axes: Sequence[Axis]) -> tuple[Axis, bool]:
    """The axis to walk along, and whether the walk comes to its end.

    If all are long, the one that takes a walk furthest in time: seldom runs, checked cheaply.
    """
    shortest = min(looks, key=lambda look: look.count)
    if shortest.count <= FEW:
        return shortest.axis, True

    def gets_how_far(look: _Look) -> timedelta:
        return look.reach * _most(look.axis, [axis for axis in axes if axis is not look.axis])

    return max(looks, key=gets_how_far).axis, False


def _most(leader: Axis, rest: Sequence[Axis]) -> int:
    needed = {column for axis in rest for column in axis.columns}
    return MOST_BY_INDEX if needed <= leader.covers else MOST_READ


def within(rows: QuerySet[Run], span: Span) -> QuerySet[Run]:
    if span.start:
        rows = rows.filter(created_at__gte=span.start)
    if span.end:
        rows = rows.filter(created_at__lt=span.end)
    return rows


def _along(
    leader: Axis,
    rest: Sequence[Axis],
    rows: QuerySet[Run],
    *,
    older: bool,
    limit: int,
    ends: bool = False,
) -> Found[Place]:
    """`ends`: it is known that the leader is short enough to be walked to its end."""
    order = ("-created_at", "-pk") if older else ("created_at", "pk")
    needed = {column for axis in rest for column in axis.columns}
    most = max(_most(leader, rest), FEW) if ends else _most(leader, rest)
    if not rest:
        most = limit
    passed = _ordered(leader, rows, order, ["created_at", "id", *sorted(needed)], limit=most)
    if not rest:
        return Found([Place(row["created_at"], row["id"]) for row in passed])
    checked = _from_query(passed)
    for axis in rest:
        checked = checked.filter(axis.condition)
    found = [Place(*row) for row in checked.values_list("created_at", "pk")[:limit]]
    found.sort(reverse=older)
    if len(found) < limit and not ends:
        for row in passed[most - 1 : most]:
            return Found(found, stopped_at=Place(row["created_at"], row["id"]))
    return Found(found)


def _ordered(
    axis: Axis, rows: QuerySet[Run], order: tuple[str, ...], columns: list[str], *, limit: int
) -> QuerySet[Run, dict[str, Any]]:
    """The first `limit` of each branch along its index, merged, of which the first `limit`."""
    branches = [rows.filter(branch).values(*columns) for branch in axis.branches]
    if len(branches) > 1 and connection.features.supports_slicing_ordering_in_compound:
        # PostgreSQL sorts the whole of an unordered branch; SQLite merges them as they are.
        branches = [branch.order_by(*order)[:limit] for branch in branches]
    first, *others = branches
    merged = first.union(*others, all=True) if others else first
    ordered: QuerySet[Run, dict[str, Any]] = merged.order_by(*order)[:limit]
    return ordered


class _QueryAsTable(BaseTable):
    """Rows of a query in place of a table: they come in its order, and only as they are asked for.

    Both databases pass no condition down into a query with a limit, so the limit bounds the walk.
    """

    def __init__(self, rows: QuerySet[Run, Any]) -> None:
        super().__init__(Run._meta.db_table, None)
        self._rows = rows

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        sql, params = self._rows.query.get_compiler(connection=connection).as_sql()
        return f"({sql}) {compiler.quote_name_unless_alias(self.table_name)}", params


def _from_query(rows: QuerySet[Run, Any]) -> QuerySet[Run]:
    runs = Run.objects.order_by()
    alias = runs.query.get_initial_alias()
    runs.query.alias_map[alias] = _QueryAsTable(rows)
    return runs


def _look(axes: Sequence[Axis], rows: QuerySet[Run], *, older: bool) -> list[_Look]:
    """One query for all: how many runs, up to a limit, and from when to when."""
    parts: list[str] = []
    params: list[Any] = []

    def add(what: str, part: QuerySet[Run, Any]) -> None:
        sql, of_part = part.query.get_compiler(connection=connection).as_sql()
        parts.append(f"(SELECT {what} FROM ({sql}) AS part) AS part_{len(parts)}")  # noqa: S608
        params.extend(of_part)

    for axis in axes:
        columns = ["created_at", "id"]
        onwards, back = ("-created_at", "-pk"), ("created_at", "pk")
        if not older:
            onwards, back = back, onwards
        counted = _ordered(axis, rows, onwards, columns, limit=FEW + 1)
        add("count(*), max(created_at), min(created_at)", counted)
        last = _ordered(axis, rows, back, columns, limit=1)
        add("min(created_at)" if older else "max(created_at)", last)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {', '.join(parts)}", params)  # noqa: S608
        values = cursor.fetchone()
    looks = []
    for number, axis in enumerate(axes):
        count, *moments = values[4 * number : 4 * number + 4]
        highest, lowest, edge = map(_read, moments)
        reach = highest - lowest if highest and lowest else timedelta(0)
        newest, oldest = (highest, edge) if older else (edge, lowest)
        looks.append(_Look(axis, count, reach, newest, oldest))
    return looks


def _read(moment: datetime | str | None) -> datetime | None:
    """SQLite hands out text where Django does not know that it is a moment."""
    if moment is None or isinstance(moment, datetime):
        return moment
    return datetime.fromisoformat(f"{moment}+00:00")
