"""What people see when a request cannot be served: a sentence, and never a lost text.

For an htmx call the same sentence goes into the page's notice area, and the page stays.
"""

import logging
import sys

from django.conf import settings
from django.contrib.sessions.exceptions import SessionInterrupted
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import Resolver404, resolve

from dashboard.doors import replies
from dashboard.doors.replies import Reply
from dashboard.notices import as_notice, is_htmx, typed_text
from dashboard.serving import bounds, door_addresses, https, logs
from dashboard.sign_in import signed_out
from dashboard.views import run
from routines.runs.rules import NotAllowed

logger = logging.getLogger(__name__)

_HOST_MISSING = (
    "A request named another host than DASHBOARD_URL does. If it came through the proxy in front, "
    "that must pass the header Host on as the browser sent it."
)
_LONGEST_HOST = 100  # characters in the log
_BROKEN = (
    "Something broke in the dashboard. Whether a session was started is not known: repeat the call "
    "with the same Idempotency-Key; without one, do not fire again before a person has looked at "
    "the history. An admin finds the cause in the log, under this request ID."
)
_TRY_AGAIN_AFTER = "5"  # seconds


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if isinstance(exception, bounds.Refused):
        typed = typed_text(request) if exception.gives_back else ""
        response = _error(
            request, exception.status, exception.title, exception.sentence, typed=typed
        )
        if isinstance(exception, bounds.SecretInAddress):  # the page's own style is asked for, too
            response.headers["Referrer-Policy"] = "no-referrer"
        return response
    if isinstance(exception, DisallowedHost):  # most often a probe: no query, and one short line
        host = request.META.get("HTTP_HOST", "")[:_LONGEST_HOST]
        https.warn_once(_HOST_MISSING)
        logger.info("refused: addressed to another host", extra={"facts": {"host": host}})
        sentence = f"This is not the address of the dashboard. Open {settings.DASHBOARD_URL}"
        if door_addresses.is_door(request):
            return replies.answer(request, Reply(400, sentence))
        sentence = f"{sentence}\n{_HOST_MISSING}\n"
        return HttpResponse(sentence, status=400, content_type="text/plain; charset=utf-8")
    if isinstance(exception, SessionInterrupted):  # raised once the view has done its work
        return _error(
            request,
            400,
            "Your sign-in has ended meanwhile",
            "What you asked for may have been done. Sign in, and look before you do it again.",
        )
    if door_addresses.is_door(request):
        sentence = "This request could not be read. It may be cut short. Nothing was sent."
        return replies.answer(request, Reply(400, sentence))
    return _error(
        request,
        400,
        "This request could not be read",
        "It may be too large or cut short. Nothing was sent. Go back, and shorten what you typed.",
    )


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if isinstance(exception, NotAllowed):
        return _error(request, 403, "This routine is not open to you", str(exception))
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated and not user.rights:
        return _error(
            request,
            403,
            "You have no role yet",
            "Nothing was changed or sent. Ask an admin to put you into Teammates, Managers or "
            "Admins: until then there is nothing to see or to run for you.",
        )
    return _error(
        request,
        403,
        "Your role does not allow this",
        "Nothing was changed or sent. Ask an admin if you need to do this.",
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _error(
        request,
        404,
        "There is nothing at this address",
        "Look at /api/docs; no address for programs ends with a slash."
        if door_addresses.is_door(request)
        else "It may have been archived, or it is not yours to see.",
    )


def too_many(request: HttpRequest) -> HttpResponse:
    return _error(
        request,
        429,
        "Too many tries",
        "Nothing was done. Wait a few minutes, then try once more.",
    )


def server_error(request: HttpRequest) -> HttpResponse:
    if isinstance(sys.exc_info()[1], logs.DATABASE_AWAY):
        return _database_away(request)
    if door_addresses.is_door(request):
        return replies.answer(request, Reply(500, _BROKEN))
    # Drawn without context processors, and at the worst without templates and static files:
    # they may be what failed.
    context = {"reference": logs.request_id.get()}
    try:
        page: str = render_to_string("errors/server_error.html", context)
    except Exception:
        page = _WITHOUT_TEMPLATES.format_map(context)
    return HttpResponse(page, status=500)


def _database_away(request: HttpRequest) -> HttpResponse:
    """Drawn without a query, and without an attempt to save what the request was about to."""
    session = getattr(request, "session", None)
    if session is not None:
        session.modified = False
    if door_addresses.is_door(request):
        sentence = (
            "The dashboard's database does not answer. This call started nothing. Repeat it, with "
            "the same Idempotency-Key if it has one."
        )
        headers = {"Retry-After": _TRY_AGAIN_AFTER}
        return replies.answer(request, Reply(503, sentence, headers))
    title = "The database does not answer"
    sentence = "Wait a moment, then try once more."
    if request.method == "POST":
        sentence = (
            "What you asked for was most likely not done. Wait a moment, look, and try once more. "
            "If you pressed Run, look at the history first: a run is recorded before it is sent."
        )
    context = {"title": title, "sentence": sentence, "reference": logs.request_id.get()}
    if "application/json" in request.headers.get("Accept", ""):
        error = {"type": "database_unavailable", "message": f"{title}. {sentence}"}
        reference = logs.request_id.get()
        answer: HttpResponse = JsonResponse(
            {"type": "error", "error": error, "reference": reference}, status=503
        )
    elif is_htmx(request):
        page = render_to_string("errors/notice.html", context)
        answer = as_notice(HttpResponse(page, status=503))
    else:
        context["typed"] = typed_text(request) if request.method == "POST" else ""
        page = render_to_string("errors/database_away.html", context)
        answer = HttpResponse(page, status=503)
    answer.headers["Retry-After"] = _TRY_AGAIN_AFTER
    return answer


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Most often the page is older than the latest sign-in. A run form comes back as typed."""
    try:
        match = resolve(request.path_info)
    except Resolver404:
        return not_found(request)
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        if getattr(match.func, "login_required", True):  # as LoginRequiredMiddleware asks
            return signed_out.refuse_post(request)
    elif match.func is run.fire and user.has_perm("routines.fire_routine"):
        sentence = (
            "This form was older than your sign-in. Nothing was sent. "
            "Check the text and press Run now once more."
        )
        return run.run_form_with_what_was_typed(
            request,  # type: ignore[arg-type]  # the middleware has signed in its user
            match.kwargs["slug"],
            sentence,
        )
    return _error(
        request,
        403,
        "This page was older than your sign-in",
        "Nothing was changed or sent. Go back, reload the page and try once more.",
    )


def _error(
    request: HttpRequest, status: int, title: str, sentence: str, *, typed: str | None = None
) -> HttpResponse:
    if door_addresses.is_door(request):
        return replies.answer(request, Reply(status, f"{title}. {sentence}"))
    context = {
        "title": title,
        "sentence": sentence,
        "typed": typed_text(request) if typed is None else typed,
        "reference": logs.request_id.get(),
    }
    if is_htmx(request):
        return as_notice(render(request, "errors/notice.html", context, status=status))
    return render(request, "errors/error.html", context, status=status)


_WITHOUT_TEMPLATES = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Something broke</title>
<h1>Something broke in the dashboard</h1>
<p>It is in the log, under the reference {reference}. If you had pressed Run, look at the history
before you press it again: the run is recorded before anything is sent.</p></html>
"""
