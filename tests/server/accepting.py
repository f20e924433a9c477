"""`python -m tests.server.accepting NUMBER SLUG...`: so many runs are accepted of each routine.

As by a caller that is asked about nothing; each text is of its own.
"""

import os
import sys
from datetime import timedelta
from uuid import uuid4

from tests.server.seed import USERNAME


def accept(number: int, *slugs: str) -> None:
    from routines.models import Person, Routine
    from routines.runs import accepting

    person = Person.objects.get(username=USERNAME)
    routines = [Routine.objects.get(slug=slug) for slug in slugs]
    for _ in range(number):
        for routine in routines:
            accepting.accept(
                key=uuid4(),
                routine=routine,
                person=person,
                text=str(uuid4()),
                aware_of=None,
                wait=timedelta(hours=1),
            )


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    import django

    django.setup()
    accept(int(sys.argv[1]), *sys.argv[2:])
