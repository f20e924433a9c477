"""The audit trail, for admins: every change, who made it, when and from where."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from dashboard.forms.audit import AuditForm
from dashboard.lookups import may_view_audit
from dashboard.requests import SignedInRequest
from dashboard.serving import downloads
from routines import keyset
from routines.audit import trail


@require_GET
@may_view_audit
def index(request: SignedInRequest) -> HttpResponse:
    form = AuditForm(request.GET)
    if not form.is_valid():
        return render(request, "audit/audit.html", {"form": form}, status=422)
    try:
        page = trail.page(
            trail.events(**form.cleaned_data),
            before=request.GET.get("before", ""),
            after=request.GET.get("after", ""),
        )
    except keyset.BadCursor:
        raise Http404("This link to a page of the audit trail is broken.") from None
    context = {"form": form, "page": page, "query": form.query_string}
    return render(request, "audit/audit.html", context)


@require_GET
@may_view_audit
def export(request: SignedInRequest) -> HttpResponseBase:
    form = AuditForm(request.GET)
    if not form.is_valid():
        return _same_page(request)  # it says what is wrong with it
    events = trail.events(**form.cleaned_data)
    try:
        return downloads.stream(
            lambda: trail.export(events, asked=form.query_string, by=request.user),
            content_type="text/csv",
            file_name=f"audit-{timezone.localdate().isoformat()}.csv",
            by=request.user,
        )
    except downloads.TooManyDownloads as refused:
        messages.info(request, str(refused))
        return _same_page(request)


def _same_page(request: SignedInRequest) -> HttpResponse:
    return redirect(f"{reverse('audit')}?{request.META['QUERY_STRING']}")
