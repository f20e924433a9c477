"""Saving a filter of the history under a name, and forgetting it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from dashboard.forms.history import SavedViewForm
from dashboard.forms.made_from import seen_by
from dashboard.lookups import needs_a_role, saved_view_or_404
from dashboard.requests import SignedInRequest
from dashboard.views.overtaken import asks_again
from routines.history import saved_views
from routines.values.snapshots import ChangedMeanwhile


@require_POST
@needs_a_role
def save(request: SignedInRequest) -> HttpResponse:
    now = saved_views.snapshot_of_all(request.user, saved_views.of(request.user))
    form = SavedViewForm(request.POST, made_from=now)
    if form.is_valid():
        name, run_filter = form.cleaned_data["name"], form.cleaned_data["query"]
        seen = form.cleaned_data["seen"]
        try:
            saved_views.save(request.user, name=name, run_filter=run_filter, seen=seen)
        except ChangedMeanwhile as changed:
            form.tell(changed)
        except saved_views.TooMany as too_many:
            form.add_error(None, str(too_many))
        else:
            messages.success(request, f"The view “{name}” is saved, for you alone.")
            return redirect(f"{reverse('history')}?{run_filter.query_string()}")
    return render(request, "history/save_view.html", {"form": form}, status=422)


@require_POST
@needs_a_role
@asks_again("Delete this view", back="history", at=())
def delete(request: SignedInRequest, pk: int) -> HttpResponse:
    view = saved_view_or_404(request.user, pk)
    saved_views.delete(view, seen=seen_by(request.POST, saved_views.snapshot(view)))
    messages.success(request, f"The view “{view.name}” is deleted. No run is.")
    return redirect("history")
