"""The document, and a page of it for people. Neither names anything of ours: both ask for no key.

The page is drawn here: whatever draws it in the browser would want scripts that the
Content-Security-Policy does not let in.
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from dashboard.api import document, document_page
from dashboard.api.operations import open_to_all


@open_to_all
def openapi(request: HttpRequest) -> HttpResponse:
    return JsonResponse(document.document())


@open_to_all
def docs(request: HttpRequest) -> HttpResponse:
    sections = document_page.sections(document.document())
    context = {"sections": sections, "url": settings.DASHBOARD_URL}
    return render(request, "api/docs.html", context)
