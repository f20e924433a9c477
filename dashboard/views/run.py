"""One run: the form with the text that it will send; pressing Run now fires."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from dashboard.access import card_or_404, fireable_or_404, may_fire, run_or_404
from dashboard.forms.run import RunForm
from dashboard.headers import kept_for_back
from dashboard.requests import SignedInRequest
from dashboard.views.board import closed
from routines import board as boards
from routines import firing, limits
from routines.models import Routine


@kept_for_back
@require_GET
@may_fire
def run(request: SignedInRequest, slug: str) -> HttpResponse:
    """The form with the text that a run will send."""
    card = card_or_404(request.user, slug)
    template = card.templates[0] if card.templates else None
    for candidate in card.templates:
        if str(candidate.pk) == request.GET.get("template"):
            template = candidate
    text = template.body if template else ""
    if request.GET.get("again", "").isdecimal():
        earlier = run_or_404(request.user, int(request.GET["again"]))
        if earlier.is_shortened:
            messages.info(
                request,
                f"The text of run {earlier.pk} has been shortened since, so it cannot be run again."
                " This is the text of the template.",
            )
        else:
            text = earlier.text
    form = RunForm.blank(request.user, card.routine, text=text, template=template)
    return _open(request, card, form)


@require_http_methods(["GET", "HEAD", "POST"])
@may_fire
def fire(request: SignedInRequest, slug: str) -> HttpResponse:
    if request.method != "POST":  # somebody signed in anew, or went to the address itself
        return redirect("run", slug=slug)
    return _press(request, fireable_or_404(request.user, slug))


def run_form_with_what_was_typed(
    request: SignedInRequest, slug: str, sentence: str
) -> HttpResponse:
    """The form of a POST that could not be accepted at all, ready to be sent again."""
    card = card_or_404(request.user, slug)
    form = RunForm(request.POST, person=request.user, routine=card.routine)
    form.add_error(None, sentence)
    form.renew_refused_key()
    return _open(request, card, form, status=422)


def _press(request: SignedInRequest, routine: Routine) -> HttpResponse:
    def open_again(status: int, **more: object) -> HttpResponse:
        return _open(request, card_or_404(request.user, routine.slug), form, status=status, **more)

    form = RunForm(request.POST, person=request.user, routine=routine)
    if not form.is_valid():
        form.renew_refused_key()
        return open_again(422)
    text = form.cleaned_data["text"]
    try:
        press = firing.fire(
            key=form.cleaned_data["key"],
            routine=routine,
            person=request.user,
            text=text,
            template_name=form.template_name,
            **form.answers,
            aware_of=form.cleaned_data["aware_of"],
        )
    except firing.Unanswered as asked:
        form.tell(asked.problems)  # the rules have changed since the form was read
        return open_again(422)
    except firing.LookFirst:
        # The same key: the person has one intent, and has not had an answer to it yet.
        return open_again(422)
    except firing.NotWrittenDown:
        form.add_error(None, "The database cannot be written at the moment. Nothing was sent.")
        return open_again(503)
    if press.repeated and press.run.text != text:
        form.add_error(None, "This form has made a run already, shown below.")
        form.add_error("text", "This changed text was not sent. Press Run now to make a new run.")
        form.renew_key()
        return open_again(422, run=press.run)
    if not press.recorded:
        # The database may be gone altogether, and this answer is all that the person gets: it
        # is drawn without a query.
        context = {"routine": routine, "run": press.run, "recorded": False}
        template = "not_recorded_card.html" if request.htmx else "not_recorded.html"
        return render(request, f"board/{template}", context)
    if not request.htmx:
        return redirect("history_run", pk=press.run.pk)
    after = closed(request, boards.card_after(press.run))
    return render(request, "board/card.html", after | {"run": press.run})


def _open(
    request: SignedInRequest, card: boards.Card, form: RunForm, status: int = 200, **more: object
) -> HttpResponse:
    warnings = limits.warnings(card.routine, request.user)
    context = {"card": card, "form": form, "warnings": warnings} | more
    template = "board/card.html" if request.htmx else "board/run.html"
    return render(request, template, context, status=status)
