"""How many examples the generating tests try; `make fuzz` has them try more."""

import os

FUZZ = int(os.environ.get("FUZZ", "1"))


def examples(number: int) -> int:
    """So many in the suite, FUZZ times as many in `make fuzz`."""
    return number * FUZZ
