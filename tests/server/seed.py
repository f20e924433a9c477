"""`python -m tests.server.seed`: an empty database becomes one with a teammate and a routine."""

import os

USERNAME = "teammate"
SLUG = "release-notes"

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    import django

    django.setup()
    from django.core.management import call_command

    from tests.factories import create_routine, create_teammate

    call_command("migrate", verbosity=0)
    create_teammate(username=USERNAME)
    create_routine(name="Release notes", template="Notes for version 1.")
