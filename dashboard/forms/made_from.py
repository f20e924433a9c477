"""What a form was drawn from, carried in it: a stale one must not undo what others did meanwhile.

Each form that changes something has a hidden field `seen`, a signed snapshot of what its page
showed. Forms mix `MadeFrom` in; a mere button stands beside `{% made_from ... %}`, and its view
asks `seen_by`. The domain looks once more, under its lock. Missing or forged is as good as stale.
"""

from collections.abc import Callable, Mapping
from copy import copy
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from django import forms
from django.core import signing
from django.utils import timezone

from routines import people
from routines.audit import latest_change
from routines.callers import keys
from routines.history import saved_views
from routines.models import AuditEvent
from routines.people import groups
from routines.registry import accounts, header_versions, snapshots
from routines.runs import outcomes, settling
from routines.values.snapshots import UNREADABLE, ChangedMeanwhile, Snapshot, carried, check

FIELD = "seen"
_LONGEST = 60_000  # of what is looked at; ours are shorter

# By the word that a template draws a button with.
SNAPSHOTS: Mapping[str, Callable[[Any], Snapshot]] = {
    "routine": snapshots.whole,
    "holds": snapshots.holds,
    "template": snapshots.template,
    "account hold": accounts.snapshot_of_hold,
    "version": header_versions.snapshot,
    "person": people.snapshot,
    "sign-in": people.snapshot_of_sign_in,
    "group": groups.snapshot,
    "api key": keys.snapshot,
    "outcome": outcomes.snapshot,
    "settling": settling.snapshot,
    "view": saved_views.snapshot,
    "snapshot": lambda snapshot: snapshot,  # one that the view has made
}


def written(snapshot: Snapshot, drawn: Mapping[str, Any] | None = None) -> str:
    """`drawn`: what stood in the fields of the form."""
    said = {"at": timezone.now().timestamp(), "values": snapshot.carried, "drawn": drawn or {}}
    return signing.dumps(said, salt=_salt(snapshot), compress=True)


def seen_by(posted: Mapping[str, Any], now: Snapshot) -> Snapshot:
    """What the page showed that was pressed; UNREADABLE if it does not say."""
    said = _said(posted, now)
    if said is None:
        return UNREADABLE
    return Snapshot(now.of, said["values"], at=datetime.fromtimestamp(said["at"], UTC))


def _said(posted: Mapping[str, Any], now: Snapshot) -> dict[str, Any] | None:
    carried = str(posted.get(FIELD, ""))
    if not carried or len(carried) > _LONGEST:
        return None
    try:
        said: dict[str, Any] = signing.loads(carried, salt=_salt(now))
    except signing.BadSignature:
        return None
    return said


def _salt(snapshot: Snapshot) -> str:
    return f"made from: {snapshot.of}"  # one page's is of no use in another


class Overtaken:
    """What a page says of it: who, when, and what is another now."""

    def __init__(self, changed: ChangedMeanwhile) -> None:
        self._changed = changed
        self.is_unreadable = changed.is_unreadable
        self.changes = {} if changed.is_unreadable else changed.changes
        self.carried = written(changed.now)

    @cached_property
    def event(self) -> AuditEvent | None:
        return latest_change(self._changed)


class MadeFrom(forms.BaseForm):
    """A form that changes what `made_from` shows. `cleaned_data` has `seen` for the domain."""

    def __init__(self, *args: Any, made_from: Snapshot | None = None, **kwargs: Any) -> None:
        """`made_from` None: the form adds something, so that there is nothing to be overtaken."""
        self.overtaken: Overtaken | None = None
        self._made_from = made_from
        super().__init__(*args, **kwargs)
        if made_from is not None:
            self.fields[FIELD] = forms.CharField(
                required=False, widget=forms.HiddenInput(attrs={"autocomplete": "off"})
            )
            # Asked for when it is drawn: a subclass fills its fields in after this.
            self.initial[FIELD] = lambda: written(made_from, self._drawn())

    def full_clean(self) -> None:
        super().full_clean()
        if not self.is_bound or self._made_from is None:
            return
        seen = seen_by(self.data, self._made_from)
        self.cleaned_data[FIELD] = seen
        try:
            self.check_early(seen, self._made_from)
        except ChangedMeanwhile as changed:
            self.tell(changed)

    def check_early(self, seen: Snapshot, now: Snapshot) -> None:
        """Before anything else is looked at; the domain does it again, under its lock."""
        check(seen, now)

    def tell(self, changed: ChangedMeanwhile) -> None:
        """Somebody else was faster. Pressing again is then meant for what the page shows now."""
        self.overtaken = Overtaken(changed)
        self.add_error(
            None,
            "This form was not whole, so nothing was saved. Look at it, and press the button again."
            if changed.is_unreadable
            else "This was changed since you opened the page, so nothing was saved.",
        )
        said = _said(self.data, changed.now)
        typed: Any = copy(self.data)
        if said is not None:
            self._follow(typed, said["drawn"])
        typed[FIELD] = written(changed.now, self._drawn())
        self.data = typed

    def _follow(self, typed: Any, drawn: Mapping[str, Any]) -> None:
        """Fields that the person left as they were show what is stored now."""
        for name, now in self._drawn().items():
            field, key = self.fields[name], self.add_prefix(name)
            value = field.widget.value_from_datadict(self.data, self.files, key)
            if name not in drawn or carried(_plain(value)) != drawn[name] or now == drawn[name]:
                continue
            stored = _plain(field.prepare_value(self.get_initial_for_field(field, name)))
            if isinstance(stored, list):
                typed.setlist(key, stored)
            elif isinstance(field.widget, forms.CheckboxInput) and not stored:
                typed.pop(key, None)
            else:
                typed[key] = stored

    def _drawn(self) -> dict[str, Any]:
        """What stands in each field before anybody types."""
        return {
            name: carried(_plain(field.prepare_value(self.get_initial_for_field(field, name))))
            for name, field in self.fields.items()
            if name != FIELD and not field.widget.is_hidden
        }


def _plain(value: Any) -> str | list[str]:
    """As a browser sends it."""
    if isinstance(value, list | tuple | set):
        return sorted(map(str, value))
    if value is None or value is False:
        return ""
    return "\n".join(str(value).splitlines())
