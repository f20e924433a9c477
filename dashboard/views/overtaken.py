"""A change that others were faster with: said, with what they changed, and asked again."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from dashboard.forms.made_from import Overtaken
from dashboard.requests import SignedInRequest
from routines.values.snapshots import ChangedMeanwhile

View = Callable[..., HttpResponse]


def may_be_gone(view: View) -> View:
    """What was deleted between the look-up and the lock does not exist, as one moment later."""

    @wraps(view)
    def looking(request: SignedInRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except ObjectDoesNotExist:
            raise Http404("Somebody has deleted this meanwhile.") from None

    return looking


def asks_again(
    label: str, *, back: str, at: tuple[str, ...] | None = None
) -> Callable[[View], View]:
    """For a view behind a mere button, whose words are `label`.

    `back`: the page that the button is on, `at` these of the address's values (None: all).
    """

    def decorator(view: View) -> View:
        @wraps(view)
        def asking(request: SignedInRequest, **kwargs: Any) -> HttpResponse:
            try:
                return view(request, **kwargs)
            except ChangedMeanwhile as changed:
                names = kwargs if at is None else at
                context = {
                    "overtaken": Overtaken(changed),
                    "label": label,
                    "back": reverse(back, kwargs={name: kwargs[name] for name in names}),
                }
                return render(request, "errors/overtaken.html", context, status=422)

        return may_be_gone(asking)

    return decorator
