"""How people may sign in here, and how somebody has signed in: recorded in the web session."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

PASSWORD, PROVIDER, PROXY = "password", "provider", "proxy"  # no password
_KEY = "signed_in_by"


def record(request: HttpRequest, by: str) -> None:
    request.session[_KEY] = by


def used(request: HttpRequest) -> str:
    return str(request.session.get(_KEY, PASSWORD))


def sign_in_methods(request: HttpRequest) -> dict[str, Any]:
    """Context processor: what the sign-in page and the menu may show."""
    user = getattr(request, "user", None)
    own_password = user is not None and user.is_authenticated and user.has_usable_password()
    return {
        "password_sign_in": settings.PASSWORD_SIGN_IN,
        "provider_label": settings.OIDC_LABEL if settings.OIDC_ISSUER else "",
        "has_own_password": settings.PASSWORD_SIGN_IN and own_password,
    }
