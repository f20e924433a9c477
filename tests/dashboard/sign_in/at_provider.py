"""Signing in at a provider, without a browser."""

from typing import Any

from django.test import Client

from tests.identity_provider import IdentityProvider

BEGIN, BACK = "/sign-in/provider/", "/sign-in/provider/back/"


def begin(client: Client, **posted: str) -> str:
    """Press the button; return where the browser is sent to."""
    location: str = client.post(BEGIN, posted).headers["Location"]
    return location


def sign_in(client: Client, provider: IdentityProvider, sub: str, **posted: str) -> Any:
    return client.get(BACK, provider.authorize(begin(client, **posted), sub))


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session
