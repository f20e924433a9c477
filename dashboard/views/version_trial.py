"""Trying a header version on one routine before others are moved to it."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from dashboard.forms.version_links import move_url, written
from dashboard.forms.versions import TargetForm
from dashboard.lookups import card_or_404, may_fire, may_manage_registry
from dashboard.requests import SignedInRequest
from dashboard.run_form import pressing
from dashboard.run_form.form import RunForm
from dashboard.run_form.trial import VersionTrialForm
from dashboard.serving.headers import bfcache_allowed
from routines.board import Card
from routines.models import Header
from routines.registry import accepted_versions, version_moves
from routines.registry.header_versions import pinned
from routines.runs import limits


@bfcache_allowed
@require_http_methods(["GET", "HEAD", "POST"])
@may_manage_registry
@may_fire
def try_one(request: SignedInRequest, slug: str) -> HttpResponse:
    """A real run with another version, of a routine that is not pinned to it yet."""
    card = card_or_404(request.user, slug)
    asked = request.POST if request.method == "POST" else request.GET
    if "to" not in asked:  # somebody signed in anew, or reloaded the answer to a press
        return redirect("move_versions")
    to = TargetForm(asked, versions=accepted_versions.judged())
    if not to.is_valid():
        raise Http404("No such version is known here.")
    header, target = to.cleaned_data["to"]
    if request.method == "POST":
        return _press(request, card, header, target)
    # As the board would begin; the page is about the version, so the fields are not asked for.
    template = card.templates[0] if card.templates else None
    text = RunForm.blank(request.user, card.routine, template=template).shown_text
    form = VersionTrialForm.blank(request.user, card.routine, text=text)
    return _trial_page(request, card, header, target, form)


def _press(request: SignedInRequest, card: Card, header: Header, target: str) -> HttpResponse:
    form = VersionTrialForm(request.POST, person=request.user, routine=card.routine)
    pressed = pressing.press(form, trial=version_moves.trial(header, target))
    if isinstance(pressed, pressing.Refused):
        return _trial_page(
            request, card, header, target, form, status=pressed.status, run=pressed.run
        )
    if not pressed.recorded:
        return pressing.not_recorded(request, card.routine, pressed.run)
    tried = pressed.run.pk
    return redirect(move_url(header, target, pinned_to=request.POST.get("from"), tried=tried))


def _trial_page(
    request: SignedInRequest,
    card: Card,
    header: Header,
    target: str,
    form: VersionTrialForm,
    status: int = 200,
    **more: object,
) -> HttpResponse:
    asked_from = (request.POST if request.method == "POST" else request.GET).get("from")
    context = {
        "card": card,
        "header": header,
        "target": target,
        "to": written(header, target),
        "from": asked_from,
        "back": move_url(header, target, pinned_to=asked_from),
        "pinned_to": pinned(card.routine, header),
        "form": form,
        "prior_runs": limits.prior_runs(card.routine, request.user),
    }
    return render(request, "versions/try.html", context | more, status=status)
