"""Room for a whole request on Python's own stack.

CPython (3.11 to 3.13 at least) keeps the frames of function calls in pieces of 16 KB. A call that
finds its piece full gets a new one from the operating system, and its return gives it back. A
template that happens to stand at such an edge does so for every variable that it draws, which
doubles or triples the time of a page; which page it meets is luck, since it depends on how many
calls lie above it.

So one call at the start of a request asks for a frame so large that its piece has room for all
others. docs/decisions/0007-pages-drawn-on-the-server-htmx-for-parts.md has the figures.
"""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

# Of a pointer each: this frame takes half of a piece of 256 KB, and leaves the other half. Nothing
# of it is touched before it is used, so it costs no more than one call of the operating system.
_SLOTS = 16_000


class RoomOnStackMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return _with_room(self.get_response, request)


def _with_room(
    get_response: Callable[[HttpRequest], HttpResponseBase], request: HttpRequest
) -> HttpResponseBase:
    return get_response(request)


_with_room.__code__ = _with_room.__code__.replace(co_stacksize=_SLOTS)
