"""The locks of the installs, and whether they are stale: compared here, with nothing to fetch.

`python -m tests.supply_chain.locks` says what to do about a stale one, and ends with 1.
"""

import re
import sys
from pathlib import Path

BASE = Path(__file__).resolve().parent.parent.parent

# By lock: the files whose direct pins it holds.
LOCKS = {
    "requirements.lock": ["requirements.txt"],
    "tests/requirements.lock": ["requirements.txt", "tests/requirements.txt"],
}
_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;#\\]+)", re.MULTILINE)


def pins(text: str) -> dict[str, str]:
    return {_normal(name): version for name, version in _PIN.findall(text)}


def hashes(text: str) -> dict[str, int]:
    """How many hashes each package has."""
    starts = [found.start() for found in _PIN.finditer(text)]
    parts = [text[start:end] for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]
    return {name: part.count("--hash=sha256:") for part in parts for name in pins(part)}


def missing(requirements: str, lock: str) -> dict[str, str]:
    """The direct pins that the lock does not hold."""
    locked = pins(lock)
    wanted = pins(requirements)
    return {name: version for name, version in wanted.items() if locked.get(name) != version}


def stale(lock: str) -> dict[str, str]:
    wanted = "\n".join((BASE / file).read_text() for file in LOCKS[lock])
    return missing(wanted, (BASE / lock).read_text())


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    lacking = {lock: stale(lock) for lock in LOCKS if stale(lock)}
    for lock, wanted in lacking.items():
        listed = ", ".join(f"{name}=={version}" for name, version in wanted.items())
        print(f"{lock} is stale: it lacks {listed}. Run `make lock`.", file=sys.stderr)
    sys.exit(bool(lacking))
