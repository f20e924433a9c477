"""The slug of a routine: the part of an address that names it."""

from collections.abc import Collection

from django.core.exceptions import ValidationError
from django.utils.text import slugify

from routines.models import Routine
from routines.models.columns import column, max_length

# Names that no routine can have in an address: what is done to the registry as a whole.
RESERVED = frozenset({"register"})
_ROOM_FOR_A_NUMBER = 10  # characters: -2, -3, ...


class SlugRefused(ValueError):
    """`str()` is a sentence that says what to write instead."""


def check(slug: str) -> None:
    """Raises: SlugRefused unless `slug` is one that a routine can have."""
    try:
        column(Routine, "slug").run_validators(slug)
    except ValidationError:
        valid = False
    else:
        valid = slug not in RESERVED
    if not valid:
        raise SlugRefused(
            "This is a part of an address: letters, digits, - and _ only, and not "
            + " or ".join(f"“{name}”" for name in sorted(RESERVED))
            + "."
        )


def free_slug(name: str, *, besides: Collection[str] = ()) -> str:
    """A slug nobody has, nor is about to get: names may repeat, addresses may not.

    Arguments:
        name: of the routine.
        besides: slugs that are spoken for.
    """
    longest = max_length(Routine, "slug") - _ROOM_FOR_A_NUMBER
    base = slugify(name)[:longest] or "routine"
    taken = set(Routine.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    taken |= RESERVED.union(besides)
    slug, number = base, 2
    while slug in taken:
        slug, number = f"{base}-{number}", number + 1
    return slug
