"""Runs that are accepted by a process other than the test's, as by callers asked about nothing.

`python -m tests.server.accepting` reads orders, a line of JSON each, and answers each with a line.
One process for all of them: to start it takes longer than to accept a hundred runs.
"""

import json
import os
import subprocess
import sys
import threading
import traceback
from datetime import timedelta
from typing import Any, TextIO
from uuid import uuid4

from tests.server.seed import USERNAME


class Acceptor:
    """That process, from its first order to `end`."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._one_order = threading.Lock()

    def accept(self, environment: dict[str, str], number: int, slugs: list[str]) -> None:
        """So many runs of each of these routines, in the DATABASE_URL of `environment`."""
        with self._one_order:
            if self._process is None:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "tests.server.accepting"],
                    env=environment,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    start_new_session=True,
                )
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            order = {"url": environment["DATABASE_URL"], "number": number, "slugs": slugs}
            print(json.dumps(order), file=self._process.stdin, flush=True)
            failure = json.loads(self._process.stdout.readline() or '"It has ended."')
        if failure:
            raise RuntimeError(failure)

    def end(self) -> None:
        if self._process is not None:
            self._process.communicate()
            self._process = None


def _accept(number: int, slugs: list[str]) -> None:
    from routines.models import Person, Routine
    from routines.runs import accepting

    person = Person.objects.get(username=USERNAME)
    routines = [Routine.objects.get(slug=slug) for slug in slugs]
    for _ in range(number):
        for routine in routines:
            accepting.accept(
                key=uuid4(),
                routine=routine,
                person=person,
                text=str(uuid4()),
                aware_of=None,
                wait=timedelta(hours=1),
            )


def _answer(order: dict[str, Any]) -> str:
    """Its failure, if it is one."""
    from tests.bench.million import connected

    try:
        with connected(order["url"]):
            _accept(order["number"], order["slugs"])
    except Exception:
        return traceback.format_exc()
    return ""


def _work(orders: TextIO, answers: TextIO) -> None:
    for line in orders:
        print(json.dumps(_answer(json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    import django

    django.setup()
    _work(sys.stdin, sys.stdout)
