"""The board: a card a routine; pressing Run opens the text (run.py)."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from dashboard import one_time_key
from dashboard.access import card_or_404, may_fire, run_or_404
from dashboard.requests import SignedInRequest
from routines import board as boards
from routines.roles import Permission


@require_GET
def board(request: SignedInRequest) -> HttpResponse:
    if not request.user.has_perm(Permission.FIRE):
        return redirect("history")
    cards = [closed(request, card) for card in boards.cards(request.user)]
    return render(request, "board/board.html", {"cards": cards})


@require_GET
@may_fire
def card(request: SignedInRequest, slug: str) -> HttpResponse:
    """The card as the board shows it: what Close brings back, and the end of a hold.

    `run`: the run whose result the card was showing, and goes on showing.
    """
    if not request.htmx:
        return redirect("board")
    context = closed(request, card_or_404(request.user, slug))
    if request.GET.get("run", "").isdecimal():
        context["run"] = run_or_404(request.user, int(request.GET["run"]))
    return render(request, "board/card.html", context)


def closed(request: SignedInRequest, card: boards.Card) -> dict[str, object]:
    one_click = card.is_one_click and card.obstacle is None
    key = one_time_key.issue(request.user, card.routine) if one_click else ""
    return {"card": card, "one_click_key": key}
