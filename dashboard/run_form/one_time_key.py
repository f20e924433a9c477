"""The one-time key that a run form carries, signed for one person and one routine.

The signature keeps a key from being shown around or made up; the age keeps a form that was left
open, or a replayed request, from firing long after its run may have been deleted.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.core import signing
from django.utils import timezone

from routines.models import Person, Routine

LIFETIME = timedelta(days=1)


class BadKey(ValueError):
    """The key was not made here for this person and this routine."""


@dataclass(frozen=True)
class OneTimeKey:
    value: UUID
    is_expired: bool


def issue(person: Person, routine: Routine) -> str:
    return _signer(person, routine).sign(uuid4().hex)


def read(signed: str, *, person: Person, routine: Routine) -> OneTimeKey:
    signer = _signer(person, routine)
    try:
        value = UUID(signer.unsign(signed))
    except (signing.BadSignature, ValueError):
        raise BadKey from None
    try:
        signer.unsign(signed, max_age=LIFETIME)
    except signing.SignatureExpired:
        return OneTimeKey(value, is_expired=True)
    return OneTimeKey(value, is_expired=False)


def was_issued_before(moment: datetime, signed: str, *, person: Person, routine: Routine) -> bool:
    """Of a key that `read` has taken."""
    try:
        _signer(person, routine).unsign(signed, max_age=timezone.now() - moment)
    except signing.SignatureExpired:
        return True
    return False


def _signer(person: Person, routine: Routine) -> signing.TimestampSigner:
    return signing.TimestampSigner(salt=f"run form of {person.pk} for {routine.pk}")
