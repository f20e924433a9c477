from typing import Any

from allauth.account.signals import authentication_step_completed
from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest


class DashboardConfig(AppConfig):
    name = "dashboard"

    def ready(self) -> None:
        from allauth.mfa.signals import authenticator_added, authenticator_removed

        user_logged_in.connect(_note_sign_in, dispatch_uid="sign-in")
        authentication_step_completed.connect(_note_confirming, dispatch_uid="confirming")
        authenticator_added.connect(_note_second_factor, dispatch_uid="second factor")
        authenticator_removed.connect(_note_no_second_factor, dispatch_uid="no second factor")


def _note_sign_in(request: HttpRequest, **_: Any) -> None:
    from dashboard.sign_in import fresh, web_sessions

    web_sessions.begin(request)
    fresh.note(request)


def _note_confirming(request: HttpRequest, reauthenticated: bool = False, **_: Any) -> None:
    from dashboard.sign_in import fresh

    if reauthenticated:
        fresh.note(request)


def _note_second_factor(user: Any, authenticator: Any, **_: Any) -> None:
    from dashboard.sign_in import second_factor

    second_factor.note_change(user, authenticator, added=True, by=user)


def _note_no_second_factor(user: Any, authenticator: Any, **_: Any) -> None:
    from dashboard.sign_in import second_factor

    second_factor.note_change(user, authenticator, added=False, by=user)
