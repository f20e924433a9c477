from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from dashboard.serving import client_address
from dashboard.sign_in import fresh, guesses, means, second_factor
from dashboard.sign_in.oidc import adapter as oidc
from routines import people
from routines.models import Person


class InternalAccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """People are added by an admin or by the company's provider; nobody signs up."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "too_many_login_attempts": (
            "Too many wrong passwords. Wait five minutes, then try once more. A browser in which "
            "this person has signed in before is not held up by what happens elsewhere."
        ),
        "rate_limited": "Too many tries in a short time. Wait a minute, then try once more.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address.of(request) or "0.0.0.0"  # noqa: S104  # said of a Unix socket

    # --- Passwords ---

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Every password that is tried comes through here, at the sign-in and at confirming."""
        if not settings.PASSWORD_SIGN_IN:
            raise ValidationError("Passwords are switched off here: use the button instead.")
        self._login_failed_rl_usage = guesses.count(request, credentials.get("username", ""))
        if self._login_failed_rl_usage is None:
            raise self.validation_error("too_many_login_attempts")

    def get_login_stages(self) -> list[str]:
        theirs, ours = "allauth.mfa.stages.AuthenticateStage", second_factor.STAGE
        return [ours if stage == theirs else stage for stage in super().get_login_stages()]

    def post_login(self, request: HttpRequest, user: Person, **more: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **more)
        at_provider = (more.get("signal_kwargs") or {}).get("sociallogin")
        if at_provider is None:
            means.note(request, means.PASSWORD)
            guesses.remember_browser(request, response, user.username)
        else:
            oidc.note_sign_in(request, at_provider)
        return response

    def get_logout_redirect_url(self, request: HttpRequest) -> str:
        url: str = super().get_logout_redirect_url(request)
        return oidc.sign_out_url(request) or url

    def set_password(self, user: Person, password: str) -> None:
        people.choose_password(user, password)

    # --- Confirming that it is you ---

    def is_reauthentication_required(self, *, app: str, **more: Any) -> bool:
        return not fresh.is_fresh(self.request)

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        if means.used(self.request) == means.PROVIDER:
            return [{"id": "provider", "description": "", "url": reverse("oidc_confirm")}]
        return methods
