"""The document, and a page of it for people. Neither names anything of ours: both ask for no key.

The page is drawn here: whatever draws it in the browser would want scripts that the
Content-Security-Policy does not let in.
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from dashboard.api.document import page
from dashboard.api.document.openapi import document
from dashboard.api.operations import open_to_all

QUICKEST = "make_run"  # what a newcomer wants first


@open_to_all
def openapi(request: HttpRequest) -> HttpResponse:
    return JsonResponse(document())


@open_to_all
def docs(request: HttpRequest) -> HttpResponse:
    described = document()
    sections = page.sections(described)
    [make_run] = [one for section in sections for one in section.operations if one.name == QUICKEST]
    context = {
        "sections": sections,
        "shapes": page.shapes(described),
        "about": described["info"]["description"],
        "quick": make_run.curl,
        "url": settings.DASHBOARD_URL,
    }
    return render(request, "api/docs.html", context)
