"""Before tokens and rights are touched, people confirm that it is them, if they have not of late.

Whoever finds an unlocked screen, or has stolen a cookie, gets no further than the board. People
are asked when they open a page. A form that was open for too long loses nothing: it comes back as
it was typed, with a link to confirm in another tab.
"""

from collections.abc import Callable
from functools import wraps
from time import time
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django_htmx.http import HttpResponseClientRedirect

from dashboard.sign_in import methods

_KEY = "confirmed_at"  # in the web session

View = Callable[..., HttpResponse]


def record(request: HttpRequest) -> None:
    """Somebody has just signed in, or confirmed that it is them."""
    request.session[_KEY] = int(time())


def is_recent(request: HttpRequest) -> bool:
    if methods.used(request) == methods.PROXY:  # asked at every request, by the proxy
        return True
    return bool(0 <= time() - request.session.get(_KEY, 0) < settings.REAUTHENTICATE_AFTER_SECONDS)


def reauthenticate_to_open(view: View) -> View:
    """For pages with a form: looking asks, and the view itself asks again by
    `is_valid_and_confirmed`."""

    @wraps(view)
    def asking(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method != "POST" and not is_recent(request):
            return _lead_to_confirming(request)
        return view(request, *args, **kwargs)

    return asking


def reauthentication_required(view: View) -> View:
    """For addresses behind a mere button, with nothing typed to be lost."""

    @wraps(view)
    def asking(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if is_recent(request):
            return view(request, *args, **kwargs)
        if request.method == "POST":
            context = {"confirm": _confirming(reverse("confirmed"))}
            return render(request, "errors/confirm.html", context, status=403)
        return _lead_to_confirming(request)

    return asking


def is_valid_and_confirmed(request: HttpRequest, form: BaseForm) -> bool:
    """Ask in the form itself if the sign-in has grown old since the page was opened.

    Whatever else is wrong with the form: so everything is said at once.
    """
    is_valid = form.is_valid()
    if not form.is_bound or is_recent(request):
        return is_valid
    form.add_error(
        None,
        format_html(
            "It is a while since you signed in, so nothing was saved yet. "
            '<a href="{}" target="_blank" rel="noopener">Confirm in a new tab that it is you</a>, '
            "come back and press the button again: what you typed is still here.",
            _confirming(reverse("confirmed")),
        ),
    )
    return False


def _lead_to_confirming(request: HttpRequest) -> HttpResponse:
    url = _confirming(request.get_full_path())
    if getattr(request, "htmx", False):
        return HttpResponseClientRedirect(url)
    return redirect(url)


def _confirming(after: str) -> str:
    return f"{reverse('account_reauthenticate')}?{urlencode({'next': after})}"
