"""From the press of Run now to the answer: the whole product, a curl process, a bare httpx call.

All three reach the same practice API over TLS, taking turns. The product is signed in, checks
CSRF, records the run before it sends and the answer after it, and keeps its connection to the
endpoint; curl and httpx connect anew each time, as a script would.
"""

import http.client
import json
import os
import ssl
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import httpx
from django.urls import reverse

from routines.practice_api import PracticeApi
from routines.registry import header_versions
from tests import certificates
from tests.bench import endpoint
from tests.server.product import Database, Visitor, new_database, serving, wait_until
from tests.server.seed import SLUG

_WARM_UP = 5

_MOST_OF_CURL = {"SQLite": 1.8, "PostgreSQL": 2.5}  # docs/decisions/0004
_MOST_OF_HTTPX = 1.05
_MOST_TO_LEAVE = 0.010


def measure(rounds: int) -> None:
    """Print a table for SQLite, and one for PostgreSQL if TEST_DATABASE_URL says where."""
    postgresql = os.environ.pop("TEST_DATABASE_URL", None)
    _measure_on("SQLite", rounds)
    if postgresql:
        os.environ["TEST_DATABASE_URL"] = postgresql
        _measure_on("PostgreSQL", rounds)


def _measure_on(kind: str, rounds: int) -> None:
    print(f"\nFrom press to answer, in milliseconds, {rounds} rounds, {kind}")
    print(f"{'':24} {'p50':>8} {'p95':>8}   product / it: p50, p95")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = certificates.make(folder)
        with new_database(folder) as database:
            for seconds in (0.0, 0.2):
                with (
                    endpoint.serving(made, seconds=seconds) as api,
                    serving(
                        database,
                        api.url,
                        folder,
                        CA_BUNDLE=made.certificate,
                    ) as product,
                ):
                    took, to_leave = _compare(
                        product.visitor(), database, api, made.certificate, rounds
                    )
                _print(took, to_leave, seconds, kind)


def _compare(
    visitor: Visitor,
    database: Database,
    api: endpoint.Endpoint,
    certificate: str,
    rounds: int,
) -> tuple[dict[str, list[float]], list[float]]:
    """How long each way took, in seconds, and how long until the product's request arrived."""
    [(routine_id,)] = database.rows(
        f"SELECT routine_id FROM routines_routine WHERE slug = '{SLUG}'"  # noqa: S608
    )
    url = f"{api.url}/v1/claude_code/routines/{routine_id}/fire"
    headers = {
        "Authorization": f"Bearer {PracticeApi().token_for(routine_id)}",
        "anthropic-beta": header_versions.BETA_VERSION,
        "anthropic-version": header_versions.API_VERSION,
        "Content-Type": "application/json",
    }
    before = _started(database)
    press = _Press(visitor)
    ways: dict[str, Callable[[str], float]] = {
        "product": press,
        "curl process": _Curl(url, headers, certificate),
        "httpx, new connection": _Httpx(url, headers, certificate),
    }
    took: dict[str, list[float]] = {name: [] for name in ways}
    pressed_at: dict[str, float] = {}
    for number in range(_WARM_UP + rounds):
        for name, way in ways.items():
            text = f"{name} {number}"
            duration = way(text)
            if number >= _WARM_UP:
                took[name].append(duration)
                if name == "product":
                    pressed_at[text] = press.pressed_at
    if _started(database) - before != _WARM_UP + rounds:
        raise SystemExit(f"Not every press started a session: {database.states()}")
    press.close()
    # What the endpoint's process tells may come a moment after its answer.
    wait_until(lambda: pressed_at.keys() <= api.arrivals.keys())
    return took, [api.arrivals[text] - moment for text, moment in pressed_at.items()]


def _started(database: Database) -> int:
    [(number,)] = database.rows("SELECT count(*) FROM routines_run WHERE state = 'started'")
    return int(number)


def _print(took: dict[str, list[float]], to_leave: list[float], seconds: float, kind: str) -> None:
    print(f"endpoint takes {seconds * 1000:.0f} ms")
    of_product = _percentiles(took["product"])
    for name, durations in took.items():
        p50, p95 = _percentiles(durations)
        line = f"  {name:22} {p50 * 1000:8.2f} {p95 * 1000:8.2f}"
        if name != "product":
            line += f"   {of_product[0] / p50:.2f}, {of_product[1] / p95:.2f}"
        print(line)
    p50, p95 = _percentiles(to_leave)
    print(f"  {'press to endpoint':22} {p50 * 1000:8.2f} {p95 * 1000:8.2f}")
    if seconds:
        ratio = of_product[0] / _percentiles(took["httpx, new connection"])[0]
        _aim(f"within 5 % of bare httpx at p50: {ratio:.3f}", ratio <= _MOST_OF_HTTPX)
    else:
        ratio = of_product[0] / _percentiles(took["curl process"])[0]
        most = _MOST_OF_CURL[kind]
        _aim(f"at most {most} times a curl process at p50: {ratio:.2f}", ratio <= most)
    _aim(f"leaves within 10 ms at p95: {p95 * 1000:.1f} ms", p95 <= _MOST_TO_LEAVE)


def _aim(sentence: str, met: bool) -> None:
    print(f"  aim {'met   ' if met else 'MISSED'}  {sentence}")


def _percentiles(durations: list[float]) -> tuple[float, float]:
    return statistics.median(durations), statistics.quantiles(durations, n=20)[-1]


class _Press:
    """Run now in a form of its own, over the browser's kept connection to the dashboard."""

    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor
        self._headers = {
            "Cookie": "; ".join(f"{name}={it}" for name, it in visitor.client.cookies.items()),
            "Content-Type": "application/x-www-form-urlencoded",
            "HX-Request": "true",
        }
        address = urlsplit(str(visitor.client.base_url))
        self._connection = http.client.HTTPConnection(address.hostname or "", address.port)
        self.pressed_at = 0.0

    def __call__(self, text: str) -> float:
        body = urlencode(self._visitor.form(SLUG) | {"text": text})
        self.pressed_at = time.monotonic()
        self._connection.request("POST", reverse("fire", args=[SLUG]), body, self._headers)
        response = self._connection.getresponse()
        answer = response.read()
        duration = time.monotonic() - self.pressed_at
        if response.status != 200 or b"https://claude.ai/code/session_" not in answer:
            raise SystemExit(f"The product answered {response.status}: {answer.decode()[:2000]}")
        return duration

    def close(self) -> None:
        self._connection.close()


class _Curl:
    def __init__(self, url: str, headers: dict[str, str], certificate: str) -> None:
        self._command = ["curl", "--silent", "--show-error", "--fail", "--output", "/dev/null"]
        self._command += ["--cacert", certificate, url]
        for name, value in headers.items():
            self._command += ["--header", f"{name}: {value}"]

    def __call__(self, text: str) -> float:
        start = time.monotonic()
        subprocess.run([*self._command, "--data", json.dumps({"text": text})], check=True)
        return time.monotonic() - start


class _Httpx:
    def __init__(self, url: str, headers: dict[str, str], certificate: str) -> None:
        self._url, self._headers = url, headers
        # Made once: reading certificates is no part of a call.
        self._context = ssl.create_default_context(cafile=certificate)

    def __call__(self, text: str) -> float:
        start = time.monotonic()
        response = httpx.post(
            self._url, headers=self._headers, json={"text": text}, verify=self._context
        )
        duration = time.monotonic() - start
        response.raise_for_status()
        return duration
