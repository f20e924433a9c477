"""What an admin pastes and types to register a routine."""

from typing import Any

from django.conf import settings
from django.test import Client
from django.urls import reverse

from routines.models import AuditEvent, Routine
from routines.practice_api import PracticeApi
from routines.registry import header_versions
from routines.values import tokens
from tests.dashboard.browsing import Page

NEW_ID = "trig_practice_fifth"
NEW_TOKEN = PracticeApi().token_for(NEW_ID)
BAD_TOKEN = "sk-ant-oat01-first half and second half"

DETAILS = {
    "routine_id": NEW_ID,
    "token": NEW_TOKEN,
    "name": "Fifth",
    "purpose": "Tries it out.",
    "account": "Fifth account",
    "beta_version": header_versions.BETA_VERSION,
    "api_version": header_versions.API_VERSION,
    "cool_down": "0",
    "hourly_limit": "",
}


def command(
    *,
    base_url: str | None = None,
    routine_id: str = NEW_ID,
    token: str = NEW_TOKEN,
    beta_version: str = header_versions.BETA_VERSION,
    api_version: str = header_versions.API_VERSION,
) -> str:
    """The sample command, as claude.ai's trigger window shows it."""
    base_url = base_url or settings.CLAUDE_API_BASE_URL
    return f"""curl -X POST {base_url}/v1/claude_code/routines/{routine_id}/fire \\
  -H "Authorization: Bearer {token}" \\
  -H "anthropic-beta: {beta_version}" \\
  -H "anthropic-version: {api_version}" \\
  -H "Content-Type: application/json" \\
  -d '{{"text": "Alert SEN-4521 fired in production."}}'
"""


def secret_part(token: str = NEW_TOKEN) -> bytes:
    """What of a token no answer may hold: all but the prefix and the last four characters."""
    return token[len(tokens.PREFIX) : -4].encode()


def assert_hidden(response: Any, token: str = NEW_TOKEN) -> None:
    assert secret_part(token) not in response.content
    assert secret_part(token) not in str(response.headers).encode()


def registry_page(routine: Routine) -> str:
    return reverse("registry_routine", args=[routine.slug])


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))


PASTE_URL = "/routines/register/"
DETAILS_URL = "/routines/register/details/"


def paste(client: Client, text: str) -> Any:
    return client.post(PASTE_URL, {"pasted": text})


def second_step(client: Client, text: str) -> dict[str, str]:
    """The fields of the form that a paste leads to."""
    response = paste(client, text)
    assert response.status_code == 200
    return Page(response).fields(DETAILS_URL)


def typed(**values: str) -> dict[str, str]:
    return {"name": "Fifth", "account": "Fifth account"} | values
