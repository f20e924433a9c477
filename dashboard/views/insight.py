"""Insight: what the runs of a range of days come to."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET
from django_htmx.http import HttpResponseClientRefresh

from dashboard.charts.insight import Charts
from dashboard.forms.insight import PRESETS, RangeForm
from dashboard.lookups import may_see_all_runs
from dashboard.requests import SignedInRequest
from routines import insight
from routines.runs import overdue

_COUNT_FOR = 0.5  # seconds, of the five until the page asks again


@require_GET
@may_see_all_runs
def page(request: SignedInRequest) -> HttpResponse:
    overdue.settle()
    behind = insight.step()
    form = RangeForm(request.GET)
    context = {"form": form, "presets": PRESETS}
    if not form.is_valid() or form.range is None:
        return render(request, "insight/insight.html", context, status=422)
    figures = insight.look(form.range)
    context |= {"figures": figures, "charts": Charts(figures), "behind": behind}
    return render(request, "insight/insight.html", context)


@require_GET
@may_see_all_runs
def progress(request: SignedInRequest) -> HttpResponse:
    """What a page whose numbers are behind asks for, until they are not."""
    behind = insight.catch_up_briefly(_COUNT_FOR)
    if behind is None:
        return HttpResponseClientRefresh()
    return render(request, "insight/left.html", {"behind": behind})
