"""Which runs somebody asks for: typed, immutable, and the same in an address as in a query.

The history, the export, saved views and the insight page's links all speak of runs through
`RunFilter`. Who may see the runs is another question: `Run.objects.visible_to`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import reduce
from operator import or_
from typing import Any, Self, TypeVar
from urllib.parse import parse_qsl, urlencode

from django.db.models import Q, QuerySet

from routines.history import search
from routines.history.search import Words
from routines.models import Account, ApiKey, Outcome, Person, Routine, Run
from routines.models.run import HAS_LINK, HAS_OUTCOME, HAS_UNUSUAL_REASON, IS_UNUSUAL
from routines.values import periods, references
from routines.values.periods import Period, Span
from routines.values.reasons import Reason, State
from routines.values.references import Reference

NOT_SENT = "not-sent"  # in an address: the beta header was not sent
NO_OUTCOME = "none"
YES, NO = "yes", "no"
LONGEST_NAME = 200
_NUMBER = re.compile("[1-9][0-9]{0,17}", re.ASCII)  # a primary key

Choice = TypeVar("Choice")


@dataclass(frozen=True)
class Predicate:
    """One condition on runs: that any of its alternatives holds.

    `has_index`: each alternative has an index in the order of the history (models/run.py), so that
    the newest runs that it holds for are found without passing others.
    """

    alternatives: tuple[Q, ...]
    has_index: bool = True

    @property
    def condition(self) -> Q:
        return reduce(or_, self.alternatives) if self.alternatives else Q(pk__in=[])


class BadFilter(ValueError):
    """The address asks for what cannot be: `sentences` maps its parameters to what is wrong."""

    def __init__(self, sentences: dict[str, str]) -> None:
        super().__init__(" ".join(sentences.values()))
        self.sentences = sentences


@dataclass(frozen=True)
class RunFilter:
    """Everything empty: all runs. What is given must all hold; of several states, one."""

    q: str = ""
    period: Period | None = None
    since: date | None = None  # a datetime names a moment (naive: of the reader's zone)
    until: date | None = None  # the whole day, but up to a moment if it is one
    routine: str = ""  # its slug
    account: str = ""  # its label
    person: str = ""  # their username
    api_key: int | None = None  # its primary key: names are used anew
    states: tuple[State, ...] = ()
    reason: Reason | None = None
    outcome: str | None = None  # one of Outcome; empty: none was marked
    has_link: bool | None = None  # to what came of it
    beta_version: str | None = None  # empty: the header was not sent
    api_version: str = ""
    tag: str = ""
    trial: bool | None = None

    @classmethod
    def from_query(cls, query: str) -> Self:
        """Read the query string of an address; parameters of other makes are left alone.

        Raise BadFilter.
        """
        reader = _Reader(query)
        found = cls(
            q=reader.text("q", longest=search.LONGEST),
            period=reader.one_of("period", Period, "This span of time is not known here."),
            since=reader.day("from"),
            until=reader.day("to"),
            routine=reader.text("routine"),
            account=reader.text("account"),
            person=reader.text("person"),
            api_key=reader.number("api_key", "There is no such API key. Choose one of the list."),
            states=reader.states("state"),
            reason=reader.one_of("reason", Reason, "This reason is not known here."),
            outcome=reader.outcome("outcome"),
            has_link=reader.yes_or_no("link"),
            beta_version=reader.version("beta"),
            api_version=reader.text("api"),
            tag=reader.text("tag"),
            trial=reader.yes_or_no("trial"),
        )
        if found.period and (found.since or found.until):
            found = replace(found, period=None)  # dates are the closer answer
        span = periods.of_days(found.since, found.until)
        if span.start and span.end and span.start >= span.end:
            reader.problems.setdefault("to", "The last day lies before the first. Swap them.")
        if found.q and not found.reference:
            try:
                Words.read(found.q)
            except search.NothingToSearch as nothing:
                reader.problems.setdefault("q", str(nothing))
        if reader.problems:
            raise BadFilter(reader.problems)
        return found

    def pairs(self) -> list[tuple[str, str]]:
        """The parameters of the address, each with its value, in a fixed order."""
        plain = {
            "q": self.q,
            "period": self.period,
            "from": self.since and _written(self.since),
            "to": self.until and _written(self.until),
            "routine": self.routine,
            "account": self.account,
            "person": self.person,
            "api_key": self.api_key,
        }
        pairs = [(name, str(value)) for name, value in plain.items() if value]
        pairs += [("state", state.value) for state in self.states]
        later = {
            "reason": self.reason,
            "outcome": NO_OUTCOME if self.outcome == "" else self.outcome,
            "link": _yes_or_no(self.has_link),
            "beta": NOT_SENT if self.beta_version == "" else self.beta_version,
            "api": self.api_version,
            "tag": self.tag,
            "trial": _yes_or_no(self.trial),
        }
        return pairs + [(name, str(value)) for name, value in later.items() if value]

    def query_string(self) -> str:
        return urlencode(self.pairs())

    def __bool__(self) -> bool:
        return bool(self.pairs())

    @property
    def is_search_alone(self) -> bool:
        return self.q != "" and [name for name, _ in self.pairs()] == ["q"]

    @property
    def reference(self) -> Reference | None:
        """The one run that `q` names, if it is no search."""
        return references.read(self.q)

    @property
    def span(self) -> Span:
        """In the zone that is active."""
        if self.period:
            return periods.of_period(self.period)
        return periods.of_days(self.since, self.until)

    def predicates(self) -> list[Predicate]:
        """What must hold for a run, but for its words and the span of time.

        Looks up what is named. The one place in which a filter becomes SQL.
        """
        found: list[Predicate] = []

        def add(*alternatives: Q, has_index: bool = True) -> None:
            found.append(Predicate(alternatives, has_index=has_index))

        def add_named(field: str, named: QuerySet[Any]) -> None:
            # By key: of a value that it sees, a database knows how many runs have it.
            add(*(Q(**{field: pk}) for pk in named.values_list("pk", flat=True)))

        if self.routine:
            add_named("routine", Routine.objects.filter(slug=self.routine))
        if self.account:
            add_named("account", Account.objects.filter(label=self.account))
        if self.person:
            add_named("person", Person.objects.filter(username=self.person))
        if self.api_key is not None:
            add_named("api_key", ApiKey.objects.filter(pk=self.api_key))
        if self.tag:
            add_named("routine", Routine.objects.filter(tags__name=self.tag))
        if self.states:
            add(*map(_of_state, self.states), has_index=State.STARTED not in self.states)
        if self.reason in (Reason.SENDING, Reason.SESSION_CREATED):
            add(Q(reason=self.reason), has_index=False)
        elif self.reason:
            add(Q(reason=self.reason) & HAS_UNUSUAL_REASON)
        if self.outcome:
            add(Q(outcome=self.outcome) & HAS_OUTCOME)
        elif self.outcome is not None:
            add(Q(outcome=""), has_index=False)
        if self.has_link is not None:
            add(HAS_LINK if self.has_link else ~HAS_LINK, has_index=self.has_link)
        if self.beta_version is not None:
            add(Q(beta_version=self.beta_version))
        if self.api_version:
            add(Q(api_version=self.api_version), has_index=False)
        if self.trial is not None:
            add(Q(is_trial=self.trial), has_index=self.trial)
        return found

    @property
    def words(self) -> Words | None:
        """What `q` searches for, if it names no run. Raise search.NothingToSearch."""
        return Words.read(self.q) if self.q and not self.reference else None

    def apply(self, runs: QuerySet[Run]) -> QuerySet[Run]:
        """Those of `runs` that it asks for, in their order: all of them, however many."""
        for predicate in self.predicates():
            runs = runs.filter(predicate.condition)
        if self.reference:
            runs = runs.filter(self.reference.of_run)
        elif self.words:
            runs = runs.filter(self.words.by_index())
        return within(runs, self.span)

    def without(self, name: str, value: str) -> Self:
        """One parameter fewer."""
        rest = [pair for pair in self.pairs() if pair != (name, value)]
        return type(self).from_query(urlencode(rest))


def within(runs: QuerySet[Run], span: Span) -> QuerySet[Run]:
    """Those of the span of time."""
    if span.start:
        runs = runs.filter(created_at__gte=span.start)
    if span.end:
        runs = runs.filter(created_at__lt=span.end)
    return runs


def _of_state(state: State) -> Q:
    # Indexes of some runs alone are used if the query says of which.
    usual = state in (State.SENDING, State.STARTED)
    return Q(state=state) if usual else Q(state=state) & IS_UNUSUAL


class _Reader:
    def __init__(self, query: str) -> None:
        self.problems: dict[str, str] = {}
        self._values: dict[str, list[str]] = {}
        for name, value in parse_qsl(query, errors="replace", max_num_fields=None):
            self._values.setdefault(name, []).append(value.replace("\x00", " ").strip())

    def text(self, name: str, *, longest: int = LONGEST_NAME) -> str:
        # Of a parameter that stands twice the last counts, as in Django's own QueryDict.
        value = self._values.get(name, [""])[-1]
        if len(value) <= longest:
            return value
        self.problems[name] = f"This is too long: shorten it to {longest} characters."
        return ""

    def one_of(self, name: str, choices: Callable[[str], Choice], sentence: str) -> Choice | None:
        value = self.text(name)
        if not value:
            return None
        try:
            return choices(value)
        except ValueError:
            self.problems[name] = f"{sentence} Choose one of the list."
            return None

    def number(self, name: str, sentence: str) -> int | None:
        value = self.text(name)
        if _NUMBER.fullmatch(value):
            return int(value)
        if value:
            self.problems[name] = sentence
        return None

    def states(self, name: str) -> tuple[State, ...]:
        given = [value for value in self._values.get(name, []) if value]
        if not set(given) <= set(State.values):
            self.problems[name] = "This state is not known here. Choose one of the list."
            return ()
        return tuple(state for state in State if state in given)

    def outcome(self, name: str) -> str | None:
        if self.text(name) == NO_OUTCOME:
            return ""
        return self.one_of(name, Outcome, "This outcome is not known here.")

    def version(self, name: str) -> str | None:
        value = self.text(name)
        return "" if value == NOT_SENT else value or None

    def yes_or_no(self, name: str) -> bool | None:
        value = self.text(name)
        if value in (YES, NO, ""):
            return value == YES if value else None
        self.problems[name] = "This can be yes or no."
        return None

    def day(self, name: str) -> date | None:
        value = self.text(name)
        if not value:
            return None
        try:
            day = date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value)
        except ValueError:
            day = None
        as_date = day.date() if isinstance(day, datetime) else day
        if as_date is None or not periods.FIRST <= as_date <= periods.LAST:
            self.problems[name] = "There is no such day. Write it as year-month-day: 2026-11-24."
            return None
        return day


def _written(day: date) -> str:
    return day.isoformat(timespec="minutes") if isinstance(day, datetime) else day.isoformat()


def _yes_or_no(value: bool | None) -> str:
    return "" if value is None else YES if value else NO
