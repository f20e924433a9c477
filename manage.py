#!/usr/bin/env python3
import os
import sys

# Help reads none of them, but no command is loaded without them.
_ANY_SETTINGS = {
    "ENV_FILE": "",
    "DASHBOARD_URL": "http://localhost",
    "SECRET_KEY": "abcdefghijklmnopqrstuvwxyz" * 2,
    "TOKEN_ENCRYPTION_KEYS": "YW55LWtleS1hbnkta2V5LWFueS1rZXktYW55LWtleS0=",
}


def main() -> None:
    os.umask(0o077)  # a database that a command makes is this user's alone
    if "help" in sys.argv[1:2] or {"--help", "-h"} & set(sys.argv[2:]):
        os.environ.update(_ANY_SETTINGS)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
