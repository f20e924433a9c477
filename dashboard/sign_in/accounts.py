from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from dashboard.serving import client_address
from dashboard.sign_in import journal, methods, reauthentication, second_factor, throttling
from dashboard.sign_in.oidc.adapter import record_sign_in, sign_out_url
from routines import people
from routines.models import AuditEvent, Person

Action = AuditEvent.Action


TOO_MANY_CODES = (
    "Too many wrong codes or passkeys for this person. Wait five minutes, then try once more: "
    "until then no code and no passkey of theirs is taken, in no browser, not even a right one. "
    "If it was not you, somebody knows your password: change it."
)


class InternalAccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """People are added by an admin or by the company's provider; nobody signs up."""

    error_messages = DefaultAccountAdapter.error_messages | {
        # Of codes and passkeys; passwords: throttling.py.
        "too_many_login_attempts": TOO_MANY_CODES,
        "rate_limited": "Too many tries in a short time. Wait five minutes, then try once more.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address.of(request) or "0.0.0.0"  # noqa: S104  # said of a Unix socket

    # --- Passwords ---

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """allauth would count wrong passwords here; `authenticate` does, by our own rules."""

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        """Every password that is tried comes through here, at the sign-in and at confirming."""
        if not settings.PASSWORD_SIGN_IN:
            raise ValidationError("Passwords are switched off here: use the button instead.")
        username = credentials.get("username", "")
        try:
            guess = throttling.count_guess(request, username)
        except throttling.TooManyGuesses as held_up:
            journal.throttled(request, username, journal.Means.PASSWORD)
            raise ValidationError(str(held_up), code="too_many_login_attempts") from None
        known = Person.objects.named(username)  # in whatever case and form of Unicode it was typed
        if known is not None:
            credentials["username"] = known.username
        person = super().authenticate(request, **credentials)
        if person is not None:
            guess.was_right()
        return person

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        confirming = request.user.is_authenticated
        action = Action.CONFIRMING_FAILED if confirming else Action.SIGN_IN_FAILED
        tried, why = credentials.get("username", ""), "wrong name or password"
        journal.failed(request, tried, journal.Means.PASSWORD, why=why, action=action)

    def respond_user_inactive(self, request: HttpRequest, user: Person) -> HttpResponse:
        journal.failed(request, user, journal.Means.PROVIDER, why="deactivated")
        response: HttpResponse = super().respond_user_inactive(request, user)
        return response

    def get_login_stages(self) -> list[str]:
        theirs, ours = "allauth.mfa.stages.AuthenticateStage", second_factor.STAGE
        return [ours if stage == theirs else stage for stage in super().get_login_stages()]

    def post_login(self, request: HttpRequest, user: Person, **more: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **more)
        at_provider = (more.get("signal_kwargs") or {}).get("sociallogin")
        if at_provider is None:
            methods.record(request, methods.PASSWORD)
            throttling.remember_browser(request, response, user.username)
            journal.signed_in_with_password(request, user)
        else:
            record_sign_in(request, at_provider)
            journal.signed_in(request, user, journal.Means.PROVIDER)
        return response

    def logout(self, request: HttpRequest) -> None:
        if isinstance(request.user, Person):
            journal.signed_out(request, request.user, "by themselves")
        super().logout(request)

    def get_logout_redirect_url(self, request: HttpRequest) -> str:
        url: str = super().get_logout_redirect_url(request)
        return sign_out_url(request) or url

    def set_password(self, user: Person, password: str) -> None:
        people.choose_password(user, password)

    # --- Confirming that it is you ---

    def is_reauthentication_required(self, *, app: str, **more: Any) -> bool:
        return not reauthentication.is_recent(self.request)

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        if methods.used(self.request) == methods.PROVIDER:
            return [{"id": "provider", "description": "", "url": reverse("oidc_confirm")}]
        offered: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        return offered
