"""An answer that is no page of its own: for htmx a notice above the page, which stays as it is."""

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django_htmx.http import reswap, retarget

from routines.values.redaction import redact_tokens


def is_htmx(request: HttpRequest) -> bool:
    """False as well where a request was refused before anybody asked."""
    return bool(getattr(request, "htmx", False))


def as_notice(response: HttpResponse) -> HttpResponse:
    return reswap(retarget(response, "#notice"), "innerHTML")


def typed_text(request: HttpRequest) -> str:
    """The text of a refused POST, to be given back; empty where it cannot be read."""
    try:
        return redact_tokens(request.POST.get("text", ""))
    except (SuspiciousOperation, UnreadablePostError):
        return ""
