"""Views of the history under a name: some that everybody has, and each person's own."""

from dataclasses import dataclass, replace

from django.db import transaction

from routines.history.run_filter import RunFilter
from routines.models import Outcome, Person, SavedView
from routines.values.periods import Period
from routines.values.reasons import State
from routines.values.snapshots import ChangedMeanwhile, Snapshot, check

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


def snapshot(view: SavedView) -> Snapshot:
    return Snapshot(f"saved view {view.pk}", {"name": view.name, "query": view.query})


def snapshot_of_all(person: Person, views: list[SavedView]) -> Snapshot:
    """The filter of each name that the person has used: a new view may take the place of one."""
    values = {view.name: view.query for view in views}
    return Snapshot(f"saved views of person {person.pk}", values)


@transaction.atomic
def save(
    person: Person, *, name: str, run_filter: RunFilter, seen: Snapshot | None = None
) -> SavedView:
    """A name that the person has used already gets this filter instead. Raise TooMany.

    Raise ChangedMeanwhile if that name is used for something else than `seen` says.
    """
    Person.objects.select_for_update(no_key=True).get(pk=person.pk)
    now = snapshot_of_all(person, of(person))
    if seen is not None:
        try:
            check(_of_name(seen, name), _of_name(now, name))
        except ChangedMeanwhile:
            raise ChangedMeanwhile(seen, now) from None
    if name not in now.values and len(now.values) >= MOST:
        raise TooMany(f"You have {MOST} saved views, which is all there can be. Delete one first.")
    view, _ = SavedView.objects.update_or_create(
        person=person, name=name, defaults={"query": run_filter.query_string()}
    )
    return view


@transaction.atomic
def delete(view: SavedView, *, seen: Snapshot | None = None) -> None:
    """Raise ChangedMeanwhile if it is not any more what the page showed."""
    stored = SavedView.objects.select_for_update().get(pk=view.pk)
    check(seen, snapshot(stored))
    stored.delete()


def _of_name(views: Snapshot, name: str) -> Snapshot:
    return replace(views, values={name: views.values.get(name)})
