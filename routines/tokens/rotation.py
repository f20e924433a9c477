"""Replacing and removing stored tokens, each in one transaction with its audit event.

The routine's row is locked meanwhile, and who acts names the token_version that was on their page:
of two admins at once, the second is told what the first did instead of overwriting it unseen.
Runs under way finish with the token they started with: they took it under the same lock.
"""

from django.db import transaction

from routines.audit import trace
from routines.models import TOKEN_FIELDS, AuditEvent, Person, Routine
from routines.values import tokens
from routines.values.tokens import Token

Action = AuditEvent.Action


class TokenChanged(Exception):
    """The token is another one than the page showed; `event` says who changed it, and when."""

    def __init__(self, routine: Routine) -> None:
        super().__init__("The token has changed since the page was opened.")
        self.routine = routine
        self.event = (
            AuditEvent.objects.filter(
                routine=routine, action__in=[Action.TOKEN_SET, Action.TOKEN_REMOVED]
            )
            .order_by("-at", "-pk")
            .first()
        )


@transaction.atomic
def replace_token(
    routine: Routine, token: Token, *, by: Person, seen_version: int | None = None
) -> None:
    """Store `token`. Raise TokenChanged, nothing saved, if `seen_version` is not the stored one."""
    stored = _locked(routine, seen_version)
    before = _fingerprint(stored)
    stored.set_token(token, by=by)
    stored.save(update_fields=TOKEN_FIELDS)
    trace(
        Action.TOKEN_SET, by=by, routine=stored, changes={"token": [before, _fingerprint(stored)]}
    )


@transaction.atomic
def remove_token(routine: Routine, *, by: Person, seen_version: int | None = None) -> None:
    """Forget the stored token at once, for one that may be in wrong hands. Raise TokenChanged."""
    stored = _locked(routine, seen_version)
    if not stored.has_token:
        return
    before = _fingerprint(stored)
    stored.remove_token()
    stored.save(update_fields=TOKEN_FIELDS)
    trace(Action.TOKEN_REMOVED, by=by, routine=stored, changes={"token": [before, None]})


def routines_with(token: Token, *, besides: Routine | None = None) -> list[Routine]:
    """Other routines that store this very token, which opens one routine only."""
    others = Routine.objects.exclude(token_encrypted="").filter(token_last_four=token.last_four)
    if besides is not None:
        others = others.exclude(pk=besides.pk)
    return [routine for routine in others.order_by("name", "pk") if _stores(routine, token)]


def _stores(routine: Routine, token: Token) -> bool:
    try:
        return routine.reveal_token() == token
    except tokens.TokenUnreadable:
        return False


def _locked(routine: Routine, seen_version: int | None) -> Routine:
    stored = Routine.objects.select_for_update(of=("self",), no_key=True).get(pk=routine.pk)
    if seen_version is not None and stored.token_version != seen_version:
        raise TokenChanged(stored)
    return stored


def _fingerprint(routine: Routine) -> str | None:
    return f"…{routine.token_last_four}" if routine.has_token else None
