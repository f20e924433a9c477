"""`python -m tests.server.seed`: an empty database becomes one with a teammate and two routines."""

import os

USERNAME = "teammate"
SLUG = "release-notes"
HANGING_SLUG = "hanging"

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    import django

    django.setup()
    from django.core.management import call_command

    from tests.factories import create_routine, create_teammate

    call_command("migrate", verbosity=0)
    create_teammate(username=USERNAME)
    create_routine(name="Release notes", template="Notes for version 1.")
    create_routine(name="Hanging", routine_id="trig_practice_hang", template="x")
