"""POST requests a second that are accepted, from some callers at once: a process of its own.

    python -m tests.bench.posts SECONDS CALLERS < TARGETS

TARGETS: a JSON list of [url, headers]; the callers take them in turn. Each calls anew as soon as it
has its answer, over a connection that it keeps, and with an Idempotency-Key that is new. Prints the
number of answers; anything but 202 stops it.
"""

import http.client
import json
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit
from uuid import uuid4

_BODY = json.dumps({"text": "The error rate of checkout is above 2 %: 41 of 1,900 requests."})

Target = tuple[str, Mapping[str, str]]


def accepted_per_second(targets: Sequence[Target], *, seconds: float, callers: int) -> float:
    """Return it as measured by a process of its own, so that no caller shares a server's turn."""
    command = [sys.executable, "-m", __name__, str(seconds), str(callers)]
    done = subprocess.run(
        command, input=json.dumps(targets), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return int(done.stdout) / seconds


def _call(url: str, headers: Mapping[str, str], until: float, answers: list[int]) -> None:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
    number = 0
    while time.monotonic() < until:
        own = {"Content-Type": "application/json", "Idempotency-Key": uuid4().hex}
        connection.request("POST", address.path, _BODY, {**headers, **own})
        with connection.getresponse() as response:
            content = response.read()
        if response.status != 202:
            print(f"{url} answered {response.status}: {content.decode()}", file=sys.stderr)
            return
        number += 1
    connection.close()
    answers.append(number)


def main() -> None:
    seconds, callers = float(sys.argv[1]), int(sys.argv[2])
    targets: list[Target] = json.load(sys.stdin)
    until = time.monotonic() + seconds
    answers: list[int] = []
    threads = [
        threading.Thread(target=_call, args=(*targets[number % len(targets)], until, answers))
        for number in range(callers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(answers) < len(threads):
        sys.exit(1)
    print(sum(answers))


if __name__ == "__main__":
    main()
