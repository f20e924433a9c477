"""Where a person finds their routines: pinned ones first, then by tag; recent ones; by words.

It reads a few words of each routine, no more: two hundred are placed as fast as ten.
"""

from collections.abc import Collection
from dataclasses import dataclass

from routines.models import Person, Pin, Routine, Run

_RUNS_LOOKED_AT = 40  # for what was used recently
_RECENT = 5


@dataclass(frozen=True)
class Place:
    """A routine, as far as finding it goes."""

    pk: int
    slug: str
    name: str
    purpose: str
    account: str
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Group:
    key: str  # for addresses within the page
    name: str
    places: list[Place]


@dataclass(frozen=True)
class Plan:
    """All of a person's routines, each in one group."""

    groups: list[Group]
    recent: list[Place]

    @property
    def places(self) -> list[Place]:
        return [place for group in self.groups for place in group.places]

    def only(self, pks: set[int]) -> list[Group]:
        """The groups with these routines alone; those that then hold none are left out."""
        kept = [
            Group(group.key, group.name, [place for place in group.places if place.pk in pks])
            for group in self.groups
        ]
        return [group for group in kept if group.places]


def plan(person: Person) -> Plan:
    """A routine with several tags stands under the first."""
    places = _places(person)
    pinned = set(Pin.objects.filter(person=person).values_list("routine_id", flat=True))
    first = Group("pinned", "Pinned", [])
    tags = sorted({place.tags[0] for place in places if place.tags})
    by_tag = {tag: Group(f"tag-{number}", tag, []) for number, tag in enumerate(tags)}
    rest = Group("rest", "Other routines" if tags else "All routines", [])
    for place in places:
        if place.pk in pinned:
            first.places.append(place)
        else:
            (by_tag[place.tags[0]] if place.tags else rest).places.append(place)
    groups = [first, *by_tag.values(), rest]
    return Plan([group for group in groups if group.places], _recent(person, places))


def matches(place: Place, words: str) -> bool:
    """As static/find.js does: every word stands in the name, the purpose, a tag or the account."""
    told = " ".join([place.name, place.purpose, place.account, *place.tags]).casefold()
    return all(word in told for word in words.casefold().split())


def _places(person: Person) -> list[Place]:
    routines = Routine.objects.fireable_by(person).current()
    tags: dict[int, list[str]] = {}
    tagged = Routine.tags.through.objects.order_by("tag__name")
    for routine, tag in tagged.values_list("routine_id", "tag__name"):
        tags.setdefault(routine, []).append(tag)
    rows = routines.order_by("name", "pk").values_list(
        "pk", "slug", "name", "purpose", "account__label"
    )
    return [
        Place(pk, slug, name, purpose, account, tuple(tags.get(pk, ())))
        for pk, slug, name, purpose, account in rows
    ]


def _recent(person: Person, places: Collection[Place]) -> list[Place]:
    """What this person ran last, if they may run it still."""
    runs = Run.objects.filter(person=person).newest_first()
    used = dict.fromkeys(runs.values_list("routine_id", flat=True)[:_RUNS_LOOKED_AT])
    by_pk = {place.pk: place for place in places}
    return [by_pk[pk] for pk in used if pk in by_pk][:_RECENT]
