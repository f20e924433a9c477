"""The board: a card a routine; pressing Run opens the text (run.py)."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import trigger_client_event

from dashboard.lookups import card_or_404, fireable_or_404, may_fire, run_or_404
from dashboard.requests import SignedInRequest
from dashboard.run_form import one_time_key
from dashboard.serving.headers import bfcache_allowed
from dashboard.serving.live import address, news
from routines import board as boards
from routines.board import finding, pins
from routines.board import news as live
from routines.models import Routine
from routines.people.roles import Permission
from routines.runs import outcomes

# So many cards come with the page, the rest right behind it in a call of its own: the first screen
# is there at once, however many routines there are. Without scripts a link shows all of them.
FIRST = 15


@bfcache_allowed
@require_GET
def board(request: SignedInRequest) -> HttpResponse:
    """`q`: only the routines that it finds; `all`: every card at once."""
    if not request.user.has_perm(Permission.FIRE):
        return redirect("history")
    cursor = live.start()
    plan = finding.plan(request.user)
    shown = _shown_first(request, plan)
    context = {
        "groups": _drawn(request, plan.only(shown)),
        "total": len(plan.places),
        "left": len(plan.places) - len(shown),
        "recent": plan.recent,
        "words": _words(request),
        "reminders": outcomes.reminders(request.user),
        "live": address("board_changes", cursor),
    }
    return render(request, "board/board.html", context)


@require_GET
@may_fire
def rest(request: SignedInRequest) -> HttpResponse:
    """The cards that the board did not come with."""
    if not request.htmx:
        return redirect("board")
    plan = finding.plan(request.user)
    shown = _shown_first(request, plan)
    begun = {group.key for group in plan.only(shown)}
    left = {place.pk for place in plan.places} - shown
    context = {"groups": _drawn(request, plan.only(left)), "begun": begun}
    return render(request, "board/rest.html", context)


def _words(request: SignedInRequest) -> str:
    return " ".join(request.GET.get("q", "").replace("\0", "").split())[:200]


def _shown_first(request: SignedInRequest, plan: finding.Plan) -> set[int]:
    places = plan.places
    if words := _words(request):
        return {place.pk for place in places if finding.matches(place, words)}
    return {place.pk for place in (places if "all" in request.GET else places[:FIRST])}


def _drawn(request: SignedInRequest, groups: list[finding.Group]) -> list[dict[str, object]]:
    pks = [place.pk for group in groups for place in group.places]
    cards = {card.routine.pk: card for card in boards.cards(request.user, pks=pks)}
    return [
        {
            "key": group.key,
            "name": group.name,
            # Not there any more: archived between the two queries.
            "cards": [closed(request, cards[one.pk]) for one in group.places if one.pk in cards],
        }
        for group in groups
    ]


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


@require_POST
@may_fire
def pin(request: SignedInRequest, slug: str) -> HttpResponse:
    routine = fireable_or_404(request.user, slug)
    pins.pin(routine, by=request.user)
    return _pinned(request, routine, is_pinned=True)


@require_POST
@may_fire
def unpin(request: SignedInRequest, slug: str) -> HttpResponse:
    routine = fireable_or_404(request.user, slug)
    pins.unpin(routine, by=request.user)
    return _pinned(request, routine, is_pinned=False)


def _pinned(request: SignedInRequest, routine: Routine, *, is_pinned: bool) -> HttpResponse:
    if not request.htmx:
        return redirect(f"{reverse('board')}#routine-{routine.slug}")
    context = {"routine": routine, "is_pinned": is_pinned}
    response = render(request, "board/pin.html", context)
    sentence = f"{routine.name} is {'pinned' if is_pinned else 'not pinned any more'}."
    return trigger_client_event(response, "announce", {"sentence": sentence}, after="settle")


def closed(request: SignedInRequest, card: boards.Card) -> dict[str, object]:
    one_click = card.is_one_click and card.obstacle is None
    key = one_time_key.issue(request.user, card.routine) if one_click else ""
    return {"card": card, "one_click_key": key}
