"""Writing the audit trail, always in the transaction of the change that it tells of."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from routines.audit import chain
from routines.models import AuditEvent, Person, Routine
from routines.models.audit import chain_of
from routines.values.redaction import redact

# The IP address that the work of this thread is for; None: from the command line.
_address: ContextVar[str | None] = ContextVar("address", default=None)
# Who does what is done by no person.
_no_person: ContextVar[str] = ContextVar("no_person", default="command line")


@contextmanager
def from_address(address: str | None) -> Iterator[None]:
    """Every trace within comes from this IP address. So no change has to pass it on."""
    previous = _address.set(address)
    try:
        yield
    finally:
        _address.reset(previous)


@contextmanager
def done_by(no_person: str) -> Iterator[None]:
    """Every trace within that names no person names this instead of the command line."""
    previous = _no_person.set(no_person)
    try:
        yield
    finally:
        _no_person.reset(previous)


def trace(
    action: AuditEvent.Action,
    *,
    by: Person | None,
    routine: Routine | None = None,
    subject: str = "",
    changes: dict[str, list[Any]] | None = None,
) -> None:
    """Names a routine, or a `subject` that is none.

    `changes` is {"field": [before, after]}; `by` None stands for the command line, or for what
    `done_by` names.
    """
    AuditEvent.objects.create(
        person=by,
        person_name=str(by or _no_person.get()),
        address=_address.get(),
        action=action,
        routine=routine,
        subject=redact(routine.name if routine else subject),
        changes=_redacted(changes or {}),
        chain=chain_of(action),
    )
    chain.seal_after_commit()


def _redacted(value: Any) -> Any:
    """The trail outlives everything: what is a secret by mistake must not stand in it for ever."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {name: _redacted(inner) for name, inner in value.items()}
    return [_redacted(inner) for inner in value] if isinstance(value, list | tuple) else value


def differences(before: dict[str, Any], after: dict[str, Any]) -> dict[str, list[Any]]:
    """The `changes` from one state to another."""
    return {
        field: [before[field], value] for field, value in after.items() if before[field] != value
    }
