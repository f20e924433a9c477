"""Pages that keep themselves up to date: the address that they ask, and most of the answers.

The address carries a signed cursor, good for a day. A look that finds nothing is answered before
anybody asks who looks: it costs one query, reads no session and keeps none alive. Only a page that
somebody signed in was given carries such an address, and it learns no more than that there is news;
the news itself is a view's, for those who are signed in.
"""

from collections.abc import Callable
from urllib.parse import urlencode

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from routines.board import news

_LIFETIME = 24 * 3600
_signer = signing.TimestampSigner(salt="live")


def address(view: str, cursor: news.Cursor, **query: str) -> str:
    """Return where static/live.js asks `view` for news; `query` goes along with each look."""
    return f"{reverse(view)}?{urlencode({'look': _signer.sign(str(cursor))} | query)}"


def news_for(request: HttpRequest) -> news.News:
    """Return the news for the view behind such an address.

    A page whose cursor is no good any more, since it slept for more than a day, may have missed
    anything: it gets all there is to see, and a new cursor.
    """
    return getattr(request, "news", None) or news.anything()


class LookMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        cursor = _cursor(request) if "look" in request.GET else None
        if cursor is not None:
            found = news.since(cursor)
            if found is None:
                return HttpResponse(status=204)
            request.news = found  # type: ignore[attr-defined]
        return self.get_response(request)


def is_look(request: HttpRequest) -> bool:
    """The page asks by itself: nobody need be there."""
    return "look" in request.GET


def _cursor(request: HttpRequest) -> news.Cursor | None:
    try:
        return news.read(_signer.unsign(request.GET["look"], max_age=_LIFETIME))
    except (signing.BadSignature, news.BadCursor):
        return None
