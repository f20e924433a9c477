"""Views of the history under a name: some that everybody has, and each person's own."""

from dataclasses import dataclass

from routines.history.run_filter import RunFilter
from routines.models import Outcome, Person, SavedView
from routines.values.periods import Period
from routines.values.reasons import State

MOST = 30  # a person's own: what does not fit on a screen finds nothing


class TooMany(Exception):
    """`str()` is a sentence that says what to do."""


@dataclass(frozen=True)
class View:
    name: str
    query: str


def built_in(person: Person) -> list[View]:
    not_started = (State.REFUSED, State.NOT_SENT, State.UNKNOWN)
    views = {
        "Mine that did not start, this week": RunFilter(
            person=person.username, states=not_started, period=Period.THIS_WEEK
        ),
        "Unknown, to settle": RunFilter(states=(State.UNKNOWN,)),
        "No outcome yet": RunFilter(states=(State.STARTED,), outcome=""),
        "Failed, as people say": RunFilter(outcome=Outcome.FAILED),
    }
    return [View(name, run_filter.query_string()) for name, run_filter in views.items()]


def of(person: Person) -> list[SavedView]:
    return list(SavedView.objects.filter(person=person))


def save(person: Person, *, name: str, run_filter: RunFilter) -> SavedView:
    """A name that the person has used already gets this filter instead. Raise TooMany."""
    others = SavedView.objects.filter(person=person).exclude(name=name)
    if others.count() >= MOST:
        raise TooMany(f"You have {MOST} saved views, which is all there can be. Delete one first.")
    view, _ = SavedView.objects.update_or_create(
        person=person, name=name, defaults={"query": run_filter.query_string()}
    )
    return view
