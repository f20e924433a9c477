"""Taking runs away: the history's filter as a file, streamed."""

import weakref
from collections.abc import Iterator
from threading import BoundedSemaphore

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET

from dashboard.requests import SignedInRequest
from routines import export
from routines.run_filter import BadFilter, RunFilter

_CONTENT_TYPES = {
    export.Format.CSV: "text/csv; charset=utf-8",
    export.Format.JSON_LINES: "application/jsonl; charset=utf-8",
}

# Each holds a thread until its reader has it all, and some threads have to answer pages.
_under_way = BoundedSemaphore(max(1, (settings.WEB_THREADS - settings.FIRES_IN_FLIGHT) // 2))


@require_GET
def export_runs(request: SignedInRequest, format: export.Format) -> HttpResponseBase:
    query = request.META["QUERY_STRING"]
    try:
        filters = RunFilter.from_query(query)
    except BadFilter:
        return _history(query)  # it says what is wrong with its own filter
    if not _under_way.acquire(blocking=False):
        messages.info(
            request, "Several exports are under way. Nothing was exported: try again in a minute."
        )
        return _history(query)
    try:
        taken = export.take(request.user, filters, format)
    except BaseException:
        _under_way.release()
        raise
    return StreamingHttpResponse(
        _Download(taken),
        content_type=_CONTENT_TYPES[format],
        headers={"Content-Disposition": f'attachment; filename="{export.file_name(format)}"'},
    )


def _history(query: str) -> HttpResponse:
    return redirect(f"{reverse('history')}?{query}" if query else reverse("history"))


class _Download:
    """Gives its place back when Django closes it with the response, read or not, or drops it."""

    def __init__(self, taken: export.Export) -> None:
        self._taken = taken
        self._give_back = weakref.finalize(self, _under_way.release)

    def __iter__(self) -> Iterator[str]:
        return self._taken.lines()

    def close(self) -> None:
        self._give_back()
