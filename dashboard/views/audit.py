"""The audit trail, for admins: every change, and every sign-in: who, when and from where."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from dashboard.forms.audit import AuditForm, SignInsForm
from dashboard.lookups import may_view_audit
from dashboard.requests import SignedInRequest
from dashboard.serving import downloads
from routines import keyset
from routines.audit import trail
from routines.models import AuditEvent

AnyForm = AuditForm | SignInsForm
Find = Callable[..., QuerySet[AuditEvent]]


@require_GET
@may_view_audit
def index(request: SignedInRequest) -> HttpResponse:
    return _page(request, AuditForm(request.GET), trail.changes, "audit/audit.html")


@require_GET
@may_view_audit
def sign_ins(request: SignedInRequest) -> HttpResponse:
    return _page(request, SignInsForm(request.GET), trail.sign_ins, "audit/sign_ins.html")


@require_GET
@may_view_audit
def export(request: SignedInRequest) -> HttpResponseBase:
    form = AuditForm(request.GET)
    return _export(request, form, trail.changes, page="audit", subject="the audit trail")


@require_GET
@may_view_audit
def export_sign_ins(request: SignedInRequest) -> HttpResponseBase:
    form = SignInsForm(request.GET)
    return _export(request, form, trail.sign_ins, page="sign_ins", subject="the sign-ins")


def _page(request: SignedInRequest, form: AnyForm, find: Find, template: str) -> HttpResponse:
    if not form.is_valid():
        return render(request, template, {"form": form}, status=422)
    try:
        page = trail.page(
            find(**form.cleaned_data),
            before=request.GET.get("before", ""),
            after=request.GET.get("after", ""),
        )
    except keyset.BadCursor:
        raise Http404("This link to a page of the audit trail is broken.") from None
    context: dict[str, Any] = {"form": form, "page": page, "query": form.query_string}
    context["days_kept"] = settings.KEEP_SIGN_INS_DAYS
    return render(request, template, context)


def _export(
    request: SignedInRequest, form: AnyForm, find: Find, *, page: str, subject: str
) -> HttpResponseBase:
    if not form.is_valid():
        return _same_page(request, page)  # it says what is wrong with it
    events = find(**form.cleaned_data)
    asked = form.query_string
    try:
        return downloads.stream(
            lambda: trail.export(events, asked=asked, by=request.user, subject=subject),
            content_type="text/csv",
            file_name=f"{page.replace('_', '-')}-{timezone.localdate().isoformat()}.csv",
            by=request.user,
        )
    except downloads.TooManyDownloads as refused:
        messages.info(request, str(refused))
        return _same_page(request, page)


def _same_page(request: SignedInRequest, page: str) -> HttpResponse:
    return redirect(f"{reverse(page)}?{request.META['QUERY_STRING']}")
