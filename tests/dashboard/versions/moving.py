"""Versions and addresses that the tests of the version pages share."""

from django.urls import reverse

from routines.models import Header, Routine, VersionMove
from routines.registry import header_versions

OLD = header_versions.BETA_VERSION
NEW = "experimental-cc-routine-2026-10-01"
NEWER = ["experimental-cc-routine-2026-05-01", "experimental-cc-routine-2026-06-01", NEW]
MAY_STOP = "older than the two before the newest: may stop working"

LIST, ADD, MOVE = "/versions/", "/versions/add/", "/versions/move/"


def moving(target: str, header: Header = Header.BETA, **more: str) -> dict[str, str]:
    return {"to": f"{header}:{target}", **more}


def go_back_url(move: VersionMove) -> str:
    return reverse("go_back", args=[move.pk])


def betas() -> list[str]:
    return list(Routine.objects.order_by("pk").values_list("beta_version", flat=True))
