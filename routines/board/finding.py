"""Where a person finds their routines: pinned ones first, then by tag; recent ones; by words.

By words the best hit comes first: people press Enter on it.

It reads a few words of each routine, no more: two hundred are placed as fast as ten.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import Enum, IntEnum

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


class Place(IntEnum):
    """Where a word stands in what a routine is found by, the best first."""

    NAME_STARTS = 0
    WORD_OF_NAME_STARTS = 1
    NAME = 2
    TAG = 3
    ACCOUNT = 4
    PURPOSE = 5


def find(plan: Plan, words: str) -> list[Entry]:
    """Return the routines in which every word stands, the best hit first.

    As static/find.js does. The word with the worst place counts most, so that no routine comes
    first by one word of two. Of equals the pinned ones come first, then the alphabet.
    """
    asked = words.casefold().split()
    phrase = " ".join(asked)
    ranked = []
    for entry in plan.entries:
        places = _places(entry, asked)
        if places is None:
            continue
        name = entry.name.casefold()
        fit = (name != phrase, max(places, default=0), sum(places), not name.startswith(phrase))
        ranked.append((fit, not entry.is_pinned, name, entry.pk, entry))
    return [entry for *_, entry in sorted(ranked)]


def matches(entry: Entry, words: str) -> bool:
    """True if every word stands in the name, the purpose, a tag or the account."""
    return _places(entry, words.casefold().split()) is not None


def _places(entry: Entry, words: Sequence[str]) -> list[Place] | None:
    """Return the place of each word; None if one has none."""
    places = [_place(entry, word) for word in words]
    found = [place for place in places if place is not None]
    return found if len(found) == len(places) else None


def _place(entry: Entry, word: str) -> Place | None:
    name = entry.name.casefold()
    if name.startswith(word):
        return Place.NAME_STARTS
    if re.search(rf"(?<![^\W_]){re.escape(word)}", name):
        return Place.WORD_OF_NAME_STARTS
    if word in name:
        return Place.NAME
    if any(word in tag.casefold() for tag in entry.tags):
        return Place.TAG
    if word in entry.account.casefold():
        return Place.ACCOUNT
    return Place.PURPOSE if word in entry.purpose.casefold() else None


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
