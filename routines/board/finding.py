"""Where a person finds their routines: pinned ones first, then by tag; recent ones; by words.

It reads a few words of each routine, no more: two hundred are placed as fast as ten.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import Enum

from django.db.models import Exists, OuterRef

from routines.models import Person, Pin, Routine, Run

_RUNS_LOOKED_AT = 40  # for what was used recently
_RECENT = 5
# What does not depend on who asks is put together once: that takes Django longer than the query.
_by_name = Routine.objects.current().order_by("name", "pk", "tags__name")
_READ = ("pk", "slug", "name", "purpose", "account__label", "cool_down", "is_pinned")
_newest_runs = Run.objects.newest_first().values_list("routine_id", flat=True)


@dataclass(frozen=True)
class Entry:
    """A routine, as far as finding it goes."""

    pk: int
    slug: str
    name: str
    purpose: str
    account: str
    cool_down: int  # seconds
    is_pinned: bool
    tags: list[str] = field(default_factory=list)


class Kind(Enum):
    PINNED = "pinned"
    TAG = "tag"
    OTHER = "other"


@dataclass(frozen=True)
class Group:
    kind: Kind
    name: str
    entries: list[Entry]


@dataclass(frozen=True)
class Plan:
    """All of a person's routines, each in one group."""

    groups: list[Group]
    tags: list[str]  # under which a routine stands, or would if it were not pinned
    recent: list[Entry]

    @property
    def entries(self) -> list[Entry]:
        return [entry for group in self.groups for entry in group.entries]


def plan(person: Person) -> Plan:
    """Return `person`'s routines by group, in two queries. Of several tags the first counts."""
    entries = _entries(person)
    pinned = Group(Kind.PINNED, "Pinned", [])
    tags = sorted({entry.tags[0] for entry in entries if entry.tags})
    by_tag = {tag: Group(Kind.TAG, tag, []) for tag in tags}
    other = Group(Kind.OTHER, "Other routines" if tags else "All routines", [])
    for entry in entries:
        if entry.is_pinned:
            pinned.entries.append(entry)
        else:
            (by_tag[entry.tags[0]] if entry.tags else other).entries.append(entry)
    groups = [pinned, *by_tag.values(), other]
    return Plan([group for group in groups if group.entries], tags, _recent(person, entries))


def matches(entry: Entry, words: str) -> bool:
    """As static/find.js does: every word stands in the name, the purpose, a tag or the account."""
    searched = " ".join([entry.name, entry.purpose, entry.account, *entry.tags]).casefold()
    return all(word in searched for word in words.casefold().split())


def pinned_by(person: Person) -> Exists:
    """Return a condition on routines."""
    return Exists(Pin.objects.filter(person=person, routine=OuterRef("pk")))


def _entries(person: Person) -> list[Entry]:
    routines = _by_name.fireable_by(person).annotate(is_pinned=pinned_by(person))
    entries: dict[int, Entry] = {}
    # As many rows as a routine has tags, or one without.
    for pk, *values, tag in routines.values_list(*_READ, "tags__name"):
        if pk not in entries:
            entries[pk] = Entry(pk, *values)
        if tag is not None:
            entries[pk].tags.append(tag)
    return list(entries.values())


def _recent(person: Person, entries: Collection[Entry]) -> list[Entry]:
    """What this person ran last, if they may run it still."""
    used = dict.fromkeys(_newest_runs.filter(person=person)[:_RUNS_LOOKED_AT])
    by_pk = {entry.pk: entry for entry in entries}
    return [by_pk[pk] for pk in used if pk in by_pk][:_RECENT]
