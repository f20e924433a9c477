"""Where a page looks for runs: the next ones that one condition holds for, along its index."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from django.db import connection
from django.db.models import Q, QuerySet

from routines.history.run_filter import Predicate, within
from routines.history.search import Words
from routines.keyset import Position, in_order
from routines.models import Run
from routines.values.periods import Span

EVERY_RUN = Predicate((Q(),))


@dataclass(frozen=True)
class Candidates:
    """All runs of a window that a condition holds for, up to the position `reached`.

    None: to the end of the window. Those of a search may include some from outside of it.
    """

    positions: list[Position]
    reached: Position | None


@dataclass(frozen=True)
class Window:
    """Where to look: in a span of time, before a position (None: from the edge) or after it."""

    span: Span
    position: Position | None
    older: bool

    def next(self, condition: Predicate | Words, limit: int) -> Candidates:
        """About `limit` runs that the condition holds for, in their order.

        Of a search their moments may be exact to the second only.
        """
        if isinstance(condition, Words):
            positions, reached = condition.next(
                self.span, self.position, older=self.older, limit=limit
            )
            return Candidates(positions, reached)
        rows = self._along_indexes(condition, limit).values_list("created_at", "pk")
        positions = [Position(*row) for row in rows]
        return Candidates(positions, positions[-1] if len(positions) == limit else None)

    def up_to(self, reached: Position | None) -> Window:
        """As far as candidates have been found; with all runs of that moment."""
        if reached is None:
            return self
        start, end = self.span.start, self.span.end
        if self.older:
            start = max(start, reached.at) if start else reached.at
        else:
            edge = reached.at + timedelta(microseconds=1)
            end = min(end, edge) if end else edge
        return replace(self, span=Span(start, end))

    def of(self, runs: QuerySet[Run]) -> QuerySet[Run]:
        """In the order in which they are looked at."""
        return in_order(within(runs, self.span), self.position, at="created_at", older=self.older)

    def _along_indexes(self, condition: Predicate, limit: int) -> QuerySet[Run]:
        """The first `limit` of each alternative, merged, of which the first `limit`."""
        runs = self.of(Run.objects.only("created_at", "pk"))
        branches = [runs.filter(alternative) for alternative in condition.alternatives]
        if len(branches) == 1:
            return branches[0][:limit]
        if connection.features.supports_slicing_ordering_in_compound:
            branches = [branch[:limit] for branch in branches]
        else:  # SQLite: it merges them as they are, row by row
            branches = [branch.order_by() for branch in branches]
        first, *others = branches
        sign = "-" if self.older else ""
        return first.union(*others).order_by(f"{sign}created_at", f"{sign}pk")[:limit]
