"""`python -m tests.server.seed`: an empty database becomes one with a teammate and a routine."""

import os

USERNAME = "teammate"
SLUG = "release-notes"

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    import django

    django.setup()
    from tests.factories import create_routine, create_teammate

    create_teammate(username=USERNAME)
    create_routine(name="Release notes", template="Notes for version 1.")
