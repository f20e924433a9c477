"""Tags: the words that routines are grouped and found by."""

from collections.abc import Collection

from routines.models import Routine, Tag
from routines.models.columns import max_length

_MOST_TAGS = 10
_LONGEST = max_length(Tag, "name")


class TagsRefused(ValueError):
    """`str()` is a sentence that says what to change."""


def parse_tags(typed: str) -> list[str]:
    """`Release,  on call, release` are the tags `on call` and `release`. Raise TagsRefused."""
    names = sorted({" ".join(word.split()).lower() for word in typed.split(",")} - {""})
    if any(len(name) > _LONGEST for name in names):
        raise TagsRefused(f"A tag has at most {_LONGEST} characters. Put commas between the tags.")
    if len(names) > _MOST_TAGS:
        raise TagsRefused(f"A routine has at most {_MOST_TAGS} tags.")
    return names


def tags_of(routine: Routine) -> list[str]:
    return list(routine.tags.values_list("name", flat=True))


def write_tags(routine: Routine, names: Collection[str]) -> None:
    """Part of a change of the registry, which traces it. Words that nobody uses any more go."""
    Tag.objects.bulk_create([Tag(name=name) for name in names], ignore_conflicts=True)
    routine.tags.set(Tag.objects.filter(name__in=names))
    Tag.objects.filter(routines=None).delete()
