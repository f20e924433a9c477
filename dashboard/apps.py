from typing import Any

from allauth.account.signals import authentication_step_completed
from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest

from dashboard.serving import request_log


class DashboardConfig(AppConfig):
    name = "dashboard"

    def ready(self) -> None:
        from allauth.mfa.signals import (
            authentication_failed,
            authenticator_added,
            authenticator_removed,
        )

        from dashboard.serving import checks  # noqa: F401  # registers them

        user_logged_in.connect(_record_sign_in, dispatch_uid="sign-in")
        authentication_step_completed.connect(_record_confirmation, dispatch_uid="confirming")
        authenticator_added.connect(_trace_second_factor, dispatch_uid="second factor")
        authenticator_removed.connect(_trace_no_second_factor, dispatch_uid="no second factor")
        authentication_failed.connect(_note_failed_factor, dispatch_uid="failed factor")


def _record_sign_in(request: HttpRequest, user: Any, **_: Any) -> None:
    from dashboard.sign_in import reauthentication, web_sessions

    web_sessions.begin(request)
    reauthentication.record(request)
    request_log.name_person(request, user.get_username())


def _record_confirmation(
    request: HttpRequest, user: Any, method: str, reauthenticated: bool = False, **more: Any
) -> None:
    from dashboard.sign_in import journal, reauthentication

    if reauthenticated:
        reauthentication.record(request)
        by_factor = method == "mfa"
        means = journal.means_of(more["type"]) if by_factor else journal.Means.PASSWORD
        journal.confirmed(request, user, means)


def _trace_second_factor(user: Any, authenticator: Any, **_: Any) -> None:
    from dashboard.sign_in import second_factor

    second_factor.trace_change(user, authenticator, added=True, by=user)


def _trace_no_second_factor(user: Any, authenticator: Any, **_: Any) -> None:
    from dashboard.sign_in import second_factor

    second_factor.trace_change(user, authenticator, added=False, by=user)


def _note_failed_factor(
    request: HttpRequest, user: Any, authenticator: Any, throttled: bool = False, **_: Any
) -> None:
    from dashboard.sign_in import second_factor

    second_factor.note_failure(request, user, authenticator, throttled=throttled)
