"""The trail as chains of hashes: whoever changes or takes out an entry breaks the rest.

An entry is chained right after the transaction that it tells of, in a short one of its own that
locks the chain's head. So writers on many hosts make one chain, and that lock, taken last and
alone, can be part of no deadlock (docs/decisions/0022). What a crash leaves unchained, the next
writer, or the check, chains.

Who can write to the database can make the whole chain anew, unless a head is kept elsewhere:
SECURITY.md says what this proves and what not.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from functools import partial
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from routines.models import AuditEvent, AuditHead, Chain

_BATCH = 500
_FIELDS = ("at", "person_name", "address", "action", "subject", "changes", "chain")


def seal(*, batches: int | None = None) -> None:
    """Chain what is committed and not chained yet, the oldest first."""
    done = 0
    while done != batches and _unchained().exists() and _seal_batch() == _BATCH:
        done += 1


def seal_all(**_signal: Any) -> None:
    """After `migrate`: what was there before the chain was."""
    if AuditHead._meta.db_table in connection.introspection.table_names():  # else an early state
        seal()


def seal_after_commit() -> None:
    # Robust: the change is done, and what could not be chained now is chained with the next. One
    # batch: after an upgrade there may be many, and somebody waits for this change.
    transaction.on_commit(partial(seal, batches=1), robust=True)


@transaction.atomic
def _seal_batch() -> int:
    heads = {chain: locked_head(chain) for chain in Chain}  # always in this order
    entries = list(_unchained().order_by("pk")[:_BATCH])
    for entry in entries:
        head = heads[Chain(entry.chain)]
        head.number, head.hash = head.number + 1, hash_of(entry, head.hash)
        entry.number, entry.hash = head.number, head.hash
    if entries:
        AuditEvent._base_manager.bulk_update(entries, ["number", "hash"])
        for head in heads.values():
            head.save(update_fields=["number", "hash"])
    return len(entries)


def locked_head(chain: Chain) -> AuditHead:
    AuditHead.objects.get_or_create(chain=chain)
    return AuditHead.objects.select_for_update().get(chain=chain)


def hash_of(entry: AuditEvent, previous: str) -> str:
    """Over the text of the entry. Not over whom and what it points to: these are taken out of the
    row when they are deleted, and their names are part of the text."""
    values = {name: getattr(entry, name) for name in _FIELDS}
    values["at"] = entry.at.astimezone(UTC).isoformat(timespec="microseconds")
    text = json.dumps([previous, entry.pk, values], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _unchained() -> QuerySet[AuditEvent]:
    return AuditEvent._base_manager.filter(number=None)


# --- Checking ---


@dataclass
class Walk:
    """What a check of one chain has found."""

    chain: Chain
    head: AuditHead
    entries: int = 0
    problem: str = ""  # a sentence; empty: unbroken
    found: dict[int, str] = field(default_factory=dict)  # the hashes that were asked for


def walk(
    chain: Chain, *, newest: int | None = None, asked: Mapping[int, str] | None = None
) -> Walk:
    """Compare the chain, or its `newest` entries, from the oldest on; stop at the first that is
    broken. `asked`: hashes kept elsewhere, by number, that the chain must still have."""
    head = AuditHead.objects.filter(chain=chain).first() or AuditHead(chain=chain)
    result = Walk(chain, head)
    result.problem = _first_problem(result, newest, dict(asked or {}))
    return result


def _first_problem(result: Walk, newest: int | None, asked: dict[int, str]) -> str:
    head, number, previous = result.head, result.head.deleted_to, result.head.anchor
    if not _anchor_is_traced(head):
        return (
            f"Entries up to {head.deleted_to} are gone, and the retention has left no entry that "
            "says so."
        )
    if newest is not None and head.number - newest > number:
        number = head.number - newest
        first = AuditEvent._base_manager.filter(chain=head.chain, number=number).first()
        if first is None:
            return f"Entry {number} is missing."
        previous = first.hash
    if number in asked and previous != asked[number]:
        return f"Entry {number} is not the one whose hash was kept: the chain was made anew."
    for entry in _entries(Chain(head.chain), number, head.number):
        number += 1
        if entry.number != number:
            return f"Entry {number} is missing."
        if entry.hash != hash_of(entry, previous):
            return (
                f"Entry {number} (ID {entry.pk}, {entry.at:%Y-%m-%d %H:%M} UTC) is not as it was "
                "recorded, or the one before it was exchanged."
            )
        if asked.get(number, entry.hash) != entry.hash:
            return f"Entry {number} is not the one whose hash was kept: the chain was made anew."
        previous = entry.hash
        result.entries += 1
    if number != head.number or previous != head.hash:
        return f"The newest entries are missing: the chain ends at {number}, not at {head.number}."
    behind = AuditEvent._base_manager.filter(chain=head.chain, number__gt=head.number)
    if AuditHead.objects.filter(chain=head.chain, number=head.number).exists() and behind.exists():
        return f"There are entries behind the chain's end, {head.number}."
    missing = [one for one in asked if one > head.number]
    if missing:
        return f"Entry {missing[0]}, whose hash was kept, is missing: the chain ends before it."
    return ""


def _entries(chain: Chain, after: int, last: int) -> Iterator[AuditEvent]:
    """In steps, so that no cursor and no transaction stays open."""
    entries = AuditEvent._base_manager.filter(chain=chain).order_by("number")
    while step := list(entries.filter(number__gt=after, number__lte=last)[:_BATCH]):
        yield from step
        after = step[-1].number or last


def _anchor_is_traced(head: AuditHead) -> bool:
    """What retention deletes from one chain stands in the other, which is never shortened."""
    if not head.deleted_to:
        return not head.anchor
    applied = AuditEvent._base_manager.filter(
        chain=Chain.CHANGES, action=AuditEvent.Action.RETENTION_APPLIED, subject=SIGN_INS_SUBJECT
    ).order_by("-pk")
    last = applied.first()
    return last is not None and last.changes.get("goes on behind") == [
        None,
        f"{head.deleted_to}:{head.anchor}",
    ]


SIGN_INS_SUBJECT = "old sign-ins"
