"""How the tests call the fire-compatible door."""

import json
from typing import Any

from django.test import Client

from routines.models import Routine

SENT = "Look into alert SEN-4521."


def fire(
    key: str,
    routine: Routine | str,
    body: object = None,
    *,
    client: Client | None = None,
    method: str = "POST",
    content_type: str = "application/json",
    **headers: str,
) -> Any:
    """The documented call; `headers` with underscores. A body that is not bytes is dumped."""
    reference = routine if isinstance(routine, str) else routine.routine_id
    if not isinstance(body, bytes):
        body = b"" if body is None else json.dumps(body).encode()
    sent = {"Authorization": f"Bearer {key}"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    return (client or Client(raise_request_exception=False)).generic(
        method,
        f"/v1/claude_code/routines/{reference}/fire",
        body,
        content_type=content_type,
        headers=sent,
    )


def message(answer: Any) -> str:
    """Of a whole envelope, by which the call is known in the log."""
    content = answer.json()
    assert answer.headers["Content-Type"] == "application/json"
    assert content["type"] == "error"
    assert content["request_id"] == answer.headers["request-id"]
    said: str = content["error"]["message"]
    return said
