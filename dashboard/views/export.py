"""Exporting runs: the history's filter as a file, streamed."""

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET

from dashboard.lookups import needs_a_role
from dashboard.requests import SignedInRequest
from dashboard.serving import downloads
from routines.history import export
from routines.history.run_filter import BadFilter, RunFilter

_CONTENT_TYPES = {
    export.Format.CSV: "text/csv",
    export.Format.JSON_LINES: "application/jsonl",
}


@require_GET
@needs_a_role
def export_runs(request: SignedInRequest, file_format: export.Format) -> HttpResponseBase:
    """`separator=semicolon`: for a spreadsheet of a country whose numbers have commas."""
    query = request.META["QUERY_STRING"]
    separator = ";" if request.GET.get("separator") == "semicolon" else ","
    try:
        run_filter = RunFilter.from_query(query)
    except BadFilter:
        return _history(query)  # it says what is wrong with its own filter
    try:
        return downloads.stream(
            lambda: export.take(request.user, run_filter, file_format).lines(separator=separator),
            content_type=_CONTENT_TYPES[file_format],
            file_name=export.file_name(file_format),
            by=request.user,
        )
    except downloads.TooManyDownloads as refused:
        messages.info(request, str(refused))
        return _history(query)


def _history(query: str) -> HttpResponse:
    return redirect(f"{reverse('history')}?{query}" if query else reverse("history"))
