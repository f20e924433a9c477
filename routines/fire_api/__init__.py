"""The fire endpoint: `POST {base}/v1/claude_code/routines/{routine_id}/fire`.

The contract, as documented and as far as it is known, is docs/fire-api.md:

- headers: `Authorization: Bearer`, `anthropic-version`, `anthropic-beta` (may be left out), and
  `Content-Type: application/json` when there is a body;
- body: none, or `{"text": "..."}` with at most 65,536 characters;
- there is no idempotency key: every request that gets through makes a new session. So nothing
  here sends anything twice.
"""

import json

from django.conf import settings

from routines import wire
from routines.fire_api import answers
from routines.fire_api.answers import Answer
from routines.values.tokens import Token

__all__ = ["Answer", "configured_route", "fire", "warm_up"]

_STRAIGHT = wire.Route()


def configured_route() -> wire.Route:
    """How the settings say that fires get out: through FIRE_PROXY_URL, trusting CA_BUNDLE too."""
    proxy = None
    if settings.FIRE_PROXY_URL:
        proxy = wire.Proxy.from_url(settings.FIRE_PROXY_URL).signed_in_as(
            settings.FIRE_PROXY_USER, settings.FIRE_PROXY_PASSWORD
        )
    return wire.Route(proxy=proxy, ca_file=settings.CA_BUNDLE)


def warm_up() -> None:
    wire.warm_up(configured_route())


def fire(
    *,
    base_url: str,
    routine_id: str,
    token: Token,
    beta_version: str,
    api_version: str,
    text: str,
    timeout: float,
    route: wire.Route = _STRAIGHT,
) -> Answer:
    """Send one fire and return what came of it. Never raises, never sends a second request.

    `beta_version` empty: the header is not sent. `text` empty: no body is sent. `timeout` is in
    seconds, from looking up the endpoint's name to the answer's last byte.
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
        raw = wire.ask("POST", url, headers=headers, body=body, timeout=timeout, route=route)
    except (wire.NotSent, wire.AnswerLost) as failure:
        return answers.of_failure(failure)
    return answers.of_response(raw, token=token, sent=text)
