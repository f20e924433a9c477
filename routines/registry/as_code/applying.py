"""From a document to the registry: check all of it against what is stored, then change it.

One transaction: either all of it happens, each change with its audit event, or nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import transaction

from routines import registry
from routines.models import Account, Header, Routine
from routines.registry import snapshots
from routines.registry.as_code.document import Document, DocumentRefused, Entry, Problem
from routines.registry.as_code.scalars import NOBODY
from routines.registry.as_code.templates import apply_templates, template_problems
from routines.registry.header_versions import FIELDS, Known, known
from routines.registry.snapshots import EVERYBODY
from routines.registry.tags import tags_of


@dataclass(frozen=True)
class Change:
    """What became of one account or routine. `what` is empty where nothing changed."""

    subject: str
    what: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.what or 'unchanged'}"


def apply(document: Document, *, dry_run: bool = False) -> list[Change]:
    """Make the registry say what the document says, and tell what that came to.

    What the document does not name is left alone. With `dry_run` nothing is written. Raise
    DocumentRefused.
    """
    with transaction.atomic():
        plan = _Plan(document)
        changes = [*plan.apply_accounts(), *plan.apply_routines()]
        transaction.set_rollback(dry_run)
    return changes


_AS_STORED: dict[str, Any] = {"[]": EVERYBODY, NOBODY: []}


class _Plan:
    """The document beside what is stored: made only if everything in it can be done."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._accounts = {account.label: account for account in Account.objects.all()}
        self._groups = {group.name: group for group in Group.objects.all()}
        self._versions: Known = known()
        # Locked: two imports at once, or an admin meanwhile, come one after the other.
        named = [entry.values["routine_id"] for entry in document.routines]
        self._stored = {
            routine.routine_id: routine
            for routine in Routine.objects.select_for_update(of=("self",), no_key=True)
            .filter(routine_id__in=named)
            # Not in the same query: PostgreSQL would miss one that is just moving to another.
            .prefetch_related("account")
            .order_by("pk")
        }
        problems = [problem for entry in document.routines for problem in self._problems(entry)]
        if problems:
            raise DocumentRefused(problems)

    # --- Checking ---

    def _problems(self, entry: Entry) -> Iterator[Problem]:
        values = entry.values
        stored = self._stored.get(values["routine_id"])
        if stored is None:
            for name in ("name", "account"):
                if name not in values:
                    yield entry.problem(name, "This is missing, and the routine is a new one.")
        account = values.get("account")
        new_accounts = {one.values["label"] for one in self._document.accounts}
        if account is not None and account not in self._accounts and account not in new_accounts:
            yield entry.problem(
                "account", f"“{account}” is no account here. Add it under accounts, too."
            )
        for header, name in FIELDS.items():
            yield from self._version_problems(entry, header, name, stored)
        yield from self._open_to_problems(entry, stored)
        yield from template_problems(stored, values.get("templates", []))
        slug = values.get("slug")
        holder = Routine.objects.filter(slug=slug).first() if slug else None
        if holder is not None and holder != stored:
            yield entry.problem(
                "slug", f"“{slug}” is taken by “{holder}” ({holder.routine_id}). Choose another."
            )

    def _open_to_problems(self, entry: Entry, stored: Routine | None) -> Iterator[Problem]:
        written = entry.values.get("open_to", EVERYBODY)
        if written == [] and stored is not None and not stored.open_to_everybody:
            yield entry.problem(
                "open_to",
                f"“{stored}” is not open to everybody, and an empty list would open it. Write "
                f"{EVERYBODY} if that is meant, {NOBODY}, or the groups.",
            )
        for group in written if isinstance(written, list) else ():
            if group not in self._groups:
                yield entry.problem("open_to", f"“{group}” is no group here. Add the group first.")

    def _version_problems(
        self, entry: Entry, header: Header, name: str, stored: Routine | None
    ) -> Iterator[Problem]:
        version = entry.values.get(name)
        if version is None and stored is None and self._versions.newest(header) is None:
            yield entry.problem(name, "This is missing, and no version is known here.")
        if not version or self._versions.find(header, version):
            return
        if stored is None or getattr(stored, name) != version:
            yield entry.problem(
                name, f"“{version}” is not known here. Add it under Header versions first."
            )

    # --- Changing ---

    def apply_accounts(self) -> Iterator[Change]:
        for entry in self._document.accounts:
            label = entry.values["label"]
            account = self._accounts.get(label)
            limit = entry.values.get("hourly_limit", account.hourly_limit if account else None)
            what = ""
            if account is None:
                what = "added"
            elif account.hourly_limit != limit:
                what = "changed hourly_limit"
            if what:
                registry.set_account(label, hourly_limit=limit, by=None)
            yield Change(f"account {label}", what)

    def apply_routines(self) -> Iterator[Change]:
        # Addresses that are written down are not given to routines without one.
        reserved = {
            entry.values["slug"] for entry in self._document.routines if "slug" in entry.values
        }
        for entry in self._document.routines:
            try:
                yield self._apply(entry, reserved)
            except ValidationError as error:
                # Not by what is written here, which was checked, but by what is stored beside it.
                sentence = " ".join(error.messages)
                raise DocumentRefused([entry.problem("routine_id", sentence)]) from None

    def _apply(self, entry: Entry, reserved: set[str]) -> Change:
        stored = self._stored.get(entry.values["routine_id"])
        if stored is None:
            routine, done = self._register(entry, reserved), ["registered, without a token yet"]
        else:
            routine, done = stored, self._edit(entry, stored)
        done += self._apply_rules(entry, routine)
        done += _apply_switches(entry, routine)
        if "templates" in entry.values:
            done += apply_templates(routine, entry.values["templates"])
        return Change(f"routine {routine} ({routine.routine_id})", ", ".join(done))

    def _register(self, entry: Entry, reserved: set[str]) -> Routine:
        newest = {name: self._versions.newest(header) for header, name in FIELDS.items()}
        values: dict[str, Any] = {name: str(version) for name, version in newest.items()}
        values |= {"purpose": "", "slug": ""}
        wanted = ("routine_id", "slug", "tags", *registry.EDITABLE)
        values |= {name: entry.values[name] for name in wanted if name in entry.values}
        values["slug"] = values["slug"] or registry.free_slug(values["name"], besides=reserved)
        return registry.register(**values, token=None, by=None)

    def _edit(self, entry: Entry, routine: Routine) -> list[str]:
        before = {name: getattr(routine, name) for name in registry.EDITABLE}
        before["account"] = routine.account.label
        after = before | {
            name: entry.values[name] for name in registry.EDITABLE if name in entry.values
        }
        before["tags"] = sorted(tags_of(routine))
        after["tags"] = entry.values.get("tags", before["tags"])
        changed = [name for name in before if before[name] != after[name]]
        if changed:
            registry.edit(routine, **after, by=None)
        slug = entry.values.get("slug", routine.slug)
        if slug != routine.slug:
            registry.set_slug(routine, slug, by=None)
            changed.append("slug")
        return [f"changed {name}" for name in changed]

    def _apply_rules(self, entry: Entry, routine: Routine) -> list[str]:
        before = snapshots.rules(routine).values
        after = before | {name: entry.values[name] for name in before if name in entry.values}
        if "open_to" in entry.values:
            # Until there was a word for it, an empty list said everybody: _open_to_problems.
            after["open_to"] = _AS_STORED.get(str(after["open_to"]), after["open_to"])
        changed = [name for name in before if before[name] != after[name]]
        if changed:
            who = after.pop("open_to")
            groups = [] if who == EVERYBODY else [self._groups[name] for name in who]
            after |= {"open_to_everybody": who == EVERYBODY, "open_to": groups}
            registry.set_rules(routine, **after, by=None)
        return [f"changed {name}" for name in changed]


def _apply_switches(entry: Entry, routine: Routine) -> list[str]:
    done = []
    enabled = entry.values.get("enabled", routine.enabled)
    if enabled != routine.enabled:
        registry.set_enabled(routine, enabled, by=None)
        done.append("enabled" if enabled else "disabled")
    archived = entry.values.get("archived", routine.is_archived)
    if archived != routine.is_archived:
        registry.set_archived(routine, archived, by=None)
        done.append("archived" if archived else "restored")
    return done
