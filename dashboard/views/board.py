"""The board: a card a routine; pressing Run opens the text (run.py)."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from dashboard import one_time_key
from dashboard.access import card_or_404, may_fire, run_or_404
from dashboard.headers import kept_for_back
from dashboard.live import address, news
from dashboard.requests import SignedInRequest
from routines import board as boards
from routines import live
from routines.roles import Permission


@kept_for_back
@require_GET
def board(request: SignedInRequest) -> HttpResponse:
    if not request.user.has_perm(Permission.FIRE):
        return redirect("history")
    cursor = live.start()
    cards = [closed(request, card) for card in boards.cards(request.user)]
    context = {"cards": cards, "live": address("board_changes", cursor)}
    return render(request, "board/board.html", context)


@require_GET
def changes(request: SignedInRequest) -> HttpResponse:
    """What colleagues have run since the board was drawn: the lines of the last runs, no more.

    So an open form and a shown result are never disturbed.
    """
    found = news(request)
    context = {
        "last_runs": boards.last_runs(request.user, found.routines),
        "live": address("board_changes", found.cursor),
    }
    return render(request, "board/changes.html", context)


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
