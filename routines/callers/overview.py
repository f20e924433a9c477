"""All keys, with how much each is used."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q
from django.utils import timezone

from routines.models import ApiKey, ApiKeySecret, Person
from routines.runs import caps


@dataclass(frozen=True)
class Row:
    """`api_key` has `routine_count` and `tag_count` beside its columns."""

    api_key: Any
    secrets: list[ApiKeySecret]  # live, oldest first
    used: caps.Used

    @property
    def last_used(self) -> ApiKeySecret | None:
        """The secret that was used last, of those that still open something."""
        return newest_use(self.secrets)

    @property
    def is_live(self) -> bool:
        return not (self.api_key.is_revoked or self.api_key.is_expired)

    @property
    def old_secret(self) -> ApiKeySecret | None:
        """The one that a second one is to replace."""
        return self.secrets[0] if self.is_live and len(self.secrets) > 1 else None


def newest_use(secrets: Iterable[ApiKeySecret]) -> ApiKeySecret | None:
    used = [secret for secret in secrets if secret.last_used_at is not None]
    return max(used, key=lambda secret: secret.last_used_at or timezone.now(), default=None)


def every() -> list[Row]:
    """Personal ones as well. Those that are out of use stand last."""
    return _rows(ApiKey.objects.all())


def theirs(person: Person) -> list[Row]:
    return _rows(ApiKey.objects.filter(person=person))


def _rows(found: Any) -> list[Row]:
    counted = found.select_related("person").annotate(
        routine_count=Count("routines", filter=Q(routines__archived_at=None), distinct=True),
        tag_count=Count("tags", distinct=True),
    )
    api_keys = list(counted.order_by("name", "pk"))
    live: dict[int, list[ApiKeySecret]] = {}
    for secret in ApiKeySecret.objects.filter(api_key__in=api_keys, ended_at=None).order_by("pk"):
        live.setdefault(secret.api_key_id, []).append(secret)
    used = caps.used(api_keys)
    rows = [Row(one, live.get(one.pk, []), used.get(one.pk, caps.Used())) for one in api_keys]
    return sorted(rows, key=lambda row: not row.is_live)
