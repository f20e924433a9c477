"""What must be done before a page opens."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from dashboard.notices import is_htmx
from dashboard.sign_in import second_factor, signed_out

# What stays open behind a closed gate, by the names of the URLs.
_WITH_AN_INITIAL_PASSWORD = {"account_change_password", "account_logout"}
_WITHOUT_A_SECOND_FACTOR = {
    "account_change_password",
    "account_logout",
    "account_reauthenticate",
    "confirmed",
}


class GatesMiddleware(LoginRequiredMiddleware):
    """Three gates in front of every view; the first that is closed answers."""

    def process_view(
        self,
        request: HttpRequest,
        view_func: Callable[..., Any],
        view_args: tuple[Any, ...],
        view_kwargs: dict[str, Any],
    ) -> HttpResponseBase | None:
        # 1. Every page is private unless its view says otherwise (login_not_required).
        if not request.user.is_authenticated:
            return super().process_view(request, view_func, view_args, view_kwargs)

        page = request.resolver_match.url_name if request.resolver_match else None

        # 2. A password that an admin made opens one page: the one to choose one's own.
        if request.user.password_is_initial and page not in _WITH_AN_INITIAL_PASSWORD:
            return _lead_to("account_change_password", request)

        # 3. Whoever must have a second factor sets it up first.
        open_page = page in _WITHOUT_A_SECOND_FACTOR or (page or "").startswith("mfa_")
        if not open_page and second_factor.is_missing(request):
            if request.method == "POST" and not is_htmx(request):
                return render(request, "mfa/first.html", status=403)
            return _lead_to("mfa_index", request)

        return None

    def handle_no_permission(  # type: ignore[override]  # it need not be a redirect
        self, request: HttpRequest, view_func: Callable[..., Any]
    ) -> HttpResponseBase:
        """A lost sign-in must not lose what was typed, so no POST is answered with a redirect."""
        if request.method == "POST":
            return signed_out.refuse_post(request)
        if is_htmx(request):
            return signed_out.redirect_the_whole_page(request)
        return super().handle_no_permission(request, view_func)


def _lead_to(page: str, request: HttpRequest) -> HttpResponse:
    """The whole page, not the fragment that htmx asked for."""
    if is_htmx(request):
        return HttpResponseClientRedirect(reverse(page))
    return redirect(page)
