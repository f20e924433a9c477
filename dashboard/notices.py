"""An answer that is no page of its own: for htmx a notice above the page, which stays as it is."""

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django_htmx.http import reswap, retarget

from dashboard.serving import bounds
from routines.values.redaction import redact_typed


def is_htmx(request: HttpRequest) -> bool:
    """False as well where a request was refused before anybody asked."""
    return request.headers.get("HX-Request") == "true"


def as_notice(response: HttpResponse) -> HttpResponse:
    return reswap(retarget(response, "#notice"), "innerHTML")


def typed_text(request: HttpRequest) -> str:
    """The text of a refused POST, to be given back to who has, or had, a web session.

    Empty where it cannot be read. Cut before it is looked at.
    """
    if request.method != "POST" or not bounds.has_had_web_session(request):
        return ""
    try:
        return redact_typed(request.POST.get("text", "")[: bounds.LONGEST_FIELD])
    except (SuspiciousOperation, BadRequest, UnreadablePostError, MultiPartParserError):
        return ""
