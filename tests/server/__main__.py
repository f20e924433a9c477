"""`make crash-proof`: the crash proof with many kills, on SQLite or TEST_DATABASE_URL."""

import os
import sys

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from tests.server.crash_proof import main

    sys.exit(main())
