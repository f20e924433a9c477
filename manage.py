#!/usr/bin/env python3
import os
import sys


def main() -> None:
    os.umask(0o077)  # a database that a command makes is this user's alone
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
