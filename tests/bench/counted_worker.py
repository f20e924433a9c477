"""`manage.py worker` that says at its end, as its last line, how many queries it has made."""

import os
import sys
from collections.abc import Callable
from typing import Any

import django
from django.core.management import call_command
from django.db.backends.signals import connection_created

_made = [0]


def _count(execute: Callable[..., Any], *arguments: Any) -> Any:
    _made[0] += 1
    return execute(*arguments)


def _watch(connection: Any, **_: Any) -> None:
    if _count not in connection.execute_wrappers:
        connection.execute_wrappers.append(_count)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    django.setup()
    connection_created.connect(_watch)
    call_command("worker")
    print(_made[0], file=sys.stderr)
