"""Register, edit, archive: every change of the registry, each with its audit event.

Tokens are replaced and removed in routines/tokens/rotation.py.

All of it in one transaction a call, so that no change goes without its trace; what is stored is
locked first. `seen` is what the page showed: another one raises ChangedMeanwhile (snapshots.py).
"""

from collections.abc import Collection, Sequence
from typing import Any

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from routines import text_templates
from routines.audit import differences, trace
from routines.models import Account, AuditEvent, Person, Routine, TextTemplate
from routines.registry import snapshots
from routines.registry.slugs import free_slug
from routines.registry.snapshots import EDITABLE
from routines.registry.tags import write_tags
from routines.runs import limits
from routines.text_templates import Field
from routines.values.snapshots import Snapshot, check
from routines.values.tokens import Token

Action = AuditEvent.Action


class GroupGone(ValueError):
    """A group that the routine was to be opened to was deleted meanwhile; nothing was saved."""


@transaction.atomic
def register(
    *,
    name: str,
    purpose: str,
    routine_id: str,
    account: str,
    beta_version: str,
    api_version: str,
    cool_down: int = 0,
    hourly_limit: int | None = None,
    token: Token | None,
    slug: str = "",
    tags: Collection[str] = (),
    by: Person | None,
) -> Routine:
    """Add a routine. `account` is the label of one, made if it is new; so is an empty slug.

    It is open to everybody who may run routines, until its rules say something else.
    """
    routine = Routine(
        open_to_everybody=True,
        name=name,
        slug=slug or free_slug(name),
        purpose=purpose,
        routine_id=routine_id,
        account=_account(account),
        beta_version=beta_version,
        api_version=api_version,
        cool_down=cool_down,
        hourly_limit=hourly_limit,
        created_by=by,
    )
    if token is not None:
        routine.set_token(token, by=by)
    routine.full_clean()
    routine.save()
    write_tags(routine, tags)
    values = snapshots.details(routine).values
    new_values = {name: [None, value] for name, value in values.items() if name != "tags" or tags}
    trace(Action.ROUTINE_REGISTERED, by=by, routine=routine, changes=new_values)
    if token is not None:
        trace(
            Action.TOKEN_SET,
            by=by,
            routine=routine,
            changes={"token": [None, f"…{token.last_four}"]},
        )
    return routine


@transaction.atomic
def edit(
    routine: Routine,
    *,
    name: str,
    purpose: str,
    account: str,
    beta_version: str,
    api_version: str,
    cool_down: int,
    hourly_limit: int | None,
    tags: Collection[str] | None = None,
    by: Person | None,
    seen: Snapshot | None = None,
) -> None:
    """Change everything but the routine ID and the token: those two belong together.

    `tags` None leaves them as they are.
    """
    before = snapshots.details(_locked(routine))
    check(seen, before)
    routine.name, routine.purpose = name, purpose
    routine.account = _account(account)
    routine.beta_version, routine.api_version = beta_version, api_version
    routine.cool_down, routine.hourly_limit = cool_down, hourly_limit
    routine.full_clean()
    routine.save(update_fields=list(EDITABLE))
    if tags is not None:
        write_tags(routine, tags)
    changes = differences(before.values, snapshots.details(routine).values)
    if changes:
        trace(Action.ROUTINE_EDITED, by=by, routine=routine, changes=changes)


@transaction.atomic
def set_enabled(
    routine: Routine, enabled: bool, *, by: Person | None, seen: Snapshot | None = None
) -> None:
    stored = _locked(routine)
    check(seen, snapshots.whole(stored))
    routine.enabled = enabled
    if stored.enabled == enabled:
        return
    routine.save(update_fields=["enabled"])
    trace(Action.ROUTINE_ENABLED if enabled else Action.ROUTINE_DISABLED, by=by, routine=routine)


@transaction.atomic
def set_archived(
    routine: Routine, archived: bool, *, by: Person | None, seen: Snapshot | None = None
) -> None:
    """Take a routine off the board, or bring it back. Its runs stay either way."""
    stored = _locked(routine)
    check(seen, snapshots.whole(stored))
    routine.archived_at = stored.archived_at
    if stored.is_archived == archived:
        return
    routine.archived_at = timezone.now() if archived else None
    routine.save(update_fields=["archived_at"])
    trace(Action.ROUTINE_ARCHIVED if archived else Action.ROUTINE_RESTORED, by=by, routine=routine)


@transaction.atomic
def set_rules(
    routine: Routine,
    *,
    open_to_everybody: bool = False,
    open_to: Collection[Group] = (),
    confirmation: str,
    asks_why: bool,
    runs_seen_by_group: bool | None = None,
    by: Person | None,
    seen: Snapshot | None = None,
) -> None:
    """Who may run it, and what they are asked first. Raise GroupGone.

    Not `open_to_everybody`: the members of these groups; none named, or none left later, is nobody.
    `runs_seen_by_group`: whether they see all its runs; None leaves that as it is.
    """
    stored = _locked(routine)
    before = snapshots.rules(stored)
    check(seen, before)
    if runs_seen_by_group is None:
        runs_seen_by_group = stored.runs_seen_by_group
    routine.confirmation, routine.asks_why = confirmation, asks_why
    routine.runs_seen_by_group = runs_seen_by_group
    routine.open_to_everybody = open_to_everybody
    columns = ["confirmation", "asks_why", "runs_seen_by_group", "open_to_everybody"]
    routine.save(update_fields=columns)
    routine.open_to.set([] if open_to_everybody else _locked_groups(open_to))
    changes = differences(before.values, snapshots.rules(routine).values)
    if changes:
        trace(Action.ROUTINE_EDITED, by=by, routine=routine, changes=changes)


@transaction.atomic
def set_slug(routine: Routine, slug: str, *, by: Person | None) -> None:
    """Give the routine's pages another address. Links to the old one break."""
    changes = {"slug": [_locked(routine).slug, slug]}
    routine.slug = slug
    routine.full_clean()
    routine.save(update_fields=["slug"])
    trace(Action.ROUTINE_EDITED, by=by, routine=routine, changes=changes)


@transaction.atomic
def set_account(label: str, *, hourly_limit: int | None, by: Person | None) -> None:
    """Set what is known of an account; it is made if it is new."""
    made, is_new = Account.objects.get_or_create(label=label)
    account = Account.objects.select_for_update(no_key=True).get(pk=made.pk)
    changes: dict[str, list[Any]] = {"label": [None, label]} if is_new else {}
    if account.hourly_limit != hourly_limit:
        changes["hourly_limit"] = [account.hourly_limit, hourly_limit]
    account.hourly_limit = hourly_limit
    account.save(update_fields=["hourly_limit"])
    if changes:
        trace(Action.ACCOUNT_EDITED, by=by, subject=label, changes=changes)


@transaction.atomic
def lift_hold(routine: Routine, *, by: Person, seen: Snapshot | None = None) -> None:
    """End the hold on a routine, and the one on its account, before its time."""
    routine = _locked(routine)
    before = snapshots.holds(routine)
    check(seen, before)
    if limits.hold(routine) is None:
        return
    changes: dict[str, list[Any]] = {name: [value, None] for name, value in before.values.items()}
    Routine.objects.filter(pk=routine.pk).update(held_until=None)
    same = Account.objects.filter(pk=routine.account_id, held_until=routine.account.held_until)
    same.update(held_until=None)  # a hold that began just now stays
    trace(Action.HOLD_LIFTED, by=by, routine=routine, changes=changes)


@transaction.atomic
def add_template(
    routine: Routine,
    *,
    name: str,
    body: str,
    fields: Sequence[Field] = (),
    is_json: bool = False,
    order: int = 0,
    by: Person | None,
) -> TextTemplate:
    """Raise ValidationError, also where the definitions of the fields do not go with the body."""
    values = _template_values(name, body, fields, is_json)
    template = TextTemplate(routine=routine, order=order, **values)
    template.full_clean()
    template.save()
    changes = {field: [None, value] for field, value in _without_empty(values).items()}
    trace(Action.TEMPLATE_ADDED, by=by, routine=routine, changes=changes)
    return template


@transaction.atomic
def edit_template(
    template: TextTemplate,
    *,
    name: str,
    body: str,
    fields: Sequence[Field] = (),
    is_json: bool = False,
    order: int,
    by: Person | None,
    seen: Snapshot | None = None,
) -> None:
    """Raise ValidationError as add_template does."""
    after = _template_values(name, body, fields, is_json) | {"order": order}
    # A form may have cleaned its values into `template` already: what was, the database knows.
    before = snapshots.template(_locked_template(template))
    check(seen, before)
    for field, value in after.items():
        setattr(template, field, value)
    template.full_clean()
    template.save(update_fields=list(after))
    changes = differences(before.values, after)
    if changes:
        changes.setdefault("name", [name, name])  # else nothing says which one it was
        trace(Action.TEMPLATE_EDITED, by=by, routine=template.routine, changes=changes)


@transaction.atomic
def delete_template(
    template: TextTemplate, *, by: Person | None, seen: Snapshot | None = None
) -> None:
    stored = _locked_template(template)
    check(seen, snapshots.template(stored))
    values = {field: getattr(stored, field) for field in ("name", "body", "fields", "is_json")}
    changes = {field: [value, None] for field, value in _without_empty(values).items()}
    template.delete()
    trace(Action.TEMPLATE_DELETED, by=by, routine=template.routine, changes=changes)


def _template_values(
    name: str, body: str, fields: Sequence[Field], is_json: bool
) -> dict[str, Any]:
    found = text_templates.problems(fields, body=body)
    if found:
        raise ValidationError([problem.sentence for problem in found])
    stored = [field.to_stored() for field in fields]
    return {"name": name, "body": body, "fields": stored, "is_json": is_json}


def _without_empty(values: dict[str, Any]) -> dict[str, Any]:
    """Of a whole template: without fields and JSON where there are none."""
    return {name: value for name, value in values.items() if value or name in ("name", "body")}


def _account(label: str) -> Account:
    account, _ = Account.objects.get_or_create(label=label)
    return account


def _locked(routine: Routine) -> Routine:
    """As it is stored; on SQLite, the transaction itself lets nobody else write."""
    locked = Routine.objects.select_for_update(of=("self",), no_key=True)
    return locked.select_related("account").get(pk=routine.pk)


def _locked_template(template: TextTemplate) -> TextTemplate:
    return TextTemplate.objects.select_for_update(of=("self",)).get(pk=template.pk)


def _locked_groups(groups: Collection[Group]) -> list[Group]:
    """So that none is deleted before the routine is open to it."""
    named = {group.pk for group in groups}
    found = list(Group.objects.select_for_update(no_key=True).filter(pk__in=named).order_by("pk"))
    if len(found) < len(named):
        raise GroupGone("A group that you chose was deleted meanwhile. Nothing was saved.")
    return found
