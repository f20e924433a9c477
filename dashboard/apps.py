from typing import Any

from allauth.account.signals import authentication_step_completed
from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest

from dashboard.serving import request_log


class DashboardConfig(AppConfig):
    name = "dashboard"

    def ready(self) -> None:
        from allauth.mfa.signals import authenticator_added, authenticator_removed

        from dashboard.serving import checks  # noqa: F401  # registers them

        user_logged_in.connect(_record_sign_in, dispatch_uid="sign-in")
        authentication_step_completed.connect(_record_confirmation, dispatch_uid="confirming")
        authenticator_added.connect(_trace_second_factor, dispatch_uid="second factor")
        authenticator_removed.connect(_trace_no_second_factor, dispatch_uid="no second factor")


def _record_sign_in(request: HttpRequest, user: Any, **_: Any) -> None:
    from dashboard.sign_in import reauthentication, web_sessions

    web_sessions.begin(request)
    reauthentication.record(request)
    request_log.name_person(request, user.get_username())


def _record_confirmation(request: HttpRequest, reauthenticated: bool = False, **_: Any) -> None:
    from dashboard.sign_in import reauthentication

    if reauthenticated:
        reauthentication.record(request)


def _trace_second_factor(user: Any, authenticator: Any, **_: Any) -> None:
    from dashboard.sign_in import second_factor

    second_factor.trace_change(user, authenticator, added=True, by=user)


def _trace_no_second_factor(user: Any, authenticator: Any, **_: Any) -> None:
    from dashboard.sign_in import second_factor

    second_factor.trace_change(user, authenticator, added=False, by=user)
