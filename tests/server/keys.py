"""API keys for the seeded routine, made and revoked in a process of the product's own."""

import subprocess
import sys
from uuid import uuid4

from tests.server.product import Database, environment


def make(database: Database, *, personal: bool = False) -> tuple[str, str]:
    """The key's name, and its secret. It promises an Idempotency-Key."""
    name = f"Key {uuid4().hex[:8]}"
    return name, _run(database, "make", name, *(["personal"] if personal else []))


def revoke(database: Database, name: str) -> None:
    _run(database, "revoke", name)


def _run(database: Database, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tests.server.key_maker", *arguments],
        env=environment(database, "http://127.0.0.1:9", port=8000),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout
