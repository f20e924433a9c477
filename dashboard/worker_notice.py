"""What every page tells admins when nothing sends what waits."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from routines.people.roles import Permission
from routines.runs import queue
from routines.worker import heartbeat


@dataclass(frozen=True)
class NoWorker:
    runs: int  # that wait


def no_worker(request: HttpRequest) -> dict[str, Any]:
    """Context processor: false while a worker runs, and to everybody but admins.

    One light query, made where it is drawn; a second one if there is something to say.
    """
    return {"no_worker": SimpleLazyObject(lambda: _found(request))}


def _found(request: HttpRequest) -> NoWorker | None:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or not user.has_perm(Permission.MANAGE_REGISTRY):
        return None
    return None if heartbeat.is_any_alive() else NoWorker(queue.length())
