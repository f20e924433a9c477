"""`make contract`: the running product is held to the document of its API."""

import os
import sys

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from tests.contract.runner import main

    sys.exit(main())
