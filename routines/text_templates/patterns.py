"""Patterns that admins write for values that people type.

Matched by RE2, whose time is linear in the value: no pattern can hang a process, as (a+)+$ would
with Python's own `re`. It leaves out look-arounds and back-references, which is said when one is
saved.
"""

from functools import lru_cache
from typing import Any

import re2

LONGEST_PATTERN = 200


class PatternRefused(ValueError):
    """`str()` is a sentence for who wrote it."""


def check(pattern: str) -> None:
    """Raise PatternRefused."""
    if len(pattern) > LONGEST_PATTERN:
        raise PatternRefused(f"A pattern has at most {LONGEST_PATTERN} characters.")
    try:
        _compiled(pattern)
    except re2.error as error:
        said = error.args[0].decode() if isinstance(error.args[0], bytes) else error.args[0]
        raise PatternRefused(
            f"This pattern cannot be used: {said}. Look-arounds and back-references are left out."
        ) from None


def matches(pattern: str, value: str) -> bool:
    """True if all of `value` matches, or if the pattern cannot be used."""
    try:
        return _compiled(pattern).fullmatch(value) is not None
    except re2.error:
        return True  # stored by another version of RE2: no reason to stop anybody


@lru_cache(maxsize=200)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False  # they are said at the field
    options.max_mem = 1 << 20
    return re2.compile(pattern, options)
