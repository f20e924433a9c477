"""Browsing runs: pages of those that a filter asks for and a person may see.

However many runs there are, a page looks at a bounded number of them: walking.py along the
indexes of the filters, search/ in the index of words. Where that does not fill a page, the page
says how far back it has looked, and its link goes on from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q
from django.db.models.functions import Left
from django.utils import timezone

from routines import keyset
from routines.history import search, walking
from routines.history.run_filter import RunFilter
from routines.history.walking import FACTS, Axis
from routines.keyset import Found, Place
from routines.models import Account, Person, Routine, Run
from routines.runs import firing
from routines.values.periods import Span

PAGE_SIZE = 50
MOST_NEW = 100  # "more than" so many new runs is all that anybody needs to know
LINE = 300  # characters of the text: enough for its first line
EVERYTHING = RunFilter()

# Of a search: so many matches beyond those of a page, since those of the last second fall away.
_SPARE = 10
# Of a search with other filters: matches that are looked at, and how often, then the same the
# other way round: runs that the filters find, each asked for the words.
_CANDIDATES, _ROUNDS = 900, 2
_ASKED, _ASKED_ROUNDS = 250, 3


def page(
    person: Person,
    run_filter: RunFilter = EVERYTHING,
    *,
    before: str = "",
    after: str = "",
    size: int = PAGE_SIZE,
) -> keyset.Page[Run]:
    """The runs that `person` may see: the newest, or those before or after a cursor.

    Each has `beginning`, the first LINE characters of its text, and not the text.
    Raise keyset.BadCursor.
    """
    firing.settle_overdue_runs()
    places = keyset.turn(
        _Finder(person, run_filter).find,
        lambda place: place,
        size=size,
        before=before,
        after=after,
    )
    rows = _rows(person, places.rows)
    return keyset.Page(rows, places.newer, places.older, places.looked_back_to)


def top(shown: keyset.Page[Run]) -> str:
    """The cursor after which runs are new to somebody who sees this first page."""
    if shown.rows:
        return Place(shown.rows[0].created_at, shown.rows[0].pk).cursor()
    return Place(timezone.now(), 0).cursor()


def new_since(person: Person, run_filter: RunFilter, cursor: str) -> int:
    """How many runs are new, counted up to MOST_NEW + 1. Raise keyset.BadCursor."""
    place = keyset.read_cursor(cursor)
    return len(_Finder(person, run_filter).find(place, False, MOST_NEW + 1).rows)


def _rows(person: Person, places: Sequence[Place]) -> list[Run]:
    """What a list shows of them, and no more: texts are long."""
    rows = (
        Run.objects.visible_to(person)
        .select_related("routine", "person")
        .only(
            *("created_at", "state", "reason", "is_trial", "session_id", "session_url"),
            *("outcome", "outcome_link", "routine__name", "routine__slug"),
            *("person__username", "person__first_name", "person__last_name"),
        )
        .annotate(beginning=Left("text", LINE))
        .in_bulk([place.pk for place in places])
    )
    return [rows[place.pk] for place in places if place.pk in rows]


class _Finder:
    """Finds places of one filter, as one person may see them, beyond any place."""

    def __init__(self, person: Person, run_filter: RunFilter) -> None:
        self._filter, self._span = run_filter, run_filter.span
        self._person = person
        self._facets: list[list[tuple[str, int]]] = []
        self._axes = [*self._visibility(), *self._owners()]
        self._rest = list(_of_runs_themselves(run_filter))

    def find(self, place: Place | None, older: bool, limit: int) -> Found[Place]:
        if self._filter.reference:
            return Found(self._named(place, older=older)[:limit])
        if self._filter.q:
            return self._search(place, older=older, limit=limit)
        axes = [*self._axes, *self._rest]
        return walking.walk(axes, self._span, place=place, older=older, limit=limit)

    def _visibility(self) -> list[Axis]:
        """What Run.objects.visible_to says, as branches that an index has each."""
        person = self._person
        if person.has_perm("routines.view_all_runs"):
            return []
        shared = list(Routine.objects.with_runs_open_to(person).values_list("pk", flat=True))
        self._facets.append([("p", person.pk), *(("r", pk) for pk in shared)])
        branches = [Q(person=person), *(Q(routine=pk) & ~Q(person=person) for pk in shared)]
        return [Axis(tuple(branches), frozenset({"person_id", "routine_id"}), FACTS)]

    def _owners(self) -> list[Axis]:
        """Of which person, routines, account: the index of words knows them, too."""
        asked = self._filter
        axes = []

        def add(kind: str, name: str, pks: list[int], covers: frozenset[str]) -> None:
            self._facets.append([(kind, pk) for pk in pks] or [(kind, 0)])
            branches = tuple(Q(**{name: pk}) for pk in pks)
            axes.append(Axis(branches, frozenset({f"{name}_id"}), covers))

        if asked.person:
            people = Person.objects.filter(username=asked.person)
            add("p", "person", list(people.values_list("pk", flat=True)), FACTS)
        if asked.routine:
            routines = Routine.objects.filter(slug=asked.routine)
            add("r", "routine", list(routines.values_list("pk", flat=True)), FACTS)
        if asked.tag:
            tagged = Routine.objects.filter(tags__name=asked.tag)
            add("r", "routine", list(tagged.values_list("pk", flat=True)), FACTS)
        if asked.account:
            accounts = Account.objects.filter(label=asked.account)
            covers = (FACTS - {"routine_id"}) | {"account_id"}
            add("a", "account", list(accounts.values_list("pk", flat=True)), covers)
        return axes

    def _named(self, place: Place | None, *, older: bool) -> list[Place]:
        """The run that the search names, if the other filters let it through."""
        visible = Run.objects.visible_to(self._person)
        found = self._filter.apply(visible).order_by("-created_at", "-pk")
        ordered = keyset.beyond(
            found if older else found.reverse(), place, at="created_at", older=older
        )
        return [Place(*row) for row in ordered.values_list("created_at", "pk")]

    def _search(self, place: Place | None, *, older: bool, limit: int) -> Found[Place]:
        """First the matches, each checked for the other filters: all there are of a seldom word.

        Then, for a frequent word, what the other filters find, each asked for the words.
        """
        sought = search.expression(self._filter.q, self._facets)
        matching = self._matching_and_checked(sought, place, older=older, limit=limit)
        found, place = list(matching.rows), matching.stopped_at
        if place is None or not self._rest or len(found) >= limit:
            return matching
        for _ in range(_ASKED_ROUNDS):
            axes = [*self._axes, *self._rest]
            filtered = walking.walk(axes, self._span, place=place, older=older, limit=_ASKED)
            runs = [(one.pk, one.at) for one in filtered.rows]
            have_words = search.among(sought, runs)
            found += [one for one in filtered.rows if one.pk in have_words]
            is_last = len(runs) < _ASKED
            place = filtered.stopped_at if is_last else filtered.rows[-1]
            if is_last or len(found) >= limit:
                break
        return Found(found[:limit], stopped_at=place)

    def _matching_and_checked(
        self, sought: search.Expression, place: Place | None, *, older: bool, limit: int
    ) -> Found[Place]:
        found: list[Place] = []
        at_once = _CANDIDATES if self._rest else limit + _SPARE
        for _ in range(_ROUNDS):
            span = _beyond(self._span, place, older)
            matches = search.candidates(sought, span, newest_first=older, limit=at_once)
            is_last = len(matches) < at_once
            whole = matches if is_last else _whole_seconds(matches)
            if not whole:  # so many runs within one second
                at_once *= 20
                continue
            found += self._check([pk for pk, _ in whole], place, older=older)
            if is_last:
                return Found(found[:limit])
            place = self._edge(whole[-1], older)
            if len(found) >= limit:
                break
        return Found(found[:limit], stopped_at=place)

    def _check(self, pks: list[int], place: Place | None, *, older: bool) -> list[Place]:
        runs = walking.within(Run.objects.filter(pk__in=pks), self._span)
        for axis in self._rest:
            runs = runs.filter(axis.condition)
        runs = keyset.beyond(runs, place, at="created_at", older=older)
        return sorted((Place(*row) for row in runs.values_list("created_at", "pk")), reverse=older)

    @staticmethod
    def _edge(match: tuple[int, datetime], older: bool) -> Place:
        """Where to go on: at the end of this match's second, whose matches have all been seen."""
        second = match[1].replace(microsecond=0)
        return Place(second, 0) if older else Place(second.replace(microsecond=999_999), 2**62)


def _whole_seconds(matches: list[tuple[int, datetime]]) -> list[tuple[int, datetime]]:
    """Without those of the last second: they may not be all there are, nor in their order."""

    def second(match: tuple[int, datetime]) -> datetime:
        return match[1].replace(microsecond=0)

    return [match for match in matches if second(match) != second(matches[-1])]


def _beyond(span: Span, place: Place | None, older: bool) -> Span:
    """Both ends included, which is more than is asked for, never less."""
    if place is None:
        return span
    if older:
        return Span(span.start, min(place.at, span.end) if span.end else place.at)
    return Span(max(place.at, span.start) if span.start else place.at, span.end)


def _of_runs_themselves(asked: RunFilter) -> list[Axis]:
    conditions = asked.conditions()
    axes = []

    def add(name: str, column: str, branches: tuple[Q, ...] = (), has_index: bool = True) -> None:
        if name in conditions:
            columns = frozenset({column})
            branches = branches or (conditions[name],)
            axes.append(Axis(branches, columns, covers=columns, has_index=has_index))

    add("reason", "reason")
    add("state", "state", tuple(Q(state=state) for state in asked.states))
    add("outcome", "outcome")
    add("beta", "beta_version")
    add("api", "api_version")
    # Their indexes hold those with a link, and trials, alone.
    add("link", "outcome_link", has_index=bool(asked.has_link))
    add("trial", "is_trial", has_index=bool(asked.trial))
    return axes
