"""How sentences are put together."""

from collections.abc import Iterable


def listed(words: Iterable[str]) -> str:
    """“a, b and c”; there is one at least."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
