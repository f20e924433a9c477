"""Which API key a call proves to have, and whether it may be used now, from where it comes."""

from datetime import timedelta
from secrets import compare_digest

from django.db import Error as DatabaseFailure
from django.utils import timezone

from routines import patience
from routines.callers import networks, turned_away
from routines.models import ApiKey, ApiKeySecret, WhyNoRun
from routines.values import api_keys

_NOTED_EVERY = timedelta(minutes=1)  # when a secret was last used; not every call writes it


class UnknownKey(Exception):
    """Not a key of ours, or a secret that was ended."""


class KeyRefused(Exception):
    """It is a key of ours, and may not be used now."""

    def __init__(self, why: WhyNoRun, api_key: ApiKey) -> None:
        super().__init__(why.label)
        self.why, self.api_key = why, api_key


def authenticate(presented: str, *, address: str | None) -> ApiKey:
    """The key that `presented` is a live secret of; its person is loaded.

    Raise UnknownKey or KeyRefused.
    """
    secret = api_keys.read(presented)
    if secret is None:
        raise UnknownKey
    # Found by its digest: how long that takes says nothing of the secret.
    stored = (
        ApiKeySecret.objects.filter(digest=secret.digest, ended_at=None)
        .select_related("api_key__person")
        .order_by()
        .first()
    )
    if stored is None or not compare_digest(stored.digest, secret.digest):
        raise UnknownKey
    api_key = stored.api_key
    why = _refusal(api_key, address)
    if why is not None:
        turned_away.note(api_key, why)
        raise KeyRefused(why, api_key)
    _note_use(stored, address)
    return api_key


def _refusal(api_key: ApiKey, address: str | None) -> WhyNoRun | None:
    has_left = api_key.person is not None and not api_key.person.is_active
    if api_key.is_revoked or has_left:
        return WhyNoRun.REVOKED
    if api_key.is_expired:
        return WhyNoRun.EXPIRED
    return None if networks.contain(api_key.networks, address) else WhyNoRun.NETWORK


def _note_use(secret: ApiKeySecret, address: str | None) -> None:
    now = timezone.now()
    is_known = secret.last_used_from == address and secret.last_used_at is not None
    if is_known and secret.last_used_at > now - _NOTED_EVERY:  # type: ignore[operator]
        return
    try:
        with patience.at_most(patience.NOTE):
            ApiKeySecret.objects.filter(pk=secret.pk).update(
                last_used_at=now, last_used_from=address
            )
    except DatabaseFailure:
        return  # the next call notes it
