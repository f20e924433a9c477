"""Writing the audit trail, always in the transaction of the change that it tells of."""

from typing import Any

from routines.models import AuditEvent, Person, Routine


def trace(
    action: AuditEvent.Action,
    *,
    by: Person | None,
    routine: Routine | None = None,
    subject: str = "",
    changes: dict[str, list[Any]] | None = None,
) -> None:
    """Names a routine, or a `subject` that is none.

    `changes` is {"field": [before, after]}; `by` None stands for the command line.
    """
    AuditEvent.objects.create(
        person=by,
        person_name=str(by or "command line"),
        action=action,
        routine=routine,
        subject=routine.name if routine else subject,
        changes=changes or {},
    )
