"""The board: a card a routine; pressing Run opens the text (run.py)."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import trigger_client_event

from dashboard.lookups import (
    card_or_404,
    fireable_or_404,
    may_fire,
    needs_a_role,
    number,
    run_or_404,
)
from dashboard.requests import SignedInRequest
from dashboard.run_form import one_time_key
from dashboard.serving.headers import bfcache_allowed
from dashboard.serving.live import address, news_for
from routines.board import Card, closed_cards, finding, last_runs, news, pins
from routines.board.finding import Entry, Group, Kind, Plan
from routines.models import Routine
from routines.people.roles import Permission
from routines.runs import outcomes

# As many cards as a large screen shows come with the page, the rest right behind it in a call of
# its own: the first screen is there at once, however many routines there are. Without scripts a
# link shows all of them.
FIRST = 12


class _Urls:
    """What a card links to, reversed once for a whole page: a URL takes as long as half a card."""

    _NAMES = ("run", "fire", "card", "pin", "unpin")
    _SLUG = "any-routine"

    def __init__(self) -> None:
        self._patterns = {name: reverse(name, args=[self._SLUG]) for name in self._NAMES}

    def run(self, slug: str) -> str:
        return self._of("run", slug)

    def of(self, slug: str, *, is_pinned: bool) -> dict[str, str]:
        return {
            "run_url": self.run(slug),
            "fire_url": self._of("fire", slug),
            "card_url": self._of("card", slug),
            "pin_url": self._of("unpin" if is_pinned else "pin", slug),
        }

    def _of(self, name: str, slug: str) -> str:
        return self._patterns[name].replace(self._SLUG, slug)


@bfcache_allowed
@require_GET
@needs_a_role
def board(request: SignedInRequest) -> HttpResponse:
    """`q`: only the routines that it finds; `all`: every card at once."""
    if not request.user.has_perm(Permission.FIRE):
        return redirect("history")
    cursor = news.start()
    plan = finding.plan(request.user)
    found = _found(request, plan)
    shown = _shown_first(request, plan, found)
    urls = _Urls()
    context = {
        "found": found and _cards(request, found, urls),
        # Of what was found the groups keep the places alone.
        "groups": _places(plan, shown) if found else _drawn(request, plan, shown, urls),
        "total": len(plan.entries),
        "left": len(plan.entries) - len(shown),
        "recent": [(entry.name, urls.run(entry.slug)) for entry in plan.recent],
        "words": _words(request),
        "reminders": _reminders(request),
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
    shown = _shown_first(request, plan, _found(request, plan))
    left = {entry.pk for entry in plan.entries} - shown
    begun = {_key(plan, group) for group in plan.groups if _of(group, shown)}
    context = {"groups": _drawn(request, plan, left, _Urls()), "begun": begun}
    return render(request, "board/rest.html", context)


def _reminders(request: SignedInRequest) -> list[dict[str, object]]:
    """Plain values, as for the cards. Nobody has said yet how these runs went."""
    any_run = reverse("history_run", args=[0])
    return [
        {
            "pk": str(run.pk),
            "url": any_run.replace("/0/", f"/{run.pk}/"),
            "routine": run.routine.name,
            "created_at": run.created_at,
            "outcome": run.outcome,
            "whole": run,  # for the tag that draws its session
        }
        for run in outcomes.reminders(request.user)
    ]


def _words(request: SignedInRequest) -> str:
    return " ".join(request.GET.get("q", "").replace("\0", "").split())[:200]


def _found(request: SignedInRequest, plan: Plan) -> list[Entry] | None:
    """What was searched for, the best hit first; None if nothing was."""
    words = _words(request)
    return finding.find(plan, words) if words else None


def _shown_first(request: SignedInRequest, plan: Plan, found: list[Entry] | None) -> set[int]:
    if found is None:
        found = plan.entries if "all" in request.GET else plan.entries[:FIRST]
    return {entry.pk for entry in found}


def _drawn(
    request: SignedInRequest, plan: Plan, pks: set[int], urls: _Urls
) -> list[dict[str, object]]:
    """The groups with the cards of these routines; those that then hold none are left out."""
    groups = [(group, _of(group, pks)) for group in plan.groups]
    cards = closed_cards(request.user, [entry for _, entries in groups for entry in entries])
    return [
        {
            "key": _key(plan, group),
            "name": group.name,
            # Not there any more: archived between the two queries.
            "cards": [_closed(request, cards[one.pk], urls) for one in entries if one.pk in cards],
        }
        for group, entries in groups
        if entries
    ]


def _cards(request: SignedInRequest, entries: list[Entry], urls: _Urls) -> list[dict[str, object]]:
    """One list, in the order of `entries`."""
    cards = closed_cards(request.user, entries)
    return [_closed(request, cards[one.pk], urls) for one in entries if one.pk in cards]


def _places(plan: Plan, pks: set[int]) -> list[dict[str, object]]:
    """The groups with the places to which find.js takes these routines back after the search."""
    return [
        {"key": _key(plan, group), "name": group.name, "places": _of(group, pks)}
        for group in plan.groups
        if _of(group, pks)
    ]


def _of(group: Group, pks: set[int]) -> list[Entry]:
    return [entry for entry in group.entries if entry.pk in pks]


def _key(plan: Plan, group: Group) -> str:
    """For addresses within the page: the same on the page and in what follows it."""
    return f"tag-{plan.tags.index(group.name)}" if group.kind == Kind.TAG else group.kind.value


@require_GET
@needs_a_role
def changes(request: SignedInRequest) -> HttpResponse:
    """What colleagues have run since the board was drawn: the lines of the last runs, no more.

    So an open form and a shown result are never disturbed.
    """
    found = news_for(request)
    context = {
        "last_runs": last_runs(request.user, found.routines),
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
    run = number(request.GET.get("run"))
    if run is not None:
        context["run"] = run_or_404(request.user, run)
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
    urls = _Urls().of(routine.slug, is_pinned=is_pinned)
    context = {"slug": routine.slug, "name": routine.name, "is_pinned": is_pinned} | urls
    response = render(request, "board/pin.html", {"closed": context})
    sentence = f"{routine.name} is {'pinned' if is_pinned else 'not pinned any more'}."
    return trigger_client_event(response, "announce", {"sentence": sentence}, after="settle")


def closed(request: SignedInRequest, card: Card) -> dict[str, object]:
    """Return the context of board/card.html for a card without an open form."""
    return {"closed": _closed(request, card, _Urls())}


def _closed(request: SignedInRequest, card: Card, urls: _Urls) -> dict[str, object]:
    routine, obstacle = card.routine, card.obstacle
    one_click = card.is_one_click and (obstacle is None or card.is_on_hold)
    budget = card.budgets.routine
    unknown = card.unknown_run
    return {
        "card": card,
        "slug": routine.slug,
        "name": routine.name,
        "purpose": routine.purpose,
        "account": routine.account.label,
        "tags": card.tags,
        "is_pinned": card.is_pinned,
        **urls.of(routine.slug, is_pinned=card.is_pinned),
        "key": one_time_key.issue(request.user, routine) if one_click else "",
        "obstacle": obstacle,
        "until": obstacle and obstacle.until,
        "is_on_hold": card.is_on_hold,
        "has_notes": bool(
            obstacle or unknown or card.version_warnings or routine.token_rejected_since
        ),
        # Else another run is not what its people look for first.
        "comes_first": unknown is None and obstacle is None,
        "budget": budget if budget and budget.used else None,
        "last_run": card.last_run,
    }
