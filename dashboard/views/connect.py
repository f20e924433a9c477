"""How a program, a pipeline or an agent calls a routine: text to copy, and a key made on the spot.

For admins, and for who may run the routine: they make keys of their own.
"""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from dashboard.connect import snippets
from dashboard.forms.api_keys import USUAL_DAYS
from dashboard.forms.connect import ConnectForm
from dashboard.lookups import fireable_or_404, may_fire
from dashboard.requests import SignedInRequest
from dashboard.sign_in.reauthentication import is_valid_and_confirmed
from dashboard.views.api_key_secrets import page_of_secret
from routines.callers import keys, scope

TEMPLATE = "connect/connect.html"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@may_fire
def connect(request: SignedInRequest, slug: str) -> HttpResponse:
    routine = fireable_or_404(request.user, slug)
    form = ConnectForm(request.POST if request.method == "POST" else None, person=request.user)
    context = {
        "routine": routine,
        "form": form,
        "snippets": snippets.of(routine),
        "address": snippets.address_of(routine),
        "variable": snippets.VARIABLE,
        "rules": scope.rules_for_people(routine),
        "days_of_own": USUAL_DAYS,
    }
    if is_valid_and_confirmed(request, form):
        try:
            api_key, secret = keys.make(form.terms(routine), person=form.owner, by=request.user)
        except keys.Refused as refused:
            form.add_refusal(refused)
        else:
            return page_of_secret(
                request, api_key, secret, is_first=True, template=TEMPLATE, more=context
            )
    return render(request, TEMPLATE, context, status=422 if form.is_bound else 200)
