"""Browsing runs."""

from routines import firing, keyset
from routines.models import Person, Run

PAGE_SIZE = 50


def page(
    person: Person, *, before: str = "", after: str = "", size: int = PAGE_SIZE
) -> keyset.Page[Run]:
    """The runs that `person` may see: the newest, or those before or after a cursor.

    Raise keyset.BadCursor.
    """
    firing.settle_overdue_runs()
    visible = Run.objects.visible_to(person).select_related("routine", "person")
    return keyset.page(visible, at="created_at", size=size, before=before, after=after)
