"""What the API can do, one entry each: what it takes, what it answers, and the view that does it.

From these entries come the dispatch by method, the reading of requests, and the document
(document.py): none of them can say anything else than the others.
"""

import hashlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.views.decorators.csrf import csrf_exempt

from dashboard.api import reading
from dashboard.doors.authentication import DoorRequest, opened_by_key
from dashboard.doors.replies import JSON, BadRequest, Refused, Reply, answer, identified
from routines.callers import turned_away
from routines.models import WhyNoRun as Why


@dataclass(frozen=True)
class Answer:
    content: msgspec.Struct
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Header:
    """One that an operation looks at."""

    name: str
    description: str
    example: str
    longest: int | None = None  # what is longer is refused


@dataclass(frozen=True)
class Operation:
    """`answers`: what its view may return, by status; `says`: when, and what it may refuse.

    The view gets the request, what stands in the address, and then what it takes: `query`, `body`.
    """

    method: str
    view: Callable[..., Answer]
    answers: Mapping[int, type[msgspec.Struct]]
    says: Mapping[int, str]
    query: type[msgspec.Struct] | None
    body: type[msgspec.Struct] | None
    headers: Sequence[Header]

    @property
    def name(self) -> str:
        return self.view.__name__

    @property
    def summary(self) -> str:
        return self._told[0].removesuffix(".")

    @property
    def description(self) -> str:
        return self._told[1]

    @property
    def _told(self) -> tuple[str, str]:
        first, _, rest = (inspect.getdoc(self.view) or "").partition("\n")
        return first, "\n\n".join(
            " ".join(paragraph.split()) for paragraph in rest.strip().split("\n\n")
        )


def operation(
    method: str,
    answers: Mapping[int, type[msgspec.Struct]],
    *,
    says: Mapping[int, str] | None = None,
    query: type[msgspec.Struct] | None = None,
    body: type[msgspec.Struct] | None = None,
    headers: Sequence[Header] = (),
) -> Callable[[Callable[..., Answer]], Operation]:
    """Of a view, whose docstring tells the readers of the document what it does."""

    def entered(view: Callable[..., Answer]) -> Operation:
        return Operation(method, view, answers, says or {}, query, body, headers)

    return entered


@dataclass(frozen=True)
class Resource:
    """What stands at one address. `name`: of the address in urls.py."""

    route: str
    name: str
    operations: Sequence[Operation]

    @property
    def view(self) -> Callable[..., HttpResponse]:
        return opened_by_key(self._answer)

    def _answer(self, request: DoorRequest, **named: Any) -> HttpResponse:
        method = "GET" if request.method == "HEAD" else request.method
        found = next((one for one in self.operations if one.method == method), None)
        if found is None:
            return answer(request, not_this_method([one.method for one in self.operations]))
        try:
            return _written(request, found.view(request, **named, **_read(request, found)))
        except Refused as refused:
            if isinstance(refused, BadRequest) and request.method == "POST":
                turned_away.note(request.api_key, Why.BAD_REQUEST)
            return answer(request, refused.reply)


def _read(request: DoorRequest, operation: Operation) -> dict[str, Any]:
    taken: dict[str, Any] = {}
    query = reading.query(request, operation.query)
    if operation.query is not None:
        taken["query"] = query
    if operation.body is not None:
        taken["body"] = reading.body(request, operation.body)
    elif operation.method == "POST":
        reading.no_body(request)
    return taken


def _written(request: HttpRequest, said: Answer) -> HttpResponse:
    content = msgspec.json.encode(said.content)
    response = HttpResponse(content, content_type=JSON, status=said.status)
    for name, value in said.headers.items():
        response.headers[name] = value
    identified(response)
    if request.method != "GET":
        return response
    response.headers["Cache-Control"] = "private, no-cache"  # asked for each time, with its ETag
    etag = quote_etag(hashlib.sha256(content).hexdigest()[:32])
    response.headers["ETag"] = etag
    return get_conditional_response(request, etag=etag, response=response) or response


def not_this_method(methods: Sequence[str]) -> Reply:
    allowed = [*methods, "HEAD"] if "GET" in methods else list(methods)
    sentence = f"This address takes {' or '.join(methods)}. Nothing was done."
    return Reply(405, sentence, {"Allow": ", ".join(allowed)})


def open_to_all(view: Callable[[HttpRequest], HttpResponse]) -> Callable[..., HttpResponse]:
    """A page about the API: it names nothing that is ours, so it asks for no key."""

    def guarded(request: HttpRequest) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return answer(request, not_this_method(["GET"]))
        return view(request)

    guarded.login_required = False  # type: ignore[attr-defined]
    return csrf_exempt(guarded)
