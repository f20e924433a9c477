"""`python -m tests.server.keyed TERMS SLUG...`: a new API key for these routines, and its secret.

TERMS are those of callers.keys.Terms, as JSON. A routine that is not there yet is registered.
"""

import json
import os
import sys
from typing import Any
from uuid import uuid4

from tests.server.seed import USERNAME


def make(*slugs: str, **terms: Any) -> str:
    from routines.callers import keys
    from routines.models import Person, Routine
    from tests.factories import create_routine

    for slug in slugs:
        if not Routine.objects.filter(slug=slug).exists():
            create_routine(name=slug, routine_id=f"trig_{slug}")
    routines = Routine.objects.filter(slug__in=slugs)
    wanted = keys.Terms(name=f"Key {uuid4().hex[:12]}", routines=routines, **terms)
    _, secret = keys.make(wanted, by=Person.objects.get(username=USERNAME))
    return secret.reveal()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    import django

    django.setup()
    print(make(*sys.argv[2:], **json.loads(sys.argv[1])))
