"""What may come in at all: a request is bounded and cleaned before anybody looks at what it says.

Whatever stands in front may hand through any bytes, and what is cheap to send must not be dear to
read. Each refusal is a page of its own (views/errors.py), with a sentence and without what it is
about.
"""

import codecs
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote, unquote_plus, urlsplit

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.utils.http import parse_header_parameters

from dashboard.serving import doors
from routines.values import api_keys, tokens

LONGEST_ADDRESS = 65_536  # characters; gunicorn takes 8,190
LONGEST_CURRENT_URL = 8_000
LONGEST_COOKIE = 4_096  # what browsers keep
LONGEST_NAME = 200  # of a form's field
# Of one field: six times the longest text, so that one that is too long comes back as typed.
LONGEST_FIELD = 6 * 65_536
LONGEST_FORM = 4 * LONGEST_FIELD  # all fields together
# Bytes of a body: somebody who is not signed in has a few short fields to send. Whoever brings the
# cookie of a web session, perhaps one that has ended meanwhile, may have typed a text.
LARGEST_OF_NOBODY = 65_536
LARGEST_OF_SIGNED_OUT = 2_000_000

_UTF_8 = "utf-8"
_CURRENT_URL = ("HTTP_HX_CURRENT_URL", "HTTP_HX_CURRENT_URL_URI_AUTOENCODED")
_CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_LAYERS = 3  # of percent-encoding, as sign-in pages put an address into an address

Application = Callable[[dict[str, Any], Callable[..., Any]], Any]


class Refused(BadRequest):
    """Nothing of this request is read any further."""

    gives_back = False  # what was typed: where its form has been read

    def __init__(self, status: int, title: str, sentence: str) -> None:
        super().__init__(title)
        self.status, self.title, self.sentence = status, title, sentence


class FieldTooLong(Refused):
    gives_back = True


class SecretInAddress(Refused):
    pass


class TokenInAddress(SecretInAddress):
    def __init__(self) -> None:
        super().__init__(
            400,
            "A token stands in this address",
            "Nothing was opened, sent or saved. Addresses are kept by browsers and by whatever "
            "stands in between, so others may have seen it: regenerate this token at claude.ai, "
            "and never put one into a link.",
        )


class KeyInAddress(SecretInAddress):
    def __init__(self) -> None:
        super().__init__(
            400,
            "An API key stands in this address",
            "Nothing was opened, sent or saved. Addresses are kept by browsers and by whatever "
            "stands in between, so others may have seen it: make a new secret for that key and end "
            "this one. A key belongs into the Authorization header alone.",
        )


class BoundsMiddleware:
    """Refuses what nobody can have meant, and takes out of the headers what nobody can use."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        _refuse_odd_form(request)
        _refuse_odd_address(request)
        _clean_headers(request)
        if doors.is_door(request):
            request.COOKIES = {}
            _refuse_body_at_door(request)
        return self.get_response(request)


class BodyMiddleware:
    """How much may be sent, by who sends it. Nothing has read the body yet."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method == "POST" and not doors.is_door(request):
            if not request.user.is_authenticated:
                _refuse_large_of_nobody(request)
            _refuse_long_fields(request)
        return self.get_response(request)


def has_had_web_session(request: HttpRequest) -> bool:
    """True if what was typed may be given back: a page of another site sends no such cookie."""
    return settings.SESSION_COOKIE_NAME in request.COOKIES


def secret_stands_in(address: str) -> bool:
    """A token, or an API key of ours."""
    return any(map(tokens.contains_token, _readings(address))) or key_stands_in(address)


def key_stands_in(address: str) -> bool:
    return any(map(api_keys.contains_key, _readings(address)))


def readable_content_type(application: Application) -> Application:
    """Django reads this one header before any middleware has its turn, and may fail over it."""

    def guarded(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        try:
            _, parameters = parse_header_parameters(environ.get("CONTENT_TYPE", ""))
            _is_utf_8(parameters.get("charset", ""))
        except (ValueError, LookupError, TypeError, IndexError):
            environ["CONTENT_TYPE"] = "application/octet-stream"
        return application(environ, start_response)

    return guarded


def _refuse_odd_form(request: HttpRequest) -> None:
    charset = (request.content_params or {}).get("charset", _UTF_8)
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not _is_utf_8(charset):
        raise Refused(
            415,
            "This request could not be read",
            "It says that it is written in another encoding than UTF-8. Nothing was sent or saved.",
        )
    if request.encoding:
        request.encoding = _UTF_8  # by whichever of its names it was called
    if not (length.isascii() and length.isdigit() and len(length) < 16):
        raise Refused(
            400,
            "This request could not be read",
            "It does not say how long it is. Nothing was sent or saved.",
        )


def _is_utf_8(charset: str) -> bool:
    """Raise ValueError if Django would, too."""
    try:
        return codecs.lookup(charset).name in (_UTF_8, "ascii")
    except LookupError:
        return False


def _refuse_odd_address(request: HttpRequest) -> None:
    query = request.META.get("QUERY_STRING", "")
    if len(request.path) + len(query) > LONGEST_ADDRESS:
        raise Refused(
            414,
            "This address is too long",
            "Nothing was opened. Shorten it, or type the text into the form itself.",
        )
    address = f"{request.path}?{query}"
    if key_stands_in(address):
        raise KeyInAddress
    if secret_stands_in(address):
        raise TokenInAddress


def _readings(address: str) -> Iterator[str]:
    yield address
    for _ in range(_LAYERS):
        before, address = address, unquote(address)
        yield unquote_plus(before)
        if address == before:
            return


def _clean_headers(request: HttpRequest) -> None:
    for name, value in list(request.META.items()):
        if name.startswith("HTTP_") and _CONTROL.search(value):
            # Left out, or as a "?", it could be somebody else's name, or the key of another intent.
            request.META[name] = _CONTROL.sub("¿", value)
    request.COOKIES = {
        name: value
        for name, value in request.COOKIES.items()
        if value.isascii() and value.isprintable() and len(value) <= LONGEST_COOKIE
    }
    shown = request.META.get(_CURRENT_URL[0], "")
    if shown and not _is_usable_url(shown):
        for name in _CURRENT_URL:
            request.META.pop(name, None)


def _is_usable_url(url: str) -> bool:
    if len(url) > LONGEST_CURRENT_URL or secret_stands_in(url):
        return False
    try:
        for reading in (url, unquote(url)):
            urlsplit(reading)
    except ValueError:
        return False
    return True


def _refuse_body_at_door(request: HttpRequest) -> None:
    if doors.CUT_SHORT in request.META:
        raise Refused(
            408,
            "The request did not arrive whole in time",
            "Nothing was read or sent. Send it once more.",
        )
    if int(request.META.get("CONTENT_LENGTH") or 0) > doors.LARGEST_BODY:
        raise Refused(
            413,
            "The body is too large",
            f"It may have {doors.LARGEST_BODY:,} bytes. Nothing was read or sent.",
        )


def _refuse_large_of_nobody(request: HttpRequest) -> None:
    knows = has_had_web_session(request)
    most = LARGEST_OF_SIGNED_OUT if knows else LARGEST_OF_NOBODY
    if int(request.META.get("CONTENT_LENGTH") or 0) > most:
        raise Refused(
            413,
            "You are not signed in",
            "Nothing of this was read: it is too long for somebody who is not signed in. If you "
            "typed it here, go back and copy it, sign in, and send it then.",
        )


def _refuse_long_fields(request: HttpRequest) -> None:
    try:
        fields = list(request.POST.lists())
    except UnreadablePostError:
        raise Refused(
            400, "This request was cut short", "Nothing was sent or saved. Try once more."
        ) from None
    longest = max((len(value) for _, values in fields for value in values), default=0)
    whole = sum(len(value) for _, values in fields for value in values)
    if any(len(name) > LONGEST_NAME for name, _ in fields):
        raise Refused(400, "This request could not be read", "Nothing was sent or saved.")
    if longest > LONGEST_FIELD or whole > LONGEST_FORM:
        raise FieldTooLong(
            422,
            f"This is far too long ({max(longest, whole):,} characters)",
            f"A field may have {LONGEST_FIELD:,} characters, and all of them together "
            f"{LONGEST_FORM:,}. Nothing was sent or saved. Shorten it.",
        )
