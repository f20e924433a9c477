"""The practice API over TLS in a process of its own, telling when each request arrived.

`python -m tests.bench.endpoint CERTIFICATE KEY SECONDS` prints its URL, then a line a request:
the monotonic clock (the same in every process of a machine), a space, the text.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import django

from tests.certificates import Certificate


class Endpoint:
    """One such process; `arrivals` maps texts to moments."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdout is not None
        self.url = process.stdout.readline().strip()
        self.arrivals: dict[str, float] = {}
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            moment, _, text = line.strip().partition(" ")
            self.arrivals[text] = float(moment)


@contextmanager
def serving(made: Certificate, *, seconds: float) -> Iterator[Endpoint]:
    """With this certificate, answering after so many seconds."""
    command = [sys.executable, "-m", "tests.bench.endpoint"]
    arguments = [made.certificate, made.key, str(seconds)]
    process = subprocess.Popen(command + arguments, stdout=subprocess.PIPE, text=True)
    try:
        yield Endpoint(process)
    finally:
        process.kill()
        process.communicate()


def _main(certificate: str, key: str, seconds: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from routines.practice_api import PracticeApi, PracticeServer
    from routines.practice_api.rules import Answer, Request

    class Noting(PracticeApi):
        def answer(self, request: Request) -> Answer:
            arrived = time.monotonic()
            text = json.loads(request.body or b"{}").get("text", "")
            print(f"{arrived} {text}\n", end="", flush=True)  # whole, whatever others print
            return super().answer(request)

    tls = Certificate(certificate, key).served
    with PracticeServer(Noting(delay=float(seconds)), tls=tls) as server:
        print(server.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    _main(*sys.argv[1:])
