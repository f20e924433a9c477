"""The routines that a person wants first on their board."""

from routines.models import Person, Pin, Routine


def pin(routine: Routine, *, by: Person) -> None:
    Pin.objects.get_or_create(person=by, routine=routine)


def unpin(routine: Routine, *, by: Person) -> None:
    Pin.objects.filter(person=by, routine=routine).delete()
