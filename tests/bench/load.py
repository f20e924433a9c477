"""Requests a second of one page, asked for by some clients at once: a process of its own.

    python -m tests.bench.load URL COOKIE SECONDS CLIENTS

Each client asks anew as soon as it has its answer, over a connection that it keeps, as a browser
does. Prints the number of answers; anything but a whole page with status 200 stops it.
"""

import http.client
import subprocess
import sys
import threading
import time
from urllib.parse import urlsplit


def requests_per_second(url: str, *, cookie: str, seconds: float, clients: int) -> float:
    """Return it as measured by a process of its own, so that no client shares a page's turn."""
    command = [sys.executable, "-m", __name__, url, cookie, str(seconds), str(clients)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return int(done.stdout) / seconds


def _ask(url: str, cookie: str, until: float, answers: list[int]) -> None:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
    path = f"{address.path}?{address.query}" if address.query else address.path
    headers = {"Cookie": cookie, "Accept-Encoding": "gzip"}
    number = 0
    while time.monotonic() < until:
        connection.request("GET", path, headers=headers)
        with connection.getresponse() as response:
            page = response.read()
        if response.status != 200 or not page:
            print(f"{url} answered {response.status}.", file=sys.stderr)
            return
        number += 1
    connection.close()
    answers.append(number)


def main() -> None:
    url, cookie, seconds, clients = sys.argv[1:]
    until = time.monotonic() + float(seconds)
    answers: list[int] = []
    threads = [
        threading.Thread(target=_ask, args=(url, cookie, until, answers))
        for _ in range(int(clients))
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
