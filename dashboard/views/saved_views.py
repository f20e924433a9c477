"""Saving a filter of the history under a name, and forgetting it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from dashboard.forms.history import SavedViewForm
from dashboard.lookups import saved_view_or_404
from dashboard.requests import SignedInRequest
from routines.history import saved_views


@require_POST
def save(request: SignedInRequest) -> HttpResponse:
    form = SavedViewForm(request.POST)
    if form.is_valid():
        name, run_filter = form.cleaned_data["name"], form.cleaned_data["query"]
        try:
            saved_views.save(request.user, name=name, run_filter=run_filter)
        except saved_views.TooMany as too_many:
            form.add_error(None, str(too_many))
        else:
            messages.success(request, f"The view “{name}” is saved, for you alone.")
            return redirect(f"{reverse('history')}?{run_filter.query_string()}")
    return render(request, "history/save_view.html", {"form": form}, status=422)


@require_POST
def delete(request: SignedInRequest, pk: int) -> HttpResponse:
    view = saved_view_or_404(request.user, pk)
    view.delete()
    messages.success(request, f"The view “{view.name}” is deleted. No run is.")
    return redirect("history")
