from typing import Any

from allauth.account.signals import authentication_step_completed
from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest


class DashboardConfig(AppConfig):
    name = "dashboard"

    def ready(self) -> None:
        user_logged_in.connect(_note_sign_in, dispatch_uid="sign-in")
        authentication_step_completed.connect(_note_confirming, dispatch_uid="confirming")


def _note_sign_in(request: HttpRequest, **_: Any) -> None:
    from dashboard.sign_in import fresh, web_sessions

    web_sessions.begin(request)
    fresh.note(request)


def _note_confirming(request: HttpRequest, reauthenticated: bool = False, **_: Any) -> None:
    from dashboard.sign_in import fresh

    if reauthenticated:
        fresh.note(request)
