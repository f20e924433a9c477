"""What somebody gets whose sign-in has ended meanwhile: nothing is done, and nothing is lost."""

from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect

from dashboard.notices import as_notice, is_htmx, typed_text


def refuse_post(request: HttpRequest) -> HttpResponse:
    """What was typed comes back, with a link to sign in and return."""
    context = {"sign_in": _sign_in_then(request.get_full_path()), "typed": typed_text(request)}
    if is_htmx(request):
        return as_notice(render(request, "errors/signed_out_notice.html", context, status=401))
    return render(request, "errors/signed_out.html", context, status=401)


def redirect_the_whole_page(request: HttpRequest) -> HttpResponse:
    """Send the page, not the fragment that htmx asked for, to the sign-in form, and then back."""
    shown = urlsplit(request.headers.get("HX-Current-URL", ""))
    back = f"{shown.path}?{shown.query}" if shown.query else shown.path
    if not url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        back = resolve_url("board")
    return HttpResponseClientRedirect(_sign_in_then(back or "/"))


def _sign_in_then(after: str) -> str:
    return f"{reverse('account_login')}?{urlencode({'next': after})}"
