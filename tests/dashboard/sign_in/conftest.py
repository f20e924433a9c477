from collections.abc import Iterator
from typing import Any

import pytest

from tests import identity_provider
from tests.identity_provider import CLIENT_ID, CLIENT_SECRET, IdentityProvider


@pytest.fixture
def provider(settings: Any, db: None) -> Iterator[IdentityProvider]:
    """Set up, with one person in each of the groups that mean something, and one in none."""
    with identity_provider.running() as provider:
        settings.OIDC_ISSUER = provider.url
        settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = CLIENT_ID, CLIENT_SECRET
        settings.DASHBOARD_URL = "http://testserver"
        provider.people = {
            "sub-admin": {
                "preferred_username": "ada",
                "name": "Ada Admin",
                "email": "ada@example.com",
                "groups": ["everybody", "claude-admins"],
            },
            "sub-teammate": {"preferred_username": "tom", "groups": ["claude-teammates"]},
            "sub-manager": {"preferred_username": "mia", "groups": ["claude-managers"]},
            "sub-nobody": {"preferred_username": "nob", "groups": ["everybody"]},
        }
        yield provider
