"""Programs that call the fire-compatible door, each with an API key and its Idempotency-Keys."""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx
from django.urls import reverse

from tests.server.product import Database, environment
from tests.server.seed import SLUG

# What is said of a run that has ended, whatever became of it; of no run, or of one that may be
# found under the same key later, the caller calls again.
_ENDED = {"started", "refused", "not_sent", "unknown"}


def key_for(database: Database, *slugs: str, **terms: Any) -> str:
    """A new API key's secret, made by another process."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.server.keyed", json.dumps(terms), *(slugs or [SLUG])],
        env=environment(database, "http://127.0.0.1:9", port=8000),
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.split()[-1]


@dataclass(frozen=True)
class Program:
    """It calls whichever of these addresses is next, on a connection of its own each time, and
    fires whichever of its routines is next."""

    urls: Sequence[str]
    key: str
    slugs: Sequence[str] = (SLUG,)

    def fire(
        self, idempotency_key: str, *, text: str = "An alert.", at: int = 0, prefer: str = ""
    ) -> httpx.Response:
        headers = self._headers | {"Idempotency-Key": f'"{idempotency_key}"'}
        if prefer:
            headers["Prefer"] = prefer
        slug = self.slugs[at % len(self.slugs)]
        address = self.urls[at % len(self.urls)] + reverse("fire_door", args=[slug])
        return httpx.post(address, json={"text": text}, headers=headers, timeout=60)

    def look(self, location: str) -> Any:
        """What the API says of the run that stands there."""
        answer = httpx.get(location, headers=self._headers, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def fire_at_once(
        self, idempotency_keys: Sequence[str], *, prefer: str = ""
    ) -> list[httpx.Response]:
        """All of them at the same moment, in turn at each address."""
        with ThreadPoolExecutor(len(idempotency_keys)) as pool:
            calls = [
                pool.submit(self.fire, one, at=number, prefer=prefer)
                for number, one in enumerate(idempotency_keys)
            ]
            return [call.result() for call in calls]

    def repeat_until_final(self, idempotency_key: str, *, seconds: float = 60) -> httpx.Response:
        """As a caller does whose connections break, or who is told to come back."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                answer = self.fire(idempotency_key)
            except httpx.TransportError:
                time.sleep(0.05)
                continue
            if is_final(answer):
                return answer
        raise TimeoutError(idempotency_key)

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}


def is_final(answer: httpx.Response) -> bool:
    """Whether it says what became of the run, and not only that one is to come back."""
    if answer.status_code == 200:
        return True
    try:
        return answer.json()["run"]["state"] in _ENDED
    except (ValueError, KeyError, TypeError):
        return False


def session_of(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    return str(answer.json()["claude_code_session_url"])


def said_by(answer: httpx.Response) -> str:
    """Of a final answer: the session, or what has become of the run."""
    if answer.status_code == 200:
        return session_of(answer)
    return str(answer.json()["run"]["state"])
