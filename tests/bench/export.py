"""Exports of the million runs: rows a second, memory that the process grows by, and the wait.

Through the pages, as a manager takes them, in this process: what is measured is the product's own
work, to the last byte, without a network. On a machine that others use as well, look at the
seconds of this process beside those of the clock.
"""

import os
import time
from pathlib import Path
from typing import Any

from django.urls import reverse

from tests.bench import million

_RUNS = 1_000_000
_LEAST_ROWS_A_SECOND = 20_000
_MOST_GROWTH = 50  # MB
# What ends each run's line: a text's own line breaks are bare in CSV, and none stands in JSON.
_LINE_END = {"export_csv": b"\r\n", "export_json_lines": b"\n"}
_QUARTER = "from=2026-07-01&to=2026-09-30"


def measure(rounds: int, *, runs: int = _RUNS) -> None:
    """A whole export takes most of a minute: so each is taken once, whatever `rounds` says."""
    measure_on("sqlite", runs)
    if "TEST_DATABASE_URL" in os.environ:
        measure_on("postgresql", runs)


def measure_on(kind: million.Kind, runs: int) -> None:
    with million.database(kind, runs=runs) as db:
        print(f"\nExports of {runs:,} runs, {kind}")
        print(
            f"{'':28} {'rows':>9} {'MB':>5} {'first byte':>10} {'all':>7} {'rows/s':>7} {'grew':>8}"
        )
        client = db.client(db.manager)
        _take(client, "export_csv", _QUARTER)  # what is loaded once is no growth
        for name, query in (
            ("export_csv", ""),
            ("export_json_lines", ""),
            ("export_csv", _QUARTER),
        ):
            worked = time.process_time()
            rows, size, first, seconds, growth = _take(client, name, query)
            worked = time.process_time() - worked
            speed = rows / seconds
            label = f"{name.removeprefix('export_')} {query and 'of a quarter'}"
            print(
                f"  {label:26} {rows:9,} {size / 1e6:5.0f} {first:8.2f} s {seconds:5.1f} s"
                f" {worked:6.1f} s {speed:7,.0f} {growth:5.1f} MB"
            )
            if query:
                continue
            if rows != runs:
                raise SystemExit(f"{rows:,} of {runs:,} runs were exported.")
            _aim(
                f"above {_LEAST_ROWS_A_SECOND:,} rows a second: {speed:,.0f}",
                speed > _LEAST_ROWS_A_SECOND,
            )
            _aim(f"under {_MOST_GROWTH} MB of growth: {growth:.1f}", growth < _MOST_GROWTH)


def _take(client: Any, name: str, query: str) -> tuple[int, int, float, float, float]:
    """Rows, bytes, seconds to the first byte and to the last, MB that the process grew by."""
    before = most = _memory()
    start = time.monotonic()
    response = client.get(f"{reverse(name)}?{query}")
    if response.status_code != 200:
        raise SystemExit(f"The export answered {response.status_code}.")
    rows = size = 0
    first = None
    for number, piece in enumerate(response):
        first = first or time.monotonic() - start
        rows += piece.count(_LINE_END[name])
        size += len(piece)
        if number % 50 == 0:
            most = max(most, _memory())
    seconds = time.monotonic() - start
    return rows - (name == "export_csv"), size, first or seconds, seconds, most - before


def _memory() -> float:
    """MB of this process's own: what it maps of the database file is the system's cache."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("RssAnon:")[1].split()[0]) / 1000


def _aim(sentence: str, met: bool) -> None:
    print(f"  aim {'met   ' if met else 'MISSED'}  {sentence}")
