"""Stored tokens as steps that cannot be half done: replace, try, and remove."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from dashboard.forms.tokens import RemoveTokenForm, TokenForm
from dashboard.lookups import may_manage_registry, number, routine_or_404, run_or_404
from dashboard.requests import SignedInRequest
from dashboard.run_form import pressing
from dashboard.run_form.trial import TEST_TEXT, TokenTrialForm
from dashboard.serving.headers import bfcache_allowed
from dashboard.sign_in.reauthentication import is_valid_and_confirmed, reauthenticate_to_open
from routines.models import Routine, Run
from routines.runs import limits
from routines.runs.accepting import Trial
from routines.tokens import health, rotation

get_or_post = require_http_methods(["GET", "HEAD", "POST"])


@sensitive_post_parameters("token", "carried")
@never_cache
@get_or_post
@may_manage_registry
@reauthenticate_to_open
def replace(request: SignedInRequest, slug: str) -> HttpResponse:
    """Regenerate at claude.ai, paste here; then a test is offered."""
    routine = routine_or_404(slug)
    posted = request.POST if request.method == "POST" else None
    form = TokenForm(posted, person=request.user, routine=routine)
    context: dict[str, object] = {}
    if is_valid_and_confirmed(request, form):
        token = form.cleaned_data["token"]
        try:
            rotation.replace_token(
                routine,
                token,
                by=request.user,
                seen_version=form.cleaned_data["token_version"],
            )
        except rotation.TokenChanged as changed:
            form.tell_change(changed)
            context["changed"] = changed
        else:
            messages.success(request, f"The token is stored. It ends in {token.last_four}.")
            for sentence in form.versions_left_alone:
                messages.warning(request, sentence)
            return redirect("token_test", slug=slug)
    form.carry()
    stored = routine_or_404(slug)
    context |= {"form": form, "routine": stored, "health": health.of_routine(stored)}
    return render(request, "registry/token.html", context, status=422 if form.is_bound else 200)


@bfcache_allowed
@get_or_post
@may_manage_registry
def test(request: SignedInRequest, slug: str) -> HttpResponse:
    """Fire a test text: a real run, labelled as a trial."""
    routine = routine_or_404(slug)
    if request.method == "POST":
        return _press_test(request, routine)
    run = number(request.GET.get("run"))
    if run is not None:
        return _test_page(request, routine, run=_trial_or_404(request, routine, run))
    form = TokenTrialForm.blank(request.user, routine, text=TEST_TEXT)
    return _test_page(request, routine, form=form)


@never_cache
@get_or_post
@may_manage_registry
@reauthenticate_to_open
def compromised(request: SignedInRequest, slug: str) -> HttpResponse:
    """Forget a token that may be in wrong hands; then it says how to revoke it at claude.ai."""
    routine = routine_or_404(slug)
    context: dict[str, object] = {"routine": routine}
    if request.method != "POST":
        return render(request, "registry/compromised.html", context)
    form = RemoveTokenForm(request.POST)
    if is_valid_and_confirmed(request, form):
        seen_version = form.cleaned_data["token_version"]
        try:
            rotation.remove_token(routine, by=request.user, seen_version=seen_version)
        except rotation.TokenChanged as changed:
            context |= {"routine": routine_or_404(slug), "changed": changed}
        else:
            return redirect("token_compromised", slug=slug)
    context["form"] = form
    return render(request, "registry/compromised.html", context, status=422)


def _press_test(request: SignedInRequest, routine: Routine) -> HttpResponse:
    form = TokenTrialForm(request.POST, person=request.user, routine=routine)
    pressed = pressing.press(form, trial=Trial())
    if isinstance(pressed, pressing.Refused):
        return _test_page(request, routine, form=form, status=pressed.status, run=pressed.run)
    if not pressed.recorded:
        return pressing.not_recorded(request, routine, pressed.run)
    url = reverse("token_test", kwargs={"slug": routine.slug})
    return redirect(f"{url}?run={pressed.run.pk}")


def _test_page(
    request: SignedInRequest, routine: Routine, status: int = 200, **shown: object
) -> HttpResponse:
    last_sent = limits.last_sent_of([routine]).get(routine.pk)
    context = {
        "routine": routine,
        "may_run": routine.is_fireable_by(request.user),
        "card": {"obstacle": limits.obstacle(routine, last_sent)},  # as the board's templates ask
        "prior_runs": limits.prior_runs(routine, request.user) if "form" in shown else [],
    }
    return render(request, "registry/token_test.html", context | shown, status=status)


def _trial_or_404(request: SignedInRequest, routine: Routine, pk: int) -> Run:
    run = run_or_404(request.user, pk)
    if run.routine_id != routine.pk or not run.is_trial:
        raise Http404("This is no test of this routine.")
    return run
