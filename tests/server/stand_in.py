"""Stands in for the web server or the worker of a starter: it says in a file what happens to it.

    python -m tests.server.stand_in FILE [--stubborn | --leader]

Asked to stop, it ends in order; a stubborn one only when SIGHUP tells it that its work is done. A
leader starts a stubborn one, as gunicorn has workers.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path


def main() -> None:
    diary, manner = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else ""

    def note(entry: str) -> None:
        with diary.open("a") as file:
            file.write(entry + "\n")

    watched = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP]
    inherited = signal.pthread_sigmask(signal.SIG_BLOCK, watched)
    if manner == "--leader":
        led = [sys.executable, "-m", "tests.server.stand_in", f"{diary}-led", "--stubborn"]
        subprocess.Popen(led, preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_SETMASK, []))
    note(str(os.getpid()))
    if inherited:
        note(f"blocked: {inherited}")
    while True:
        number = signal.sigwait(watched)
        note(signal.Signals(number).name)
        if number == (signal.SIGHUP if manner == "--stubborn" else signal.SIGTERM):
            return


if __name__ == "__main__":
    main()
