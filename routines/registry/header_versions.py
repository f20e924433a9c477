"""The two dated headers of the fire endpoint: which values are known, and how old they are.

Each routine is pinned to a value of each header; for the beta version that may be none, and then
the header is not sent. Documented: breaking changes ship behind a newer dated value, and the two
before it keep working. So the newest known value and the two before it count as supported.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import IntegrityError, models, transaction
from django.db.models import Count, F, Q
from django.utils import timezone

from routines.audit import trace
from routines.models import AuditEvent, Header, HeaderVersion, Person, Routine, Run
from routines.models.columns import max_length
from routines.values import tokens
from routines.values.snapshots import Snapshot, check

BETA_VERSION = "experimental-cc-routine-2026-04-01"  # documented, November 2026
API_VERSION = "2023-06-01"  # documented as required

FIELDS = {Header.BETA: "beta_version", Header.API: "api_version"}  # of a routine, and of a run

_SUPPORTED = 3  # the newest and the two before
_FURTHEST_AHEAD = timedelta(days=366)  # a later date is a slip, and would count as the newest
_SENDABLE = re.compile(r"[A-Za-z0-9._,-]+", re.ASCII)
_DATE_AT_END = re.compile(r"(?:\A|[^0-9])([0-9]{4}-[0-9]{2}-[0-9]{2})\Z", re.ASCII)


def is_sendable(version: str) -> bool:
    """True if `version` can stand in a header; whether the endpoint knows it, only it can say.

    A token is none, wherever it was pasted: versions are shown and traced in clear.
    """
    return _SENDABLE.fullmatch(version) is not None and tokens.PREFIX not in version


def pinned(routine: Routine | Run, header: Header) -> str:
    value: str = getattr(routine, FIELDS[header])
    return value


# --- What is known, and where a routine stands ---


class Standing(models.TextChoices):
    SUPPORTED = "supported", "supported"
    NEW = "new", "never accepted yet: no run with it has started a session"
    REFUSED = "refused", "refused by the endpoint: retired, mistyped or not out yet"
    OLD = "old", "older than the two before the newest: may stop working"
    UNKNOWN = "unknown", "not among the known versions: may not work"
    NOT_SENT = "not_sent", "not sent"


@dataclass(frozen=True)
class VersionWarning:
    """A routine is pinned to a version that may not work."""

    header: Header
    value: str
    standing: Standing
    successor: str | None  # as Known.successor


class Known:
    """The known versions of both headers, newest first, read once for a whole page."""

    def __init__(
        self,
        versions: Collection[HeaderVersion],
        *,
        refused: Collection[tuple[Header, str]] = (),
        is_not_sending_accepted: bool = False,
    ) -> None:
        """`refused`: what the endpoint does not accept now; see accepted_versions.judged."""
        self._refused = set(refused)
        self._is_not_sending_accepted = is_not_sending_accepted
        self._of = {
            header: [version for version in versions if version.header == header]
            for header in Header
        }

    def of_header(self, header: Header) -> list[HeaderVersion]:
        return self._of[header]

    def newest(self, header: Header) -> HeaderVersion | None:
        return next(iter(self._of[header]), None)

    def find(self, header: Header, value: str) -> HeaderVersion | None:
        return next((one for one in self._of[header] if one.value == value), None)

    def standing(self, header: Header, value: str) -> Standing:
        if not value and header == Header.BETA:
            return Standing.NOT_SENT
        found = self.find(header, value)
        if found is None:
            return Standing.UNKNOWN
        if (header, value) in self._refused:
            return Standing.REFUSED
        if found not in self._of[header][:_SUPPORTED]:
            return Standing.OLD
        return Standing.NEW if found.accepted_at is None else Standing.SUPPORTED

    def is_supported(self, header: Header, value: str) -> bool:
        """Whether it may be expected to work; not sending the beta header is documented to."""
        fine = (Standing.SUPPORTED, Standing.NEW, Standing.NOT_SENT)
        return self.standing(header, value) in fine

    def is_accepted(self, header: Header, value: str) -> bool:
        """Whether the endpoint has started a session with it, and does not refuse it since."""
        if (header, value) in self._refused:
            return False
        if not value:
            return header == Header.BETA and self._is_not_sending_accepted
        found = self.find(header, value)
        return found is not None and found.accepted_at is not None

    def is_older(self, header: Header, value: str, than: str) -> bool:
        """Whether somebody who moves routines to `than` would want this one moved, too."""
        if value == than or not value:
            return False
        one, other = self.find(header, value), self.find(header, than)
        if one is None or other is None:
            return True
        versions = self._of[header]
        return versions.index(one) > versions.index(other)

    def successor(self, header: Header, value: str) -> str | None:
        """Where to move routines whose `value` is refused or old; empty: do not send the header.

        None if there is nothing newer to be moved to.
        """
        accepted = [one for one in self._of[header] if self.is_accepted(header, one.value)]
        if accepted and (
            (header, value) in self._refused or self.is_older(header, value, than=accepted[0].value)
        ):
            return accepted[0].value
        newest = self.newest(header)
        if newest is not None and (not value or self.is_older(header, value, than=newest.value)):
            return newest.value
        return "" if header == Header.BETA and value else None

    def warnings(self, routine: Routine) -> list[VersionWarning]:
        """What to warn admins of."""
        values = [(header, pinned(routine, header)) for header in Header]
        return [
            VersionWarning(
                header, value, self.standing(header, value), self.successor(header, value)
            )
            for header, value in values
            if not self.is_supported(header, value)
        ]


def known() -> Known:
    return Known(HeaderVersion.objects.order_by("-dated", "-pk"))


@dataclass(frozen=True)
class Row:
    """One value of a header, and how many routines are pinned to it."""

    value: str
    version: HeaderVersion | None  # None: not known, or not sent
    standing: Standing
    successor: str | None  # as Known.successor
    current: int
    archived: int

    @property
    def is_pinned(self) -> bool:
        return bool(self.current or self.archived)


def overview(header: Header, versions: Known) -> list[Row]:
    """Every known value, newest first, then what else routines are pinned to."""
    counted = (
        Routine.objects.order_by()
        .values_list(F(FIELDS[header]))
        .annotate(
            current=Count("pk", filter=Q(archived_at=None)),
            archived=Count("pk", filter=Q(archived_at__isnull=False)),
        )
    )
    pins = {value: (current, archived) for value, current, archived in counted}
    values = [version.value for version in versions.of_header(header)]
    values += sorted(set(pins) - set(values), reverse=True)
    return [
        Row(
            value,
            versions.find(header, value),
            versions.standing(header, value),
            versions.successor(header, value),
            *pins.get(value, (0, 0)),
        )
        for value in values
    ]


def refused_header(run: Run) -> Header:
    """Which header a refusal (Reason.HEADER_VERSION) speaks of, going by the endpoint's words."""
    about_api = re.search(r"anthropic-version|\bapi\W+version", run.error_message, re.IGNORECASE)
    return Header.API if about_api else Header.BETA


# --- Adding and removing ---


class VersionRefused(ValueError):
    """`str()` is a sentence for the admin; `field` names what to mend."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


def add(header: Header, value: str, *, dated: date | None = None, by: Person) -> HeaderVersion:
    """Add a version that Anthropic has announced. The date is the one that the value ends in.

    `dated` is needed for a value that names none. Raise VersionRefused.
    """
    value = value.strip()
    _check(header, value)
    version = HeaderVersion(header=header, value=value, dated=_date(value, dated), added_by=by)
    try:
        with transaction.atomic():
            version.save()
            changes = {"dated": [None, version.dated.isoformat()]}
            trace(
                AuditEvent.Action.VERSION_ADDED, by=by, subject=_subject(version), changes=changes
            )
    except IntegrityError:
        raise VersionRefused(
            "value", f"This {header.label} is known already. Nothing was added."
        ) from None
    return version


def _check(header: Header, value: str) -> None:
    if not value:
        raise VersionRefused("value", f"Give the {header.label}, as Anthropic announced it.")
    if tokens.PREFIX in value:
        raise VersionRefused("value", "This is a token, not a version. It was not saved.")
    if not is_sendable(value):
        raise VersionRefused(
            "value",
            "A header version has letters, digits, dots, commas and dashes only, like 2023-06-01.",
        )
    longest = max_length(Routine, FIELDS[header])
    if len(value) > longest:
        raise VersionRefused(
            "value", f"This is too long for the {header.label}: at most {longest} characters."
        )


def date_in(value: str) -> date | None:
    """The date that a version ends in, if it is one of the calendar."""
    found = _DATE_AT_END.search(value)
    try:
        return date.fromisoformat(found.group(1)) if found else None
    except ValueError:
        return None


def _date(value: str, given: date | None) -> date:
    named = date_in(value)
    if named is None and given is None:
        raise VersionRefused(
            "dated", "The version ends in no date (YYYY-MM-DD). Say from which day it is."
        )
    if named is not None and given is not None and named != given:
        raise VersionRefused(
            "dated", f"The version itself says {named}. Leave this empty, or mend the version."
        )
    dated = named or given
    assert dated is not None  # noqa: S101  # both missing was refused above
    if dated > timezone.now().date() + _FURTHEST_AHEAD:
        raise VersionRefused(
            "dated" if named is None else "value",
            f"{dated} is more than a year ahead. Look at the date again.",
        )
    return dated


def snapshot(version: HeaderVersion) -> Snapshot:
    values = {"value": version.value, "dated": version.dated.isoformat()}
    return Snapshot(f"header version {version.pk}", values, subject=_subject(version))


@transaction.atomic
def remove(version: HeaderVersion, *, by: Person, seen: Snapshot | None = None) -> None:
    """Take a version that was added by mistake off the list. Raise VersionRefused."""
    check(seen, snapshot(version))
    # A move to this version locks it, too: whoever comes second sees what the first has done.
    of_header = HeaderVersion.objects.select_for_update().filter(header=version.header)
    locked = {one.pk: one for one in of_header}
    if version.pk not in locked:
        return
    if Routine.objects.filter(**{FIELDS[Header(version.header)]: version.value}).exists():
        raise VersionRefused("value", "Routines are pinned to this version: move them first.")
    if len(locked) == 1:
        raise VersionRefused("value", "This is the only known version: add another one first.")
    changes = {"dated": [version.dated.isoformat(), None]}
    trace(AuditEvent.Action.VERSION_REMOVED, by=by, subject=_subject(version), changes=changes)
    version.delete()


def _subject(version: HeaderVersion) -> str:
    return f"{version.header}: {version.value}"
