"""Browsing runs: pages of those that a filter asks for and a person may see.

However many runs there are, a page looks at a bounded number of them. A filter of one condition
is an index in the order of the page, or an index of words. Of several conditions, one leads: that
whose next runs reach furthest back in time, which is that of the fewest runs. Its runs are looked
up along its index, and checked for all the others; first some hundreds, then some thousands. Where
that does not fill a page, the page says how far back it has looked, and its link goes on from
there. (docs/decisions/0005-history-pages-in-bounded-windows.md)
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db.models import Q
from django.db.models.functions import Left
from django.utils import timezone

from routines import keyset
from routines.history.candidates import EVERY_RUN, Candidates, Window
from routines.history.run_filter import Predicate, RunFilter
from routines.history.search import Words
from routines.keyset import Batch, Position
from routines.models import Person, Routine, Run
from routines.models.api_key import caller_name
from routines.models.people import shown_name
from routines.runs import overdue
from routines.values import session_links
from routines.values.reasons import State

PAGE_SIZE = 50
MOST_NEW = 100  # "more than" so many new runs is all that anybody needs to know
LINE = 300  # characters of the text: enough for its first line

# So many runs of the leading condition are looked at for each that the page has room for, at first,
# and then once more.
_FIRST_LOOK, _SECOND_LOOK = 10, 50
# A condition of more alternatives does not lead: each is looked along.
_MOST_ALTERNATIVES = 60


class Line(NamedTuple):
    """A run, as far as a list shows it."""

    pk: int
    created_at: datetime
    state: str
    reason: str
    is_trial: bool
    session_id: str
    session_url: str
    outcome: str
    outcome_link: str
    routine: str
    username: str | None
    first_name: str | None
    last_name: str | None
    api_key: str | None
    beginning: str  # the first LINE characters of its text

    @property
    def caller(self) -> str:
        """As Run.caller."""
        names = (self.username or "", self.first_name or "", self.last_name or "")
        return caller_name(shown_name(*names), self.api_key or "")

    @property
    def is_sending(self) -> bool:
        return self.state == State.SENDING

    @property
    def session_link(self) -> str:
        """As Run.session_link."""
        return session_links.link(self.session_url)


# In the order of Line, but for its last.
_OF_A_LINE = (
    *("pk", "created_at", "state", "reason", "is_trial", "session_id", "session_url"),
    *("outcome", "outcome_link", "routine__name"),
    *("person__username", "person__first_name", "person__last_name", "api_key__name"),
)


def page(
    person: Person,
    run_filter: RunFilter | None = None,
    *,
    before: str = "",
    after: str = "",
    size: int = PAGE_SIZE,
) -> keyset.Page[Line]:
    """The runs that `person` may see: the newest, or those before or after a cursor.

    Raise keyset.BadCursor.
    """
    overdue.settle()
    looking = _Looking(person, run_filter or RunFilter())
    found = keyset.paginate(
        looking.fetch, lambda position: position, size=size, before=before, after=after
    )
    return keyset.Page(_rows(person, found.rows), found.newer, found.older, found.looked_back_to)


def top(shown: keyset.Page[Line]) -> str:
    """The cursor after which runs are new to somebody who sees this first page."""
    if shown.rows:
        return Position(shown.rows[0].created_at, shown.rows[0].pk).cursor()
    return Position(timezone.now(), 0).cursor()


def new_since(person: Person, run_filter: RunFilter, cursor: str) -> int:
    """How many runs are new, counted up to MOST_NEW + 1. Raise keyset.BadCursor."""
    position = keyset.read_cursor(cursor)
    return len(_Looking(person, run_filter).fetch(position, False, MOST_NEW + 1).rows)


def _rows(person: Person, positions: Sequence[Position]) -> list[Line]:
    """What a list shows of them. Values: models of three tables took half as long again."""
    visible = Run.objects.visible_to(person).filter(pk__in=[position.pk for position in positions])
    rows = visible.order_by().values_list(*_OF_A_LINE, Left("text", LINE))
    lines = {line.pk: line for line in map(Line._make, rows)}
    return [lines[position.pk] for position in positions if position.pk in lines]


class _Looking:
    """For the runs of one filter that one person may see."""

    def __init__(self, person: Person, run_filter: RunFilter) -> None:
        self._visible = Run.objects.visible_to(person)
        self._filter = run_filter
        self._words = run_filter.words
        self._predicates = [*_visibility(person), *run_filter.predicates()]

    def fetch(self, position: Position | None, older: bool, limit: int) -> Batch[Position]:
        """The next runs from a position on, at most `limit`."""
        window = Window(self._filter.span, position, older)
        if self._filter.reference:
            named = window.of(self._filter.apply(self._visible))
            return Batch([Position(*row) for row in named.values_list("created_at", "pk")[:limit]])
        if not all(predicate.alternatives for predicate in self._predicates):
            return Batch([])  # of a tag that no routine has, for example
        if self._words is None and len(self._predicates) < 2:
            [alone] = self._predicates or [EVERY_RUN]
            if _can_lead(alone):
                return Batch(window.next(alone, limit).positions)
        return self._looked_up(window, limit)

    def _looked_up(self, window: Window, limit: int) -> Batch[Position]:
        leading, candidates = self._leading(window, limit * _FIRST_LOOK)
        found = self._checked(leading, candidates, window)
        if len(found) < limit and candidates.reached:
            rest = Window(window.span, candidates.reached, window.older)
            candidates = rest.next(leading, limit * _SECOND_LOOK)
            found += self._checked(leading, candidates, rest)
        return Batch(found[:limit], stopped_at=candidates.reached)

    def _leading(self, window: Window, number: int) -> tuple[Predicate | Words, Candidates]:
        """The condition whose next so many runs reach furthest, and these."""
        conditions: list[Predicate | Words] = [it for it in self._predicates if _can_lead(it)]
        if self._words:
            conditions.append(self._words)
        looks = [(it, window.next(it, number)) for it in conditions or [EVERY_RUN]]

        def still_to_come(look: tuple[Predicate | Words, Candidates]) -> tuple[float, int]:
            _, found = look
            if found.reached is None:
                return float("-inf"), len(found.positions)
            return found.reached.at.timestamp() * (1 if window.older else -1), 0

        return min(looks, key=still_to_come)

    def _checked(
        self, leading: Predicate | Words, candidates: Candidates, window: Window
    ) -> list[Position]:
        """Those of the candidates that all conditions hold for."""
        # Sorted here, and within their time: no database is led to walk along another index.
        runs = window.up_to(candidates.reached).of(self._visible).order_by()
        runs = runs.filter(pk__in=[position.pk for position in candidates.positions])
        for predicate in self._predicates:
            runs = runs.filter(predicate.condition)
        if self._words and leading is not self._words:
            runs = runs.filter(self._words.by_run())
        found = [Position(*row) for row in runs.values_list("created_at", "pk")]
        return sorted(found, reverse=window.older)


def _can_lead(predicate: Predicate) -> bool:
    return predicate.has_index and len(predicate.alternatives) <= _MOST_ALTERNATIVES


def _visibility(person: Person) -> list[Predicate]:
    """What Run.objects.visible_to says, as alternatives that have an index each."""
    if person.has_perm("routines.view_all_runs"):
        return []
    shared = Routine.objects.with_runs_open_to(person).values_list("pk", flat=True)
    return [Predicate((Q(person=person), *(Q(routine=pk) for pk in shared)))]
