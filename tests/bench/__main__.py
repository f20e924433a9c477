"""`make bench`: the product beside what it is measured against, ratios from one run.

Every module of this folder with a `measure(rounds)` is a benchmark; ONLY=fire runs one. A missed
aim is told, and is no failure; an answer that is not what it should be is one.
"""

import argparse
import importlib
import logging
import os
import platform
import sys

import django

from dashboard.serving import garbage

BENCHMARKS = ("fire", "board", "insight", "export", "history", "queue", "api")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", choices=BENCHMARKS, help="run this one alone")
    parser.add_argument("--rounds", type=int, default=60, help="measurements of each kind")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    logging.disable(logging.INFO)  # a line a request would bury the figures
    garbage.look_seldom()  # as in a web worker
    # Two builds of one version differ by a quarter: with and without the compiler's optimisations.
    print(f"Python {platform.python_version()} of {sys.base_prefix}")
    for name in [options.only] if options.only else BENCHMARKS:
        importlib.import_module(f"tests.bench.{name}").measure(options.rounds)


if __name__ == "__main__":
    main()
