"""One run: the form with the text that it will send; pressing Run now fires."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import trigger_client_event

from dashboard.forms.own_template import SaveForm
from dashboard.lookups import (
    card_or_404,
    fireable_or_404,
    may_fire,
    number,
    pressed_or_404,
    run_or_404,
)
from dashboard.requests import SignedInRequest
from dashboard.run_form import pressing
from dashboard.run_form.form import RunForm
from dashboard.run_form.opening import link_to, opening
from dashboard.serving.headers import bfcache_allowed
from dashboard.views.board import closed
from routines.board import Card, card_after, memory
from routines.runs import limits
from routines.values.reasons import State


@bfcache_allowed
@require_GET
@may_fire
def run(request: SignedInRequest, slug: str) -> HttpResponse:
    """The form with the text that a run will send; a link may fill it in, and never fires."""
    card = card_or_404(request.user, slug)
    again = number(request.GET.get("again"))
    earlier = run_or_404(request.user, again) if again is not None else None
    remembered = memory.of(request.user, card.routine)
    opened = opening(request.GET, card.templates, remembered, earlier)
    form = RunForm.blank(
        request.user,
        card.routine,
        template=opened.template,
        values=opened.values,
        text=opened.text,
    )
    return _open(request, card, form, opening=opened, memory=remembered)


@require_http_methods(["GET", "HEAD", "POST"])
@may_fire
def preview(request: SignedInRequest, slug: str) -> HttpResponse:
    """The text that the fields make, in the same form with the same key. Nothing is sent."""
    if request.method != "POST":
        return redirect("run", slug=slug)
    routine = fireable_or_404(request.user, slug)
    anew = "anew" in request.POST
    form = RunForm.preview(request.POST.dict(), request.user, routine, anew=anew)
    if request.htmx:
        context = {"form": form, "routine": routine, "link": _link(form)}
        return render(request, "board/run_text.html", context)
    form.show_field_errors()
    return _open(request, card_or_404(request.user, slug), form)


@require_POST
@may_fire
def save_as_own(request: SignedInRequest, slug: str) -> HttpResponse:
    """Keep the text of the form as a template of one's own; the form stays as it was."""
    card = card_or_404(request.user, slug)
    form = RunForm.preview(request.POST.dict(), request.user, card.routine, anew=False)
    saving = SaveForm(request.POST, person=request.user, routine=card.routine)
    if not saving.is_valid() or not saving.save(form.template):
        return _open(request, card, form, saving=saving, status=422)
    card = card_or_404(request.user, slug)  # with the new one among its templates
    return _open(request, card, form, saved=saving.cleaned_data["own_name"])


@require_http_methods(["GET", "HEAD", "POST"])
@may_fire
def fire(request: SignedInRequest, slug: str) -> HttpResponse:
    if request.method != "POST":  # somebody signed in anew, or went to the address itself
        return redirect("run", slug=slug)
    routine, templates = pressed_or_404(request.user, slug)
    form = RunForm(request.POST, person=request.user, routine=routine, templates=templates)
    pressed = pressing.press(form)
    if isinstance(pressed, pressing.Refused):
        card = card_or_404(request.user, slug)
        return _open(request, card, form, status=pressed.status, run=pressed.run)
    if not pressed.recorded:
        return pressing.not_recorded(request, routine, pressed.run)
    if not request.htmx:
        return redirect("history_run", pk=pressed.run.pk)
    after = closed(request, card_after(pressed.run, request.user, templates))
    response = render(request, "board/card.html", after | {"run": pressed.run})
    if pressed.run.state in (State.STARTED, State.ACCEPTED):
        # The run keeps the text. Anything else, and the draft in the browser (drafts.js) is still
        # wanted.
        trigger_client_event(response, "draft-sent", {"draft": _draft(form)})
    return response


def run_form_with_what_was_typed(
    request: SignedInRequest, slug: str, sentence: str
) -> HttpResponse:
    """The form of a POST that could not be accepted at all, ready to be sent again."""
    card = card_or_404(request.user, slug)
    form = RunForm(request.POST, person=request.user, routine=card.routine)
    form.add_error(None, sentence)
    form.renew_refused_key()
    return _open(request, card, form, status=422)


def _open(
    request: SignedInRequest, card: Card, form: RunForm, status: int = 200, **more: object
) -> HttpResponse:
    context = {
        "card": card,
        "routine": card.routine,
        "form": form,
        "link": _link(form),
        "draft": _draft(form),
        "prior_runs": limits.prior_runs(card.routine, request.user),
    }
    template = "board/card.html" if request.htmx else "board/run.html"
    return render(request, template, context | more, status=status)


def _draft(form: RunForm) -> str:
    """What the browser keeps a draft by (static/draft_storage.js): one a person and routine."""
    return f"{form.person.pk}:{form.routine.pk}"


def _link(form: RunForm) -> str:
    """As people open it: a proxy may have left out the port."""
    link = link_to(form)
    return f"{settings.DASHBOARD_URL}{link}" if link else ""
