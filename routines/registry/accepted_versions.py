"""What the endpoint makes of a header version: judged by its answers to runs, and by nothing else.

That a version is known here says only that somebody typed it in.
"""

from collections.abc import Collection
from datetime import datetime

from django.db.models import OuterRef, Q, QuerySet, Subquery

from routines.models import Header, HeaderVersion, Run, VersionMove
from routines.registry.header_versions import FIELDS, Known, pinned, refused_header
from routines.values.reasons import Reason

# The endpoint itself says so; what people found may have been another run's.
_STARTED = Q(reason__in=(Reason.SESSION_CREATED, Reason.ODD_SESSION_URL))
_REFUSALS_LOOKED_AT = 500
_ANY = Q()


def judged() -> Known:
    """Return the known versions, with what the answers to runs say of them."""
    versions = list(HeaderVersion.objects.order_by("-dated", "-pk"))
    _judge(versions)
    ever = {(Header(one.header), one.value) for one in versions if one.accepted_at is not None}
    if Run.objects.filter(_STARTED, beta_version="").exists():
        ever.add((Header.BETA, ""))
    refused = [
        version
        for version, moment in _refused_last().items()
        if version not in ever or not _was_accepted(*version, since=moment)
    ]
    is_not_sending_accepted = (Header.BETA, "") in ever
    return Known(versions, refused=refused, is_not_sending_accepted=is_not_sending_accepted)


def remember() -> None:
    """Keep which versions were accepted: retention takes the runs away that say so."""
    for version in _judge(list(HeaderVersion.objects.filter(accepted_at=None))):
        version.save(update_fields=["accepted_at"])


def last_accepted(run: Run) -> str | None:
    """Return the version that this routine was last started with, of the header that is refused.

    Else the newest that any routine was started with; None if there is no other one.
    """
    header = refused_header(run)
    started = Run.objects.filter(_STARTED, routine=run.routine_id).newest_first()
    others = started.exclude(**{FIELDS[header]: pinned(run, header)})
    last: str | None = others.values_list(FIELDS[header], flat=True).first()
    if last is not None:
        return last
    accepted = HeaderVersion.objects.filter(header=header, accepted_at__isnull=False)
    others_known = accepted.exclude(value=pinned(run, header)).order_by("-dated", "-pk")
    return others_known.values_list("value", flat=True).first()


def refusals_since(moves: list[VersionMove]) -> dict[int, int]:
    """Return how many runs were refused for the version that each move brought them to, by its pk.

    At most so many as are looked at.
    """
    if not moves:
        return {}
    counts: dict[int, int] = {}
    for run in _refusals(Q(created_at__gt=min(move.moved_at for move in moves))):
        header = refused_header(run)
        for move in moves:  # the newest first: to it belongs what came since
            is_of_it = move.header == header and move.target == pinned(run, header)
            is_later = run.created_at > move.moved_at
            moved = {step.routine_id for step in move.steps.all()}
            if is_of_it and is_later and run.routine_id in moved:
                counts[move.pk] = counts.get(move.pk, 0) + 1
                break
    return counts


def _judge(versions: Collection[HeaderVersion]) -> list[HeaderVersion]:
    """Set `accepted_at` of those that a run says it of now; return them."""
    found = []
    for header in Header:
        open_ones = [one for one in versions if one.header == header and one.accepted_at is None]
        with_it = Run.objects.filter(_STARTED, **{FIELDS[header]: OuterRef("value")}).order_by()
        moments = (
            HeaderVersion.objects.filter(pk__in=[one.pk for one in open_ones])
            .annotate(moment=Subquery(with_it.values("created_at")[:1]))
            .values_list("pk", "moment")
        )
        accepted = dict(moments)
        for version in open_ones:
            version.accepted_at = accepted.get(version.pk)
        found += [one for one in open_ones if one.accepted_at is not None]
    return found


def _refused_last() -> dict[tuple[Header, str], datetime]:
    """When each version was last refused, of the refusals that are looked at."""
    found: dict[tuple[Header, str], datetime] = {}
    for run in _refusals():
        header = refused_header(run)
        found.setdefault((header, pinned(run, header)), run.created_at)
    return found


def _refusals(condition: Q = _ANY) -> QuerySet[Run]:
    runs = Run.objects.filter(condition, reason=Reason.HEADER_VERSION).newest_first()
    fields = ("routine", *FIELDS.values(), "error_message", "created_at")
    return runs.only(*fields)[:_REFUSALS_LOOKED_AT]


def _was_accepted(header: Header, value: str, *, since: datetime) -> bool:
    later = Run.objects.filter(_STARTED, created_at__gt=since, **{FIELDS[header]: value})
    return later.exists()
