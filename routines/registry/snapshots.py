"""What the registry's pages show of each thing, for whoever changes it: values/snapshots.py."""

from datetime import datetime

from routines.models import Routine, TextTemplate
from routines.registry.tags import tags_of
from routines.values.snapshots import Snapshot

# What `edit` changes, beside the tags.
EDITABLE = (
    "name",
    "purpose",
    "account",
    "beta_version",
    "api_version",
    "cool_down",
    "hourly_limit",
)


EVERYBODY = "everybody"  # instead of the names of groups; without any, it is nobody


def details(routine: Routine) -> Snapshot:
    values = {name: getattr(routine, name) for name in ("routine_id", *EDITABLE)}
    values |= {"account": routine.account.label, "tags": tags_of(routine)}
    return Snapshot(f"details of routine {routine.pk}", values, routine=routine.pk)


def rules(routine: Routine) -> Snapshot:
    """Who may run it, and what they are asked first."""
    groups = sorted(routine.open_to.values_list("name", flat=True))
    values = {
        "open_to": EVERYBODY if routine.open_to_everybody else groups,
        "confirmation": routine.confirmation,
        "asks_why": routine.asks_why,
        "runs_seen_by_group": routine.runs_seen_by_group,
    }
    return Snapshot(f"rules of routine {routine.pk}", values, routine=routine.pk)


def whole(routine: Routine) -> Snapshot:
    """All that people decide about it, for the buttons that switch it on and off.

    Without the texts, and without what the endpoint's answers change by themselves.
    """
    values = details(routine).values | rules(routine).values
    values |= {"enabled": routine.enabled, "archived": routine.is_archived}
    values |= {"token": f"…{routine.token_last_four}" if routine.has_token else None}
    return Snapshot(f"routine {routine.pk}", values, routine=routine.pk)


def holds(routine: Routine) -> Snapshot:
    values = {
        "held_until": moment(routine.held_until),
        "account_held_until": moment(routine.account.held_until),
    }
    return Snapshot(f"holds of routine {routine.pk}", values, routine=routine.pk)


def template(template: TextTemplate) -> Snapshot:
    """A shared one, or somebody's own."""
    columns = ("name", "body", "fields", "is_json", "order")
    values = {name: getattr(template, name) for name in columns}
    return Snapshot(f"text template {template.pk}", values, routine=template.routine_id)


def moment(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None
