"""The fire endpoint: `POST {base}/v1/claude_code/routines/{routine_id}/fire`.

The contract, as documented and as far as it is known, is docs/fire-api.md:

- headers: `Authorization: Bearer`, `anthropic-version`, `anthropic-beta` (may be left out), and
  `Content-Type: application/json` when there is a body;
- body: none, or `{"text": "..."}` with at most 65,536 characters;
- there is no idempotency key: every request that gets through makes a new session. So nothing
  here sends anything twice.
"""

import json

from routines.fire_api import answers, wire
from routines.fire_api.answers import Answer
from routines.values.tokens import Token

__all__ = ["Answer", "fire"]


def fire(
    *,
    base_url: str,
    routine_id: str,
    token: Token,
    beta_version: str,
    api_version: str,
    text: str,
    timeout: float,
) -> Answer:
    """Send one fire and return what came of it. Never raises, never sends a second request.

    `beta_version` empty: the header is not sent. `text` empty: no body is sent. `timeout` is in
    seconds, from connecting to the answer's last byte.
    """
    headers = {"Authorization": f"Bearer {token.reveal()}", "anthropic-version": api_version}
    if beta_version:
        headers["anthropic-beta"] = beta_version
    body = b""
    if text:
        headers["Content-Type"] = "application/json"
        body = json.dumps({"text": text}).encode()
    url = f"{base_url}/v1/claude_code/routines/{routine_id}/fire"
    try:
        raw = wire.post(url, headers=headers, body=body, timeout=timeout)
    except (wire.NotSent, wire.AnswerLost) as failure:
        return answers.of_failure(failure)
    return answers.of_response(raw, token=token, sent=text)
