"""`make scan`: a web scanner crawls the running product, as every role."""

import os
import sys

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from tests.scan.scanner import main

    sys.exit(main())
